"""The report's values: what it chooses, counts and says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.report_workspace import NORMAL, REASON, Made, lifelike, plain, write
from tests.support.series import CLUSTERED
from tsclust.config import Cluster, Report
from tsclust.errors import SettingsError, StageMissingError
from tsclust.hashing import fingerprints, hash_ids, hexadecimal
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.selection import ReportScope
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports.data import (
    Band,
    Curve,
    Group,
    Month,
    Near,
    Often,
    Rejected,
    ReportData,
    Unusual,
    Where,
)
from tsclust.stages.reports.groups import counts, sample
from tsclust.stages.reports.groups.page import render
from tsclust.stages.reports.groups.step import collect
from tsclust.stages.reports.made_from import Model, Stage
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace


def first_hashed(ids: list[int]) -> int:
    return ids[int(np.argmin(hash_ids(pa.array(ids), sample.SEED)))]


def plain_workspace(root: Path) -> Workspace:
    """41 equal normal series, cut in two ways, 3 with a side movement 3 times as high, all of W9, and a flat one."""
    normal = [plain(i, lead=1 + i % 2, machine=f"W{i % 2}") for i in range(41)]
    high = [plain(i, group="high", level=3.0, machine="W9") for i in range(41, 44)]
    return write(root, [*normal, *high, plain(44, group=None, machine="W1")], parts=3)


def test_the_values_of_a_plain_workspace(tmp_path: Path) -> None:
    workspace = plain_workspace(tmp_path / "ws")
    typical, high = first_hashed(list(range(41))), first_hashed([41, 42, 43])
    normal_band = Band((-2, -1, 0, 1, 2, 3, 4), (0, 0, 5, 1, 1, 1, 0), (0, 0, 5, 1, 1, 1, 0))
    asked = Cluster(baseline=()).model_dump(mode="json")
    high_band = Band((-1, 0, 1, 2, 3, 4), (0, 5, 3, 3, 3, 0), (0, 5, 3, 3, 3, 0))
    expected = ReportData(
        title="A title",
        origin="db: t",
        series=45,
        kept=44,
        periods=(),
        peak="max",
        found=2,
        baseline=(),
        regimes=0,
        normal=normal_band,
        groups=(
            Group(
                number=1, k=2, cluster=0, size=3, share=3 / 44, first_k=2, last_k=4, parent=2, within=None,
                normal=False, band=high_band,
                members=(Curve(str(high), 1, (0, 5, 3, 3, 3, 0), (("machine", "W9"),), None),),
                unusual=(Unusual("side_mean", 3.0, 1.0, 3.0, 2.0 / (3 * 2.0 / 44)),),
                where=(Where("machine", False, 1, 3, (Often("W9", 3, 1.0, 3 / 44, True),)),),
                periods=(), near=(Near("2", 0.0),), known=None, spreads=(), fingerprint=printed(range(41, 44)),
            ),
            Group(
                number=2, k=2, cluster=1, size=41, share=41 / 44, first_k=2, last_k=4, parent=None, within=None,
                normal=True, band=normal_band,
                members=(
                    Curve(
                        str(typical), 1 + typical % 2, (*[0.0] * (1 + typical % 2), 5, 1, 1, 1, 0),
                        (("machine", f"W{typical % 2}"),), None,
                    ),
                ),
                unusual=(),
                where=(Where("machine", False, 2, 3, ()),),
                periods=(), near=(Near("1", 0.0),), known=None, spreads=(), fingerprint=printed(range(41)),
            ),
        ),
        named=0,
        kinds=(),
        rejected=(
            Rejected(
                "flat", "longest_flat_run >= 0.9 * n_values", REASON, 1,
                (Curve("44", 1, (0, 5, 1, 1, 1, 0), (("machine", "W1"),), None),),
            ),
        ),
        sweep=tuple(Model(k, 100 / k, 0.9 / k, 0.5, 10.0 * k, 3) for k in (2, 3, 4)),
        elbow=2,
        best_silhouette=2,
        features=tuple(f for f in CATALOGUE if f.clustered),
        settings=(("features.peak", "max"), *((f"cluster.{name}", value) for name, value in asked.items())),
        stages=tuple(
            Stage(stage.name, "2026-03-04T05:06:07Z", rows, 3, 1.5, 100.0, 1, "5e77",
                  workspace.manifest(stage).output_hash, (("before", "1234"),), (("tsclust", "0.1.0"),))
            for stage, rows in ((SERIES, 45), (FEATURES, 45), (CLUSTERS, 44))
        ),
        model=workspace.manifest(CLUSTERS).output_hash,
    )  # fmt: skip
    found = collect(workspace, Report(title="A title", members=1))
    assert replace(found, groups=tuple(replace(g, spreads=(), sample=()) for g in found.groups)) == expected
    high_ones, all_others = ({curve.series_id for curve in group.sample} for group in found.groups)
    assert (high_ones, all_others) == ({"41", "42", "43"}, set(map(str, range(41))))


def printed(ids: Iterable[int]) -> str:
    """The fingerprint of a set of ids, their order and parts being no part of it."""
    backwards = [fingerprints(pa.array([i]), np.ones((1, 1), bool))[0] for i in reversed(list(ids))]
    return hexadecimal(np.sum(backwards, axis=0, dtype=np.uint64))


@pytest.mark.parametrize("parts", [2, 7])
def test_how_series_lie_in_parts_changes_nothing(tmp_path: Path, parts: int) -> None:
    made = lifelike()
    one = collect(write(tmp_path / "one", made, 1, baseline=["machine"]), Report())
    more = collect(write(tmp_path / "more", made[::-1], parts, baseline=["machine"]), Report())
    assert replace(one, stages=()) == replace(more, stages=())


def test_what_a_lifelike_workspace_says(tmp_path: Path) -> None:
    data = collect(write(tmp_path / "ws", lifelike()), Report(members=8))
    dip, long, normal = data.groups
    assert [len(g.members) for g in data.groups] == [8, 8, 8]
    assert {u.feature for u in dip.unusual} >= {"side_fall"}
    (longer,) = (u for u in long.unusual if u.feature == "run_length")
    assert longer.value - longer.usual == pytest.approx(18, abs=1.5)
    assert normal.unusual == ()
    assert data.periods == (("at", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 8, 27, tzinfo=UTC)),)
    machine, month = dip.where
    assert [o.value for o in machine.often] == ["W1"]
    assert (month.column, month.month, month.known) == ("at", True, 8)
    assert [r.count for r in data.rejected] == [15]
    assert len(data.rejected[0].examples) == sample.EXAMPLES_PER_RULE


@pytest.mark.parametrize(
    ("values", "seen"),
    [([], ()), ([None, None], (None, None)), ([float("inf"), 1e300, 2.0], (None, None, 2.0)), ([7.0], (7.0,))],
)
def test_odd_series_are_shown_as_far_as_they_go(tmp_path: Path, values: list[Any], seen: tuple[Any, ...]) -> None:
    made = [*lifelike(48), Made(999, values, None, {"machine": None, "at": None})]
    data = collect(write(tmp_path / "ws", made, 1), Report())
    (odd,) = (c for c in data.rejected[0].examples if c.series_id == "999")
    assert odd.values == seen
    assert odd.carried == (("machine", None), ("at", None))
    assert "999" in render(data, "ru")


def test_carried_values_of_every_kind_become_plain(tmp_path: Path) -> None:
    """PostgreSQL's infinity is a time that neither Python nor Polars knows."""
    kinds: dict[str, tuple[pa.DataType, Any, Any]] = {
        "infinite": (pa.timestamp("us", "UTC"), 2**63 - 1, str(2**63 - 1)),
        "endless": (pa.date32(), 2**31 - 1, str(2**31 - 1)),
        "fine": (pa.timestamp("ns"), 1_700_000_000_123_456_789, datetime(2023, 11, 14, 22, 13, 20, 123456)),
        "day": (pa.date32(), date(2024, 5, 6), date(2024, 5, 6)),
        "list": (pa.list_(pa.int64()), [1, 2], "[1, 2]"),
        "yes": (pa.bool_(), True, True),
        "number": (pa.float64(), 0.5, 0.5),
    }
    workspace = write(tmp_path / "ws", [replace(m, carried={}) for m in lifelike(48)], 1)
    part = workspace.parts(SERIES)[0]
    table = pq.read_table(part)
    for name, (kind, value, _) in kinds.items():
        table = table.append_column(name, pa.array([value] * len(table), kind))
    pq.write_table(table, part)
    data = collect(workspace, Report())
    assert data.groups[0].members[0].carried == tuple((name, seen) for name, (_, _, seen) in kinds.items())
    assert [name for name, _, _ in data.periods] == ["fine", "day"]


