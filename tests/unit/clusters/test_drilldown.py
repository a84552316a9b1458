"""cluster --within GROUP, and numbers that outlive a run: what stands in clusters/ afterwards, whatever came before."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import machine_cycles
from tests.support.swept import extracted, groups, swept
from tsclust.config import Report
from tsclust.errors import NoSeriesError, SettingsError, StageMissingError
from tsclust.simulation.recall import count_members
from tsclust.stages.clusters import proposal
from tsclust.stages.clusters.parts import SHAPES, folder_within, of_sweep
from tsclust.stages.reports.groups.step import collect
from tsclust.workspace.folder import Workspace

INSIDE = {"cluster": {"k": "2..9"}}


def assigned(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "assignments/*.parquet")


def manifest(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((root / "clusters/manifest.json").read_text())
    return read


def facts(root: Path) -> dict[str, Any]:
    return dict(manifest(root)["facts"])


def files(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*.parquet"))
    }


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Swept with so few k that malfunctions lie together. For reading."""
    root = extracted(tmp_path_factory.mktemp("once") / "ws")
    swept(root)
    return root


@pytest.fixture
def root(once: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(once, tmp_path / "ws"))


@pytest.fixture(scope="module")
def drilled_once(once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With what was found inside the largest malfunctions' group. For reading."""
    root = Path(shutil.copytree(once, tmp_path_factory.mktemp("drilled") / "ws"))
    swept(root, INSIDE, within=mixed(root)["group"])
    return root


@pytest.fixture
def drilled(drilled_once: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(drilled_once, tmp_path / "drilled"))


def mixed(root: Path) -> dict[str, Any]:
    """The malfunctions' group with the most members."""
    rare = groups(root).filter(~pl.col("normal"), pl.col("within").is_null())
    return rare.sort("size", descending=True).row(0, named=True)


@pytest.mark.slow
def test_the_groups_inside_a_group_stand_below_it_and_the_rest_stays(root: Path) -> None:
    before, old, group = groups(root), files(root / "clusters"), mixed(root)
    after, inside = swept(root, INSIDE, within=group["group"]), root / "clusters" / folder_within(group["group"])
    assert of_sweep(after).equals(before)
    at = after["group"].to_list().index(group["group"])
    added = after.filter(pl.col("within") == group["group"])
    assert after[at + 1 : at + 1 + len(added)].equals(added)
    assert added["group"].to_list() == list(range(len(before) + 1, len(after) + 1))
    assert set(added["parent"]) <= {group["group"], *added["group"]}
    assert group["group"] in set(added["parent"])
    assert added.equals(pl.read_parquet(inside / "groups.parquet"))
    unchanged = {name: sha for name, sha in old.items() if name != "groups.parquet"}
    assert {name: sha for name, sha in files(root / "clusters").items() if name in unchanged} == unchanged
    outputs = json.loads((root / "clusters/manifest.json").read_text())["outputs"]
    assert outputs == files(root / "clusters")
    assert not list((root / "clusters").rglob("scratch"))


def test_a_drill_down_has_the_files_of_a_sweep_over_the_members_alone(drilled_once: Path) -> None:
    root, group = drilled_once, mixed(drilled_once)
    inside = root / "clusters" / folder_within(group["group"])
    main = assigned(root / "clusters")
    members = main.filter(pl.col(f"k{group['k']:02d}") == group["cluster"])["series_id"]
    assert assigned(inside)["series_id"].equals(members)
    for name in ("sweep", "centers", "map"):
        there, above = (pl.read_parquet_schema(folder / f"{name}.parquet") for folder in (inside, root / "clusters"))
        assert there == above
    rows = assigned(inside)
    for found in pl.read_parquet(inside / "groups.parquet").iter_rows(named=True):
        assert (rows[f"k{found['k']:02d}"] == found["cluster"]).sum() == found["size"]
        assert found["share"] == pytest.approx(found["size"] / len(main))


@pytest.mark.slow
def test_the_report_shows_what_was_found_inside_right_after_the_group(drilled: Path) -> None:
    root, group = drilled, mixed(drilled)["group"]
    after = groups(root)
    shown = collect(Workspace(root), Report())
    numbers = [card.number for card in shown.groups]
    inside = after.filter(pl.col("within") == group, "proposed", ~pl.col("normal"))
    at = numbers.index(inside["group"][0])
    assert at > numbers.index(group)
    assert numbers[at : at + len(inside)] == inside["group"].to_list()
    rows = assigned(root / "clusters" / folder_within(group))
    for card in shown.groups[at : at + len(inside)]:
        members = set(rows.filter(pl.col(f"k{card.k:02d}") == card.cluster)["series_id"].cast(pl.String))
        assert card.members
        assert {curve.series_id for curve in card.members} <= members
        assert card.size == len(members)
    html = Path(tsclust.report(root).wrote).read_text(encoding="utf-8")
    assert html.count(f'Found inside group <a href="#group-{group}">{group}</a>.') == len(inside)


def test_it_tells_apart_what_the_sweep_left_together(drilled_once: Path) -> None:
    group = mixed(drilled_once)
    truth = machine_cycles(20_000)[1]
    inside = drilled_once / "clusters" / folder_within(group["group"])
    kinds = dict(
        truth.join(assigned(inside), on="series_id").filter(pl.col("kind") != "normal")["kind"].value_counts().rows()
    )
    there = {kind for kind, n in kinds.items() if n >= 10}
    assert len(there) >= 3
    counted = count_members(assigned(inside), pl.read_parquet(inside / "groups.parquet"), truth)
    pure = counted.filter(pl.col("count") >= 0.9 * pl.col("count").sum().over("look"), pl.col("count") >= 5)
    assert len(there & set(pure["kind"])) >= 3


@pytest.mark.slow
def test_the_same_drill_down_is_done_once_and_another_keeps_the_numbers(drilled: Path) -> None:
    root, group = drilled, mixed(drilled)["group"]
    first = groups(root)
    assert tsclust.cluster(
        root, {"cluster": {**INSIDE["cluster"], "baseline": ["machine_id", "direction"]}}, within=group
    ).skipped
    again = swept(root, {"cluster": {"k": "2..9", "seed": 2}}, within=group)
    numbers = [set(frame.filter(pl.col("within") == group)["group"]) for frame in (first, again)]
    assert len(numbers[0] & numbers[1]) >= len(numbers[0]) / 2
    assert min(numbers[1] - numbers[0], default=10_000) > max(numbers[0])


@pytest.mark.slow
def test_a_drill_down_in_a_drill_down_goes_with_it(drilled: Path) -> None:
    root, group = drilled, mixed(drilled)["group"]
    inner = groups(root).filter(pl.col("within") == group).sort("size", descending=True)
    deeper = swept(root, {"cluster": {"k": "2..3"}}, within=inner["group"][0])
    assert (deeper["within"] == inner["group"][0]).any()
    assert (root / "clusters" / folder_within(inner["group"][0])).is_dir()
    cost = manifest(root)
    done = tsclust.cluster(root, {"cluster": {"k": "2..3", "baseline": ["machine_id", "direction"]}}, within=group)
    assert f"drill-downs into {inner['group'][0]} were removed with the groups they were in" in done.notes
    assert {name: manifest(root)[name] for name in ("seconds", "made_at", "rows")} == {
        name: cost[name] for name in ("seconds", "made_at", "rows")
    }
    assert set(groups(root)["within"].drop_nulls()) - {SHAPES} == {group}
    assert not (root / "clusters" / folder_within(inner["group"][0])).exists()
    assert set(facts(root)["within"]) == {str(group)}


@pytest.mark.slow
def test_members_are_compared_as_in_the_main_sweep_whatever_the_settings_say_now(
    once: Path, drilled_once: Path, tmp_path: Path
) -> None:
    group = mixed(once)["group"]
    other = Path(shutil.copytree(once, tmp_path / "ws[2]"))
    tsclust.cluster(other, {"cluster": {**INSIDE["cluster"], "scaling": "standard"}}, within=group)
    assert groups(other).equals(groups(drilled_once))
    assert facts(other)["within"][str(group)]["seed"] == 1


@pytest.mark.slow
def test_parts_do_not_matter_inside_a_group_either(drilled_once: Path, tmp_path: Path) -> None:
    other = extracted(tmp_path / "other", part_rows=997)
    swept(other)
    group, both = mixed(drilled_once)["group"], (drilled_once, other)
    assert groups(drilled_once).equals(swept(other, INSIDE, within=group))
    for name in ("sweep", "centers", "map"):
        tables = [pl.read_parquet(r / "clusters" / folder_within(group) / f"{name}.parquet") for r in both]
        assert tables[0].equals(tables[1])


@pytest.mark.slow
def test_what_cannot_be_drilled_into_is_said_and_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root / "clusters")
    with pytest.raises(SettingsError, match="--within 999: expected a group's number"):
        swept(root, INSIDE, within=999)
    smallest = groups(root).sort("size").row(0, named=True)
    with pytest.raises(NoSeriesError, match=f"in group {smallest['group']}: {smallest['size']}"):
        swept(root, {"cluster": {"k": "200"}}, within=smallest["group"])
    with monkeypatch.context() as patched:
        patched.setattr(proposal, "FEW", smallest["size"] + 1)
        with pytest.raises(NoSeriesError, match=rf"has {smallest['size']} series: .* --group {smallest['group']}"):
            swept(root, INSIDE, within=smallest["group"])
    assert files(root / "clusters") == before
    tsclust.features(root, {"features": {"skip": ["p95"]}})
    with pytest.raises(StageMissingError, match="made from features that have changed"):
        swept(root, INSIDE, within=1)
    assert files(root / "clusters") == before


