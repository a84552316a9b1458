"""Numbers with something between their thousands are read where their column leaves no doubt, or else refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import dumps
from tests.support.hints import flags, refused, series
from tsclust.source.files import csv_file
from tsclust.source.number_text import number_form

VALUES = [1234.5, -12.25, 1234567.0]
CLEAR = {
    "comma, point": ["1,234.5", "-12.25", "1,234,567"],
    "point, comma": ["1.234,5", "-12,25", "1.234.567"],
    "blank, comma": ["1 234,5", "-12,25", "1 234 567"],
    "no-break space": ["1\u202f234,5", "-12,25", "1\u00a0234\u00a0567"],
    "apostrophe": ["1'234.5", "-12.25", "1’234’567"],
    "decimal comma": ["1234,5", "-12,25", "1234567"],
}
UNCLEAR = [["1,234", "999"], ["1.234", "999", "12.500"], ["1,234.5", "1234.5"], ["1.234,5", "7.5"],
           ["1 234,5", "1'000"], ["12,34.5", "1,2"]]  # fmt: skip


@pytest.mark.parametrize("texts", CLEAR.values(), ids=CLEAR)
def test_a_clear_form(texts: list[str]) -> None:
    form = number_form([pa.array([*texts, None])])
    assert form
    assert form.parse(pa.array([*texts, None])).to_pylist() == [*VALUES, None]


@pytest.mark.parametrize("texts", UNCLEAR)
def test_no_clear_form(texts: list[str]) -> None:
    assert number_form([pa.array(texts)]) is None


def written(folder: Path, kind: str, texts: list[str]) -> Path:
    """One series of long rows with these texts for values."""
    path = folder / f"x.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"series_id": [1] * len(texts), "idx": range(len(texts)), "value": texts}), path)
    elif kind == "csv":
        path.write_text("series_id,idx,value\n" + "".join(f'1,{i},"{text}"\n' for i, text in enumerate(texts)))
    else:
        create = "CREATE TABLE public.t (\n    series_id integer,\n    idx integer,\n    value text\n);\n\n"
        dumps.written(path, "".join(f"1\t{i}\t{t}\n" for i, t in enumerate(texts)), "series_id, idx, value", create)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
@pytest.mark.parametrize("form", CLEAR)
def test_values_of_long_rows(tmp_path: Path, kind: str, form: str) -> None:
    path = written(tmp_path, kind, [*CLEAR[form], "n/a"])
    assert series(tmp_path / "ws", "--from", path) == {1: ([*VALUES, None],)}
    assert series(tmp_path / "ws", "--from", path, "--where", "value > 0") == {1: ([VALUES[0], VALUES[2]],)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_values_of_wide_rows(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    cells = [*(f'"{text}"' for text in CLEAR["comma, point"]), *(f"{i}.5" for i in range(7))]
    path.write_text(f"{delimiter.join(['id', *(f'v{i}' for i in range(10))])}\n7{delimiter}{delimiter.join(cells)}\n")
    assert series(tmp_path / "ws", "--from", path)[7][0][0] == 1234.5


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
@pytest.mark.parametrize("texts", [texts for texts in UNCLEAR if texts[0] != "1.234"])  # a decimal point, by all signs
def test_values_that_may_be_others_are_refused(tmp_path: Path, kind: str, texts: list[str]) -> None:
    refused(tmp_path / "ws", 10, "column value has '", "--from", written(tmp_path, kind, texts))


def test_another_form_behind_the_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK", 200)
    path = written(tmp_path, "csv", ["1,234.5"] * 30 + ["1.234,5"])
    said = refused(tmp_path / "ws", 10, "column value has '1.234,5' in row 32: expected a number", "--from", path)
    assert series(tmp_path / "ws", "--from", path, *flags(said)[0]) == {1: ([1234.5] * 30 + [None],)}
