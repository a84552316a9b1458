"""The command line as people and scripts use it: a process of its own, a pipe, a terminal."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import typer

from tsclust.cli.runtime import told
from tsclust.simulation import load

COMMANDS = ("demo", "init", "extract", "features", "filter", "cluster", "report", "run", "status")
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith(("TSCLUST_", "PG"))} | {"COLUMNS": "120"}


def tsclust(*words: object, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run tsclust in a process of its own, its output in pipes."""
    command = [sys.executable, "-m", "tsclust", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=PLAIN | (environment or {}), timeout=300)


@pytest.fixture
def cycles(database: str) -> str:
    load.fill(database, 2_000, 5)
    return database


@pytest.fixture
def ws(workspace_dir: Path) -> Path:
    assert tsclust("init", "-w", workspace_dir).returncode == 0
    return workspace_dir


def test_help_names_every_command() -> None:
    told = tsclust("--help").stdout
    assert all(name in told for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_help(command: str) -> None:
    done = tsclust(command, "--help")
    assert done.returncode == 0
    assert "--workspace" in done.stdout
    assert "--json" in done.stdout


def test_the_way_of_a_user_command_by_command(ws: Path, cycles: str) -> None:
    assert sorted(p.name for p in (ws / "sql").iterdir()) == [
        "array_column.sql", "joined_machines.sql", "jsonb_arrays.sql", "long_rows.sql", "wide_columns.sql",
    ]  # fmt: skip
    environment = {"TSCLUST_DSN": cycles, "TSCLUST_CLUSTER__K": "2..6"}
    for command in ("extract --table machine.cycles", "features", "filter", "cluster", "report", "status"):
        done = tsclust(*shlex.split(command), "-w", ws, environment=environment)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "\x1b" not in done.stdout  # no colours and no bars in a pipe
        assert f"-w {ws}" in done.stdout.splitlines()[-1] or "open" in done.stdout.splitlines()[-1]
    assert (ws / "reports" / "report.html").stat().st_size > 10_000


def test_the_settings_file_alone_is_enough(ws: Path, cycles: str) -> None:
    toml = (ws / "tsclust.toml").read_text(encoding="utf-8")
    toml = toml.replace('table = ""', 'table = "machine.cycles"').replace('dsn = ""', f'dsn = "{cycles}"')
    (ws / "tsclust.toml").write_text(toml.replace('k = "2..40"', 'k = "2..5"'), encoding="utf-8")
    done = tsclust("run", "-w", ws)
    assert (done.returncode, done.stderr) == (0, "")
    assert "peak MB" in done.stdout


def test_json_is_one_object_per_stage(ws: Path, cycles: str) -> None:
    tsclust("extract", "--table", "machine.cycles", "-w", ws, environment={"TSCLUST_DSN": cycles})
    lines = tsclust("features", "--json", "-w", ws).stdout.splitlines()
    assert len(lines) == 1
    told = json.loads(lines[0])
    assert (told["command"], told["facts"]["rows"], told["skipped"]) == ("features", 2_000, False)
    assert told["facts"]["kept"] + sum(told["facts"]["rejected"].values()) == 2_000
    status = json.loads(tsclust("status", "--json", "-w", ws).stdout)
    assert status["facts"]["stages"]["features"]["state"] == "up to date"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("status -w /no/such/folder", 4, "not a tsclust workspace"),
        ("features", 6, "Run: tsclust extract"),
        ("cluster --k 9..2", 3, "every k must lie in 2..200"),
        ("cluster --scaling best", 3, "'exceedance', 'robust' or 'standard'"),
        ("extract", 3, "table"),
        ("extract --table machine.cycels", 8, "machine.cycles"),
        ("extract --query 'SELECT nope FROM machine.cycles'", 8, "nope"),
        ("extract --query 'SELECT * FROM machine.cycles WHERE false'", 9, ""),
        ("report --name ../x", 3, "report name"),
        ("report --colour", 2, "No such option"),
        ("init", 3, "exists already"),
    ],
)
def test_errors_are_one_line_with_an_exit_code(ws: Path, cycles: str, words: str, code: int, told: str) -> None:
    words = words if "-w" in words else f"{words} -w {ws}"
    done = tsclust(*shlex.split(words), environment={"TSCLUST_DSN": cycles})
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert code == 2 or done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("dsn", ["postgresql://u:s3cret@127.0.0.1:1/x", "host=/no/socket password=s3cret", "s3cret"])
def test_no_server_and_no_password_in_the_error(ws: Path, dsn: str) -> None:
    done = tsclust("extract", "--table", "t", "-w", ws, environment={"TSCLUST_DSN": dsn})
    assert done.returncode == 7
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stdout + done.stderr


def test_pgservice_is_enough(ws: Path, cycles: str, tmp_path: Path) -> None:
    with psycopg.connect(cycles) as connection:
        info = connection.info
        lines = ["[plant]", f"host={info.host}", f"port={info.port}", f"dbname={info.dbname}", f"user={info.user}"]
    (tmp_path / "services").write_text("\n".join(lines), encoding="utf-8")
    environment = {"PGSERVICE": "plant", "PGSERVICEFILE": str(tmp_path / "services")}
    done = tsclust("extract", "--table", "machine.cycles", "-w", ws, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = tsclust("init", "-w", tmp_path / "file" / "ws")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "file" in done.stderr


def on_a_terminal(*words: object) -> Iterator[str]:
    """What `tsclust WORDS` writes to a terminal of its own."""
    control, terminal = pty.openpty()
    command = [sys.executable, "-m", "tsclust", *map(str, words)]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=PLAIN | {"TERM": "xterm"})
    os.close(terminal)
    while True:
        try:
            read = os.read(control, 4096)
        except OSError:  # the terminal is closed: the process has ended
            break
        yield read.decode(errors="replace")
    os.close(control)
    assert process.wait() == 0


def test_a_terminal_gets_progress_bars(ws: Path, cycles: str) -> None:
    tsclust("extract", "--table", "machine.cycles", "-w", ws, environment={"TSCLUST_DSN": cycles})
    told = "".join(on_a_terminal("features", "-w", ws))
    assert "━" in told
    assert "2000 of 2000 series" in told.replace(",", "")


def test_a_reader_that_leaves_early_is_no_error(ws: Path) -> None:
    command = f"{sys.executable} -m tsclust status -w {ws} | head -0; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=PLAIN)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_no_memory_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, told():
        np.empty((1 << 40, 1 << 10))  # more than any machine has
    assert left.value.exit_code == 1
    assert capsys.readouterr().err.splitlines() == [
        "tsclust: the system gives no more memory; what was there before is unharmed. Free some, or lower what is held "
        "at a time: part_rows and workers in [source], coreset in [cluster]."
    ]