def test_only_the_normal_mass(tmp_path: Path) -> None:
    data = collect(write(tmp_path / "ws", [m for m in lifelike() if m.group == NORMAL]), Report())
    assert [g.normal for g in data.groups] == [True]
    assert data.rejected == ()
    assert "None of the groups stands out" in render(data, "en")


def test_text_ids_and_no_carried_columns(tmp_path: Path) -> None:
    made = [replace(m, series_id=f"s{m.series_id}", carried={}) for m in lifelike()]
    data = collect(write(tmp_path / "ws", made), Report())
    assert all(c.series_id.startswith("s") and c.carried == () for g in data.groups for c in g.members)
    assert all(g.where == () for g in data.groups)


def test_a_column_with_a_value_for_every_series_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MANY", 20)
    made = [replace(m, carried=m.carried | {"serial": f"n{m.series_id}"}) for m in lifelike()]
    data = collect(write(tmp_path / "ws", made), Report())
    assert [w.column for w in data.groups[0].where] == ["machine", "at"]


def test_without_clusters_it_says_what_to_run(tmp_path: Path) -> None:
    workspace = plain_workspace(tmp_path / "ws")
    (workspace.stage(CLUSTERS) / "manifest.json").unlink()
    with pytest.raises(StageMissingError, match="tsclust cluster"):
        collect(workspace, Report())


