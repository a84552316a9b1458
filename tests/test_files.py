"""CSV and Parquet files as rows, against the csv module and against what pyarrow and polars wrote."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsclust.errors import BadSeriesError, SettingsError, SourceFileError, TsclustError
from tsclust.source.files import csv_file
from tsclust.source.files.places import opened
from tsclust.source.rows import Rows

I64, F32, F64, TEXT, BOOL, DAY = pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.bool_(), pa.date32()
US, UTC_US = pa.timestamp("us"), pa.timestamp("us", "UTC")
LIST = pa.list_(F64)


def table(rows: Rows, types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    """All of it; what is told must sum to the size."""
    told: list[int] = []
    types = types if types is not None else dict(zip(rows.schema.names, rows.schema.types, strict=True))
    batches = list(rows.read(types, told.append))
    assert sum(told) == rows.size
    assert min(told) >= 0
    return pa.Table.from_batches(batches, pa.schema(list(types.items())))


def read(path: Path, types: Mapping[str, pa.DataType] | None = None) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = table(opened(path.name, "", path.parent), types).to_pydict()
    return columns


def types_of(path: Path) -> dict[str, pa.DataType]:
    schema = opened(path.name, "", path.parent).schema
    return dict(zip(schema.names, schema.types, strict=True))


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(kind: type[TsclustError], where: str, base: Path, table_: str = "") -> str:
    """The one line of a refusal, at opening or at reading."""
    with pytest.raises(kind) as caught:
        table(opened(where, table_, base))
    assert type(caught.value) is kind
    assert caught.value.next_step
    assert "\n" not in str(caught.value)
    return str(caught.value)


# CSV: what is read


def test_a_long_table(tmp_path: Path) -> None:
    path = write(tmp_path, "series_id,idx,value\n7,0,1.5\n7,1,\n8,0,-2e3\n")
    assert types_of(path) == {"series_id": I64, "idx": I64, "value": F64}
    assert read(path) == {"series_id": [7, 7, 8], "idx": [0, 1, 0], "value": [1.5, None, -2000.0]}
    rows = opened("a.csv", "", tmp_path)
    assert (rows.label, rows.size) == ("a.csv", path.stat().st_size)
    assert read(path, {"value": F32, "idx": TEXT}) == {"value": [1.5, None, -2000.0], "idx": ["0", "1", "0"]}


def test_every_type(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id,ok,day,at,zone,name,v,w,empty\n"
        '1,true,2024-01-02,2024-01-02 03:04:05.25,2024-01-02 03:04:05+02,Ж,"{1,2.5,NULL}","[1, null]",\n'
        '2,false,,2024-01-02T03:04:05,2024-01-02T03:04:05.123456Z,"a,b\n""c""",{},"[NaN]",\n'
        "NULL,NA,null,NULL,NULL,NA,NULL,,\n",
    )
    assert types_of(path) == {
        "id": I64, "ok": BOOL, "day": DAY, "at": US, "zone": UTC_US, "name": TEXT, "v": LIST, "w": LIST, "empty": TEXT,
    }  # fmt: skip
    got = read(path)
    assert math.isnan(got["w"][1].pop())
    assert got == {
        "id": [1, 2, None],
        "ok": [True, False, None],
        "day": [date(2024, 1, 2), None, None],
        "at": [datetime(2024, 1, 2, 3, 4, 5, 250000), datetime(2024, 1, 2, 3, 4, 5), None],
        "zone": [datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC), datetime(2024, 1, 2, 3, 4, 5, 123456, tzinfo=UTC), None],
        "name": ["Ж", 'a,b\n"c"', "NA"],
        "v": [[1.0, 2.5, None], [], None],
        "w": [[1.0, None], [], None],
        "empty": [None, None, None],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimiters_ends_of_lines_and_packing(tmp_path: Path, delimiter: str, bom: str, end: str, packed: bool) -> None:
    rows = [["id", "name, text; or|not", "v"], ["1", '"a, b;c|d\te"', '"{1,2}"'], ["2", "x", '"{3}"']]
    rows[0][1] = f'"{rows[0][1]}"'
    text = (bom + end.join(delimiter.join(row) for row in rows)).encode()
    path = write(tmp_path, gzip.compress(text) if packed else text)
    assert read(path) == {"id": [1, 2], "name, text; or|not": ["a, b;c|d\te", "x"], "v": [[1.0, 2.0], [3.0]]}


