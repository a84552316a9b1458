"""The page of filter --html on odd series and hostile text, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from playwright.sync_api import Page, expect

from tests.support.commands import call_tsclust
from tests.support.pages import CLIPPED, HOSTILE, Opened, seen
from tests.support.screened import RULES, screened_workspace, shown, small_run

# The page


def test_hostile_text_is_shown_as_text_on_the_page(page: Page, tmp_path: Path) -> None:
    heights = [5.0] * 8
    table = pa.table(
        {
            "series_id": HOSTILE,
            "<b>name</b>": HOSTILE,
            "long": ["x<" * 5_000] * 8,
            "values": [small_run(h) for h in heights],
        }
    )
    when = r"""max > 0 OR \"<b>name</b>\" = '</style><script>'"""
    rule = f'\n[[rule]]\nname = "any"\nwhen = "{when}"\nreason = "</h1><img src=x>"\n'
    result = shown(screened_workspace(tmp_path / "ws", table, rule), "any", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert set(page.locator("article h3 bdi").all_text_contents()) == {seen(text) for text in HOSTILE}
    expect(page.locator("header .lead").first).to_have_text("</h1><img src=x>")
    expect(page.locator("article dt").first).to_have_text("<b>name</b>")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.locator("img, script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert opened.is_quiet()


def test_series_without_values_and_without_normal_ones(page: Page, tmp_path: Path) -> None:
    values = [[], [None, None], None, [1e150, -1e150, 2.0] * 5, [0.0] * 20_000]
    table = pa.table({"series_id": [1, 2, 3, 4, 5], "values": pa.array(values, pa.list_(pa.float64()))})
    root = screened_workspace(
        tmp_path / "ws", table, '\n[[rule]]\nname = "any"\nwhen = "n_values >= 0"\nreason = "All"\n'
    )
    done = call_tsclust("filter", "--show", "any", "-w", root)
    assert (done.returncode, done.stderr) == (0, "")
    counts = {line[2:9].strip(): line[9:34].strip() for line in done.stdout.splitlines()[5:-1] if line[2:3].isdigit()}
    assert counts == {"1": "0 values", "2": "2 values", "3": "0 values", "4": "15 values", "5": "20,000 values"}
    result = shown(root, "any", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert [len(page.locator(f"article {path}").all()) for path in ("h3", "h3 small", ".normal[d='']")] == [5, 3, 5]
    assert page.locator(".legend li").count() == 1  # there are no normal ones
    assert page.evaluate(CLIPPED) == []
    assert opened.is_quiet()


def test_the_rule_that_always_holds_cannot_be_edited(page: Page, tmp_path: Path) -> None:
    table = pa.table({"series_id": [1, 2], "values": [small_run(5.0), [1.0]]})
    result = shown(
        screened_workspace(tmp_path / "ws", table, RULES.replace("max <", "max < -")), "not_described", html=True
    )
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert page.locator("article").count() == 1
    assert "tsclust.toml" not in page.locator("body").inner_text()
    assert opened.is_quiet()
