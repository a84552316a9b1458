"""Carried texts that are all dates become times, and extract reports it; codes and versions stay what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import dumps
from tests.support.hints import extract, flags, refused, series
from tests.support.workspaces import new_workspace
from tsclust.source.files import csv_file
from tsclust.source.time_spelling import spelled
from tsclust.source.time_text import candidates

DAY = [date(2024, 1, 31), date(2024, 2, 1)]
NULL = "\\N"
AT = [datetime(2024, 1, 31, 13, 5), datetime(2024, 2, 1, 0, 0)]


def written(folder: Path, kind: str, texts: list[str | None]) -> Path:
    """A series for each of the texts, which it carries."""
    path = folder / f"x.{kind}"
    ids = range(1, len(texts) + 1)
    if kind == "csv":
        lines = (f'{i},"[1,{i}]","{"" if text is None else text}"' for i, text in zip(ids, texts, strict=True))
        path.write_text("\n".join(["id,values,stamped", *lines]))
    elif kind == "parquet":
        pq.write_table(pa.table({"id": ids, "values": [[1.0, i] for i in ids], "stamped": texts}), path)
    else:
        rows = "".join(f"{i}\t{{1,{i}}}\t{NULL if t is None else t}\n" for i, t in zip(ids, texts, strict=True))
        create = 'CREATE TABLE public.t (\n    id integer,\n    "values" double precision[],\n    stamped text\n);\n\n'
        dumps.written(path, rows, 'id, "values", stamped', create)
    return path


def stamps(root: Path, *words: object) -> list[Any]:
    return [row[0] for _, row in sorted(series(root, *words).items())]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
@pytest.mark.parametrize(
    ("texts", "times", "form"),
    [
        (["31.01.2024 13:05", "01.02.2024 00:00"], AT, "%d.%m.%Y %H:%M"),
        (["1/31/2024 1:05 PM", "2/1/2024 12:00 AM"], AT, "%m/%d/%Y %I:%M %p"),
        (["31 Jan 2024, 13:05", "1 Feb 2024, 00:00"], AT, "%d %b %Y, %H:%M"),
        (["31.01.24 13:05", "01.02.24 00:00"], AT, "%d.%m.%y %H:%M"),
        (["31.01.2024", "01.02.2024"], DAY, "%d.%m.%Y"),
        (
            ["2024-01-31 15:05:00 +02:00", "2024-02-01 00:00:00 +00:00"],
            [t.replace(tzinfo=UTC) for t in AT],
            "%Y-%m-%d %H:%M:%S %z",
        ),
    ],
)
def test_dates_are_times(tmp_path: Path, kind: str, texts: list[str], times: list[Any], form: str) -> None:
    path = written(tmp_path, kind, [*texts, None, "n/a"])
    code, output = extract(tmp_path / "ws", "--from", path)
    assert code == 0
    in_utc = " in UTC" if "%z" in form else ""
    assert f"stamped read as times{in_utc} ({form}: '{texts[0]}')" in output
    assert stamps(tmp_path / "ws", "--from", path) == [*times, None, None]


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
@pytest.mark.parametrize(
    "text", ["x20240131", "12:05", "A-12-05", "2024-01-31_M7", "10.2.0.17", "99.99.2024", "20240131T120500"]
)
def test_codes_are_not(tmp_path: Path, kind: str, text: str) -> None:
    path = written(tmp_path, kind, [text, text, "B7"])
    assert "stamped " not in extract(tmp_path / "ws", "--from", path)[1].replace("carried stamped", "")
    assert stamps(tmp_path / "ws", "--from", path) == [text, text, "B7"]


@pytest.mark.parametrize("texts", [["1/2/2024", "3/4/2024"], ["1.2.10", "2.10.12"], ["2024.1.2", "2024.10.11"]])
def test_what_may_be_something_else_stays_text_and_is_reported(tmp_path: Path, texts: list[str]) -> None:
    path = written(tmp_path, "parquet", list(texts))
    output = extract(tmp_path / "ws", "--from", path)[1]
    assert "stamped stays text, as it may be %" in output
    assert stamps(tmp_path / "ws", "--from", path) == texts
    for words in flags(output):
        assert {type(at) for at in stamps(tmp_path / "ws", "--from", path, *words)} == {date}


def test_a_text_that_is_none_keeps_the_others_from_it(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", ["31.01.2024", "soon", "01.02.2024"])
    output = extract(tmp_path / "ws", "--from", path)[1]
    assert "stamped stays text, as 'soon' in row 3 is no time like the others (%d.%m.%Y)" in output
    assert stamps(tmp_path / "ws", "--from", path, *flags(output)[0]) == [DAY[0], None, DAY[1]]


def test_a_text_that_is_none_behind_the_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK", 200)
    path = written(tmp_path, "csv", ["31.01.2024"] * 30 + ["soon"])
    said = refused(tmp_path / "ws", 10, "column stamped has 'soon' in row 32: expected a time", "--from", path)
    assert stamps(tmp_path / "ws", "--from", path, *flags(said)[0])[-1] is None
    assert "times = [] under [source]" in said
    (tmp_path / "ws" / "tsclust.toml").write_text("[source]\ntimes = []\n")
    assert stamps(tmp_path / "ws", "--from", path)[-1] == "soon"


def test_a_day_behind_the_first_rows_says_which_date_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK", 200)
    path = written(tmp_path, "csv", ["1/2/2024"] * 30 + ["31/1/2024"])
    assert set(stamps(tmp_path / "ws", "--from", path)) == set(DAY)


def test_a_condition_sees_times(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", ["31.01.2024 13:05", "01.02.2024 00:00"])
    assert list(series(tmp_path / "ws", "--from", path, "--where", "stamped >= '2024-02-01'")) == [2]


def test_folders_named_by_a_date(tmp_path: Path) -> None:
    for i, day in enumerate(("2024-01-31", "2024-02-01")):
        (tmp_path / "in" / f"day={day}").mkdir(parents=True)
        (tmp_path / "in" / f"day={day}" / "a.csv").write_text(f'id,values\n{i},"[1,2]"\n')
    assert stamps(tmp_path / "ws", "--from", tmp_path / "in") == DAY


def test_the_settings_name_the_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "csv", ["31.01.2024", "01.02.2024"])
    new_workspace(tmp_path / "ws", '[source]\ntimes = ["other"]\n')
    assert stamps(tmp_path / "ws", "--from", path) == ["31.01.2024", "01.02.2024"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
def test_a_column_that_is_empty_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """All rows are looked at where the settings name it; else the output says what was looked at."""
    monkeypatch.setattr(csv_file, "BLOCK", 200)
    path = written(tmp_path, kind, [None] * 40 + ["31.01.2024 13:05"])
    if kind == "parquet":
        pq.write_table(pq.read_table(path), path, row_group_size=10)
    output = extract(tmp_path / "ws", "--from", path)[1]
    empty = 'stamped stays text, as it is empty in the first rows: times = ["stamped"] under [source]'
    assert (empty in output) == ("stays text" in output) == (kind == "csv")
    (tmp_path / "ws" / "tsclust.toml").write_text('[source]\ntimes = ["stamped"]\n')
    assert stamps(tmp_path / "ws", "--from", path) == [None] * 40 + [AT[0]]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Wed, 31 January 2024 1:05 p.m.", "%a, %d %b %Y %I:%M %p"),
        ("2024-01-31T15:05:00.123Z", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("13:05 31.01.24", "%H:%M %d.%m.%y"),
        ("20240131T120500", "%Y%m%dT%H%M%S"),
        ("31.01.2024\u00a013:05", "%d.%m.%Y\u00a0%H:%M"),
    ],
)
def test_a_form_is_spelled_whole(text: str, form: str) -> None:
    assert {spelled(found, text) for found in candidates(pa.array([text]))} == {form}
