"""Small made workspaces for the tests of the report: files as the stages write them, without running the stages."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.series import CLUSTERED
from tsclust.config import Cluster
from tsclust.series import SeriesBlock
from tsclust.stages.features.catalogue import CATALOGUE, NAMES
from tsclust.stages.features.catalogue import plain as plain_catalogue
from tsclust.stages.features.kernels import describe
from tsclust.workspace.folder import Workspace

NORMAL = "normal"


REASON = "The same value all the time: no sensor, or no run"


@dataclass(frozen=True)
class Made:
    """A made series: the group it is a member of, None where the rule `flat` rejects it."""

    series_id: int | str
    values: Sequence[float | None]
    group: str | None = NORMAL
    carried: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, float] | None = None  # None: computed


def write(
    root: Path,
    made: Sequence[Made],
    parts: int = 2,
    *,
    baseline: Sequence[str] = (),
    regimes: int = 0,
    origin: str = "db: t",
) -> Workspace:
    """A workspace with these series in `parts` parts. Groups are numbered from the rarest, one k holds them all."""
    root.mkdir(parents=True)
    (root / "tsclust.toml").write_text("")
    kept = [m.group for m in made if m.group is not None]
    groups = [name for name, _ in sorted(Counter(kept).items(), key=lambda item: (item[0] == NORMAL, item[1], item[0]))]
    bounds = np.linspace(0, len(made), parts + 1).astype(int)
    for number, (a, b) in enumerate(itertools.pairwise(bounds)):
        _write_part(root, f"part-{number:05d}.parquet", made[a:b], groups)
    k = max(len(groups), 2)
    _put(root / "clusters" / "groups.parquet", _groups(kept, groups, k))
    _put(root / "clusters" / "sweep.parquet", _sweep(k))
    _put(root / "clusters" / "centers.parquet", _centers(kept, groups, k))
    _put(root / "clusters" / "map.parquet", _map([m for m in made if m.group is not None], groups))
    rejected = len(made) - len(kept)
    rules = [{"name": "flat", "when": "longest_flat_run >= 0.9 * n_values", "reason": REASON}]
    _manifest(root, "series", len(made), parts, {"origin": origin})
    _manifest(
        root,
        "features",
        len(made),
        parts,
        {
            "peak": "max",
            "agreement": 1.0,
            "typical": {},
            "catalogue": plain_catalogue(CATALOGUE),
            "rules": rules,
            **{key: {"flat": rejected} for key in ("rejected", "in_all", "alone")},
            "kept": len(kept),
        },
    )
    asked = Cluster(baseline=tuple(baseline)).model_dump(mode="json")
    facts = {"advice": {"elbow": k, "silhouette": 2}, "baseline": list(baseline), "regimes": regimes, "asked": asked}
    _manifest(root, "clusters", len(kept), parts, facts)
    return Workspace.open(root)


def lifelike(count: int = 240, seed: int = 1) -> list[Made]:
    """Inrush peak, decay, side movement, fall in two steps; some with a dip, some long, some flat."""
    rng = np.random.default_rng(seed)
    return [_one(rng, i, {0: "dip", 1: "long", 2: None}.get(i % 16, NORMAL)) for i in range(count)]


def four_kinds() -> list[Made]:
    """dip, long, high and short stand out; 15 of each but the last, which has 9."""
    made = lifelike(400)
    shorter = {m.series_id for m in made[7::44]}
    return [
        replace(m, group="high", values=[None if v is None else 2 * v for v in m.values]) if i % 16 == 5
        else replace(m, group="short", values=m.values[:40]) if m.series_id in shorter
        else m
        for i, m in enumerate(made)
    ]  # fmt: skip


def _one(rng: np.random.Generator, i: int, kind: str | None) -> Made:
    lead, run = int(rng.integers(1, 11)), int(rng.integers(48, 53)) + 18 * (kind == "long")
    t = np.arange(-lead, run + 8)
    curve = np.where((t >= 0) & (t < run), 1.0 + 6.0 * np.exp(-np.maximum(t, 0) / 1.6), 0.0)
    curve[(t >= run) & (t < run + 3)] = 0.45
    curve[(t >= 20) & (t < 24)] -= 0.6 * (kind == "dip")
    curve = np.full(len(t), 0.2) if kind is None else curve + 0.01 * rng.standard_normal(len(t))
    machine = f"W{1 + i % 4}" if kind == "dip" else f"W{1 + i % 10}"
    when = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i)
    return Made(i + 1, np.round(curve, 3).tolist(), kind, {"machine": machine, "at": when})


def _write_part(root: Path, name: str, made: Sequence[Made], groups: Sequence[str]) -> None:
    ids = pa.array([m.series_id for m in made])
    carried = {key: pa.array([m.carried[key] for m in made]) for key in made[0].carried}
    series = pa.table(
        {"series_id": ids, **carried, "values": pa.array([m.values for m in made], pa.list_(pa.float64()))}
    )
    _put(root / "series" / name, series)
    x = describe(SeriesBlock.from_arrow(series), 1)
    given = {
        n: [x[i, j] if m.features is None else m.features.get(n, 0.0) for i, m in enumerate(made)]
        for j, n in enumerate(NAMES)
    }
    rejected = pa.array(["flat" if m.group is None else None for m in made], pa.string())
    _put(root / "features" / name, pa.table({"series_id": ids, **given, "rejected_by": rejected}))
    kept = [m for m in made if m.group is not None]
    at = np.array([groups.index(m.group) for m in kept if m.group], np.uint8)
    labels = pa.table({"series_id": pa.array([m.series_id for m in kept], ids.type), f"k{max(len(groups), 2):02d}": at})
    _put(root / "clusters" / "assignments" / name, labels)


def _groups(kept: Sequence[str], groups: Sequence[str], k: int) -> pa.Table:
    sizes = Counter(kept)
    rows = [
        {
            "group": n, "k": k, "cluster": n - 1, "size": sizes[name], "share": sizes[name] / len(kept), "first_k": k,
            "last_k": k + 2, "parent": None if name == NORMAL else len(groups), "within": None, "silhouette": 0.5,
            "worth": 0.0 if name == NORMAL else 1.0, "normal": name == NORMAL, "proposed": True,
        }
        for n, name in enumerate(groups, start=1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"parent": pl.Int64, "within": pl.Int64}).to_arrow()


def _sweep(k: int) -> pa.Table:
    ks = list(range(2, k + 3))
    columns = {
        "inertia": [100.0 / n for n in ks],
        "silhouette": [0.9 / n for n in ks],
        "davies_bouldin": [0.5] * len(ks),
    }
    sampled = {"silhouette_sampled": [0.8 / n for n in ks], "stability": [1 - 0.01 * n for n in ks]}
    rest = {"calinski_harabasz": [10.0 * n for n in ks], "smallest": [3] * len(ks)}
    return pa.table({"k": ks, **columns, **rest, **sampled})


def _centers(kept: Sequence[str], groups: Sequence[str], k: int) -> pa.Table:
    """Cluster c of each k has 10 to the power of c % 6 series; of the k that holds the groups, those it has."""
    sizes = Counter(kept)
    own = {c: (sizes[name], float(name != NORMAL)) for c, name in enumerate(groups)}
    rows = []
    for at in range(2, k + 3):
        for c in range(at):
            size, worth = own.get(c, (0, 0.0)) if at == k else (10 ** (c % 6), 1.0)
            about = {"silhouette": 0.9 - c / at, "stability": 0.5, "worth": worth, "run_length": 50.0}
            rows.append({"k": at, "cluster": c, "size": size} | about)
    return pl.DataFrame(rows).to_arrow()


def _map(kept: Sequence[Made], groups: Sequence[str]) -> pa.Table:
    at = [groups.index(m.group or "") + 1 for m in kept]
    rows = {
        "series_id": pl.Series([m.series_id for m in kept]),
        "x": [i / len(kept) for i in range(len(kept))],
        "y": [float(number) for number in at],
        "group": pl.Series([None if m.group == NORMAL else n for m, n in zip(kept, at, strict=True)], dtype=pl.Int64),
    }
    return pl.DataFrame(rows).to_arrow()


def _manifest(root: Path, stage: str, rows: int, parts: int, facts: Any) -> None:
    manifest = {
        "stage": stage, "settings": "5e77", "inputs": {"before": "1234"}, "outputs": {"part": "abcd"},
        "versions": {"tsclust": "0.1.0"}, "seed": 1, "rows": rows, "parts": parts, "seconds": 1.5, "peak_mb": 100.0,
        "made_at": "2026-03-04T05:06:07Z", "facts": facts,
    }  # fmt: skip
    (root / stage / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")))


def _put(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


def plain(i: int, *, group: str | None = NORMAL, lead: int = 1, level: float = 1.0, **carried: Any) -> Made:
    """A series so plain that what the report makes of it can be written down: rest, peak, 3 times level, rest."""
    features = dict.fromkeys(CLUSTERED, 0.0) | {
        "start": float(lead),
        "side_mean": level,
        "run_length": 40.0,  # so that there is a plateau of which something is stated
        "peak_height": 5.0,
    }
    return Made(i, [0.0] * lead + [5.0, level, level, level, 0.0], group, carried, features)


@pytest.fixture(scope="session")
def forty_groups(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = [replace(m, group=f"g{i % 40}" if i >= 800 else m.group) for i, m in enumerate(lifelike(1_400))]
    return write(tmp_path_factory.mktemp("links") / "ws", made, baseline=["machine"])
