"""What the tests of a folder may start: a test that needs more lies in another one."""

from __future__ import annotations

import os

import pytest

SERVERS, BROWSERS = {"server", "server16"}, {"chromium", "firefox"}
MAY_USE: dict[str, set[str]] = {"unit": set(), "postgres": SERVERS, "browser": BROWSERS, "e2e": SERVERS | BROWSERS}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> object:
    """A test that starts a server or a browser lies in a folder for such tests."""
    refuse(fixturedef.argname, os.environ["PYTEST_CURRENT_TEST"])
    return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """One that another test has started is refused as well."""
    for fixture in getattr(item, "fixturenames", []):
        refuse(fixture, item.nodeid)


def refuse(fixture: str, test: str) -> None:
    folder = test.removeprefix("tests/").partition("/")[0]
    if fixture in (SERVERS | BROWSERS) - MAY_USE.get(folder, SERVERS | BROWSERS):
        pytest.fail(f"tests/{folder} does without {fixture}: move this test to where it may be used")