def test_how_features_are_spread_agrees_with_the_obvious_way(tmp_path: Path) -> None:
    """24 equal steps over what 99 % of the group and of the normal series span; the highest bar is 35."""
    workspace = write(tmp_path / "ws", lifelike())
    data = collect(workspace, Report())
    rows = pl.concat([pl.read_parquet(path) for path in workspace.parts(FEATURES)]).filter(
        pl.col("rejected_by").is_null()
    )
    labels = pl.concat([pl.read_parquet(path) for path in workspace.parts(CLUSTERS)])
    dip, _, normal = data.groups
    assert {s.feature for s in dip.spreads} == set(CLUSTERED)
    assert dip.spreads[0].feature in ("side_fall", "p05", "side_skewness", "side_std", "spread_to_peak")
    for spread in dip.spreads:
        values = rows.join(labels, on="series_id").select(spread.feature, "k03")
        mine, usual = (
            values.filter(pl.col("k03") == group.cluster)[spread.feature].to_numpy() for group in (dip, normal)
        )
        ends = np.quantile(mine, (0.005, 0.995)), np.quantile(usual, (0.005, 0.995))
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        if low < high:
            assert (spread.low, spread.high) == pytest.approx((low, high))
        else:
            assert spread.low < low < spread.high
        for heights, of in ((spread.group, mine), (spread.normal, usual)):
            counts, _ = np.histogram(np.clip(of, spread.low, spread.high), 24, (spread.low, spread.high))
            assert max(heights) == 35
            assert np.abs(np.array(heights) - 35 * counts / counts.max()).max() <= 1


def test_the_groups_most_like_one_are_near_it(tmp_path: Path) -> None:
    made = [*(plain(i) for i in range(40)), *(plain(i, group="b", level=3.0) for i in range(40, 46))]
    made += [plain(i, group="a", level=3.2) for i in range(46, 51)]
    made += [plain(i, group="c", level=0.2) for i in range(51, 58)]
    data = collect(write(tmp_path / "ws", made), Report())
    a, b, c, _ = data.groups
    assert [g.near[0].group for g in (a, b)] == ["2", "1"]
    assert c.near[0].group == "4"


def test_when_a_group_occurs(tmp_path: Path) -> None:
    when = {i: datetime(2024, 1 + i // 10, 1 + i % 10, tzinfo=UTC) for i in range(40)}
    made = [plain(i, at=when[i], no=None) for i in range(40)]
    made += [plain(40 + i, group="late", level=3.0, at=when[20 + 5 * i], no=None) for i in range(3)]
    late, normal = collect(write(tmp_path / "ws", made), Report()).groups
    (period,) = late.periods
    assert (period.column, period.first, period.last) == ("at", when[20], when[30])
    assert period.months == (
        Month("2024-01", 0, 10),
        Month("2024-02", 0, 10),
        Month("2024-03", 2, 12),
        Month("2024-04", 1, 11),
    )
    assert (normal.periods[0].first, normal.periods[0].last) == (when[0], when[39])


def test_the_clusters_of_one_model(tmp_path: Path) -> None:
    workspace = write(tmp_path / "ws", lifelike())
    data = collect(workspace, Report(), ReportScope(k=3))
    assert [(g.number, g.name, g.size, g.normal) for g in data.groups] == [
        (None, "3.0", 15, False), (None, "3.1", 15, False), (None, "3.2", 195, True),
    ]  # fmt: skip
    with pytest.raises(SettingsError, match=r"--k 9: there is no such model: expected one of 2\.\.5"):
        collect(workspace, Report(), ReportScope(k=9))


def test_one_group_is_compared_with_the_same_normal_mass(tmp_path: Path) -> None:
    workspace = write(tmp_path / "ws", lifelike())
    everything, alone = collect(workspace, Report()), collect(workspace, Report(), ReportScope(group=2))
    assert alone.groups == (replace(everything.groups[1], near=()),)
    assert alone.normal == everything.normal
    with pytest.raises(SettingsError, match="--group 99: expected a group's number, such as 1, 2, 3"):
        collect(workspace, Report(), ReportScope(group=99))
