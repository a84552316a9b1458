"""The command line as people and scripts use it: a process of its own, a pipe, a terminal.

In `make endurance` each command is a process of its own; in `make test` those are where it differs: one command of
each way, the rest is called in this process.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.commands import call_tsclust, on_a_terminal, run_tsclust
from tests.support.endurance import LONG
from tests.support.servers import new_database
from tsclust.embedded_postgres.server import Server
from tsclust.simulation import load

pytestmark = pytest.mark.endurance
mostly_call = run_tsclust if LONG else call_tsclust


@pytest.fixture(scope="module")
def few_cycles_dsn(server: Server) -> Iterator[str]:
    with new_database(server.dsn, "few_cycles") as dsn:
        load.fill(dsn, 2_000, 5)
        yield dsn


def test_the_way_of_a_user_command_by_command(workspace_dir: Path, few_cycles_dsn: str) -> None:
    assert mostly_call("init", "-w", workspace_dir).returncode == 0
    assert sorted(p.name for p in (workspace_dir / "sql").iterdir()) == [
        "array_column.sql", "joined_machines.sql", "jsonb_arrays.sql", "long_rows.sql", "wide_columns.sql",
    ]  # fmt: skip
    environment = {"TSCLUST_DSN": few_cycles_dsn, "TSCLUST_CLUSTER__K": "2..6"}
    for command in ("extract --table machine.cycles", "features", "filter", "cluster", "report", "status"):
        how = run_tsclust if command == "features" else mostly_call
        done = how(*shlex.split(command), "-w", workspace_dir, environment=environment)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "\x1b" not in done.stdout  # no colours and no bars in a pipe
        assert f"-w {workspace_dir}" in done.stdout.splitlines()[-1] or "open" in done.stdout.splitlines()[-1]
    assert (workspace_dir / "reports" / "report.html").stat().st_size > 10_000


def test_the_settings_file_alone_is_enough(initialised: Path, few_cycles_dsn: str) -> None:
    toml = (initialised / "tsclust.toml").read_text(encoding="utf-8")
    toml = toml.replace('table = ""', 'table = "machine.cycles"').replace('dsn = ""', f'dsn = "{few_cycles_dsn}"')
    (initialised / "tsclust.toml").write_text(toml.replace('k = "2..40"', 'k = "2..5"'), encoding="utf-8")
    done = mostly_call("run", "-w", initialised)
    assert (done.returncode, done.stderr) == (0, "")
    assert "peak MB" in done.stdout


def test_json_is_one_object_per_stage(initialised: Path, few_cycles_dsn: str) -> None:
    mostly_call("extract", "--table", "machine.cycles", "-w", initialised, environment={"TSCLUST_DSN": few_cycles_dsn})
    lines = run_tsclust("features", "--json", "-w", initialised).stdout.splitlines()
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["command"], told["facts"]["rows"], told["skipped"]) == ("features", 2_000, False)
    assert told["facts"]["kept"] + sum(told["facts"]["rejected"].values()) == 2_000
    status = json.loads(mostly_call("status", "--json", "-w", initialised).stdout)
    assert status["facts"]["stages"]["features"]["state"] == "up to date"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("status -w /no/such/folder", 4, "not a tsclust workspace"),
        ("features", 6, "Run: tsclust extract"),
        ("cluster --k 9..2", 3, "expected k from 2 to 200"),
        ("cluster --scaling best", 3, "'exceedance', 'robust' or 'standard'"),
        ("extract", 3, "table"),
        ("extract --table machine.cycels", 8, "machine.cycles"),
        ("extract --query 'SELECT nope FROM machine.cycles'", 8, "nope"),
        ("extract --query 'SELECT * FROM machine.cycles WHERE false'", 9, ""),
        ("report --name ../x", 3, "report name"),
        ("report --colour", 2, "--colour: no such option of tsclust report"),
        ("init", 3, "exists already"),
    ],
)
def test_errors_are_one_line_with_an_exit_code(
    initialised: Path, cycles_dsn: str, words: str, code: int, told: str
) -> None:
    words = words if "-w" in words else f"{words} -w {initialised}"
    how = run_tsclust if words.startswith("extract --query 'SELECT nope") else mostly_call
    done = how(*shlex.split(words), environment={"TSCLUST_DSN": cycles_dsn})
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("dsn", ["postgresql://u:s3cret@127.0.0.1:1/x", "host=/no/socket password=s3cret", "s3cret"])
def test_no_server_and_no_password_in_the_error(initialised: Path, dsn: str) -> None:
    done = mostly_call("extract", "--table", "t", "-w", initialised, environment={"TSCLUST_DSN": dsn})
    assert done.returncode == 7
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stdout + done.stderr


def test_pgservice_is_enough(initialised: Path, cycles_dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(cycles_dsn) as connection:
        info = connection.info
        lines = ["[plant]", f"host={info.host}", f"port={info.port}", f"dbname={info.dbname}", f"user={info.user}"]
    (tmp_path / "services").write_text("\n".join(lines), encoding="utf-8")
    environment = {"PGSERVICE": "plant", "PGSERVICEFILE": str(tmp_path / "services")}
    done = mostly_call("extract", "--table", "machine.cycles", "-w", initialised, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_gets_progress_bars(initialised: Path, few_cycles_dsn: str) -> None:
    mostly_call("extract", "--table", "machine.cycles", "-w", initialised, environment={"TSCLUST_DSN": few_cycles_dsn})
    told = "".join(on_a_terminal("features", "-w", initialised))
    assert "━" in told
    assert "2000 of 2000 series" in told.replace(",", "")