def test_a_comma_in_the_names_is_not_the_delimiter(tmp_path: Path) -> None:
    assert read(write(tmp_path, "id\ttemp, C\n1\t2\n")) == {"id": [1], "temp, C": [2]}
    assert read(write(tmp_path, "id,a;b\n1,2\n")) == {"id": [1], "a;b": [2]}


def test_malformed_text_after_the_sample(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,name\n" + b"1,x\n" * 1000 + b"1,\xef\xee\n")
    with pytest.raises(SourceFileError, match=r"^a is not UTF-8 text \(row 1002\)\. Save it as UTF-8"):
        table(csv_file.opened(path, "a", sample=1 << 10))


def test_a_decimal_comma(tmp_path: Path) -> None:
    path = write(tmp_path, "id;value;v\n1;1,5;{1,2}\n2;-0,25e1;{1.5}\n3;7;\n")
    assert types_of(path) == {"id": I64, "value": F64, "v": LIST}
    assert read(path) == {"id": [1, 2, 3], "value": [1.5, -2.5, 7.0], "v": [[1.0, 2.0], [1.5], None]}
    assert read(write(tmp_path, "id;value\n1;1.5\n2;2\n")) == {"id": [1, 2], "value": [1.5, 2.0]}


def test_numbers_that_are_names_stay_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c,d,e\n007,99999999999999999999,0,0.5,+1\n12,1,-1,00.5,2\n")
    assert types_of(path) == {"a": TEXT, "b": TEXT, "c": I64, "d": F64, "e": F64}
    assert read(path)["a"] == ["007", "12"]
    assert read(path)["b"] == ["99999999999999999999", "1"]


def test_whole_numbers_as_text_keep_their_spelling(tmp_path: Path) -> None:
    path = write(tmp_path, "id,x\n1,1.50\n -2 ,1e3\nNULL,\n")
    assert types_of(path) == {"id": I64, "x": F64}
    assert read(path, {"x": TEXT, "id": TEXT}) == {"x": ["1.50", "1e3", None], "id": ["1", " -2 ", None]}


def test_nan_and_infinities_stay(tmp_path: Path) -> None:
    got = read(write(tmp_path, "id,x\n1,NaN\n2,inf\n3,-Infinity\n4,\n5,nan\n6,NULL\n"))["x"]
    assert [str(x) for x in got] == ["nan", "inf", "-inf", "None", "nan", "None"]


def test_moments_finer_than_a_microsecond_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path, "id,at\n1,2024-01-02 03:04:05.123456789\n2,2024-01-02 03:04:05\n")
    assert read(path)["at"] == [datetime(2024, 1, 2, 3, 4, 5, 123456), datetime(2024, 1, 2, 3, 4, 5)]


def test_names_lose_the_blanks_around_them(tmp_path: Path) -> None:
    assert read(write(tmp_path, "id, idx , value\n1,0,2.5\n")) == {"id": [1], "idx": [0], "value": [2.5]}


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    for text in ("id,value", "id,value\n", "\n\nid,value\r\n\r\n"):
        path = write(tmp_path, text)
        assert types_of(path) == {"id": TEXT, "value": TEXT}
        assert read(path, {"value": LIST, "id": I64}) == {"value": [], "id": []}


def test_json_is_text(tmp_path: Path) -> None:
    rows = {"id": [1, 2], "meta": ["{}", '{"a": 1}'], "names": ['["x"]', "[]"]}
    pl.DataFrame(rows).write_csv(tmp_path / "a.csv")
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        assert types_of(tmp_path / name) == {"id": I64, "meta": TEXT, "names": TEXT}
        assert read(tmp_path / name) == rows


def test_one_column(tmp_path: Path) -> None:
    assert read(write(tmp_path, 'values\n"[1,2]"\n[3]\n')) == {"values": [[1.0, 2.0], [3.0]]}


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    write(tmp_path, 'id,v\n1,"' + "1," * 20_000_000 + '1"\n')
    assert "a.csv: a line is longer than 16 MB" in refusal(BadSeriesError, "a.csv", tmp_path)


