"""Where the rows of a CSV begin: what stands before the header, between it and the rows, and beside the columns."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.file_rows import read, write
from tests.support.hints import extract, refused, series
from tsclust.source.files.csv_head import head

ROWS = {"series_id": [1, 1], "idx": [1, 2], "value": [2.5, 3.5]}
PLAIN = "series_id,idx,value\n1,1,2.5\n1,2,3.5\n"
GERMAN = "series_id;idx;value\n1;1;2,5\n1;2;3,5\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        GERMAN,
        "sep=;\n" + GERMAN,
        '"sep=,"\r\n' + PLAIN.replace("\n", "\r\n"),
        "\n\n" + PLAIN,
        "# Export\n# of SCADA, machine M1\n" + PLAIN,
        "# Export of SCADA\n\n" + PLAIN,
        "Export of SCADA\nmachine: M1\n\n" + PLAIN + "",
        "series_id,idx,value\n-,-,mm/s\n1,1,2.5\n1,2,3.5\n",
        "series_id,idx,value\n,,[mm/s]\n,,float\n1,1,2.5\n1,2,3.5\n",
        ",series_id,idx,value\n0,1,1,2.5\n1,1,2,3.5\n",
        '"","series_id","idx","value"\n"1",1,1,2.5\n"2",1,2,3.5\n',
        "series_id idx value\n1 1 1 2.5\n2 1 2 3.5\n".replace(" ", "\t"),
        "series_id;idx;value;\n1;1;2,5;\n1;2;3,5;\n",
        "series_id,idx,value\n1,1,2.5,\n1,2,3.5,\n",
        "series_id\tidx\tvalue\n1\t1\t2,5\n1\t2\t3,5\n",
        'series_id,idx,value\n1,1,"2,5"\n1,2,"3,5"\n',
        '"TOA5","6843","CR3000"\n"series_id","idx","value"\n"","RN","m/s"\n"","","Smp"\n1,1,2.5\n1,2,3.5\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_same_rows(tmp_path: Path, text: str, encoding: str) -> None:
    if text.startswith("Export"):  # one row more shows that the rows are alike
        text += "1,3,4.5\n"
    path = write(tmp_path, text.encode(encoding))
    assert {name: cells[:2] for name, cells in read(path).items()} == ROWS


def test_rows_keep_the_number_of_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, "# a\n# b\n\nseries_id,idx,value\n-,-,A\n1,1,2.5\n1,2,ERR\n")
    refused(tmp_path / "ws", 10, "column value has 'ERR' in row 7", "--from", path)
    path = write(tmp_path, "sep=;\nid;v\n" + "1;1,5\n" * 3 + "2\n")
    refused(tmp_path / "ws", 10, "row 6: 1 instead of 2 cells", "--from", path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("series_id,idx,value\nERR,ERR,ERR\n1,1,2.5\n", "'ERR' in row 2"),
        ("series_id,idx,value\n1,1,ERR\n1,2,3.5\n", "'ERR' in row 2"),
        ("series_id,idx,value\nA1,1,ERR\nA1,2,3.5\n", "'ERR' in row 2"),
        ("series_id,idx,value\nA1,x,ms\nA1,2,3.5\nA1,3,3.5\n", "'x' in row 2"),
        (",series_id,idx,value\n5,1,1,2.5\n5,1,2,3.5\n", "column 1 has no name"),
        ("series_id,,value\n1,1,2.5\n1,2,3.5\n", "column 2 has no name"),
        ("series_id,idx,value,\n1,1,2.5,\n1,2,3.5,x\n1,3,1,\n", "column 4 has no name"),
        ("id,v\n1,{1,2}\n2,{3,4}\n", "must be in quotes"),
        ("id,v,w\n1,2\n2,3\n", "2 instead of 3 cells"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path: Path, text: str, said: str) -> None:
    code, line = extract(tmp_path / "ws", "--from", write(tmp_path, text))
    assert (code in (8, 10), said in line) == (True, True), line


@pytest.mark.parametrize(
    "text", ["1,0,2.5,m1\n1,1,3.5,m1\n", "0\t0\t0\tx\n0\t1\t1.5\tx\n1\t0\t7\tx\n", "7;1;2,5\n7;2;3,5\n"]
)
def test_without_a_header_the_hint_gives_one(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    line = refused(tmp_path / "ws", 10, "its first line is data", "--from", path)
    command = line[line.index("(sed ") + 1 : line.index(" > named.csv)")]
    named = subprocess.run(shlex.split(command), check=True, capture_output=True).stdout
    got = series(tmp_path / "ws", "--from", write(tmp_path, named, "named.csv"))
    assert next(iter(got.values()))[-1][:2] in ([2.5, 3.5], [0.0, 1.5])


_VALUES = "0.5,7.5,3.5,3.25,3.25,3,2.5,0.5"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("".join(f"{i},{_VALUES}\n" for i in (12, 5, 99)), [5, 12, 99]),
        ("".join(f"M{i},{_VALUES},\n" for i in range(3)), None),
        ("".join(f"M{i};{_VALUES}\n".replace(",", ";").replace(".", ",") for i in range(3)), ["M0", "M1", "M2"]),
        ("".join(f"{i}\t3\t9\t4\t4\t4\t4\t1\t0\n" for i in range(5, 9)), [5, 6, 7, 8]),
        ("".join(f"{i},3,9,4,4,4,4,1,0\n" for i in (5, 7, 1)), None),
        ("".join(f"{i},{_VALUES}\n" for i in (1, 2, 1)), None),
        ("".join(f"{i}.5,{_VALUES}\n" for i in (1, 2, 3)), None),
        ("0,1,2,3,4,5,6,7,8\n" + "".join(f"{i},{_VALUES}\n" for i in range(3)), None),
        ("".join(f"{i},{_VALUES}\n" for i in range(2)), None),
        ("".join(f"{i},0.5,7.5,3.5\n" for i in range(4)), None),
    ],
)
def test_a_wide_file_without_a_header(tmp_path: Path, text: str, ids: list[object] | None) -> None:
    path = write(tmp_path, text)
    if ids is None:
        refused(tmp_path / "ws", 10, "its first line is data", "--from", path)
        return
    code, output = extract(tmp_path / "ws", "--from", path)
    assert (code, "no header: the first column is the id" in output) == (0, True), output
    got = series(tmp_path / "ws", "--from", path)
    assert sorted(got, key=str) == sorted(ids, key=str)
    assert {row[-1][1] for row in got.values()} in ({7.5}, {9.0})


@pytest.mark.parametrize("text", ["name,0,1,2\nA,1.5,2.5,3.5\n", "id,10,20,50\n1,1.5,2.5,3.5\n"])
def test_numbers_may_be_names(tmp_path: Path, text: str) -> None:
    assert list(read(write(tmp_path, text)))[1] in ("0", "10")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Stück;größe;Überlast;Prüfstand für Geräte\n", "cp1252"), ("станок;значение;привод;время работы\n", "cp1251")],
)
def test_another_encoding_is_guessed_and_its_hint_converts_it(tmp_path: Path, text: str, encoding: str) -> None:
    content = f"series_id;idx;value;{text}" + "1;1;2,5;a;b;c;d\n1;2;3,5;a;b;c;d\n"
    path = write(tmp_path, content.encode(encoding))
    line = refused(tmp_path / "ws", 15, "is not UTF-8 text", "--from", path)
    command = line[line.index("iconv ") : line.index(" > utf8.csv")]
    converted = subprocess.run(shlex.split(command), check=True, capture_output=True).stdout
    got = series(tmp_path / "ws", "--from", write(tmp_path, converted, "utf8.csv"))
    assert got[1][-1] == [2.5, 3.5]


def test_utf_16_without_a_mark(tmp_path: Path) -> None:
    path = write(tmp_path, GERMAN.encode("utf-16-le"))
    line = refused(tmp_path / "ws", 15, "is UTF-16 text", "--from", path)
    command = line[line.index("iconv ") : line.index(" > utf8.csv")]
    converted = subprocess.run(shlex.split(command), check=True, capture_output=True).stdout
    assert read(write(tmp_path, converted, "utf8.csv")) == ROWS


def test_the_lines_that_are_no_rows() -> None:
    found = head(b"sep=;\nid;value\n-;A\n1;2,5\n2;3,5\n", "x", whole=True)
    assert (found.columns, found.delimiter, found.first_row) == (("id", "value"), ";", 4)
    assert found.skipped == ("sep=;", "-;A")
