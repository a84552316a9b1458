"""filter --show and --html on a few series made by hand: the whole output, odd series, text that would do harm."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

import tsclust
from tests.postgres.test_cli import on_a_terminal
from tests.postgres.test_cli import tsclust as command
from tests.support.pages import CLIPPED, HOSTILE, Opened, seen
from tests.support.screened import RULES, shown, workspace
from tsclust.cli.render import ASCII, BLOCKS, sparkline


def run(height: float, *more: float | None) -> list[float | None]:
    """A small run: rest, a peak of this height, a side movement, rest."""
    return [0.0, 0.0, height, 1.5, 1.1, 1.0, 1.1, 1.0, *more, 0.4, 0.0, 0.0]


def by_hand(root: Path, ids: list[Any] | None = None) -> Path:
    """Eight runs: two peaks are below 3, one of them below 2.5."""
    heights = [5.0, 5.1, 2.0, 5.2, 4.9, 2.8, 5.3, 5.0]
    values = [run(h, *([1.1] * 40 if i == 5 else [None, 1.1])) for i, h in enumerate(heights)]
    when = [datetime(2024, 3, 1, 12, i, 30, tzinfo=UTC) for i in range(8)]
    columns = {"series_id": ids or list(range(1, 9)), "machine": [f"W{i}" for i in range(8)], "at": when}
    return workspace(root, pa.table({**columns, "values": values}), RULES)


# Lines of bars


@pytest.mark.parametrize(
    ("values", "upper", "lower"),
    [
        ([0, 15], " █", "▁█"),
        (list(range(16)), "        ▁▂▃▄▅▆▇█", "▁▂▃▄▅▆▇█████████"),
        ([0, None, 15.0], "  █", "▁ █"),
        ([-15, 0], " █", "▁█"),
        ([7, 7, 7], "   ", "▁▁▁"),
        ([None, None], "  ", "  "),
        ([], "", ""),
    ],
)
def test_bars_go_from_the_lowest_value_to_the_highest(values: list[float | None], upper: str, lower: str) -> None:
    assert sparkline(values, BLOCKS.bars, 20) == (upper, lower)


def test_bars_in_plain_ascii() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5], ASCII.bars, 20) == ("   .:|", ".:||||")


def test_a_long_series_keeps_its_peaks_and_gaps() -> None:
    values = [1.0] * 50 + [9.0] + [1.0] * 49 + [None] * 100 + [1.0] * 99 + [-6.0]
    assert sparkline(values, BLOCKS.bars, 12) == ("  █         ", "████    ███▁")


# The whole output of a small case


def test_the_whole_output(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws")
    done = command("filter", "--show", "low", "-w", root)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        re.sub(r"\d+\.\d s", "0.1 s", done.stdout)
        == f"""\
filter 0.1 s
  low: Never above 3
  when max < 3
  rejects 2 series as the first rule, 2 in all, 1 that no other rule rejects
  each curve from its lowest value to its highest; a gap is a missing value
  below the id: machine, at

  6                      51 values   █▁                              2.8
  W5, 2024-03-01 12:05              ▁██▆▇▆▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▃▁ 0

  3                      13 values    █▄▁▁▁▁ ▁                       2
  W2, 2024-03-01 12:02              ▁▁██████ █▄▁▁                    0