def test_a_quote_inside_a_cell_is_a_character(tmp_path: Path) -> None:
    assert read(write(tmp_path, 'id,pipe\n1,5" wide\n2,x')) == {"id": [1, 2], "pipe": ['5" wide', "x"]}


def test_a_line_of_a_hundred_thousand_values(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(12, 100_000))
    lines = [f'{i},"{{{",".join(map(repr, row))}}}"\n' for i, row in enumerate(values.tolist())]
    path = write(tmp_path, "id,v\n" + "".join(lines))
    assert read(path) == {"id": list(range(12)), "v": values.tolist()}
    assert csv_file.opened(path, "a", sample=1 << 10).schema.types == [I64, LIST]


def test_batches_are_bounded_and_what_is_told_grows(tmp_path: Path) -> None:
    lines = "".join(f"{i // 100},{i % 100},0.123456789012345\n" for i in range(100_000))
    with gzip.open(tmp_path / "a.csv.gz", "wt", compresslevel=1) as file:
        file.write("series_id,idx,value\n")
        for _ in range(20):
            file.write(lines)
    rows, told = opened("a.csv.gz", "", tmp_path), [0]
    sizes = [(b.num_rows, b.nbytes, told[-1]) for b in rows.read({"idx": I64, "value": F64}, told.append)]
    assert sum(n for n, *_ in sizes) == 2_000_000
    assert max(n for _, n, _ in sizes) < 2 * csv_file.BLOCK
    assert len(sizes) >= 3
    assert sum(told) == rows.size


def test_a_reader_that_stops_early_leaves_nothing_open(tmp_path: Path) -> None:
    write(tmp_path, "id\n" + "1\n" * 10)
    pq.write_table(pa.table({"id": range(10)}), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        batches = opened(name, "", tmp_path).read({"id": I64}, lambda n: None)
        assert next(iter(batches)).num_rows == 10
        del batches


CELL = st.text(st.sampled_from('ab ,;"\n\rЖ\t|'), max_size=5).map(lambda s: "z" + s)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), CELL | st.just(""), st.floats(allow_nan=False)), min_size=1
    ),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_the_csv_module_reads_the_same(tmp_path: Path, data: list[Any], delimiter: str, quoting: Any, end: str) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=end)
    if quoting == csv.QUOTE_MINIMAL:  # the module leaves a lone \r without quotes, and cannot read it back
        data = [(i, name.replace("\r", ""), x) for i, name, x in data]
    writer.writerows([("id", "name", "x"), *data])
    path = write(tmp_path, written.getvalue())
    expected = list(csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=delimiter))[1:]
    got = read(path, {"id": I64, "name": TEXT, "x": F64})
    assert got == {
        "id": [int(row[0]) for row in expected],
        "name": [row[1] or None for row in expected],
        "x": [float(row[2]) for row in expected],
    }


# CSV: what is refused


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("id,v\n1,2\n2\n", BadSeriesError, "a.csv, row 3: 1 instead of 2 cells ('2')"),
        ("id,v\n1,2\n2,3,4\n", BadSeriesError, "a.csv, row 3: 3 instead of 2 cells ('2,3,4')"),
        ("id,v\n1,{1,2}\n", BadSeriesError, "must stand in quotes"),
        ("1,2.5,-3e4\n2,3,4\n", BadSeriesError, "a.csv: its first line is data ('1,2.5,-3e4')"),
        ("2024-01-01,5\n2024-01-02,6\n", BadSeriesError, "its first line is data"),
        ('A1,"{1,2}"\nA2,"{3,4}"\n', BadSeriesError, "its first line is data"),
        ("id,v,id\n1,2,3\n", BadSeriesError, "a.csv: column id is there twice"),
        ("id,,v\n1,2,3\n", BadSeriesError, "a.csv: column 2 has no name"),
        ('id,v\n1,"{1,2}"\n2,"{1,x}"\n', BadSeriesError, "a.csv: column v, row 3: '{1,x}' is no array of numbers"),
        ('id,v\n1,"{{1,2},{3,4}}"\n', BadSeriesError, "a 2-D array"),
        ('id,name\n1,"a\n2,b\n', BadSeriesError, "a.csv: a quote is opened and never closed"),
        (b"id,name\n1,\xef\xee\n", SourceFileError, "a.csv is not UTF-8 text"),
        (b"id,\xef\xee\n1,2\n", SourceFileError, "a.csv is not UTF-8 text (byte 4)"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str | bytes, kind: type[TsclustError], said: str) -> None:
    write(tmp_path, content)
    assert said in refusal(kind, "a.csv", tmp_path)


