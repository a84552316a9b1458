"""extract --from a dump: what cannot be read ends with one line and harms nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from tests.support.file_tables import read, refused
from tests.support.servers import new_database
from tsclust.cli.commands import app
from tsclust.embedded_postgres.server import Server


@pytest.fixture(scope="module")
def dumps(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dumps of two tables, each in a way of its own."""
    folder = tmp_path_factory.mktemp("dumps")
    kinds = (("plain",), ("custom", "-Fc"), ("directory", "-Fd"), ("inserts", "--inserts"), ("tar", "-Ft"))
    with new_database(server.dsn, "two_tables") as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute('CREATE TABLE cycles (id int, "values" float8[]); CREATE TABLE other (LIKE cycles)')
            connection.execute("INSERT INTO cycles SELECT i, ARRAY[i, random()] FROM generate_series(1, 5000) i")
            connection.execute("INSERT INTO other VALUES (7, '{1,NULL}')")
        for name, *options in kinds:
            subprocess.run([server.bin / "pg_dump", "-d", dsn, *options, "-f", folder / name], check=True)
    return folder


@pytest.mark.parametrize("kind", ["plain", "custom", "directory"])
def test_a_dump_of_several_tables_needs_the_name_of_one(extracted_before: Path, dumps: Path, kind: str) -> None:
    refused(extracted_before, 3, "public.cycles, public.other", "--from", dumps / kind)
    refused(extracted_before, 3, "no rows of a table othre", "--from", dumps / kind, "--table", "othre")
    done = CliRunner().invoke(
        app, ["extract", "-w", str(extracted_before), "--from", str(dumps / kind), "--table", "other"]
    )
    assert done.exit_code == 0, done.output
    assert read(extracted_before) == {7: ([1.0, None],)}


@pytest.mark.parametrize(("kind", "told"), [("inserts", "INSERT INTO"), ("tar", "tar format")])
def test_a_dump_of_a_kind_that_cannot_be_read(extracted_before: Path, dumps: Path, kind: str, told: str) -> None:
    refused(extracted_before, 15, told, "--from", dumps / kind)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("kind", ["plain", "custom"])
def test_a_dump_that_is_cut_off(extracted_before: Path, dumps: Path, tmp_path: Path, kind: str, share: float) -> None:
    whole = (dumps / kind).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
    refused(extracted_before, 15, "", "--from", tmp_path / "cut", "--table", "cycles")
