"""Dumps that cannot be read: made in another way, cut off, damaged or made to harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.dumps import ON_18, dump, dumped_database, packed, read, recompressed, table, written, zipped
from tests.support.endurance import LONG, times
from tsclust.embedded_postgres.server import Server
from tsclust.errors import SourceFileError, TsclustError
from tsclust.source.pgdump import tables

ONE_FILE = [
    "plain",
    "plain gzip",
    "plain lz4",
    "custom",
    "custom -Z0",
    "custom piped",
    "custom zstd",
    "custom lz4",
]


@pytest.fixture(scope="module", params=["server", "server16"])
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with dumped_database(request.getfixturevalue(request.param)) as server:
        yield server


@pytest.fixture(scope="module")
def small(filled: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dumps of a table in two partitions."""
    folder, only = tmp_path_factory.mktemp("small"), ("-t", "machine.par*")
    dump(filled, folder / "plain", *only)
    dump(filled, folder / "plain gzip", *only, "-Z6")
    packed(dump(filled, folder / "plain lz4", *only), "lz4")
    dump(filled, folder / "custom", *only, "-Fc")
    dump(filled, folder / "custom -Z0", *only, "-Fc", "-Z0")
    dump(filled, folder / "custom piped", *only, "-Fc", pipe=True)
    recompressed(dump(filled, folder / "custom zstd", *only, "-Fc", "-Z0", pipe=True), "zstd")
    recompressed(dump(filled, folder / "custom lz4", *only, "-Fc", "-Z0", pipe=True), "lz4")
    return folder


def outcome(path: Path, name: str) -> list[dict[str, Any]] | None:
    """The rows, None for an error of ours; any other error goes through."""
    try:
        return read(tables.opened(path, name)).to_pylist() if tables.is_dump(path) else None
    except TsclustError:
        return None


@pytest.mark.parametrize("format_", ["-Fp", "-Fc", "-Fd"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--inserts",), "INSERT INTO.*Dump again without --inserts"),
        (("--column-inserts",), "INSERT INTO.*Dump again without --inserts"),
        (("-s",), "no rows.*Dump again without --schema-only"),
    ],
)
def test_dumps_without_copy(filled: Server, tmp_path: Path, format_: str, options: tuple[str, ...], told: str) -> None:
    path = dump(filled, tmp_path / "x", format_, *options)
    assert tables.is_dump(path)
    with pytest.raises(SourceFileError, match=told):
        tables.opened(path, "machine.cycles")


def test_a_tar(filled: Server, tmp_path: Path) -> None:
    path = dump(filled, tmp_path / "x", "-Ft")
    assert tables.is_dump(path)
    with pytest.raises(SourceFileError, match=r"tar format\. Dump again with: pg_dump -Fc"):
        tables.opened(path, "")


def test_an_archive_inside_a_gzip(filled: Server, tmp_path: Path) -> None:
    path = zipped(dump(filled, tmp_path / "x", "-Fc"))
    assert tables.is_dump(path)
    with pytest.raises(SourceFileError, match="gunzip"):
        tables.opened(path, "")


def test_a_dump_of_several_databases(tmp_path: Path) -> None:
    path = written(tmp_path / "x", "1\t{1}\n")
    path.write_text(path.read_text() + "\\connect other\n" + path.read_text())
    with pytest.raises(SourceFileError, match="several databases"):
        tables.opened(path, "t")