def test_a_value_that_does_not_fit_the_rows_before(tmp_path: Path) -> None:
    """The sample ends before it."""
    path = write(tmp_path, "name,id,v\n" + "x,1,1.5\n" * 1000 + "x,A12,1.5\n")
    rows = csv_file.opened(path, "a.csv", sample=1 << 10)
    assert rows.schema.types == [TEXT, I64, F64]
    with pytest.raises(BadSeriesError) as caught:
        table(rows, {"v": F64, "id": I64})
    assert str(caught.value) == (
        "a.csv: column id has 'A12' in row 1002: expected a whole number, as before."
        " Correct it or leave it empty; if it is right, move its row up: the first rows tell the type"
    )
    with pytest.raises(BadSeriesError, match="column id has 'A12' in row 1002"):
        table(rows, {"id": I64})
    assert table(rows, {"id": TEXT}).column("id")[1000].as_py() == "A12"


def test_a_type_that_was_asked_for_does_not_fit(tmp_path: Path) -> None:
    rows = opened(write(tmp_path, "name,v\nx,1.5\ny,\n").name, "", tmp_path)
    with pytest.raises(BadSeriesError, match=r"a\.csv: column name has 'x' in row 2: expected a number"):
        table(rows, {"name": F64})
    with pytest.raises(BadSeriesError, match="'x' is no array of numbers"):
        table(rows, {"name": LIST})
    with pytest.raises(BadSeriesError, match=r"a\.csv has no column nam \(it has name, v\)"):
        table(rows, {"nam": TEXT})


def test_a_gzip_that_is_cut_off_or_damaged(tmp_path: Path) -> None:
    packed = gzip.compress(("id,v\n" + "".join(f"{i},{i * i}\n" for i in range(50_000))).encode())
    write(tmp_path, packed[:-20], "cut.csv.gz")
    assert "cut.csv.gz: the gzip file is cut off" in refusal(SourceFileError, "cut.csv.gz", tmp_path)
    write(tmp_path, packed[:20_000] + bytes(2000) + packed[22_000:], "bad.csv.gz")
    assert "bad.csv.gz: the gzip file is damaged" in refusal(SourceFileError, "bad.csv.gz", tmp_path)
    write(tmp_path, packed[:2] + b"\xff" * 200, "head.csv.gz")
    assert "head.csv.gz: the gzip file is damaged" in refusal(SourceFileError, "head.csv.gz", tmp_path)


def test_two_gzips_in_one_file_are_one(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"id,v\n1,2\n") + gzip.compress(b"3,4\n"), "a.csv.gz")
    assert read(path) == {"id": [1, 3], "v": [2, 4]}


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        rows = opened(name, "", tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(SourceFileError, match=rf"^{name} cannot be read \(No such file or directory\)\. Look"):
            table(rows)


# Other content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x is empty"),
        (b" \n\n", "x is blank"),
        (gzip.compress(b""), "x is empty"),
        (b"PK\x03\x04" + bytes(50), "a zip archive or an Excel workbook"),
        (b"SQLite format 3\0" + bytes(50), "an SQLite database"),
        ("id,v\n1,2\n".encode("utf-16"), "x is UTF-16 text"),
        ("id,v\n1,2\n".encode("utf-16-le"), "x is UTF-16 text"),
        ("id,v\n1,2\n".encode("utf-16-be"), "x is UTF-16 text"),
        (gzip.compress(gzip.compress(b"id\n1\n")), "a gzip file inside a gzip file"),
        (gzip.compress(b"PAR1"), "a Parquet file inside a gzip file"),
        (b"Salted__" + bytes(range(256)), "x is encrypted"),
        (b"\x85\x02\x0c\x03" + np.random.default_rng(1).bytes(999), "x is no text: it looks encrypted"),
        (b"id\0v\n", "x is no text"),
        (b'{"id": 1, "v": [1, 2]}\n', "x is JSON"),
        (b"<!DOCTYPE html>", "x is HTML or XML"),
        (gzip.compress(bytes(257) + b"ustar\0"), "x is a tar archive"),
        (bytes(257) + b"ustar\0", "x is a tar archive"),
        (b"PAR1" + bytes(99), "x is cut off: a Parquet file ends with PAR1"),
        (b"PAR1", "x is damaged"),
        (b"PAR1" + bytes(99) + b"PAR1", "x is damaged: expected a Parquet file"),
        (b"PARE" + bytes(99) + b"PARE", "an encrypted Parquet file"),
        (b"PAR1" + bytes(99) + b"PARE", "x is encrypted"),
    ],
)
def test_what_is_no_data_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    write(tmp_path, content, "x")
    assert said in refusal(SourceFileError, "x", tmp_path)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.csv")
    assert read(tmp_path / "a.csv") == {"id": [1]}
    assert read(write(tmp_path, "id,v\n1,2\n", "a.parquet")) == {"id": [1], "v": [2]}
    assert read(write(tmp_path, gzip.compress(b"id,v\n1,2\n"), "noend")) == {"id": [1], "v": [2]}


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is no regular file" in refusal(SourceFileError, "pipe", tmp_path)


