"""Marks of tests by their folder, and the fixtures of tests/support."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import hypothesis
import pytest

# How long an example takes is the machine's business, which may do much else.
hypothesis.settings.register_profile("tsclust", deadline=None)
hypothesis.settings.load_profile("tsclust")
pytest.register_assert_rewrite("tests.support")
pytest_plugins = [
    f"tests.support.{name}"
    for name in (
        "kernels", "answer_page", "brokers", "browsers", "bundles", "commands", "commands_in_turn", "disk",
        "features_workspace", "file_tables", "fleet", "labels", "needs", "plant", "power", "report_workspace",
        "far_brokers", "screened", "served", "served_reports", "servers", "s3", "slow_table",
    )
]  # fmt: skip
TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test has its folder as a mark: unit, postgres, browser or e2e. The files of the others take turns, as most
    that only wait are in e2e, and those of unit come last, as they are short: so no processor is idle."""
    files: dict[str, list[Path]] = {}
    for path in dict.fromkeys(item.path for item in items):
        files.setdefault(path.relative_to(TESTS).parts[0], []).append(path)
    turns = {path: at / len(paths) for paths in files.values() for at, path in enumerate(paths)}
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])
    items.sort(key=lambda item: (item.path in files.get("unit", ()), turns[item.path]))


def pytest_collection_finish() -> None:
    """What is there now stays: to look for garbage in it takes half a second each time, a fifteenth of all."""
    gc.freeze()


@pytest.fixture
def workspace_dir(tmp_path: Path) -> Path:
    """Where a test makes its workspace; not there yet."""
    return tmp_path / "ws"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real series, which are no part of the repository: where it is absent, the test is skipped."""
    folder = Path(os.environ.get("TSCLUST_SHARED_DATA") or TESTS.parent.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real series are not here: no folder {folder} (TSCLUST_SHARED_DATA names another)")
    return folder
