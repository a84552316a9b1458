"""Ids that start again later are two recordings with one id: refused where most series pause, counted where few do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hints import extract, refused, series


def clock(second: int) -> str:
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


FORMS = {
    "whole numbers": lambda second: f"{second}",
    "seconds with digits": lambda second: f"{second}.25",
    "times": lambda second: f"2024-01-{1 + second // 86_400:02}T{clock(second)}",
    "times as text": lambda second: f"{1 + second // 86_400}.1.2024 {clock(second)}",
}
LATER = 20 * 86_400


def written(folder: Path, form: str, again: range, *, rows: int = 12) -> Path:
    """Ten series one after the other; then those of `again` once more, much later."""
    first = [(id_, id_ * 60 + i) for id_ in range(10) for i in range(rows)]
    lines = [*first, *((id_, LATER + second) for id_, second in first if id_ in again)]
    path = folder / "x.csv"
    path.write_text("id,time,value\n" + "".join(f"{id_},{FORMS[form](t)},{t % 7}.5\n" for id_, t in lines))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_ids_that_start_again(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, form, range(10))
    said = "10 of 10 series pause for more than 1,000 times their usual step in time (series "
    line = refused(tmp_path / "ws", 10, said, "--from", path)
    assert "--id COLUMN,COLUMN" in line
    assert len(series(tmp_path / "ws", "--from", path, "--merge")[7][-1]) == 24


@pytest.mark.parametrize(("again", "rows"), [(range(5), 12), (range(1), 12), (range(10), 2)])
def test_a_few_that_pause_are_counted_and_short_ones_are_not_judged(tmp_path: Path, again: range, rows: int) -> None:
    path = written(tmp_path, "times", again, rows=rows)
    code, output = extract(tmp_path / "ws", "--from", path)
    assert code == 0, output
    assert ("that pause for more than 1,000 times their usual step" in output) == (rows > 4)


def test_the_steps_of_a_series_are_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "whole numbers", range(0))
    path.write_text(path.read_text() + "".join(f"99,{10**6 * i},1.5\n" for i in range(12)))
    assert "pause" not in extract(tmp_path / "ws", "--from", path)[1]