@pytest.mark.slow
def test_a_new_sweep_keeps_the_numbers_and_says_what_came_of_the_drill_down(once: Path, drilled: Path) -> None:
    root, group = drilled, mixed(drilled)["group"]
    before = groups(once)
    highest = max(groups(root)["group"].to_list())
    done = tsclust.cluster(root, {"cluster": {"k": "2..6", "baseline": ["machine_id", "direction"]}})
    after, new = groups(root), facts(root)["new"]
    assert of_sweep(after).equals(after)
    assert not list((root / "clusters").glob("within-*"))
    assert any(f"drill-downs into {group} were removed" in note for note in done.notes)
    assert any("keep their numbers" in note for note in done.notes)
    assert min(new) > highest
    assert set(new) <= set(after["group"])
    both = before.join(after, on="group")
    assert len(both) >= len(before) / 2
    assert (both["size"] / both["size_right"]).is_between(0.5, 2).all()
    assert set(facts(root)["gone"]) == set(before["group"]) - set(after["group"])
    points = pl.read_parquet(root / "clusters/map.parquet")
    assert set(points["group"].drop_nulls()) <= set(after.filter("proposed", ~pl.col("normal"))["group"])


@pytest.mark.slow
def test_more_series_leave_the_numbers_as_they_are(tmp_path: Path) -> None:
    root = extracted(tmp_path / "ws", series=15_000)
    before = swept(root, INSIDE).filter(~pl.col("normal")).head(8)
    pq.write_table(machine_cycles(20_000)[0], root / "cycles.parquet")
    flags = {"source": {"files": str(root / "cycles.parquet"), "part_rows": 4_000}}
    tsclust.extract(root, flags)
    tsclust.features(root)
    after = swept(root, INSIDE).filter(pl.col("group").is_in(before["group"].to_list()))
    assert len(after) >= 6
    same = before.join(after, on="group").filter(~pl.col("group").is_in(facts(root)["changed"]))
    assert len(same) >= 3
    assert (same["size_right"] / same["size"]).is_between(1.0, 2.0).all()