next: tsclust filter -w {root} --show low --html
"""
    )
    assert max(map(len, done.stdout.splitlines()[:-1])) < 80


def test_json_has_the_facts_and_the_ids(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws")
    facts = {"rule": "low", "when": "max < 3", "reason": "Never above 3", "rejected": 2, "in_all": 2, "alone": 1}
    told = json.loads(command("filter", "--show", "low", "--json", "-w", root).stdout)
    assert told["facts"] == {**facts, "ids": [6, 3]}
    assert set(told) == {"command", "wrote", "seconds", "peak_mb", "skipped", "then", "facts"}
    told = json.loads(command("filter", "--show", "low", "--limit", "1", "--json", "-w", root).stdout)
    assert told["facts"] == {**facts, "ids": [6]}


def test_a_rule_that_is_never_the_first(tmp_path: Path) -> None:
    result = shown(by_hand(tmp_path / "ws"), "lower")
    assert result.notes[2] == "rejects 0 series as the first rule, 1 in all, 0 that no other rule rejects"
    assert (result.ids, result.sketches, result.endings, result.then) == ((), (), (), "")


# Text from the data


def control(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}


WIDE = "ключ 日本語" * 9
ESCAPES = ["\x1b[2J", "\x9b31m", "a\tb\nc\r", "\u202egnol", WIDE, "\x7f\x08", "[bold]x[/]", "\x1b]0;t\x07"]


def test_escape_sequences_do_not_reach_the_terminal(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    table = pq.read_table(root.parent / "in.parquet")
    table = table.set_column(1, "\x1b[1mmachine", pa.array(ESCAPES))
    root = workspace(tmp_path / "two" / "ws", table, RULES.replace("max < 3", "max < 9"))
    for words in ((), ("--limit", "0")):
        told = command("filter", "--show", "low", *words, "-w", root).stdout
        assert control(told) == set()
        assert "�[2J" in told
        assert "[bold]x[/]" in told
    drawn = "".join(on_a_terminal("filter", "--show", "low", "-w", root))
    assert not {"\x9b", "\u202e", "\x07", "\x08"} & set(drawn)
    assert "\x1b[2J" not in drawn
    assert "\x1b]" not in drawn
    told = command("filter", "--show", "low", "--json", "-w", root).stdout
    assert control(told) == set()
    assert set(json.loads(told)["facts"]["ids"]) == set(ESCAPES)


def test_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    with (root / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[rule]]\nname = "any"\nwhen = "max > 0"\nreason = "Всё"\n')
    tsclust.filter(root)
    done = command("filter", "--show", "any", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "any: ???" in done.stdout
    assert "~" in done.stdout  # a long id is shortened
    assert "|" in done.stdout
    done = command("filter", "--show", "any", "--json", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert WIDE in json.loads(done.stdout)["facts"]["ids"]


# The page


def test_hostile_text_is_shown_as_text_on_the_page(page: Page, tmp_path: Path) -> None:
    heights = [5.0] * 8
    table = pa.table(
        {"series_id": HOSTILE, "<b>name</b>": HOSTILE, "long": ["x<" * 5_000] * 8, "values": [run(h) for h in heights]}
    )
    when = r"""max > 0 OR \"<b>name</b>\" = '</style><script>'"""
    rule = f'\n[[rule]]\nname = "any"\nwhen = "{when}"\nreason = "</h1><img src=x>"\n'
    result = shown(workspace(tmp_path / "ws", table, rule), "any", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert set(page.locator("article h3 bdi").all_text_contents()) == {seen(text) for text in HOSTILE}
    expect(page.locator("header .lead").first).to_have_text("</h1><img src=x>")
    expect(page.locator("article dt").first).to_have_text("<b>name</b>")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.locator("img, script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert opened.is_quiet()


def test_where_nothing_is_rejected_no_page_is_written(tmp_path: Path) -> None:
    root = workspace(tmp_path / "ws", pa.table({"series_id": [1, 2], "values": [run(5.0), run(5.2)]}))
    result = tsclust.filter(root, html=True)
    assert (result.wrote, result.notes) == (None, ("no rule rejects a series: there is nothing to draw",))
    assert not (root / "reports").exists()


def test_series_without_values_and_without_normal_ones(page: Page, tmp_path: Path) -> None:
    values = [[], [None, None], None, [1e150, -1e150, 2.0] * 5, [0.0] * 20_000]
    table = pa.table({"series_id": [1, 2, 3, 4, 5], "values": pa.array(values, pa.list_(pa.float64()))})
    root = workspace(tmp_path / "ws", table, '\n[[rule]]\nname = "any"\nwhen = "n_values >= 0"\nreason = "All"\n')
    done = command("filter", "--show", "any", "-w", root)
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
    table = pa.table({"series_id": [1, 2], "values": [run(5.0), [1.0]]})
    result = shown(workspace(tmp_path / "ws", table, RULES.replace("max <", "max < -")), "not_described", html=True)
    assert result.wrote
    opened = Opened(page, result.wrote)
    assert page.locator("article").count() == 1
    assert "tsclust.toml" not in page.locator("body").inner_text()
    assert opened.is_quiet()
