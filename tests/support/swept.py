"""Workspaces of made cycles that were described and swept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

import tsclust
from tests.support.series import machine_cycles

K = {"cluster": {"k": "2..4"}}


def extracted(root: Path, part_rows: int = 4_000, series: int = 20_000) -> Path:
    """A workspace of made cycles, described."""
    tsclust.init(root)
    pq.write_table(machine_cycles(20_000)[0].slice(0, series), root / "cycles.parquet")
    flags = {"source": {"files": str(root / "cycles.parquet"), "part_rows": part_rows}}
    tsclust.extract(root, flags)
    tsclust.features(root)
    return root


def swept(root: Path, flags: Mapping[str, Any] = K, **how: Any) -> pl.DataFrame:
    """groups.parquet after a sweep."""
    cluster = dict(flags["cluster"]) | {"baseline": ["machine_id", "direction"]}
    tsclust.cluster(root, {"cluster": cluster}, **how)
    return groups(root)


def groups(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / "clusters/groups.parquet", glob=False)