# Parquet


def test_parquet_types(tmp_path: Path) -> None:
    at, ids = datetime(2024, 1, 2, 3, 4, 5, 678901), [uuid.UUID(int=1), uuid.UUID(int=2**127)]
    t = pa.table({
        "i8": pa.array([1, None], pa.int8()),
        "u32": pa.array([1, 2**32 - 1], pa.uint32()),
        "f16": pa.array([np.float16(1.5), None], pa.float16()),
        "f32": pa.array([0.5, None], F32),
        "whole": pa.array([Decimal(10**17), None], pa.decimal128(18, 0)),
        "dec": pa.array([Decimal("1.25"), None], pa.decimal128(38, 2)),
        "ok": [True, None],
        "d64": pa.array([date(2024, 1, 2), None], pa.date64()),
        "ns": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns")),
        "zone": pa.array([at, None], pa.timestamp("ms", "Europe/Berlin")),
        "dict": pa.array(["a", None]).dictionary_encode(),
        "large": pa.array(["a", None], pa.large_string()),
        "view": pa.array(["a", None], pa.string_view()),
        "bytes": pa.array(["Ж".encode(), None]),
        "uuid": pa.array([i.bytes for i in ids], pa.uuid()),
        "raw16": pa.array([i.bytes for i in ids], pa.binary(16)),
        "time": pa.array([time(1, 2, 3), None], pa.time64("us")),
        "nothing": pa.nulls(2),
        "{array}": ["{1,2,NULL}", None],
        "a.b": ["[1]", "x"],
    })  # fmt: skip
    pq.write_table(t, tmp_path / "a.parquet")
    assert types_of(tmp_path / "a.parquet") == {
        "i8": pa.int8(), "u32": pa.uint32(), "f16": F32, "f32": F32, "whole": I64, "dec": F64, "ok": BOOL, "d64": DAY,
        "ns": US, "zone": UTC_US, "dict": TEXT, "large": TEXT, "view": TEXT, "bytes": TEXT, "uuid": TEXT, "raw16": TEXT,
        "time": TEXT, "nothing": TEXT, "{array}": LIST, "a.b": TEXT,
    }  # fmt: skip
    texts = [str(i) for i in ids]
    assert read(tmp_path / "a.parquet") == {
        "i8": [1, None], "u32": [1, 2**32 - 1], "f16": [1.5, None], "f32": [0.5, None], "whole": [10**17, None],
        "dec": [1.25, None], "ok": [True, None], "d64": [date(2024, 1, 2), None],
        "ns": [datetime(2023, 11, 14, 22, 13, 20, 123456), None],
        "zone": [at.replace(microsecond=678000, tzinfo=UTC), None],
        "dict": ["a", None], "large": ["a", None], "view": ["a", None], "bytes": ["Ж", None], "uuid": texts,
        "raw16": texts, "time": ["01:02:03.000000", None], "nothing": [None, None], "{array}": [[1.0, 2.0, None], None],
        "a.b": ["[1]", "x"],
    }  # fmt: skip
    asked = {"dec": TEXT, "i8": F64, "whole": TEXT, "nothing": LIST}
    assert read(tmp_path / "a.parquet", asked) == {
        "dec": ["1.25", None], "i8": [1.0, None], "whole": [str(10**17), None], "nothing": [None, None],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (pa.list_(F64), LIST),
        (pa.list_(F32), pa.list_(F32)),
        (pa.large_list(F32), pa.list_(F32)),
        (pa.list_(pa.int16()), LIST),
        (pa.list_(I64), LIST),
        (pa.list_(pa.decimal128(9, 2)), LIST),
        (pa.large_list(F64), LIST),
        (pa.list_(F64, 2), LIST),
    ],
)
def test_parquet_lists(tmp_path: Path, given_: pa.DataType, shown: pa.DataType) -> None:
    values = [[1, 2], None, [3, None]] if pa.types.is_fixed_size_list(given_) else [[1], None, [], [3, None]]
    if pa.types.is_decimal(given_.value_type):
        values = [[Decimal(1)], None, [], [Decimal(3), None]]
    pq.write_table(pa.table({"id": range(len(values)), "v": pa.array(values, given_)}), tmp_path / "a.parquet")
    assert types_of(tmp_path / "a.parquet") == {"id": I64, "v": shown}
    assert read(tmp_path / "a.parquet")["v"] == values


