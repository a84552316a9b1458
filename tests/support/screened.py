"""What the tests of filter --show share: workspaces of real stages, and what is shown of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import machine_cycles
from tsclust.workspace.result import Shown

RULES = """
[[rule]]
name = "low"
when = "max < 3"
reason = "Never above 3"

[[rule]]
name = "lower"
when = "max < 2.5"
reason = "Never above 2.5"
"""


def screened_workspace(root: Path, table: pa.Table, rules: str = "", part_rows: int = 9_999) -> Path:
    """A workspace with these series, described and screened; no clusters/."""
    root.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, root.parent / "in.parquet")
    tsclust.init(root)
    toml = (root / "tsclust.toml").read_text(encoding="utf-8").replace("part_rows = 65536", f"part_rows = {part_rows}")
    (root / "tsclust.toml").write_text(toml + rules, encoding="utf-8")
    tsclust.extract(root, {"source": {"files": str(root.parent / "in.parquet")}})
    tsclust.features(root)
    return root


def shown(root: Path, rule: str, **more: Any) -> Shown:
    result = tsclust.filter(root, show=rule, **more)
    assert isinstance(result, Shown)
    return result


def small_run(height: float, *more: float | None) -> list[float | None]:
    """A small run: rest, a peak of this height, a side movement, rest."""
    return [0.0, 0.0, height, 1.5, 1.1, 1.0, 1.1, 1.0, *more, 0.4, 0.0, 0.0]


@pytest.fixture(scope="session")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 screened cycles: for reading, and for pages."""
    return screened_workspace(tmp_path_factory.mktemp("cycles") / "ws", machine_cycles(2_000)[0], part_rows=300)


@pytest.fixture
def screened_copy(screened: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(screened, tmp_path / "ws", ignore=shutil.ignore_patterns("reports")))


@pytest.fixture(scope="session")
def rejected_pages(screened: Path) -> dict[str, Path]:
    """The page of `stuck` by language."""
    found = {}
    for lang in ("en", "ru"):
        result = shown(screened, "stuck", html=True, flags={"report": {"lang": lang}})
        assert result.wrote == screened / "reports" / "rejected-stuck.html"
        found[lang] = result.wrote.rename(screened.parent / f"{lang}.html")
    return found
