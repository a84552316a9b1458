"""Which schedulers may be sent code, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import call_tsclust
from tests.support.service import free_port
from tsclust.engine.place import Place
from tsclust.errors import SettingsError


@pytest.mark.parametrize(
    ("scheduler", "address"),
    [
        ("dask://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("dask://localhost:8786", "tcp://localhost:8786"),
        ("dask://[::1]:8786", "tcp://[::1]:8786"),
        ("tls://10.0.0.5:8786", "tls://10.0.0.5:8786"),
    ],
)
def test_a_scheduler_of_this_machine_or_with_tls_may_be_used(scheduler: str, address: str) -> None:
    place = Place(scheduler)
    place.check()
    assert place.address == address


@pytest.mark.parametrize(
    "scheduler", ["dask://127.0.0.1", "tcp://127.0.0.1:8786", "dask://:8786", "dask://127.0.0.1:port", "http://a:1/b"]
)
def test_what_is_no_address_is_refused(scheduler: str) -> None:
    with pytest.raises(SettingsError, match="expected dask://HOST:PORT or tls://HOST:PORT"):
        Place(scheduler).check()


@pytest.mark.parametrize("host", ["10.0.0.5", "scheduler.plant", "0.0.0.0", "127.0.0.1.nip.io"])
def test_a_scheduler_that_others_reach_needs_tls(host: str) -> None:
    with pytest.raises(SettingsError, match="can be reached from other machines"):
        Place(f"dask://{host}:8786").check()


def test_one_that_listens_to_others_too_needs_tls() -> None:
    here = Place("dask://127.0.0.1:8786")
    here.check()
    with pytest.raises(SettingsError, match=r"tcp://10\.0\.0\.5:8786 can be reached"):
        here.check_reach("tcp://10.0.0.5:8786")


def test_files_of_tls_make_it_tls_and_have_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    assert Place("dask://10.0.0.5:8786", str(tmp_path / "ca.pem")).address == "tls://10.0.0.5:8786"
    with pytest.raises(SettingsError, match=r"--tls-key .*none\.pem: no such file"):
        Place("tls://10.0.0.5:8786", tls_key=str(tmp_path / "none.pem")).check()


def test_where_no_scheduler_is_it_is_said_in_one_line(initialised: Path) -> None:
    (initialised / "series").mkdir()
    url = f"dask://127.0.0.1:{free_port()}"
    done = call_tsclust("run", "-w", initialised, "--engine", url, "--from", "none.parquet")
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert f"no scheduler answers at {url}" in done.stderr