def test_columns_that_nobody_can_use(tmp_path: Path) -> None:
    t = pa.table({
        "id": [1],
        "grid": [[[1.0], [2.0]]],
        "point": [{"x": 1}],
        "names": [["a"]],
        "took": pa.array([1], pa.duration("us")),
        "raw": [b"\xff\xfe"],
    })  # fmt: skip
    pq.write_table(t, tmp_path / "a.parquet")
    rows = opened("a.parquet", "", tmp_path)
    assert rows.schema.names == ["id", "raw"]
    assert table(rows, {"id": I64}).to_pydict() == {"id": [1]}
    for name, said in [("grid", "is a list of lists"), ("point", "is of type struct"), ("names", "is of type list")]:
        with pytest.raises(BadSeriesError, match=f"a.parquet: column {name} {said}.* Name another column"):
            table(rows, {name: LIST})
    with pytest.raises(BadSeriesError, match=r"column raw \(binary\) cannot be read as string"):
        table(rows, {"raw": TEXT})


def test_a_parquet_value_that_does_not_fit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"name": ["1", "x"], "v": [1.5, 2.0]}), tmp_path / "a.parquet")
    rows = opened("a.parquet", "", tmp_path)
    with pytest.raises(BadSeriesError, match=r"column name \(string\) cannot be read as double.*'x'.*rows 1 to 2"):
        table(rows, {"name": F64})
    with pytest.raises(BadSeriesError, match=r"column v \(double\) cannot be read as int64"):
        table(rows, {"v": I64})
    with pytest.raises(BadSeriesError, match="column name, row 1: '1' is no array"):
        table(rows, {"name": LIST})


def test_one_giant_row_group_comes_in_parts(tmp_path: Path) -> None:
    values = np.arange(40_000 * 100, dtype="f8")
    lists = pa.FixedSizeListArray.from_arrays(values, 100)
    t = pa.table({"id": np.arange(40_000), "v": lists.cast(LIST), "text": ["a" * 1000] * 40_000})
    pq.write_table(t, tmp_path / "a.parquet", row_group_size=40_000)
    rows = opened("a.parquet", "", tmp_path)
    batches = list(rows.read({"v": LIST, "id": I64}, lambda n: None))
    assert max(b.nbytes for b in batches) < 20_000_000
    assert len(batches) > 1
    assert pa.Table.from_batches(batches) == t.select(["v", "id"])


