"""The report says of a group what the sweep saw in it: each sentence of a card, held against the sweep's deviations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tsclust
from bench.machines import MACHINES
from tsclust.arrays import Bools, Floats, Grid, Int64s, Keys
from tsclust.config import Report
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.data import Group, ReportData, Unusual
from tsclust.stages.reports.groups.step import collect
from tsclust.stages.reports.groups.unusual import (
    ALIKE,
    IMPLIED,
    LEVELS,
    PLATEAU,
    SCALED,
    SENTENCES,
    STANDS_OUT,
    TOPICS,
    VISIBLE,
    WHOLE,
)
from tsclust.stages.series.facts import SERIES
from tsclust.wording.language import Language
from tsclust.workspace.folder import Workspace

MADE = 5_000  # series
ENGLISH = Language.load("en")


@dataclass(frozen=True)
class Seen:
    """What the sweep saw. n kept series, d features.

    normal (n,) of the normal mass;  x, center (n, d) features, and what each is compared with;  z (n, d) deviations
    """

    data: ReportData
    names: tuple[str, ...]
    rows: pl.DataFrame
    normal: Bools
    x: Floats
    center: Floats
    z: Floats

    def members(self, group: Group) -> Int64s:
        return np.flatnonzero((self.rows[f"k{group.k:02d}"] == group.cluster).to_numpy())

    def middle(self, feature: str) -> float:
        """The median deviation of the normal mass."""
        return float(np.median(self.z[self.normal, self.names.index(feature)]))


def sweep(root: Path, machine: str, monkeypatch: pytest.MonkeyPatch, regimes: bool = True) -> Seen:
    """Series of a machine through all stages; the scaler is the very one that the sweep scaled its rows with."""
    series, _, baseline = MACHINES[machine](MADE, 1)
    used: list[Scaler] = []
    transform = Scaler.transform

    def noted(self: Scaler, x: Floats, keys: Keys) -> Grid:
        used.append(self)
        return transform(self, x, keys)

    tsclust.init(root)
    series.drop("label").write_parquet(root / "series.parquet")
    tsclust.extract(root, {"source": {"files": str(root / "series.parquet"), "part_rows": 1_700}})
    tsclust.features(root)
    with monkeypatch.context() as patch:
        patch.setattr(Scaler, "transform", noted)
        tsclust.cluster(root, {"cluster": {"k": "2..16", "baseline": baseline, "regimes": regimes}})
    scaler, workspace = used[-1], Workspace.open(root)
    data = collect(workspace, Report())
    names = tuple(feature.name for feature in data.features)
    features, parts, carried = (
        pl.concat([pl.read_parquet(path) for path in paths])
        for paths in (workspace.parts(FEATURES), workspace.parts(CLUSTERS), workspace.parts(SERIES))
    )
    rows = features.filter(pl.col("rejected_by").is_null()).join(parts, on="series_id", maintain_order="left")
    rows = rows.join(carried.drop("values"), on="series_id", maintain_order="left")
    x = rows.select(names).to_numpy()
    keys = rows[baseline[0]].to_numpy().astype(str) if baseline else np.full(len(rows), "")
    own = {key: at for at, key in enumerate(scaler.keys.tolist())}
    at = np.array([own.get(key, 0) for key in keys])
    if scaler.regimes is not None:
        at = 1 + scaler.regimes.nearest(x)
    groups = pl.read_parquet(root / "clusters/groups.parquet").filter("normal")
    mass = [rows[f"k{k:02d}"] == cluster for k, cluster in groups.select("k", "cluster").iter_rows()]
    normal = np.logical_or.reduce([of_group.to_numpy() for of_group in mass])
    return Seen(data, names, rows, normal, x, scaler.centers[at], (x - scaler.centers[at]) / scaler.spreads[at])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("machine", "regimes", "found"), [("press", True, 3), ("press", False, 0), ("valve", True, 0)],
    ids=["regimes", "neither", "baseline"],
)  # fmt: skip
def test_every_sentence_is_what_the_sweep_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, regimes: bool, found: int
) -> None:
    seen = sweep(tmp_path / "ws", machine, monkeypatch, regimes)
    assert seen.data.regimes == found
    strange = [group for group in seen.data.groups if not group.normal]
    assert sum(len(group.unusual) for group in strange) >= 3
    for group in strange:
        rows = seen.members(group)
        assert 0 < len(rows) == group.size <= 2_000  # all of them are in the report's sample
        away = dict(zip(seen.names, np.median(seen.z[rows], axis=0).tolist(), strict=True))
        for unusual in group.unusual:
            name = "peak_height" if unusual.feature == WHOLE else unusual.feature
            at = seen.names.index(name)
            x, center = seen.x[rows, at], seen.center[rows, at]
            if unusual.feature == WHOLE:
                assert_the_whole(seen, rows, unusual)
                continue
            assert unusual.away == pytest.approx(away[unusual.feature])
            assert (unusual.value, unusual.usual) == pytest.approx((np.median(x), np.median(center)))
            assert unusual.times is None or unusual.times == pytest.approx(np.median(x / center))
            assert_words(ENGLISH.sentence(unusual), unusual, float(np.median(x - center)))
        assert_the_farthest(group, away, plateau_of(seen, rows), unseen_of(seen, rows))
        order = [abs(away[s.feature] - seen.middle(s.feature)) for s in group.spreads]
        assert order == sorted(order, reverse=True)


def assert_words(sentence: str, unusual: Unusual, difference: float) -> None:
    """The direction in words, and the times or the length that they name."""
    if times := re.search(r"([\d.,]+) times ", sentence):
        assert unusual.times is not None
        assert float(times[1].replace(",", "")) == pytest.approx(unusual.times, rel=0.06)
        assert (unusual.times > 1) == (difference > 0)
    if longer := re.search(r"([\d.,]+)\s(?:samples?) (longer|shorter|later|earlier|wider|narrower)", sentence):
        assert (longer[2] in ("longer", "later", "wider")) == (unusual.away > 0)
    if normally := re.search(r"([−\d.,e]+), normally ([−\d.,e]+)", sentence):
        value, usual = (float(text.replace(",", "").replace("−", "-").rstrip(".")) for text in normally.groups())
        assert (value >= usual) == (unusual.away > 0) or value == usual


def assert_the_whole(seen: Seen, rows: Int64s, unusual: Unusual) -> None:
    """Every level is changed by about the factor that is stated of all."""
    for name in LEVELS:
        at = seen.names.index(name)
        times = float(np.median(seen.x[rows, at] / seen.center[rows, at]))
        assert unusual.times is not None
        assert times == pytest.approx(unusual.times, rel=ALIKE)


def plateau_of(seen: Seen, rows: Int64s) -> float:
    run, *others = (
        seen.x[rows, seen.names.index(n)] for n in ("run_length", "peak_position", "decay_time", "return_time")
    )
    return float(np.median(run - sum(others)))


def unseen_of(seen: Seen, rows: Int64s) -> set[str]:
    """Levels that differ by less than anybody sees."""
    value, usual = np.median(seen.x[rows], axis=0), np.median(seen.center[rows], axis=0)
    least = VISIBLE * usual[seen.names.index("peak_height")]
    units = {feature.name: feature.unit for feature in seen.data.features}
    return {n for at, n in enumerate(seen.names) if units[n] == "value" and abs(value[at] - usual[at]) < least}


def assert_the_farthest(group: Group, away: dict[str, float], plateau: float, unseen: set[str]) -> None:
    """A sentence for each topic that stands out, but for what another sentence brings about, the farthest where there
    is room for four only; none for what does not."""
    stated = {unusual.feature: abs(unusual.away) for unusual in group.unusual}
    least = min(stated.values()) if len(stated) == SENTENCES else STANDS_OUT
    silent = {*SCALED} if WHOLE in stated else set()
    if plateau < PLATEAU:
        silent |= {name for name in away if name.startswith(("side_", "step_")) or name.endswith("_to_peak")}
    for topic in TOPICS:
        there = {name: abs(away[name]) for name in topic if name in away and name not in silent}
        if stated.keys().isdisjoint(topic) and max(there.values(), default=0.0) >= STANDS_OUT:
            name = plainest(there)
            assert there[name] <= least or name in unseen or is_brought(name, there[name], stated), (name, stated)
    assert len(stated) == len(group.unusual) <= SENTENCES
    assert all(abs(unusual.away) >= STANDS_OUT for unusual in group.unusual)
    assert [abs(u.away) for u in group.unusual] == sorted((abs(u.away) for u in group.unusual), reverse=True)


def plainest(far: dict[str, float]) -> str:
    """The first that is at least half as far from normal as the farthest of its topic, and stands out."""
    enough = max(max(far.values()) / 2, STANDS_OUT)
    return next(name for name, away in far.items() if away >= enough)


def is_brought(name: str, away: float, stated: dict[str, float]) -> bool:
    """By a sentence at least half as far from normal; what is measured of the run or against the peak by any."""
    certain = name.endswith("_to_peak") or name == "area" or re.fullmatch(r"p\d\d", name) is not None
    return any(name in IMPLIED.get(one, ()) and (certain or far >= away / 2) for one, far in stated.items())
