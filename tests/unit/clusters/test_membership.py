"""Who is a member of what, against a loop over rows; and the files of clusters/ that it is read from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tsclust.stages.clusters import membership, parts
from tsclust.stages.clusters.parts import UNLABELLED_GROUP, GroupRef, GroupRow

KS = {None: (2, 5), 7: (3,), UNLABELLED_GROUP: (2,)}  # of the main sweep, and of two drill-downs
GROUPS = [GroupRef(None, 5, 1, 0), GroupRef(7, 3, 2, 0), GroupRef(None, 2, 0, 0), GroupRef(UNLABELLED_GROUP, 2, 1, 0)]
PARTS = ("part-00000.parquet", "part-00001.parquet")

Row = dict[str, Any]


@pytest.fixture(scope="module")
def features() -> dict[str, list[Row]]:
    """Part -> series_id and kept, of features/ as rows."""
    rng, ids = np.random.default_rng(1), itertools.count()
    return {
        part: [{"series_id": f"s{next(ids)}", "kept": bool(rng.random() < 0.8)} for _ in range(40)] for part in PARTS
    }


@pytest.fixture(scope="module")
def assigned(features: Mapping[str, list[Row]]) -> dict[tuple[int | None, str], list[Row]]:
    """(within, part) -> the rows of the assignments: the main sweep has all that is kept, a drill-down some."""
    rng = np.random.default_rng(2)
    return {
        (within, part): [
            {"series_id": row["series_id"], **{f"k{k:02d}": int(rng.integers(k)) for k in ks}}
            for row in rows if row["kept"] and (within is None or rng.random() < 0.4)
        ]
        for within, ks in KS.items() for part, rows in features.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def clusters(assigned: Mapping[tuple[int | None, str], list[Row]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clusters")
    for (within, part), rows in assigned.items():
        path = parts.assignments_part(root, within, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [parts.column_of(k) for k in KS[within]]
        labels = np.array([[row[name] for name in names] for row in rows], np.uint8)
        ids = pa.chunked_array([pa.array([row["series_id"] for row in rows])])
        pq.write_table(parts.assignments_table(ids, KS[within], labels), path)
    return root


def slowly(rows: list[Row], group: GroupRef) -> set[str]:
    return {row["series_id"] for row in rows if row[f"k{group.k:02d}"] == group.cluster}


@pytest.mark.parametrize("part", PARTS)
def test_rows_of_features_are_members_as_the_assignments_say(
    clusters: Path, features: dict[str, list[Row]], assigned: dict[tuple[int | None, str], list[Row]], part: str
) -> None:
    ids = pa.array([row["series_id"] for row in features[part]])
    kept = np.array([row["kept"] for row in features[part]])
    inside = membership.inside_of(clusters, part, GROUPS, ids, kept)
    assert inside.shape == (40, len(GROUPS))
    for j, group in enumerate(GROUPS):
        assert set(ids.filter(pa.array(inside[:, j])).to_pylist()) == slowly(assigned[group.within, part], group)


@pytest.mark.parametrize("group", GROUPS)
def test_members_of_a_group(clusters: Path, assigned: dict[tuple[int | None, str], list[Row]], group: GroupRef) -> None:
    each = [slowly(assigned[group.within, part], group) for part in PARTS]
    assert [set(membership.member_ids(clusters, part, group).to_pylist()) for part in PARTS] == each
    assert set(membership.scan_members(clusters, group).collect()["series_id"]) == each[0] | each[1]


def test_a_sweep_says_nothing_of_the_groups_of_another(clusters: Path) -> None:
    ids, inside = membership.read(clusters, PARTS[0], GROUPS, 7)
    assert len(ids) == len(inside)
    assert inside[:, 1].any()
    assert not inside[:, [0, 2, 3]].any()
    assert membership.inside_of(clusters, PARTS[0], [], ids, np.ones(len(ids), bool)).shape == (len(ids), 0)


def test_normal_is_what_no_malfunction_proposed_has(
    clusters: Path, assigned: dict[tuple[int | None, str], list[Row]]
) -> None:
    about = [  # group, k, cluster, within, normal, proposed
        (1, 5, 1, None, False, True), (2, 5, 3, None, False, False), (3, 2, 0, None, True, True),
        (4, 5, 4, None, True, False), (5, 3, 0, 7, True, False), (6, 3, 1, 7, False, True),
    ]  # fmt: skip
    names = ["group", "k", "cluster", "within", "normal", "proposed"]
    table = pl.DataFrame(about, {name: parts.GROUPS[name] for name in names}, orient="row")
    missing = {name: pl.lit(None, kind) for name, kind in parts.GROUPS.items() if name not in names}
    table.with_columns(**missing).select(*parts.GROUPS).write_parquet(clusters / parts.GROUPS_FILE)
    normal, candidates = membership.normal_and_candidates(parts.read_group_rows(clusters))
    assert [(group.k, group.cluster) for group in normal] == [(2, 0), (5, 4)]
    assert [(group.k, group.cluster) for group in candidates] == [(5, 1)]
    for part in PARTS:
        rows = assigned[None, part]
        slow = {row["series_id"] for row in rows if (row["k02"] == 0 or row["k05"] == 4) and row["k05"] != 1}
        assert set(membership.normal_ids(clusters, part).to_pylist()) == slow


def test_what_is_not_there_is_refused(clusters: Path) -> None:
    with pytest.raises(KeyError, match="k09"):
        membership.member_ids(clusters, PARTS[0], GroupRef(None, 9, 0, 0))
    with pytest.raises(FileNotFoundError):
        membership.member_ids(clusters, PARTS[0], GroupRef(99, 2, 0, 0))
    assert parts.assignments(clusters, 99) == []
    assert [path.name for path in parts.assignments(clusters)] == list(PARTS)


def test_a_row_has_the_columns_of_the_file() -> None:
    assert {field.name for field in fields(GroupRow)} == set(parts.GROUPS)


def test_rows_are_written_as_they_are_read(clusters: Path) -> None:
    row = GroupRow(7, 5, 1, 9, 0.25, 4, 6, 3, None, False, 0.5, 2.0, True)
    table = parts.groups_table([row])
    assert table.schema == pl.DataFrame(schema=parts.GROUPS).schema
    assert parts.group_rows(table) == (row,)
    assert row.ref == GroupRef(None, 5, 1, 9)
    assert parts.groups_table([]).schema == table.schema


def test_the_map_names_the_first_malfunction_of_each_point(tmp_path: Path) -> None:
    points = pl.DataFrame({"series_id": [1, 2, 3, 4], "k02": [0, 0, 1, 1], "k03": [0, 1, 2, 2]})
    about = [(8, 3, 1, 1, False), (5, 2, 0, 2, False), (6, 3, 2, 2, True)]  # group, k, cluster, size, normal
    groups = [
        GroupRow(
            group=group, k=k, cluster=cluster, size=size, share=size / 4, first_k=k, last_k=k, parent=None, within=None,
            normal=normal, silhouette=0.5, worth=1.0, proposed=True,
        )
        for group, k, cluster, size, normal in about
    ]  # fmt: skip
    table = parts.map_table(points, np.arange(8.0).reshape(4, 2), groups)
    assert table.column_names == ["series_id", "x", "y", "group"]
    assert table["group"].to_pylist() == [5, 8, None, None]
    assert table["y"].to_pylist() == [1, 3, 5, 7]
    assert parts.read_map(tmp_path) is None
    pq.write_table(table, tmp_path / parts.MAP_FILE)
    found = parts.read_map(tmp_path)
    assert found is not None
    assert found["series_id"].to_list() == [1, 2, 3, 4]
