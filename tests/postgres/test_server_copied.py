"""The embedded PostgreSQL where its account cannot reach the package: a copy of it serves."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.reading import answer
from tests.support.server_traces import comes_true, gone
from tsclust.embedded_postgres import install, server
from tsclust.embedded_postgres.install import Account
from tsclust.embedded_postgres.server import running, start


@pytest.fixture
def closed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's package as it lies in a virtual environment in somebody's closed home folder."""
    real = install.installed(18).parent
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / real.name).mkdir()
    subprocess.run(["cp", "-r", real / install.INSTALLS[18], home / real.name], check=True)
    if real.with_name(f"{real.name}.libs").is_dir():
        subprocess.run(["cp", "-r", real.with_name(f"{real.name}.libs"), home], check=True)
    monkeypatch.setattr(server, "installed", lambda version: home / real.name / install.INSTALLS[version])
    return home


def test_a_copy_serves_where_the_package_cannot_be_reached(closed_package: Path, tmp_path: Path) -> None:
    """As root: package and data lie in root's home. As anybody else: both are ours and used where they lie."""
    before = {p: (p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in closed_package.rglob("*")}
    with running(tmp_path / "home" / "data") as one:
        assert answer(one.dsn, "SELECT 1") == 1
        assert one.bin.is_relative_to(one.run_folder) == (os.geteuid() == 0)
        assert (tmp_path / "home" / "data").is_symlink() == (os.geteuid() == 0)
        found = start(tmp_path / "home" / "data")
        assert found.found
    assert comes_true(lambda: gone(one.run_folder, tmp_path / "home" / "data"))
    assert not (tmp_path / "home" / "data").is_symlink()
    after = {p: (p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in before}
    assert after == before
    assert closed_package.stat().st_mode & 0o777 == 0o700


def test_a_copy_is_made_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copying itself, for every user: an account that is refused once."""
    account = install.account_for(tmp_path)
    run_folder = install.make_run_folder(account, ExitStack())
    refused = iter([subprocess.CompletedProcess([], 126, "", "Permission denied")])
    real_do = Account.do
    monkeypatch.setattr(Account, "do", lambda self, *command: next(refused, None) or real_do(self, *command))
    try:
        copy = install.reachable(install.installed(18), run_folder, account)
        assert copy.is_relative_to(run_folder)
        assert "18." in account.do(copy / "bin" / "psql", "--version").stdout  # needs the libraries beside the package
    finally:
        account.do("rm", "-rf", run_folder)
