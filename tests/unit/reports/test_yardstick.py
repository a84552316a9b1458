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
from tsclust.simulation.recall import OF_SHAPES, assigned
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import SHAPES
from tsclust.stages.clusters.scaling import Scaler
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.data import Group, ReportData, Unusual
from tsclust.stages.reports.groups.facts import ALIKE, LEVELS, SENTENCES, STANDS_OUT, TOPICS, WHOLE
from tsclust.stages.reports.groups.step import collect
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
        name = (OF_SHAPES if group.within == SHAPES else "") + f"k{group.k:02d}"
        return np.flatnonzero((self.rows[name] == group.cluster).to_numpy())

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
    features, carried = (
        pl.concat([pl.read_parquet(path) for path in paths])
        for paths in (workspace.parts(FEATURES), workspace.parts(SERIES))
    )
    assignments = assigned(workspace.stage(CLUSTERS))
    rows = features.filter(pl.col("rejected_by").is_null()).join(assignments, on="series_id", maintain_order="left")
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
            if unusual.feature == WHOLE:
                assert_the_whole(seen, rows, unusual)
            elif unusual.feature in seen.names:
                at = seen.names.index(unusual.feature)
                x, center = seen.x[rows, at], seen.center[rows, at]
                assert unusual.away == pytest.approx(away[unusual.feature])
                assert (unusual.value, unusual.usual) == pytest.approx((np.median(x), np.median(center)))
                assert unusual.times is None or unusual.times == pytest.approx(np.median(x / center))
                assert_words(ENGLISH.sentence(unusual), unusual, float(np.median(x - center)))
            else:  # how a plateau moves, which several features show
                assert abs(unusual.away) in {abs(one) for one in away.values()}
        assert_once_each(group)
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
    if normally := re.search(r"(−?\d[−\d.,e]*)(?:% of the highest value)?, normally (−?\d[−\d.,e]*)", sentence):
        value, usual = (float(text.replace(",", "").replace("−", "-").rstrip(".")) for text in normally.groups())
        assert (value >= usual) == (unusual.away > 0) or value == usual
    if higher := re.search(r"([\d.,e]+) (higher|lower) than", sentence):
        assert (higher[2] == "higher") == (difference > 0)
        assert float(higher[1].replace(",", "")) == pytest.approx(abs(unusual.value - unusual.usual), rel=0.06)


def assert_the_whole(seen: Seen, rows: Int64s, unusual: Unusual) -> None:
    """Every level is changed by about the factor that is stated of all."""
    for name in LEVELS:
        at = seen.names.index(name)
        times = float(np.median(seen.x[rows, at] / seen.center[rows, at]))
        assert unusual.times is not None
        assert times == pytest.approx(unusual.times, rel=ALIKE)


def assert_once_each(group: Group) -> None:
    """The farthest few, one of each topic, all of what stands out."""
    stated = [unusual.feature for unusual in group.unusual]
    assert all(len({*topic} & {*stated}) <= 1 for topic in TOPICS)
    assert len(stated) == len({*stated}) <= SENTENCES
    far = [abs(unusual.away) for unusual in group.unusual]
    assert all(one >= STANDS_OUT for one in far)
    assert far == sorted(far, reverse=True)