def test_polars_writes_and_many_row_groups(tmp_path: Path) -> None:
    frame = pl.DataFrame({
        "id": range(1000), "v": [[float(i), None] for i in range(1000)], "day": [date(2024, 1, 2)] * 1000,
        "kind": pl.Series(["a", "b"] * 500, dtype=pl.Categorical), "x": pl.Series([0.5] * 1000, dtype=pl.Float32),
        "grid": pl.Series([[1.0, 2.0]] * 1000, dtype=pl.Array(pl.Float64, 2)),
    })  # fmt: skip
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=64)
    expected = frame.with_columns(pl.col("kind").cast(str)).to_dict(as_series=False)
    assert types_of(tmp_path / "a.parquet") == dict(zip(frame.columns, [I64, LIST, DAY, TEXT, F32, LIST], strict=True))
    assert {n: [list(v) if n == "grid" else v for v in c] for n, c in read(tmp_path / "a.parquet").items()} == expected


def test_parquet_without_rows(tmp_path: Path) -> None:
    for groups in ([], [pa.table({"id": pa.array([], I64), "v": pa.array([], LIST)})]):
        with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("id", I64), ("v", LIST)])) as writer:
            for group in groups:
                writer.write_table(group)
        assert read(tmp_path / "a.parquet") == {"id": [], "v": []}


def test_a_parquet_that_is_damaged_inside(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": np.random.default_rng(1).integers(0, 2**60, 9999)}), tmp_path / "a.parquet")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[4:600] = b"\xff" * 596
    (tmp_path / "a.parquet").write_bytes(content)
    assert "a.parquet is damaged" in refusal(SourceFileError, "a.parquet", tmp_path)


def test_a_column_twice_in_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"]), tmp_path / "a.parquet")
    assert "column id is there twice" in refusal(BadSeriesError, "a.parquet", tmp_path)


# Several files


def test_files_one_after_another(tmp_path: Path) -> None:
    write(tmp_path, "id,v,day\n1,2,2024-01-02\n", "d/b.csv")
    write(tmp_path, gzip.compress(b"day;v;id\n2024-01-02 03:04:05;1,5;A1\n"), "d/a.csv.gz")
    write(tmp_path, "id,v,day\n3,,\n", "d/c.tsv")
    for name in ("d/.hidden.csv", "d/_SUCCESS.csv", "d/readme.md"):
        write(tmp_path, "\0", name)
    rows = opened("d", "", tmp_path)
    assert (rows.label, rows.schema) == ("d (3 files)", pa.schema([("day", US), ("v", F64), ("id", TEXT)]))
    assert rows.size == sum((tmp_path / "d" / name).stat().st_size for name in ("a.csv.gz", "b.csv", "c.tsv"))
    assert table(rows).to_pydict() == {
        "day": [datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 2), None],
        "v": [1.5, 2.0, None],
        "id": ["A1", "1", "3"],
    }


def test_parquet_files_of_different_types(tmp_path: Path) -> None:
    a = pa.table({"id": pa.array([1], pa.int32()), "v": pa.array([[1]], pa.list_(F32)), "x": pa.array([1], I64)})
    b = pa.table({"v": pa.array([[2]], LIST), "id": pa.array([2**40]), "x": pa.array([0.5], F32)})
    for name, t in [("a", a), ("b", b)]:
        pq.write_table(t, tmp_path / f"{name}.parquet")
    rows = opened("*.parquet", "", tmp_path)
    assert rows.schema == pa.schema([("id", I64), ("v", LIST), ("x", F64)])
    assert table(rows).to_pydict() == {"id": [1, 2**40], "v": [[1.0], [2.0]], "x": [1.0, 0.5]}


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    write(tmp_path, "id,v\n1,2\n", "names/a.csv")
    write(tmp_path, "id,w\n1,2\n", "names/b.csv")
    assert "names/b.csv has no column v, which names/a.csv has" in refusal(SettingsError, "names", tmp_path)
    write(tmp_path, "id,v\n1,2\n", "more/a.csv")
    write(tmp_path, "id,v,w\n1,2,3\n", "more/b.csv")
    assert "more/a.csv has no column w, which more/b.csv has" in refusal(SettingsError, "more", tmp_path)
    write(tmp_path, "id,v\n1,2\n", "types/a.csv")
    write(tmp_path, "id,v\n1,{2}\n", "types/b.csv")
    said = refusal(SettingsError, "types", tmp_path)
    assert "types/b.csv: column v is list<item: double>, in types/a.csv it is int64" in said
    for name, values in [("a", [1]), ("b", ["x"])]:
        pq.write_table(pa.table({"id": values}), tmp_path / f"{name}.parquet")
    assert "b.parquet: column id is string, in a.parquet it is int64" in refusal(SettingsError, "*.parquet", tmp_path)


