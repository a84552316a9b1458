"""What the tests of filter --show share: workspaces of real stages, and what is shown of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import tsclust
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


def workspace(root: Path, table: pa.Table, rules: str = "", part_rows: int = 9_999) -> Path:
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
