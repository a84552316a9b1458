"""How the tests themselves are laid out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import refuse

TESTS = Path(__file__).parent.parent
MODULES = sorted(path for path in TESTS.rglob("*.py") if path.name != "__init__.py")
ROOMS = {path.name for path in (TESTS.parent / "tsclust").rglob("*") if path.is_dir()}


def test_no_test_imports_from_another() -> None:
    """What several use is in tests/support."""
    texts = {path: path.read_text(encoding="utf-8") for path in MODULES if path != Path(__file__)}
    assert not [path for path, text in texts.items() if re.search(r"tests\.(unit|postgres|browser|e2e)\b", text)]


def test_unit_tests_lie_by_rooms() -> None:
    folders = {path.name for path in (TESTS / "unit").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= ROOMS


def test_a_test_has_its_folder_as_a_mark(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("unit")
    assert not request.node.get_closest_marker("postgres")


@pytest.mark.parametrize("fixture", ["server", "chromium"])
def test_a_unit_test_that_starts_a_server_fails(request: pytest.FixtureRequest, fixture: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=f"tests/unit does without {fixture}"):
        refuse(fixture, request.node.nodeid)


def test_where_servers_may_be_started_they_are() -> None:
    refuse("server", "tests/postgres/test_any.py::test_it")
    with pytest.raises(pytest.fail.Exception, match="tests/postgres does without chromium"):
        refuse("chromium", "tests/postgres/test_any.py::test_it")


def test_form_is_right_beside_the_folder_that_make_demo_makes(tmp_path: Path) -> None:
    """Ruff takes a folder in the place where sources are for a module of ours, and imports would stand otherwise."""
    shutil.copy(TESTS.parent / "pyproject.toml", tmp_path)
    shutil.copytree(TESTS.parent / "bench", tmp_path / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "demo").mkdir()
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "I", "."],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
