"""A real PostgreSQL out of a wheel, for the demo and the tests: started on a folder, gone without a trace.

What it needs besides its data lies in one **run folder**, a `tempfile.mkdtemp` with a short path: the socket and, where
root's folders are closed to others, a copy of the package and the data. A guard (see guard.py) ends the server when
this process ends, and removes the run folder when the server has ended.

`Server.keep` lets the server outlive us. A kept server is ended by `stop_kept(data)` or, as the user who owns the data
folder, by PostgreSQL's own `pg_ctl -D WORKSPACE/.postgres stop`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import psycopg

from tsclust.embedded_postgres.guard import Guard, until
from tsclust.embedded_postgres.install import (
    ELSEWHERE,
    RUN_PREFIX,
    Account,
    account_for,
    check_data,
    drop_dead_link,
    installed,
    make_data,
    make_run_folder,
    reachable,
)
from tsclust.errors import DemoServerError

# What a server may do whose data can be made again: nothing waits for the disk.
THROWAWAY = MappingProxyType(
    {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",  # COPY into a table made in the same transaction then writes no log at all
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "1h",
        "shared_buffers": "128MB",
        "autovacuum": "off",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "dynamic_shared_memory_type": "mmap",  # /dev/shm has 64 MB in a container, and is swept when its user logs out
    }
)
PORT = "5432"  # names the socket, in a folder of our own: nothing listens on TCP
PATIENCE = 60.0  # seconds for a server to start, after a crash with a log to replay


@dataclass(frozen=True)
class Server:
    """A PostgreSQL that runs and answers."""

    dsn: str  # a libpq URI for psycopg, ADBC and psql alike: superuser and database `tsclust`, over a Unix socket
    data: Path  # the data folder as asked for; a link to a temporary one where the server's account cannot get in
    bin: Path  # psql, pg_dump, ...
    version: int  # major version
    run_folder: Path  # exists as long as the server runs
    found: bool  # it ran already when we came
    _guard: Guard | None = field(default=None, repr=False, compare=False)

    def keep(self) -> None:
        """Let the server outlive this process; the next `running` on the same data folder finds it."""
        if self._guard:
            self._guard.let_go()

    def stop(self) -> None:
        """Stop the server; what it left outside its data folder goes too. Harmless when it has stopped already.

        Raises DemoServerError when it does not end.
        """
        home, account = self.data.resolve(), account_for(self.data)
        stop = (self.bin / "pg_ctl", "stop", "-D", home)
        if self.run_folder.exists() and account.do(*stop, "-m", "fast", "-t", "30").returncode:
            account.do(*stop, "-m", "immediate", "-t", "15")
        if self._guard:
            self._guard.dismiss()
        if not until(lambda: not self.run_folder.exists(), 10):
            _dismantle(self, home)
        drop_dead_link(self.data)


@contextmanager
def running(data: Path, *, version: int = 18, keep: bool = False) -> Iterator[Server]:
    """A server on `data` for the length of a `with`: made, started or found, and stopped whatever happens.

    With `keep` it stays, even when this process ends. One that ran already is left running: somebody kept it.
    Raises DemoServerError.
    """
    server = start(data, version=version)
    try:
        if keep:
            server.keep()
        yield server
    finally:
        if not (keep or server.found):
            server.stop()


def start(data: Path, *, version: int = 18, settings: Mapping[str, str] = MappingProxyType({})) -> Server:
    """The server on the data folder `data`, which is made where it does not exist: found running, or started.

    `settings` are PostgreSQL's own, on top of THROWAWAY; a server that runs already keeps those it has. It ends with
    `stop`, or with this process. Raises DemoServerError when it is not installed or does not start.
    """
    data = data.absolute()  # not resolve(): it may be a link of ours
    with _explained():
        drop_dead_link(data)
        check_data(data, version)
        return _find(data) or _launch(data, version, {**THROWAWAY, **settings})


def stop_kept(data: Path) -> bool:
    """Stop the server that was kept on `data`; False where none runs. Raises DemoServerError when it does not end."""
    with _explained():
        server = _find(data.absolute())
        if server:
            server.stop()
        return server is not None


def _launch(data: Path, version: int, settings: Mapping[str, str]) -> Server:
    """Start a server in a new run folder; when that fails, nothing of it stays."""
    account = account_for(data)
    with contextlib.ExitStack() as undo, contextlib.ExitStack() as unguarded:
        run_folder = make_run_folder(account, unguarded)
        undo.callback(drop_dead_link, data)
        undo.callback(until, lambda: not run_folder.exists(), 30)
        guard = Guard(run_folder, account)
        undo.callback(guard.dismiss)
        unguarded.pop_all()  # from here on it is the guard's
        install = reachable(installed(version), run_folder, account)
        home = make_data(data, run_folder, install, account)
        with _log(home / "server.log", account) as log:
            guard.start(_command(install, home, run_folder, settings), home / "server.log")
            server = Server(_dsn(run_folder), data, install / "bin", version, run_folder, found=False, _guard=guard)
            _wait_ready(server, log)
        undo.pop_all()
    return server


def _command(install: Path, home: Path, run_folder: Path, settings: Mapping[str, str]) -> list[str | Path]:
    socket = {"unix_socket_directories": str(run_folder), "listen_addresses": "", "port": PORT}
    options = [word for name, value in {**settings, **socket}.items() for word in ("-c", f"{name}={value}")]
    return [install / "bin" / "postgres", "-D", home, *options]


def _log(path: Path, account: Account) -> FileIO:
    """A new log, held open: it may be gone, with the run folder, before its last word is read.

    As root we write into somebody else's folder: a link that lies in wait there is not followed.
    """
    log = FileIO(path, "w+", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600))
    account.take(path)
    return log


def _wait_ready(server: Server, log: FileIO) -> None:
    """Wait until `server` answers and has our database. Raises DemoServerError with the log's last word."""
    until(lambda: not server.run_folder.exists() or _answers(server.dsn), PATIENCE)
    if not _answers(server.dsn):
        raise DemoServerError(f"PostgreSQL {server.version} does not start: {_last_word(log)}", ELSEWHERE)
    with psycopg.connect(server.dsn, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tsclust'").fetchone():
            connection.execute("CREATE DATABASE tsclust")


def _find(data: Path) -> Server | None:
    """The server that runs on `data`, None where none does. A start or a stop under way is waited for."""
    home = data.resolve()
    deadline = time.monotonic() + PATIENCE
    while (home / "postmaster.pid").exists():
        pid, server = _listed(data)
        if server and not _lives(pid, home):
            # PostgreSQL itself would refuse to start if the number now belongs to another process of the same user.
            (home / "postmaster.pid").unlink(missing_ok=True)
            _dismantle(server, home)
        elif server and _answers(server.dsn):
            return server
        elif time.monotonic() > deadline:
            raise DemoServerError(f"the PostgreSQL that runs on {data} does not answer", f"See {home / 'server.log'}")
        time.sleep(0.02)
    return None


def _listed(data: Path) -> tuple[int, Server | None]:
    """Process and server that the data folder's own papers name; no server while they are being written."""
    home = data.resolve()
    try:
        papers = (home / "postmaster.pid").read_text().splitlines()
        program = Path((home / "postmaster.opts").read_text().split(' "')[0])
        pid, run_folder = int(papers[0]), Path(papers[4])
        version = int((home / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError, IndexError):
        return 0, None
    return pid, Server(_dsn(run_folder), data, program.parent, version, run_folder, found=True)


def _dismantle(server: Server, home: Path) -> None:
    """Remove a run folder whose guard was killed before it could. Raises DemoServerError if the server still runs."""
    if (home / "postmaster.pid").exists():
        raise DemoServerError(
            f"the server on {server.data} does not stop", f"See {home / 'server.log'}, or stop its process yourself"
        )
    if server.run_folder.name.startswith(RUN_PREFIX):  # the papers are no authority on what root may delete
        account_for(server.data).do("rm", "-rf", server.run_folder)


def _lives(pid: int, home: Path) -> bool:
    """Is process `pid` the server on `home`? After a crash the number may belong to somebody else."""
    try:
        os.kill(pid, 0)
        return os.fsencode(home) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except PermissionError:
        return False  # another user's
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return True  # a system without /proc


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _dsn(run_folder: Path) -> str:
    return f"postgresql://tsclust@/tsclust?host={quote(str(run_folder), safe='')}&port={PORT}"


def _last_word(log: FileIO) -> str:
    """Why a server ended: the last FATAL line of its log (what follows that is a summary), else the last line."""
    text = os.pread(log.fileno(), 65_536, max(0, os.fstat(log.fileno()).st_size - 65_536))
    lines = text.decode(errors="replace").strip().splitlines() or ["its log is empty"]
    last = next((line for line in reversed(lines) if "FATAL" in line), lines[-1])
    return last[max(0, last.find("FATAL")) :]


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the system or the server refuses into an error of ours."""
    try:
        yield
    except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
        raise DemoServerError(f"the embedded PostgreSQL cannot be started or stopped: {error}", ELSEWHERE) from error