def test_a_mixture_of_kinds(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    said = refusal(SettingsError, str(tmp_path), tmp_path)
    assert "files of several kinds: CSV (a.csv, ...) and Parquet (b.parquet, ...)" in said
    assert "glob such as *.parquet" in said
    assert table(opened("*.csv", "", tmp_path)).to_pydict() == {"id": [1]}


def test_globs(tmp_path: Path) -> None:
    for month in (1, 2, 3):
        write(tmp_path, f"id,v\n{month},0\n", f"data/y/2024-0{month}.csv")
    write(tmp_path, "\0", "data/y/.2024-04.csv")
    for where, ids in [("data/y/2024-0[12].csv", [1, 2]), ("data/**/*.csv", [1, 2, 3]), ("data/*/*3.csv", [3])]:
        assert table(opened(where, "", tmp_path)).column("id").to_pylist() == ids
        assert table(opened(str(tmp_path / where), "", Path())).column("id").to_pylist() == ids


def test_names_that_look_like_globs(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n", "a[1].csv")
    write(tmp_path, "id\n2\n", "a1.csv")
    write(tmp_path, "id\n3\n", "d[1]*/x.csv")
    for where, ids in [("a[1].csv", [1]), ("d[1]*", [3]), ("d[1]*/*.csv", [3]), ("a?.csv", [2]), ("*[]].csv", [1])]:
        assert table(opened(where, "", tmp_path)).column("id").to_pylist() == ids


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "id\n1\n", "b/a.csv")
    assert opened("~/b/a.csv", "", Path("elsewhere")).label == str(tmp_path / "b" / "a.csv")


def test_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n", "data/cycles.csv")
    write(tmp_path, "id\n1\n", "deep/x/y.parquet")
    (tmp_path / "none").mkdir()
    for where, said in [
        ("data/cycle.csv", "There is no data/cycle.csv: expected CSV (also .gz), Parquet or a pg_dump. In data there"),
        ("data/cycle.csv", "In data there is: cycles.csv"),
        ("data/*.parquet", "There is no data/*.parquet"),
        ("dato/cycles.csv", "there is: data, deep, none"),
        ("none", "No data file in none"),
        ("deep", 'Name a glob: "deep/**/*.parquet"'),
        ("data/cycles.csv/x", "cycles.csv is no folder"),
        ("", "empty path"),
        ("~nobody_here/x", "cannot be looked up"),
        ("a\0b", "There is no a?b"),
        ("x" * 5000, "cannot be looked up"),
    ]:  # fmt: skip
        assert said in refusal(SettingsError, where, tmp_path), where


def test_a_table_is_for_dumps(tmp_path: Path) -> None:
    write(tmp_path, "id\n1\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "b.parquet")
    assert "source.table = 't': a.csv is CSV" in refusal(SettingsError, "a.csv", tmp_path, "t")
    assert "b.parquet is Parquet" in refusal(SettingsError, "b.parquet", tmp_path, "t")


DUMP = """--
-- PostgreSQL database dump
--

CREATE TABLE public.t (
    id bigint,
    v double precision[]
);


COPY public.t (id, v) FROM stdin;
1\t{1,2}
\\.


--
-- PostgreSQL database dump complete
--
"""


def test_dumps_go_to_their_reader(tmp_path: Path) -> None:
    write(tmp_path, DUMP, "a.txt")
    for table_ in ("", "public.t"):
        assert table(opened("a.txt", table_, tmp_path)).to_pydict() == {"id": [1], "v": [[1.0, 2.0]]}
    write(tmp_path, "PGDMP", "folder/toc.dat")
    refusal(SourceFileError, "folder", tmp_path)
    write(tmp_path, DUMP, "b.txt")
    assert "*.txt is 2 dumps: expected one. Name one, for example a.txt" in refusal(SettingsError, "*.txt", tmp_path)
    write(tmp_path, "id\n1\n")
    assert "CSV (a.csv, ...) and pg_dump (a.txt, ...)" in refusal(SettingsError, "*.*", tmp_path)
