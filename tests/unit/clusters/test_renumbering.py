"""Numbers over runs on disk: counts against plain sets, and what stays true with other parts, ids and more data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tsclust.arrays import Int64s
from tsclust.stages.clusters import matching, renumbering
from tsclust.stages.clusters.renumbering import Common, Renumbered, count_common

ROWS = 3_000
KS = (2, 3, 12)
NAMES = ("peak", "length")
SPREAD = np.array([1.0, 2.0])
Ids = Callable[[Int64s], Sequence[Any]]
IDS: dict[str, Ids] = {
    "int64": lambda at: (at * 7 - 50).tolist(),
    "text": lambda at: [f"Вентиль {i}" for i in at.tolist()],
    "bytes": lambda at: [f"{i}".encode() for i in at.tolist()],
}
Pairs = list[tuple[int, int]]  # (k, cluster) of each group
ALL: Pairs = [(k, c) for k in (3, 12) for c in range(k)]


def labels(at: Int64s, k: int, seed: int = 0) -> Int64s:
    """(n,) the cluster of each series: it belongs to the series, whatever rows a run has."""
    return np.random.default_rng((seed, k)).integers(0, k, 10 * ROWS)[at]


def groups(pairs: Pairs, numbers: Sequence[int] | None = None) -> pl.DataFrame:
    numbers = range(1, len(pairs) + 1) if numbers is None else numbers
    columns = {"group": numbers, "k": [k for k, _ in pairs], "cluster": [c for _, c in pairs]}
    parents = [None, *numbers][: len(pairs)]
    return pl.DataFrame(columns, schema_overrides=dict.fromkeys(columns, pl.Int64)).with_columns(
        parent=pl.Series(parents, dtype=pl.Int64), within=pl.lit(None, pl.Int64)
    )


def run(
    folder: Path, at: Int64s, found: pl.DataFrame, ids: Ids = IDS["int64"], parts: int = 1, seed: int = 0
) -> tuple[Path, pl.DataFrame]:
    """A clusters/ over the series `at`, in `parts`, and its groups."""
    (folder / "assignments").mkdir(parents=True)
    for i, own in enumerate(np.array_split(at, parts)):
        columns = {f"k{k:02d}": pl.Series(labels(own, k, seed), dtype=pl.UInt8) for k in KS}
        pl.DataFrame({"series_id": ids(own), **columns}).write_parquet(folder / f"assignments/part-{i:05d}.parquet")
    rows = [{"k": k, "cluster": c, "size": 9, "peak": float(c), "length": float(k)} for k in KS for c in range(k)]
    pl.DataFrame(rows).write_parquet(folder / "centers.parquet")
    found.write_parquet(folder / "groups.parquet")
    return folder, found


def renumber(old: Path, new: tuple[Path, pl.DataFrame], highest: int = 0) -> Renumbered:
    return renumbering.renumber(old, *new, highest, SPREAD, NAMES)


def by_sets(old: Int64s, old_pairs: Pairs, new: Int64s, new_pairs: Pairs) -> Common:
    """The counts, the slow and obvious way. The new run has seed 1."""
    both = np.intersect1d(old, new)
    a = [set(both[labels(both, k) == c].tolist()) for k, c in old_pairs]
    b = [set(both[labels(both, k, 1) == c].tolist()) for k, c in new_pairs]
    old_size, new_size = (np.array([len(one) for one in sets]) for sets in (a, b))
    return Common(np.array([[len(x & y) for y in b] for x in a]), old_size, new_size, len(both))


@pytest.mark.slow
@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize(("parts", "bucket"), [(1, ROWS * 2), (3, 1_000), (7, 61)])
def test_counts_equal_those_of_sets(tmp_path: Path, kind: str, parts: int, bucket: int) -> None:
    rng = np.random.default_rng(3)
    old_at, new_at = rng.permutation(ROWS), rng.permutation(np.arange(500, 2 * ROWS))
    old = run(tmp_path / "old", old_at, groups(ALL), IDS[kind], parts)
    new = run(tmp_path / "new", new_at, groups([*ALL[::-1], (2, 1)]), IDS[kind], 2, seed=1)
    counted, said = count_common(*old, *new, bucket), by_sets(old_at, ALL, new_at, [*ALL[::-1], (2, 1)])
    for field in ("shared", "old_size", "new_size", "rows"):
        np.testing.assert_array_equal(getattr(counted, field), getattr(said, field))


def test_more_rows_than_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renumbering, "CHUNK", 100)
    old = run(tmp_path / "old", np.arange(ROWS), groups(ALL))
    new = run(tmp_path / "new", np.arange(ROWS), groups(ALL))
    counted = count_common(*old, *new)
    assert counted.rows == ROWS
    np.testing.assert_array_equal(np.diag(counted.shared), counted.old_size)


def test_ids_whose_type_changed_are_the_same_series(tmp_path: Path) -> None:
    old = run(tmp_path / "old", np.arange(100), groups(ALL))
    new = run(tmp_path / "new", np.arange(100), groups(ALL), lambda at: [str(i) for i in IDS["int64"](at)])
    assert count_common(*old, *new, 30).rows == 100


def test_an_identical_run_keeps_all_numbers(tmp_path: Path) -> None:
    numbers = [4, 9, *range(20, 33)]
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups(ALL, numbers))
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS)[::-1], groups(ALL), parts=4))
    assert done.groups.equals(groups(ALL, numbers))
    assert (done.compared, done.kept, done.changed, done.new, done.gone) == (True, len(ALL), [], [], [])
    assert done.highest == 32


def test_more_data_and_another_order_keep_all_numbers(tmp_path: Path) -> None:
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups(ALL))
    order = np.random.default_rng(0).permutation(len(ALL))
    done = renumber(old, run(tmp_path / "new", np.arange(3 * ROWS), groups([ALL[o] for o in order])))
    assert done.groups["group"].to_list() == (order + 1).tolist()
    assert done.groups["parent"].to_list() == [None, *(order + 1).tolist()][:-1]
    assert done.kept == len(ALL)


def test_data_that_is_all_new_is_matched_by_centers(tmp_path: Path) -> None:
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups(ALL))
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS, 2 * ROWS), groups(ALL[::-1])))
    assert done.groups["group"].to_list() == list(range(len(ALL), 0, -1))


@pytest.mark.parametrize("shaped", [("old", "new"), ("new",)])
def test_groups_of_features_and_shapes_are_known_by_their_members_alone(
    tmp_path: Path, shaped: tuple[str, ...]
) -> None:
    """Two kinds that differ in shape alone have the same features: once the first has an answer, it is not in the next
    sweep of what has none, and its number stays its own."""
    same, other = np.arange(ROWS), np.arange(ROWS, 2 * ROWS)
    old, _ = run(tmp_path / "old", same, groups(ALL[:3], [12, 13, 14]))
    (new, found), (again, _) = (run(tmp_path / name, at, groups(ALL[:3])) for name, at in (("new", other), ("b", same)))
    for folder in [tmp_path / name for name in shaped] + [again]:
        centers = pl.read_parquet(folder / "centers.parquet").with_columns(shape_level=pl.lit(3.0))
        centers.write_parquet(folder / "centers.parquet")
    done = renumber(old, (new, found), highest=14)
    assert (done.groups["group"].to_list(), done.new, done.gone) == ([15, 16, 17], [15, 16, 17], [12, 13, 14])
    assert renumber(old, (again, found)).groups["group"].to_list() == [12, 13, 14]


def test_a_number_that_is_gone_is_not_given_again(tmp_path: Path) -> None:
    at = np.arange(ROWS)
    first = renumber(run(tmp_path / "a", at, groups(ALL[:5]))[0], run(tmp_path / "b", at, groups(ALL[:3])))
    assert (first.gone, first.highest) == ([4, 5], 5)
    last, _ = run(tmp_path / "last", at, first.groups)
    done = renumber(last, run(tmp_path / "c", at, groups(ALL[:5][::-1])), first.highest)
    assert done.groups["group"].to_list() == [6, 7, 3, 2, 1]
    assert (done.new, done.kept, done.highest) == ([6, 7], 3, 7)


def test_a_split_group_leaves_its_number_to_the_larger_half(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, cuts in ((old, [100]), (new, [40, 100])):
        run(folder, np.arange(200), groups([(3, 0)]))
        label = pl.Series(np.searchsorted(cuts, np.arange(200), side="right"), dtype=pl.UInt16)
        rows = pl.DataFrame({"series_id": np.arange(200), "k03": label})
        rows.write_parquet(folder / "assignments/part-00000.parquet")
    done = renumber(old, (new, groups([(3, 0), (3, 1)])))
    assert done.groups["group"].to_list() == [2, 1]
    assert (done.changed, done.new, done.kept) == ([1], [2], 0)


def test_drill_downs_take_no_part_but_their_numbers_are_taken(tmp_path: Path) -> None:
    found = groups(ALL[:3], [1, 2, 50]).with_columns(within=pl.Series([None, None, 1], dtype=pl.Int64))
    old, _ = run(tmp_path / "old", np.arange(ROWS), found)
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS), groups(ALL[:3])))
    assert done.groups["group"].to_list() == [1, 2, 51]
    assert done.gone == []


@pytest.mark.parametrize("left", [("peak",), ()])
def test_centers_are_compared_by_the_features_that_both_runs_have(tmp_path: Path, left: tuple[str, ...]) -> None:
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups(ALL))
    centers = pl.read_parquet(old / "centers.parquet").select("k", "cluster", *left)
    centers.write_parquet(old / "centers.parquet")
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS), groups(ALL)))
    assert (done.compared, done.kept) == (True, len(ALL))


def test_a_last_run_without_groups(tmp_path: Path) -> None:
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups([]))
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS), groups(ALL)))
    assert done.groups["group"].to_list() == list(range(1, len(ALL) + 1))
    assert done.compared


def test_the_first_run_keeps_the_numbers_it_has(tmp_path: Path) -> None:
    done = renumber(tmp_path / "nothing", run(tmp_path / "new", np.arange(ROWS), groups(ALL)))
    assert done.groups.equals(groups(ALL))
    assert (done.compared, done.kept, done.gone, done.highest) == (False, 0, [], len(ALL))


@pytest.mark.parametrize("name", ["groups.parquet", "centers.parquet", "assignments/part-00001.parquet"])
@pytest.mark.parametrize("damage", ["cut", "noise", "missing", "other"])
def test_a_damaged_last_run_stops_nothing(tmp_path: Path, name: str, damage: str) -> None:
    old, _ = run(tmp_path / "old", np.arange(ROWS), groups(ALL), parts=2)
    path = old / name
    whole = path.read_bytes()
    if damage == "missing":
        for one in [path] if path.parent == old else list(path.parent.iterdir()):
            one.unlink()
    elif damage == "other":
        pl.DataFrame({"group": ["a"], "series_id": [1.5]}).write_parquet(path)
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else whole[:4] + b"\xff" * 40 + whole[44:])
    done = renumber(old, run(tmp_path / "new", np.arange(ROWS), groups(ALL)), highest=30)
    assert not done.compared
    assert done.groups["group"].to_list() == list(range(31, 31 + len(ALL)))
    assert (done.new, done.highest) == (done.groups["group"].to_list(), 30 + len(ALL))


def test_a_trial_and_back_leaves_the_numbers_that_experts_have_seen(tmp_path: Path) -> None:
    at = np.arange(ROWS)
    seen, _ = run(tmp_path / "seen", at, groups(ALL, [4, 9, *range(20, 33)]))
    other, _ = run(tmp_path / "trial", at, groups([(2, 0), (2, 1)], [40, 41]), seed=1)
    back = run(tmp_path / "back", at, groups(ALL))
    done = renumbering.renumber(other, *back, 41, SPREAD, NAMES, seen=[tmp_path / "not there", seen])
    assert done.groups.equals(groups(ALL, [4, 9, *range(20, 33)]))
    assert (done.compared, done.kept, done.new, done.gone) == (True, len(ALL), [], [40, 41])
    assert done.highest == 41


def test_a_number_that_only_an_earlier_sweep_has_is_not_given_to_another_group(tmp_path: Path) -> None:
    at = np.arange(ROWS)
    seen, _ = run(tmp_path / "seen", at, groups([(12, 0)], [70]))
    last, _ = run(tmp_path / "last", at, groups([(3, 0)], [5]))
    done = renumbering.renumber(
        last, *run(tmp_path / "new", at, groups([(3, 0), (3, 1)])), 5, SPREAD, NAMES, seen=[seen]
    )
    assert done.groups["group"].to_list() == [5, 71]
    assert (done.new, done.gone) == ([71], [])


def test_of_two_numbers_for_one_set_the_older_one_is_kept(tmp_path: Path) -> None:
    at = np.arange(ROWS)
    last, seen = (run(tmp_path / name, at, groups([(3, 0)], [number]))[0] for name, number in (("a", 41), ("b", 9)))
    done = renumbering.renumber(last, *run(tmp_path / "new", at, groups([(3, 0)])), 41, SPREAD, NAMES, seen=[seen])
    assert done.groups["group"].to_list() == [9]


def test_a_number_does_not_wander_from_report_to_report_to_another_group() -> None:
    """Old and new share half with what was between them, and little with each other."""
    number, none = np.array([39]), np.zeros((1, 1))
    of_first = matching.likeness(np.array([[32]]), np.array([57]), np.array([87]), none)
    of_second = matching.likeness(np.array([[150]]), np.array([220]), np.array([210]), none)
    unseen = matching.of_numbers(number, [(number, of_first, False), (number, of_second, True)], 1)
    seen = matching.of_numbers(number, [(number, of_first, True), (number, of_second, True)], 1)
    assert (unseen.possible[0, 0], seen.possible[0, 0]) == (True, False)
    elsewhere = matching.likeness(np.array([[0]]), np.array([0]), np.array([0]), none)  # no series in common: no matter
    assert matching.of_numbers(number, [(number, elsewhere, True), (number, of_second, True)], 1).possible[0, 0]
