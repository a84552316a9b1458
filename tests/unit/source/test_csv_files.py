"""CSV files as rows, against the csv module; and what is refused."""

from __future__ import annotations

import csv
import gzip
import io
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.file_rows import (
    BOOL,
    DAY,
    F32,
    F64,
    I64,
    LIST,
    TEXT,
    US,
    UTC_US,
    read,
    refusal,
    table,
    types_of,
    write,
)
from tsclust.errors import BadSeriesError, SourceFileError, TsclustError
from tsclust.source.files import csv_file
from tsclust.source.files.discovery import opened

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


def test_one_column(tmp_path: Path) -> None:
    assert read(write(tmp_path, 'values\n"[1,2]"\n[3]\n')) == {"values": [[1.0, 2.0], [3.0]]}


@pytest.mark.slow
def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    write(tmp_path, 'id,v\n1,"' + "1," * 20_000_000 + '1"\n')
    assert "a.csv: a line is longer than 16 MB" in refusal(BadSeriesError, "a.csv", tmp_path)


def test_a_quote_inside_a_cell_is_a_character(tmp_path: Path) -> None:
    assert read(write(tmp_path, 'id,pipe\n1,5" wide\n2,x')) == {"id": [1, 2], "pipe": ['5" wide', "x"]}


@pytest.mark.slow
def test_a_line_of_a_hundred_thousand_values(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(12, 100_000))
    lines = [f'{i},"{{{",".join(map(repr, row))}}}"\n' for i, row in enumerate(values.tolist())]
    path = write(tmp_path, "id,v\n" + "".join(lines))
    assert read(path) == {"id": list(range(12)), "v": values.tolist()}
    assert csv_file.opened(path, "a", sample=1 << 10).schema.types == [I64, LIST]


@pytest.mark.slow
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


CELL = st.text(st.sampled_from('ab ,;"\n\rЖ\t|'), max_size=5).map(lambda s: "z" + s)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        ("id,v\n1,{1,2}\n", BadSeriesError, "must be in quotes"),
        ("1,2.5,-3e4\n2,3,4\n", BadSeriesError, "a.csv: its first line is data ('1,2.5,-3e4')"),
        ("2024-01-01,5\n2024-01-02,6\n", BadSeriesError, "its first line is data"),
        ('A1,"{1,2}"\nA2,"{3,4}"\n', BadSeriesError, "its first line is data"),
        ("id,v,id\n1,2,3\n", BadSeriesError, "a.csv: column id occurs twice"),
        ("id,,v\n1,2,3\n", BadSeriesError, "a.csv: column 2 has no name"),
        ('id,v\n1,"{1,2}"\n2,"{1,x}"\n', BadSeriesError, "a.csv: column v, row 3: '{1,x}' is not an array of numbers"),
        ('id,v\n1,"{{1,2},{3,4}}"\n', BadSeriesError, "a 2-D array"),
        ('id,name\n1,"a\n2,b\n', BadSeriesError, "a.csv: a quote is opened but never closed"),
        (b"id,name\n1,\xef\xee\n", SourceFileError, "a.csv is not UTF-8 text"),
        (b"id,\xef\xee\n1,2\n", SourceFileError, "a.csv is not UTF-8 text (byte 4)"),
        (b"\xc3", SourceFileError, "a.csv is not UTF-8 text (byte 1)"),
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
        " Correct it or leave it empty; if it is right, move its row up: the first rows decide the type"
    )
    with pytest.raises(BadSeriesError, match="column id has 'A12' in row 1002"):
        table(rows, {"id": I64})
    assert table(rows, {"id": TEXT}).column("id")[1000].as_py() == "A12"


def test_a_type_that_was_asked_for_does_not_fit(tmp_path: Path) -> None:
    rows = opened(write(tmp_path, "name,v\nx,1.5\ny,\n").name, "", tmp_path)
    with pytest.raises(BadSeriesError, match=r"a\.csv: column name has 'x' in row 2: expected a number"):
        table(rows, {"name": F64})
    with pytest.raises(BadSeriesError, match="'x' is not an array of numbers"):
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
