"""Every hint of a reading works: what a message advises is taken out of it and run on the case that gave it.

Hints of a kind have one case here, or in the test that `TESTED` names; what cannot be run here is in `NOT_RUN`.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import lzma
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tsclust
from tests.support import dumps
from tests.support.commands import invoked
from tests.support.hints import choices, commands, extract, flags, refused, series, settings
from tests.support.workspaces import new_workspace

TESTED = {  # what a hint advises -> where a test runs it
    "--id": "here", "--merge": "here", "--table": "here", "--from": "here", "--where": "here", "--order": "here",
    "--values": "test_misfits", "--missing": "test_misfits", "--query": "postgres/test_misfits",
    "--time-format": "test_order_of_files", "iconv": "test_csv_head", "sed": "test_csv_head",
    "gunzip": "here", "unxz": "here", "bunzip2": "here", "zstd": "here", "lz4": "here", "tar": "here",
    "polars.read_ndjson": "here",
}  # fmt: skip
NOT_RUN = {  # what a hint advises -> why no test runs it
    "psql": "the server that the dump is from", "pg_dump": "the same", "pg_restore": "the same",
    "--schema-only": "what not to do when dumping", "--inserts": "the same",
    "duckdb": "a program that wheels do not bring", "sqlite3": "the same", "spark.read": "the same",
    "openssl": "a password", "age": "the same", "gpg": "the same", "pyarrow.parquet.write_table": "one line of Python",
}  # fmt: skip
_ADVISED = re.compile(
    r"(?<![\w-])--[a-z][a-z-]+|\b(?:iconv|sed|psql|duckdb|unxz|zstd|bunzip2|gunzip|lz4|openssl|age|gpg|tar|pg_dump|"
    r"pg_restore|sqlite3|spark\.read|polars\.\w+|pyarrow\.parquet\.\w+)\b"
)
LONG = "id,idx,value\n1,1,5.5\n1,2,6.5\n2,1,7.5\n"
Make = Callable[[Path], list[object]]


def texts() -> Iterator[str]:
    """All texts in the code that reads."""
    for path in (Path(tsclust.__file__).parent / "source").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_kind_of_hint_is_in_a_test_or_listed() -> None:
    advised = {found for text in texts() for found in _ADVISED.findall(text)}
    assert advised - {"tar", "zstd", "lz4"} <= set(TESTED) | set(NOT_RUN)
    assert set(TESTED) <= advised


def file(name: str, text: str) -> Make:
    def make(folder: Path) -> list[object]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        return ["--from", folder / name]

    return make


def machines(folder: Path) -> list[object]:
    for name in ("m1", "m2"):
        file(f"in/{name}.csv", LONG if name == "m1" else LONG.replace(".5", ".25"))(folder)
    return ["--from", folder / "in"]


def subfolders(folder: Path) -> list[object]:
    file("in/deep/a.csv", LONG)(folder)
    return ["--from", folder / "in"]


def two_tables(folder: Path) -> list[object]:
    path = dumps.written(folder / "x.sql", "1\t{1,2}\n")
    path.write_text(path.read_text() + path.read_text().replace("public.t ", "public.u "))
    return ["--from", path]


TWO = "id,machine,idx,value\n1,A,1,5\n1,B,{},6\n2,A,1,7\n"
CHOOSE: dict[str, tuple[Make, int, str]] = {
    "a machine too": (file("x.csv", TWO.format(2)), 10, "has two values of machine"),
    "two values at one place": (file("x.csv", TWO.format(1)), 10, "has two values"),
    "a file too": (machines, 10, "has two values at idx 1"),
    "no id": (file("x.csv", LONG + ",2,8.5\n"), 10, "have no id (NULL)"),
    "a blank id": (file("x.csv", "id;values\na;[1, 2]\n \t;[1, 2]\n"), 10, "no id (blank text)"),
    "no place": (file("x.csv", LONG + "2,,8.5\n"), 10, "1 row without idx"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOOSE)
def test_flags_that_choose(tmp_path: Path, case: str) -> None:
    make, code, said = CHOOSE[case]
    asked = make(tmp_path)
    line = refused(tmp_path / "ws", code, said, *asked)
    ways = [words for words in (*choices(line), *flags(line)) if words != ["--order"]]
    assert ways
    for words in ways:
        assert series(tmp_path / "ws", *asked, *words)


def test_blank_ids_that_come_later_are_left_out_by_reading_all_of_it_again(tmp_path: Path) -> None:
    """Under another condition nothing can be added."""
    asked, root = file("x.csv", "id;values\na;[1, 2]\n")(tmp_path), tmp_path / "ws"
    assert extract(root, *asked, "--save")[0] == 0
    with (tmp_path / "x.csv").open("a") as more:
        more.write("\u00a0;[3, 4]\nb;[5, 6]\n")
    code, line = extract(root, "--update")
    assert code == 10
    (step,) = re.findall(r"Read all of it again, without them: tsclust (.*)$", line)
    assert invoked(*shlex.split(step)).exit_code == 0


def test_a_glob_for_what_is_in_subfolders(tmp_path: Path) -> None:
    line = refused(tmp_path / "ws", 3, "only in subfolders", *subfolders(tmp_path))
    (pattern,) = re.findall(r'Name a glob: "([^"]+)"', line)
    assert series(tmp_path / "ws", "--from", pattern)[1][-1] == [5.5, 6.5]


def test_the_table_of_a_dump(tmp_path: Path) -> None:
    asked = two_tables(tmp_path)
    line = refused(tmp_path / "ws", 3, "rows of more than one table: ", *asked)
    (names,) = re.findall(r"more than one table: (.*?)\. ", line)
    for name in names.split(", "):
        assert series(tmp_path / "ws", *asked, "--table", name) == {1: ([1.0, 2.0],)}


def test_a_place_where_series_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TSCLUST_DSN", raising=False)
    line = refused(tmp_path / "ws", 3, "source.table, source.query and source.files are all empty")
    (flag,) = choices(line)[-1]
    assert series(tmp_path / "ws", flag, file("x.csv", LONG)(tmp_path)[1])


def test_another_column_that_orders(tmp_path: Path) -> None:
    (make := file("x.csv", "id,t,sample,value\n1,x,1,5\n1,y,2,6\n"))(tmp_path)
    line = refused(tmp_path / "ws", 8, "is of type string", *make(tmp_path), "--order", "t")
    assert ["--order"] in choices(line)
    assert series(tmp_path / "ws", *make(tmp_path), "--order", "sample")[1][-1] == [5.0, 6.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,idx,values\n1,1,5.5\n1,2,6.5\n", "expected an array of numbers"),
        ("id,stamped,values\n" + '1,31.01.2024,"[1]"\n' * 3 + '2,soon,"[1]"\n', "has 'soon' in row 5"),
    ],
)
def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setattr("tsclust.source.files.csv_file.BLOCK", 60)
    asked = file("x.csv", text)(tmp_path)
    code, line = extract(new_workspace(tmp_path / "ws", ""), *asked)
    assert (code in (8, 10), said in line) == (True, True), line
    (tmp_path / "ws" / "tsclust.toml").write_text(settings(line))
    assert series(tmp_path / "ws", *asked)


def tarred(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        tar.add(path.parent / "x.csv", "x.csv")


PACKED: dict[str, tuple[str, Callable[[Path], object]]] = {
    "unxz": ("x.csv.xz", lambda path: path.write_bytes(lzma.compress(LONG.encode()))),
    "bunzip2": ("x.csv.bz2", lambda path: path.write_bytes(bz2.compress(LONG.encode()))),
    "gunzip": ("x.csv.gz.gz", lambda path: path.write_bytes(gzip.compress(gzip.compress(LONG.encode())))),
    "zstd": ("x.csv.zst", lambda path: subprocess.run(["zstd", "-q", path.parent / "x.csv", "-o", path], check=True)),
    "lz4": ("x.csv.lz4", lambda path: subprocess.run(["lz4", "-q", path.parent / "x.csv", path], check=True)),
    "tar": ("x.tar", tarred),
}


@pytest.mark.parametrize("program", PACKED)
def test_packed_files(tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    name, pack = PACKED[program]
    (tmp_path / "x.csv").write_text(LONG)
    pack(tmp_path / name)
    (tmp_path / "x.csv").unlink()
    line = refused(tmp_path / "ws", 15, "Unpack it", "--from", tmp_path / name)
    command = commands(line)[0]
    assert command[0] == program
    subprocess.run([*command, name], cwd=tmp_path, check=True, capture_output=True)
    (path,) = [path for path in tmp_path.iterdir() if path.name in ("x.csv", "x.csv.gz")]
    assert series(tmp_path / "ws", "--from", path)[1][-1] == [5.5, 6.5]


def test_json_by_polars(tmp_path: Path) -> None:
    import polars as pl

    asked = file("x.json", '{"id": 1, "values": [1, 2]}\n{"id": 2, "values": [3]}\n')(tmp_path)
    line = refused(tmp_path / "ws", 15, "is JSON", *asked)
    (read,) = re.findall(r"polars\.(\w+) reads it", line)
    getattr(pl, read)(tmp_path / "x.json").write_parquet(tmp_path / "x.parquet")
    assert series(tmp_path / "ws", "--from", tmp_path / "x.parquet") == {1: ([1.0, 2.0],), 2: ([3.0],)}
