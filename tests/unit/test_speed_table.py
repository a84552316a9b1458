"""bench/table.py writes its table where it belongs, on any machine, and is not lost after an hour of measuring."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(scope="module")
def table() -> Iterator[Any]:
    """The script, with its neighbours as it sees them."""
    before, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("table")
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(BENCH) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def doc(table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What it writes into; one thing is measured, of no cost."""
    path = tmp_path / "benchmarks.md"
    path.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(table, "DOC", path)
    monkeypatch.setattr(table, "PARTS", {"start": lambda _: iter([table.Line("a command", 1.204, "s", 1.2)])})
    return path


def call(table: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["table.py", *words])
    table.main()


def test_the_table_replaces_the_one_before_and_nothing_else(
    table: Any, doc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text("processor: 0\nCPU architecture: 8\n", encoding="utf-8")
    monkeypatch.setattr(sys.modules["machine"], "INFO", tmp_path / "cpuinfo")
    monkeypatch.setenv("PATH", "")  # no git either
    call(table, monkeypatch, "--write")
    text = doc.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{table.BEGIN}\n## Speed in one table\n")
    assert text.endswith(f"{table.END}\nafter\n")
    assert "old" not in text
    assert f"cores ({platform.machine()})" in text
    assert "commit unknown" in text
    assert "| a command | 1.204 s | at most 1.2 s |  |  | no |" in text


def test_a_file_without_a_place_for_it_stays_whole(table: Any, doc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doc.write_text(f"before\n{table.BEGIN}\nafter\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="no place for the table"):
        call(table, monkeypatch, "--write")
    assert doc.read_text(encoding="utf-8").endswith("after\n")


def test_a_part_does_not_replace_the_whole(table: Any, doc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.PARTS, "cluster", lambda _: iter([]))
    with pytest.raises(SystemExit):
        call(table, monkeypatch, "--only", "start", "--write")
    assert "old" in doc.read_text(encoding="utf-8")
