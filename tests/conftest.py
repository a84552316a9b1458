"""What the tests share: a real PostgreSQL, a workspace of real stages, a real browser, real data."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from psycopg.conninfo import make_conninfo

import tsclust
from tests.support import kernels
from tests.support.workspaces import SERIES_MADE, made
from tsclust.embedded_postgres.server import Server, running
from tsclust.simulation import load

REPOSITORY = Path(__file__).parent.parent
# A browser that asks nobody for anything. Root has to go without its sandbox.
ARGUMENTS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
OWN = "TSCLUST_TEST_DSN"  # a server of your own, with a user who may create databases
READING = {"copy", "extract", "extract_lost", "postgres", "postgres_errors", "select", "sql_files", "update"}
_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Kernels are compiled anew only when a file that they come from changed."""
    kernels.use_cache(config.rootpath / ".pytest_cache" / "kernels")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """PostgreSQL 18 for the length of the session."""
    with running(tmp_path_factory.mktemp("pg") / "18") as started:
        yield started


@pytest.fixture(scope="session")
def server16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """PostgreSQL 16 for the length of the session."""
    with running(tmp_path_factory.mktemp("pg") / "16", version=16) as started:
        yield started


@pytest.fixture(scope="session")
def dsn(server: Server) -> str:
    """The database that all tests share: for reading."""
    return server.dsn


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a new, empty database that goes with the test: on PostgreSQL 18, or on the server of the test's id."""
    where = getattr(request, "param", "18")
    name = f"test_{next(_numbers)}"
    dsn = os.environ[OWN] if where == OWN else request.getfixturevalue({"18": "server", "16": "server16"}[where]).dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield make_conninfo(dsn, dbname=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What reads from PostgreSQL does so from 18, from 16, and from TSCLUST_TEST_DSN where that is set."""
    if metafunc.module.__name__.rpartition(".test_")[2] in READING and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ["18", "16", *([OWN] if OWN in os.environ else [])], indirect=True)


@pytest.fixture
def workspace_dir(tmp_path: Path) -> Path:
    """Where a test makes its workspace; not there yet."""
    return tmp_path / "ws"


@pytest.fixture(scope="session")
def cycles(server: Server) -> Iterator[str]:
    """The DSN of a database with made cycles: for reading."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cycles")
    dsn = make_conninfo(server.dsn, dbname="cycles")
    load.fill(dsn, SERIES_MADE, 3)
    yield dsn
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE cycles WITH (FORCE)")


@pytest.fixture(scope="session")
def done(cycles: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that ran through: for reading."""
    root = made(tmp_path_factory.mktemp("done") / "ws")
    list(tsclust.run(root, {"dsn": cycles}))
    return root


@pytest.fixture
def own(done: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(done, tmp_path / "ws"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real series, which are no part of the repository: where it is absent, the test is skipped."""
    folder = Path(os.environ.get("TSCLUST_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real series are not here: no folder {folder} (TSCLUST_SHARED_DATA names another)")
    return folder


def find_browser(name: str) -> str | None:
    """The browser that tests/browser.sh finds; None where only Playwright's own can serve."""
    finder = [str(REPOSITORY / "tests" / "browser.sh"), "find", name]
    return subprocess.run(finder, check=True, capture_output=True, text=True).stdout.strip() or None


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright for the length of the session."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium for the length of the session."""
    browser = playwright.chromium.launch(executable_path=find_browser("chromium"), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Firefox puts what it saves: Playwright hears nothing of downloads in a Firefox that is not its own."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def firefox(playwright: Playwright, downloads: Path) -> Iterator[Browser]:
    """A Firefox for the length of the session: as it comes with the system, else Playwright's own."""
    found = find_browser("firefox")
    channel = "moz-firefox" if found else None
    browser = playwright.firefox.launch(executable_path=found, channel=channel, downloads_path=downloads)
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page that shares nothing with those of other tests."""
    with chromium.new_context() as context:
        yield context.new_page()
