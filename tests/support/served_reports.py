"""A service with reports to answer: of groups, in two languages, and in several files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import tsclust
from tests.support.plant import folder_once
from tests.support.report_workspace import four_kinds, write
from tests.support.service import Running, running


def answerable(root: Path) -> None:
    """A workspace with report.html, otchet.html in Russian and several/index.html, and no answers."""
    write(root, four_kinds(), baseline=["machine"])
    few = {"charts": False}
    tsclust.report(root, {"report": few})
    tsclust.report(root, {"report": few | {"lang": "ru"}}, name="otchet")
    tsclust.report(root, {"report": few | {"lang": "en", "split": 2}}, name="several")


@pytest.fixture
def line(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace `line` of a service that does not run yet."""
    once = folder_once(tmp_path_factory, "answerable", lambda folder: answerable(folder / "line"))
    return Path(shutil.copytree(once / "line", tmp_path / "served" / "line"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that asks for no token, for all tests of a file; without jobs it is there at once."""
    with running(tmp_path_factory.mktemp("answers") / "served", "--no-jobs") as found:
        yield found


@pytest.fixture
def offered(served: Running, line: Path) -> Path:
    """A workspace of its own there."""
    name = f"line-{len([*served.root.glob('line-*')])}"
    return Path(shutil.copytree(line, served.root / name))
