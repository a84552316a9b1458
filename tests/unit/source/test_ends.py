"""Long rows whose order is a time: the first and the last of a series are carried; what differs within it is named."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tsclust.config import Source
from tsclust.source.files.reader import reader

ROWS = "run,machine,{},temp,value\n7,A,{},20,1\n7,A,{},21,2\n8,B,{},20,3\n"
PLACES = ("2026-03-01 10:00:00", "2026-03-01 10:00:02.5", "2026-03-02 00:00:00")


def series(folder: Path, text: str, **source: object) -> tuple[pl.DataFrame, str]:
    """(the series in a CSV of this text, what its layout is called)."""
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    files = reader(Source(files="rows.csv", id="run", values="value", **source), folder)
    tables = files.parts(folder, lambda batch: batch, lambda *_: None)
    return pl.concat([pl.DataFrame(table) for table in tables]).sort("series_id"), files.info.layout


def test_the_first_and_last_time_of_a_series_are_carried(tmp_path: Path) -> None:
    found, layout = series(tmp_path, ROWS.format("ts", *PLACES))
    assert found.columns == ["series_id", "ts_first", "ts_last", "machine", "values"]
    at = [datetime.fromisoformat(place) for place in PLACES]
    assert found["ts_first"].to_list() == [at[0], at[2]]
    assert found["ts_last"].to_list() == [at[1], at[2]]
    assert found["values"].to_list() == [[1.0, 2.0], [3.0]]
    assert layout.endswith("carried machine, ts_first, ts_last; left out, as they differ within a series: temp")


def test_times_that_are_texts_and_days_alone(tmp_path: Path) -> None:
    places = ("01.03.2026 10:00:00+01:00", "13.03.2026 10:00:02+01:00", "02.03.2026 00:00:00+01:00")
    found, _ = series(tmp_path, ROWS.format("ts", *places))
    assert found["ts_last"][0] == datetime(2026, 3, 13, 9, 0, 2, tzinfo=UTC)
    found, _ = series(tmp_path, ROWS.format("day", "2026-03-01", "2026-03-02", "2026-03-05"), order="day")
    assert found["day_last"].to_list() == [date(2026, 3, 2), date(2026, 3, 5)]


@pytest.mark.parametrize(
    ("name", "places"),
    [("n", ("1", "2", "1")), ("at", ("10:00:00", "10:00:02", "10:00:00")), ("s", ("0.1", "0.2", "0"))],
)
def test_what_is_no_moment_is_not_carried(tmp_path: Path, name: str, places: tuple[str, ...]) -> None:
    found, layout = series(tmp_path, ROWS.format(name, *places), order=name)
    assert found.columns == ["series_id", "machine", "values"]
    assert "first" not in layout


def test_who_names_the_columns_gets_these_alone_and_a_name_that_is_taken_gives_way(tmp_path: Path) -> None:
    text = ROWS.replace("machine", "ts_first").format("ts", *PLACES)
    found, _ = series(tmp_path, text)
    assert found.columns == ["series_id", "ts_first_", "ts_last", "ts_first", "values"]
    found, _ = series(tmp_path, text, carry=["ts_first"])
    assert found.columns == ["series_id", "ts_first", "values"]
    found, _ = series(tmp_path, text, carry=["ts"])
    assert found.columns == ["series_id", "ts_first_", "ts_last", "values"]
