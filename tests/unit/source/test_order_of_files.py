"""What long rows of files are sorted by: a time in any usual form, to the nanosecond; never by the value itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.hints import curves, flags, refused

VALUES = [5.5, 1.5, 9.5, 2.5]
TIMES = {
    "date": ["31.01.2024 23:59:57", "31.01.2024 23:59:58", "31.01.2024 23:59:59", "01.02.2024 00:00:00"],
    "american": ["1/31/2024 11:59:57 PM", "1/31/2024 11:59:58 PM", "1/31/2024 11:59:59 PM", "2/1/2024 12:00:00 AM"],
    "half a day": ["9:58 AM", "11:59 AM", "12:01 PM", "1:00 PM"],
    "time of day": ["09:59:58", "9:59:59", "10:00:00", "10:00:01"],
    "zone": ["2024-01-31 09:58:00 +0200", "2024-01-31 08:58:01 +0100", "2024-01-31 07:58:02 +0000",
             "2024-01-31 09:58:03 +0200"],
    "duration": ["-00:00:01", "99:00:00", "100:00:00", "5 days"],
    "name of the month": ["30 Nov 2023 10:00:00", "1 Dec 2023 10:00:00", "1 Jan 2024 10:00:00", "10 Jan 2024 10:00:00"],
    "ISO": ["2024-01-31T23:59:57.9", "2024-01-31T23:59:58.10", "2024-01-31T23:59:58.9", "2024-02-01T00:00:00.0"],
    "padded": ["001", "002", "010", "100"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("form", TIMES)
@pytest.mark.parametrize("asked", [(), ("--values", "value"), ("--order", "time")])
def test_times_as_text(tmp_path: Path, kind: str, form: str, asked: tuple[str, ...]) -> None:
    rows = list(zip(TIMES[form], VALUES, strict=True))
    shuffled = [rows[i] for i in (2, 0, 3, 1)]
    path = tmp_path / f"x.{kind}"
    if kind == "csv":
        path.write_text("series_id,time,value\n" + "".join(f'1,"{at}",{value}\n' for at, value in shuffled))
    else:
        at, values = zip(*shuffled, strict=True)
        pq.write_table(pa.table({"series_id": [1] * 4, "time": at, "value": values}), path)
    assert curves(tmp_path / "ws", "--from", path, *asked) == {1: (VALUES,)}


def long_csv(folder: Path, *times: str) -> Path:
    path = folder / "x.csv"
    path.write_text("series_id,time,value\n" + "".join(f'1,"{t}",{v}\n' for t, v in zip(times, VALUES, strict=False)))
    return path


def test_dates_that_fit_two_orders(tmp_path: Path) -> None:
    path = long_csv(tmp_path, "1/2/2024", "2/1/2024", "3/1/2024")
    said = refused(tmp_path / "ws", 10, "'1/2/2024', which may be %d/%m/%Y or %m/%d/%Y", "--from", path)
    day, month = flags(said)
    assert curves(tmp_path / "ws", "--from", path, *day) == {1: ([1.5, 9.5, 5.5],)}
    assert curves(tmp_path / "ws", "--from", path, *month) == {1: ([5.5, 1.5, 9.5],)}


def test_another_file_tells_the_day_from_the_month(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    long_csv(tmp_path / "in", "2/1/2024", "1/2/2024").rename(tmp_path / "in" / "part-1.csv")
    long_csv(tmp_path / "in", "13/2/2024", "14/2/2024").rename(tmp_path / "in" / "part-2.csv")
    text = (tmp_path / "in" / "part-2.csv").read_text().replace("\n1,", "\n2,")
    (tmp_path / "in" / "part-2.csv").write_text(text)
    assert curves(tmp_path / "ws", "--from", tmp_path / "in")[1][-1] == [5.5, 1.5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "said"),
    [
        (("tick", "tock"), "is of type string ('tick' in row 2): expected a number or a time"),
        (("31.01.2024", "gestern", "1.2.2024"), "column time has 'gestern' in row 3: expected"),
        (("9:58", "9:58:30", "9:59"), "column time has '9:58:30' in row 3: expected"),
        (("23:59:59", "0:00:01"), "series 1 span more than 12 hours, as those do that pass midnight"),
        (("30.02.2024", "31.02.2024"), "('30.02.2024' in row 2): expected"),
    ],
)
def test_what_orders_nothing(tmp_path: Path, times: tuple[str, ...], said: str) -> None:
    path = long_csv(tmp_path, *times)
    for asked in ((), ("--values", "value"), ("--order", "time")):
        code = 8 if "expected a number or a time" in said or "30.02" in said else 10
        line = refused(tmp_path / "ws", code, said, "--from", path, *asked)
        assert "SELECT" not in line
        assert "query" not in line


def test_a_duration_may_take_longer(tmp_path: Path) -> None:
    path = long_csv(tmp_path, "00:00:01", "23:00:00", "2:00:00")
    (words,) = flags(refused(tmp_path / "ws", 10, "midnight", "--from", path))
    assert curves(tmp_path / "ws", "--from", path, *words) == {1: ([5.5, 9.5, 1.5],)}


def test_the_value_is_never_the_order(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("series_id,clock,amps\n1,tick,5\n1,tock,3\n")
    for asked in ((), ("--values", "amps")):
        refused(tmp_path / "ws", 8, "no column is clearly the order of the values", "--from", path, *asked)
    refused(tmp_path / "ws", 8, "are both amps", "--from", path, "--values", "amps", "--order", "amps")


def test_a_row_without_a_place(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("series_id,idx,value\n1,3,3\n1,,9\n1,1,1\n")
    (words,) = flags(refused(tmp_path / "ws", 10, "1 row without idx: expected one in each", "--from", path))
    assert curves(tmp_path / "ws", "--from", path, *words) == {1: ([1.0, 3.0],)}


NS = [300, 100, 200]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1_700_000_000_000_000_000 + n for n in NS], pa.timestamp("ns")),
        pa.array([1_700_000_000_000_000_000 + n for n in NS], pa.timestamp("ns", "Europe/Berlin")),
        pa.array(NS, pa.duration("ns")),
        pa.array(NS, pa.time64("ns")),
        pa.array([f"1700000000.000000{n}" for n in NS]).cast(pa.decimal128(38, 9)),
        pa.array([f"2024-01-01 00:00:00.000000{n}" for n in NS]),
    ],
)
def test_nanoseconds_in_parquet(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"series_id": [1] * 3, "time": column, "value": [3.0, 1.0, 2.0]}), tmp_path / "x.parquet")
    assert curves(tmp_path / "ws", "--from", tmp_path / "x.parquet") == {1: ([1.0, 2.0, 3.0],)}


def test_nanoseconds_in_int96(tmp_path: Path) -> None:
    at = pa.array([1_700_000_000_000_000_000 + n for n in NS], pa.timestamp("ns"))
    table = pa.table({"series_id": [1] * 3, "time": at, "value": [3.0, 1.0, 2.0]})
    pq.write_table(table, tmp_path / "x.parquet", use_deprecated_int96_timestamps=True)
    assert curves(tmp_path / "ws", "--from", tmp_path / "x.parquet") == {1: ([1.0, 2.0, 3.0],)}


def test_int96_beyond_the_years_that_nanoseconds_reach(tmp_path: Path) -> None:
    at = pa.array([253_402_300_799_000_000, 0], pa.timestamp("us"))
    table = pa.table({"series_id": [1, 1], "time": at, "value": [3.0, 1.0]})
    pq.write_table(table, tmp_path / "x.parquet", use_deprecated_int96_timestamps=True)
    refused(tmp_path / "ws", 10, "a time in the year 9999: expected 1678 to 2261", "--from", tmp_path / "x.parquet")
    pq.write_table(table, tmp_path / "x.parquet")
    assert curves(tmp_path / "ws", "--from", tmp_path / "x.parquet") == {1: ([1.0, 3.0],)}


@pytest.mark.parametrize(
    "before", ["2024-01-01 00:00:00.000000", "1706745597.000000", "00:00:00.000000", "1700000000000000"]
)
def test_nanoseconds_in_csv(tmp_path: Path, before: str) -> None:
    path = tmp_path / "x.csv"
    rows = zip(NS, (3.0, 1.0, 2.0), strict=True)
    path.write_text("series_id,time,value\n" + "".join(f"1,{before}{n},{value}\n" for n, value in rows))
    assert curves(tmp_path / "ws", "--from", path) == {1: ([1.0, 2.0, 3.0],)}
