"""filter --show on a few series made by hand: the whole output, and text that would do harm."""

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

import tsclust
from tests.support.commands import call_tsclust, on_a_terminal, run_tsclust
from tests.support.screened import RULES, screened_workspace, shown, small_run


def by_hand(root: Path, ids: list[Any] | None = None) -> Path:
    """Eight runs: two peaks are below 3, one of them below 2.5."""
    heights = [5.0, 5.1, 2.0, 5.2, 4.9, 2.8, 5.3, 5.0]
    values = [small_run(h, *([1.1] * 40 if i == 5 else [None, 1.1])) for i, h in enumerate(heights)]
    when = [datetime(2024, 3, 1, 12, i, 30, tzinfo=UTC) for i in range(8)]
    columns = {"series_id": ids or list(range(1, 9)), "machine": [f"W{i}" for i in range(8)], "at": when}
    return screened_workspace(root, pa.table({**columns, "values": values}), RULES)


# The whole output of a small case


@pytest.mark.slow
def test_the_whole_output(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws")
    done = run_tsclust("filter", "--show", "low", "-w", root)
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
    told = json.loads(call_tsclust("filter", "--show", "low", "--json", "-w", root).stdout)
    assert told["facts"] == {**facts, "ids": [6, 3]}
    assert set(told) == {"command", "wrote", "seconds", "peak_mb", "skipped", "then", "facts"}
    told = json.loads(call_tsclust("filter", "--show", "low", "--limit", "1", "--json", "-w", root).stdout)
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


@pytest.mark.slow
def test_escape_sequences_do_not_reach_the_terminal(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    table = pq.read_table(root.parent / "in.parquet")
    table = table.set_column(1, "\x1b[1mmachine", pa.array(ESCAPES))
    root = screened_workspace(tmp_path / "two" / "ws", table, RULES.replace("max < 3", "max < 9"))
    for words in ((), ("--limit", "0")):
        told = call_tsclust("filter", "--show", "low", *words, "-w", root).stdout
        assert control(told) == set()
        assert "�[2J" in told
        assert "[bold]x[/]" in told
    drawn = "".join(on_a_terminal("filter", "--show", "low", "-w", root))
    assert not {"\x9b", "\u202e", "\x07", "\x08"} & set(drawn)
    assert "\x1b[2J" not in drawn
    assert "\x1b]" not in drawn
    told = call_tsclust("filter", "--show", "low", "--json", "-w", root).stdout
    assert control(told) == set()
    assert set(json.loads(told)["facts"]["ids"]) == set(ESCAPES)


@pytest.mark.slow
def test_a_terminal_that_knows_ascii_only(tmp_path: Path) -> None:
    root = by_hand(tmp_path / "ws", ESCAPES)
    with (root / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[rule]]\nname = "any"\nwhen = "max > 0"\nreason = "Всё"\n')
    tsclust.filter(root)
    done = run_tsclust("filter", "--show", "any", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "any: ???" in done.stdout
    assert "~" in done.stdout  # a long id is shortened
    assert "|" in done.stdout
    done = run_tsclust("filter", "--show", "any", "--json", "-w", root, environment={"PYTHONIOENCODING": "ascii"})
    assert WIDE in json.loads(done.stdout)["facts"]["ids"]


def test_where_nothing_is_rejected_no_page_is_written(tmp_path: Path) -> None:
    root = screened_workspace(
        tmp_path / "ws", pa.table({"series_id": [1, 2], "values": [small_run(5.0), small_run(5.2)]})
    )
    result = tsclust.filter(root, html=True)
    assert (result.wrote, result.notes) == (None, ("no rule rejects a series: there is nothing to draw",))
    assert not (root / "reports").exists()
