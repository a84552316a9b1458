"""What the page of the features makes of rules of any form, odd values, hostile text, and next to nothing."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from tests.support.features_workspace import SERIES_MADE, TOUCHING, data_of, made
from tests.support.pages import CLIPPED, HOSTILE, Opened, seen
from tests.support.series import cycles
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.charts import axis
from tsclust.stages.reports.features.limits import Limit, Parsed, parse
from tsclust.stages.reports.features.page import render

C = {"typical_a": 56.0, "spread_a": 10.0}


@pytest.mark.parametrize(
    ("when", "limits", "undrawn"),
    [
        ("a < 0.1", [("a", "<", 0.1, False)], []),
        ("0.1 > a", [("a", "<", 0.1, False)], []),
        ("a >= 3", [("a", ">=", 3.0, False)], []),
        ("a = 0 AND b > 0.5 * c", [("a", "=", 0.0, True)], [("b", "c")]),
        ("a > typical_a + 3 * spread_a", [("a", ">", 86.0, False)], []),
        ("10 * a < typical_a", [("a", "<", 5.6, False)], []),
        ("-2 * a < 3", [("a", ">", -1.5, False)], []),
        ("ABS(a - typical_a) > 2.5 * spread_a", [("a", ">", 81.0, False), ("a", "<", 31.0, False)], []),
        ("a BETWEEN 1 AND 2.5", [("a", ">=", 1.0, True), ("a", "<=", 2.5, True)], []),
        ("NOT (a > 0.5 AND b < 1)", [("a", "<=", 0.5, False), ("b", ">=", 1.0, False)], []),
        ("NOT (a > 3 OR b <> 1)", [("a", "<=", 3.0, True), ("b", "=", 1.0, True)], []),
        ("a > 1 OR a > 1", [("a", ">", 1.0, False)], []),
        ("a / 2 >= 10", [("a", ">=", 20.0, False)], []),
        ("a > other AND b * b > 4", [], [("a", "other"), ("b",)]),
        ("LEAST(a, 3) > 2", [], [("a",)]),
        ("a IS NULL", [], []),
        ("machine = 'a > 3'", [], []),
        ("other > 3 AND at > '2024-01-01'", [], []),
        ("a > 1e400", [], [("a",)]),
        ("1e-310 * a > 5", [], [("a",)]),
        ("a = 'x'", [], [("a",)]),
    ],
)
def test_limits_come_from_the_parsed_rule(when: str, limits: list[Any], undrawn: list[Any]) -> None:
    parsed = parse("r", when, ["a", "b", "c"], C)
    assert [(x.feature, x.sign, x.value, x.joined) for x in parsed.limits] == limits
    assert list(parsed.undrawn) == undrawn


@pytest.mark.parametrize("terms", [400, 1_500])
def test_a_rule_too_deep_to_read_is_named_by_its_columns(terms: int) -> None:
    deep = "+".join(["a", "typical_a", "other"] * (terms // 3)) + " > 1"
    assert parse("r", deep, ["a", "b"], C) == Parsed((), (("a", "other"),))
    assert parse("r", deep, ["b"], C) == Parsed((), ())


def test_the_axis_is_logarithmic_where_the_bulk_is_narrow() -> None:
    rng = np.random.default_rng(1)
    normal = rng.normal(10, 1, 10_000)
    even = axis.fit(normal, normal, [], (10.0, 1.0))
    assert (even.scale, len(even.edges)) == ("linear", 61)
    wild = np.concatenate([normal, rng.normal(10, 1e4, 100)])
    uneven = axis.fit(wild, normal, [], (10.0, 1.0))
    assert uneven.scale == "log"
    inside = uneven.along(np.quantile(normal, [0.01, 0.99]))
    assert 0.05 < inside[1] - inside[0] < 0.5
    assert all(uneven.edges[0] <= t <= uneven.edges[-1] for t in uneven.ticks())


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [1e-9, 2e-9], [-1e300, 0.0, 1e300], [5.0, 7.0], [1e6] * 9])
@pytest.mark.parametrize("limits", [[], [6.5, -3.0], [1e12]])
def test_any_values_have_an_axis(values: list[float], limits: list[float]) -> None:
    x = np.array(values)
    made = axis.fit(x, x, limits, (float(np.median(x)) if values else 0.0, 0.0))
    assert all(a < b for a, b in itertools.pairwise(made.edges))
    assert len(made.edges) <= axis.BINS + 3
    assert all(map(math.isfinite, (*made.ticks(), *made.along(made.edges), *made.along(limits))))
    assert len(set(made.ticks())) == len(made.ticks())


EXTREMES = {
    "large": 1e17 + 16 * np.arange(5),
    "ulps": 1e6 + 2.0**-33 * np.arange(5),
    "halves": 2.0**50 - 1 - np.arange(5),
    "tiny": 1e-310 * np.arange(5),
    "tiny_equal": np.full(5, 1e-310),
    "tiny_bulk": np.array([1e-310] * 3_000 + [2e-310] * 9 + [1.0] * 9),
    "span": np.array([-1.7e308, -1.0, 0.0, 1.0, 1.7e308]),
    "huge": np.array([1.6e308, 1.7e308, np.finfo(float).max]),
    "wild": np.array([0.0] * 3_000 + [1e-9] * 99 + [-1.7e308, 1.7e308] * 9),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("spread", [0.0, 1e-310, 1.0, 1.7e308, math.inf])
@pytest.mark.parametrize("limits", [[], [6.5, -1.7e308], [2.0**53, 1e-310]])
def test_extreme_values_have_an_axis(name: str, spread: float, limits: list[float]) -> None:
    x = EXTREMES[name]
    made = axis.fit(x, x, limits, (float(np.sort(x)[len(x) // 2]), spread))
    assert all(a < b for a, b in itertools.pairwise(made.edges))
    assert all(a < b for a, b in itertools.pairwise(made.ticks()))
    assert all(map(math.isfinite, (*made.edges, *made.ticks(), *made.along(limits), *made.along(x))))
    places = made.along(made.edges)
    assert (np.diff(places) >= 0).all()
    assert (places[0], places[-1]) == (0.0, 1.0)
    assert set(made.bins(x).tolist()) & set(range(1, len(made.edges)))


def test_a_page_of_extreme_values_has_numbers_that_can_be_drawn(page: Page, tmp_path: Path) -> None:
    deep = f'[[rule]]\nname = "deep"\nwhen = "{"+".join(["p50"] * 400)} > 1e6"\nreason = "a long sum"\n'
    workspace = made(tmp_path / "ws", cycles(SERIES_MADE)[0].slice(0, 400), toml=deep)
    (part,) = workspace.parts(FEATURES)
    table, names = pq.read_table(part), dict(zip(("side_mean", "p50", "p95", "p75"), EXTREMES, strict=False))
    names |= {"p05": "tiny_equal", "p25": "span", "rest_level": "huge"}
    for column, name in names.items():
        values = pa.array(np.resize(EXTREMES[name], len(table)), table.schema.field(column).type)
        table = table.set_column(table.schema.get_field_index(column), column, values)
    pq.write_table(table, part)
    data = data_of(workspace)
    assert (data.rules[0].parsed.limits, data.rules[0].parsed.undrawn) == ((), (("p50",),))
    assert sum(b.kept + b.rejected for d in data.distributions if d.feature.name == "rest_level" for b in d.bins) == 400
    path = tmp_path / "page.html"
    path.write_text(render(data, "en"), encoding="utf-8")
    html = path.read_text(encoding="utf-8")
    drawn = re.findall(r'(?:style| d|viewBox|x|y)="([^"]*)"', html[html.index("<body>") :])
    assert not re.findall(r"nan|inf\b|-?\d{6,}", " ".join(drawn))
    assert Opened(page, path).is_quiet()


def test_whole_numbers_lie_in_the_middle_of_their_bins() -> None:
    x = np.array([3.0, 4.0, 4.0, 9.0])
    made = axis.fit(x, x, [], (4.0, 0.0))
    assert made.edges == tuple(n + 0.5 for n in range(2, 10))
    assert made.bins(np.array([2.0, 3.0, 9.0, 10.0, np.nan])).tolist() == [0, 1, 7, 8, 9]


def test_hostile_text_is_shown_as_text(page: Page, tmp_path: Path) -> None:
    table = cycles(SERIES_MADE)[0].slice(0, 400)
    ids = [f"{HOSTILE[i % 8]}{i}" for i in range(len(table))]
    columns = {"<b>name</b>": [HOSTILE[i % 8] for i in range(len(table))], "long": ["x<" * 5_000] * len(table)}
    table = pa.table({"series_id": pa.array(ids), **columns, "values": table["values"]})
    data = data_of(made(tmp_path / "ws", table), ("<b>name</b>", "not there"))
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
    table = cycles(SERIES_MADE)[0]
    never = '[[rule]]\nname = "all"\nwhen = "n_values >= 0"\nreason = "none is real"\n'
    odd = pa.table({"series_id": [1, 2], "values": pa.array([[], [None, 1.0]], pa.list_(pa.float64()))})
    for name, series, toml in (("none", table.slice(0, 30), never), ("one", table.slice(0, 1), ""), ("odd", odd, "")):
        data = data_of(made(tmp_path / name / "ws", series, toml=toml), ())
        path = tmp_path / f"{name}.html"
        path.write_text(render(data, "ru"), encoding="utf-8")
        assert Opened(page, path).is_quiet()
        assert page.evaluate(CLIPPED) == []
        assert (len(data.strange), len(data.pairs.unusual)) == (data.kept, data.kept)