@pytest.mark.parametrize(
    "content", [b"", b"id,values\n1,2\n", b"PAR1xxxxPAR1", b"\x1f\x8b", b"\x1f\x8bjunk", bytes(1000)]
)
def test_what_is_no_dump(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.dump").write_bytes(content)
    assert not tables.is_dump(tmp_path / "x.dump")
    assert not tables.is_dump(tmp_path)
    assert not tables.is_dump(tmp_path / "nothing")


@pytest.mark.parametrize("encoding", ["MULE_INTERNAL", "TF8", "hex"])
def test_an_encoding_that_python_has_not(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "x", "1\t{1}\n")
    path.write_text(path.read_text().replace("UTF8", encoding))
    with pytest.raises(SourceFileError, match=rf"is in {encoding}\. Dump again with: pg_dump -E UTF8"):
        tables.opened(path, "t")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = written(tmp_path / "x", "a\t{1}\n")
    path.write_bytes(path.read_bytes().replace(b"a\t", b"\xff\t"))
    with pytest.raises(SourceFileError, match=r"not in UTF8\. Dump again with: pg_dump -E UTF8"):
        table(path, "t")


@pytest.mark.parametrize("rows", ["1\n", "1\t2\t3\n", "1\t{1}\n2\n"])
def test_rows_with_another_number_of_columns(tmp_path: Path, rows: str) -> None:
    with pytest.raises(SourceFileError, match=r"damaged: .*Expected 2 columns"):
        table(written(tmp_path / "x", rows), "t")


@ON_18
@pytest.mark.parametrize(("minor", "told"), [(17, "version 1.17: expected 1.12 to 1.16"), (11, "version 1.11")])
def test_versions_unknown(tmp_path: Path, small: Path, minor: int, told: str) -> None:
    content = (small / "custom").read_bytes()
    (tmp_path / "x").write_bytes(content[:6] + bytes([minor]) + content[7:])
    with pytest.raises(SourceFileError, match=f"{told}.*pg_restore"):
        tables.opened(tmp_path / "x", "")


def beginnings(size: int) -> list[int]:
    """Where a file of this size is cut off: everywhere, or now and then and everywhere near its end."""
    return [at for at in range(size) if LONG or at % 7 == 0 or at > size - 40]


@ON_18
@pytest.mark.endurance
@pytest.mark.parametrize("format_", ONE_FILE)
def test_every_beginning_of_a_dump(tmp_path: Path, small: Path, format_: str) -> None:
    whole, cut = (small / format_).read_bytes(), tmp_path / "cut"
    complete = outcome(small / format_, "machine.parts")
    assert complete is not None
    assert len(complete) == 20
    for size in beginnings(len(whole)):
        cut.write_bytes(whole[:size])
        assert outcome(cut, "machine.parts") in (None, complete), size


@ON_18
@pytest.mark.endurance
@pytest.mark.parametrize("pack", ["", "lz4", "zstd"])
def test_every_beginning_of_a_file_of_a_folder(filled: Server, tmp_path: Path, pack: str) -> None:
    folder = dump(filled, tmp_path / "x", "-t", "machine.par*", "-Fd", *(["-Z0"] if pack else []))
    if pack:
        recompressed(folder, pack)
    complete = outcome(folder, "machine.parts")
    for path in folder.iterdir():
        whole = path.read_bytes()
        for size in beginnings(len(whole)):
            path.write_bytes(whole[:size])
            assert outcome(folder, "machine.parts") in (None, complete), (path, size)
        path.unlink()
        assert outcome(folder, "machine.parts") is None
        path.write_bytes(whole)


@ON_18
@pytest.mark.endurance
@pytest.mark.parametrize("format_", ONE_FILE)
@settings(max_examples=times(25, 100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed(tmp_path: Path, small: Path, format_: str, data: st.DataObject) -> None:
    content = bytearray((small / format_).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + 1] = data.draw(st.binary(max_size=5))
    (tmp_path / "changed").write_bytes(content)
    outcome(tmp_path / "changed", data.draw(st.sampled_from(["", "machine.parts"])))


@given(content=st.binary(max_size=300), version=st.integers(12, 16), folder=st.booleans())
def test_anything_behind_the_magic(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, version: int, folder: bool
) -> None:
    path = tmp_path_factory.mktemp("x")
    head = b"PGDMP\x01" + bytes([version, 0, 4, 8, 3 if folder else 1])
    (path / "toc.dat").write_bytes(head + content)
    assert outcome(path if folder else path / "toc.dat", "") is None


@ON_18
def test_giant_lengths_take_no_memory(tmp_path: Path, small: Path) -> None:
    content = (small / "custom -Z0").read_bytes()

    def number(n: int) -> bytes:
        return b"\0" + n.to_bytes(4, "little")

    path = tmp_path / "giant"
    name = 12 + 7 * 5  # behind the head and the time
    for wrong in (2**32 - 1, 2**31, 10**9):
        path.write_bytes(content[:name] + number(wrong) + content[name + 5 :])
        assert outcome(path, "") is None
    place = content.rindex(b"\\.\n\n\n") - 5
    path.write_bytes(content[:place] + number(2**32 - 1) + content[place + 5 :])
    assert outcome(path, "machine.parts") is None


@ON_18
def test_a_name_that_leads_out_of_the_folder(filled: Server, tmp_path: Path) -> None:
    folder = dump(filled, tmp_path / "x", "-t", "machine.cycles", "-Fd", "-Z0")
    data = next(p for p in folder.glob("*.dat") if p.name != "toc.dat")
    data.rename(tmp_path / data.name[3:])
    toc = folder / "toc.dat"
    toc.write_bytes(toc.read_bytes().replace(data.name.encode(), f"../{data.name[3:]}".encode()))
    with pytest.raises(SourceFileError, match=r"has no file \.\./"):
        tables.opened(folder, "")
