"""The page of the features of odd values, of hostile text, and of next to nothing, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import Page, expect

from tests.support.features_workspace import EXTREMES, SERIES_MADE, TOUCHING, data_of, describe_table, rewrite
from tests.support.pages import CLIPPED, HOSTILE, Opened, seen
from tests.support.series import machine_cycles
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.features.limits import Limit, Parsed
from tsclust.stages.reports.features.page import render


def test_a_page_of_extreme_values_has_numbers_that_can_be_drawn(page: Page, tmp_path: Path) -> None:
    deep = f'[[rule]]\nname = "deep"\nwhen = "{"+".join(["p50"] * 400)} > 1e6"\nreason = "a long sum"\n'
    workspace = describe_table(tmp_path / "ws", machine_cycles(SERIES_MADE)[0].slice(0, 400), toml=deep)
    (part,) = workspace.parts(FEATURES)
    table, names = pq.read_table(part), dict(zip(("side_mean", "p50", "p95", "p75"), EXTREMES, strict=False))
    names |= {"p05": "tiny_equal", "p25": "span", "rest_level": "huge"}
    for column, name in names.items():
        values = pa.array(np.resize(EXTREMES[name], len(table)), table.schema.field(column).type)
        table = table.set_column(table.schema.get_field_index(column), column, values)
    rewrite(part, table)
    data = data_of(workspace)
    assert data.rules[0].parsed == Parsed((Limit("deep", "p50", ">", 2_500.0, False),), ())
    assert sum(b.kept + b.rejected for d in data.distributions if d.feature.name == "rest_level" for b in d.bins) == 400
    path = tmp_path / "page.html"
    path.write_text(render(data, "en"), encoding="utf-8")
    html = path.read_text(encoding="utf-8")
    drawn = re.findall(r'(?:style| d|viewBox|x|y)="([^"]*)"', html[html.index("<body>") :])
    assert not re.findall(r"nan|inf\b|-?\d{6,}", " ".join(drawn))
    assert Opened(page, path).is_quiet()


def test_hostile_text_is_shown_as_text(page: Page, tmp_path: Path) -> None:
    table = machine_cycles(SERIES_MADE)[0].slice(0, 400)
    ids = [f"{HOSTILE[i % 8]}{i}" for i in range(len(table))]
    columns = {"<b>name</b>": [HOSTILE[i % 8] for i in range(len(table))], "long": ["x<" * 5_000] * len(table)}
    table = pa.table({"series_id": pa.array(ids), **columns, "values": table["values"]})
    data = data_of(describe_table(tmp_path / "ws", table), ("<b>name</b>", "not there"))
    assert data.baseline == ("<b>name</b>",)
    feature = replace(data.distributions[0].feature, name=HOSTILE[1], meaning=HOSTILE[0], phase=HOSTILE[2])
    limits = tuple(Limit(h, HOSTILE[1], ">", 40.0 + i, i % 2 == 0) for i, h in enumerate(HOSTILE))
    first = replace(data.distributions[0], feature=feature, limits=limits)
    rules = tuple(replace(data.rules[0], name=h, reason=h, when=h) for h in HOSTILE)
    data = replace(
        data, title=HOSTILE[0], origin=HOSTILE[2], distributions=(first, *data.distributions[1:]), rules=rules
    )
    data = replace(data, rules=tuple(replace(r, parsed=replace(r.parsed, limits=limits[:1])) for r in rules))
    path = tmp_path / "hostile.html"
    path.write_text(render(data, "en"), encoding="utf-8")
    page.set_viewport_size({"width": 1280, "height": 900})
    opened = Opened(page, path)
    expect(page.locator("h1")).to_have_text(HOSTILE[0])
    expect(page.locator(".source dd")).to_have_text(HOSTILE[2])
    expect(page.locator(".hists h3").first).to_have_text(HOSTILE[1])
    assert [page.locator(".rule h3").nth(i).text_content() for i in range(8)] == [seen(h) for h in HOSTILE]
    assert page.locator(".stranges h3").all_text_contents() == [seen(s.curve.series_id) for s in data.strange]
    page.locator(".rule .mini").first.click()
    expect(page.locator("#large dt").nth(1)).to_have_text("<b>name</b>")
    page.keyboard.press("Escape")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.locator("body script").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate(TOUCHING) == []
    assert opened.is_quiet()


def test_workspaces_with_next_to_nothing_have_a_page(page: Page, tmp_path: Path) -> None:
    table = machine_cycles(SERIES_MADE)[0]
    never = '[[rule]]\nname = "all"\nwhen = "n_values >= 0"\nreason = "none is real"\n'
    odd = pa.table({"series_id": [1, 2], "values": pa.array([[], [None, 1.0]], pa.list_(pa.float64()))})
    for name, series, toml in (("none", table.slice(0, 30), never), ("one", table.slice(0, 1), ""), ("odd", odd, "")):
        data = data_of(describe_table(tmp_path / name / "ws", series, toml=toml), ())
        path = tmp_path / f"{name}.html"
        path.write_text(render(data, "ru"), encoding="utf-8")
        assert Opened(page, path).is_quiet()
        assert page.evaluate(CLIPPED) == []
        assert (len(data.strange), len(data.pairs.unusual)) == (data.kept, data.kept)
