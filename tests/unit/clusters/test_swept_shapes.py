"""What the sweep over shapes finds in a fleet: groups beside those of features, in answers, and in what has no name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.runs import run
from tsclust import config
from tsclust.simulation import recall
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.clusters import membership, parts, views
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import SHAPES, UNLABELLED_GROUP, GroupRow, Trait, folder_within
from tsclust.stages.labels import files
from tsclust.workspace.folder import Workspace


def fleet(path: Path, n: int = 4_000) -> pl.DataFrame:
    """Two products on twelve machines; of 40 the third plateau has a dip at its end, of 40 the second lasts longer."""
    rng = np.random.default_rng(8)
    kind = np.full(n, "normal", object)
    kind[:40], kind[40:80] = "dip", "longer"
    rows = []
    for i in range(n):
        product, longer = rng.integers(2), 5 if kind[i] == "longer" else 0
        levels = ((3.0, 1.0, 2.0), (2.0, 2.6, 0.8))[product]
        values = run(rng, levels, (6, 20 + longer, 12))
        if kind[i] == "dip":
            last = len(values) - int((np.abs(values[::-1]) > 0.3).argmax())
            values[last - 5 : last - 2] *= 0.6
        rows.append(values.tolist())
    order = rng.permutation(n)
    frame = pl.DataFrame({"series_id": np.arange(n), "values": [rows[i] for i in order]})
    frame.write_parquet(path)
    return pl.DataFrame({"series_id": np.arange(n), "kind": kind[order].astype(str)})


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    folder = tmp_path_factory.mktemp("shapes")
    truth = fleet(folder / "series.parquet")
    root = folder / "ws"
    tsclust.init(root)
    flags = {"source": {"files": str(folder / "series.parquet")}, "cluster": {"k": "2..16", "restarts": 2}}
    for command in (tsclust.extract, tsclust.features, tsclust.cluster):
        command(root, flags)
    return root, truth


@pytest.mark.slow
def test_kinds_that_change_one_stretch_are_found_and_said(swept: tuple[Path, pl.DataFrame]) -> None:
    root, truth = swept
    clusters = root / "clusters"
    groups = parts.of_sweep(parts.read_groups(clusters)).filter("proposed")
    found = recall.score(recall.count_members(recall.assigned(clusters), groups, truth), {"dip": 40, "longer": 40})
    assert set(found.found) == {"dip", "longer"}
    facts = tsclust.status(root).facts["stages"]["clusters"]
    assert facts["state"] == "up to date"
    traits = parts.read_traits(clusters)
    of_shapes = [row for row in parts.group_rows(groups) if row.within == SHAPES]
    assert of_shapes
    looks = parts.group_rows(groups)
    for look in found.found.values():
        assert (looks[look - 1].within, looks[look - 1].k, looks[look - 1].cluster) in traits
    assert any(within is None for within, _, _ in traits)  # the sweep over features says where, too
    html = Path(tsclust.report(root, {"report": {"charts": False}}).wrote).read_text(encoding="utf-8")
    assert re.search(r"<span>samples \d+–\d+: ", html)


def test_a_set_that_both_sweeps_find_is_listed_once(tmp_path: Path) -> None:
    ids = pa.chunked_array([pa.array(range(100))])
    first, second = np.zeros(100, np.uint8), np.zeros(100, np.uint8)
    first[:40], second[:38], second[90:] = 1, 1, 2
    for name, labels in (("assignments", first), ("shapes/assignments", second)):
        (tmp_path / name).mkdir(parents=True)
        pq.write_table(parts.assignments_table(ids, [3], labels[:, None]), tmp_path / name / "part-000000.parquet")

    def row(number: int, cluster: int, size: int, worth: float) -> GroupRow:
        return GroupRow(number, 3, cluster, size, size / 100, 3, 3, None, None, worth == 0, 0.5, worth, False)

    features = parts.groups_table([row(1, 1, 40, 2.0), row(2, 0, 60, 0.0)])
    shapes = parts.groups_table([row(1, 1, 38, 3.0), row(2, 2, 10, 1.0), row(3, 0, 52, 0.0)])
    away = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    found = views.together(tmp_path, (features, away[0]), (shapes, away[1]), 40, 20_000)
    assert found.select("group", "within", "cluster", "proposed").rows() == [
        (1, None, 1, True), (2, SHAPES, 2, True), (3, None, 0, True)
    ]  # fmt: skip


def call_normal(root: Path) -> dict[int, GroupRow]:
    """Have what is normal called so; the groups by their numbers."""
    page = form_of(Path(tsclust.report(root, {"report": {"charts": False}}).wrote))
    rows = {row.group: row for row in parts.read_group_rows(root / "clusters")}
    said = {one["name"]: "normal" for one in page["groups"] if one.get("group") and rows[one["group"]].normal}
    tsclust.labels_import(root, [put(root / "answers.json", answered(page, "Anna", said))])
    return rows


@pytest.mark.slow
def test_an_answer_about_normal_leaves_out_what_shapes_have_found(swept: tuple[Path, pl.DataFrame]) -> None:
    root, _ = swept
    rows = call_normal(root)
    labelled = set(files.labels(Workspace.open(root)).filter(pl.col("kind") == "normal")["series_id"])
    part = parts.assignments(root / "clusters")[0].name
    assert labelled == set(membership.normal_ids(root / "clusters", part).to_pylist())
    found = [row for row in rows.values() if row.within == SHAPES and row.proposed and not row.normal]
    assert found
    for row in found:
        assert not labelled & set(membership.member_ids(root / "clusters", part, row.ref).to_pylist())


@pytest.mark.slow
def test_answers_can_be_about_the_clusters_of_both_sweeps(swept: tuple[Path, pl.DataFrame]) -> None:
    clusters = swept[0] / "clusters"
    both = sum(len(parts.clusters_of(clusters, within)) for within in (None, SHAPES))
    assert parts.count_clusters(clusters) == both


@pytest.mark.slow
def test_what_has_no_name_is_swept_by_its_shapes_too(swept: tuple[Path, pl.DataFrame], tmp_path: Path) -> None:
    root, clusters = Path(shutil.copytree(swept[0], tmp_path / "ws")), tmp_path / "ws" / "clusters"
    call_normal(root)
    tsclust.cluster(root, {"cluster": {"k": "2..8", "restarts": 2}}, unlabelled=True)
    kinds, part = dict(swept[1].iter_rows()), parts.assignments(clusters)[0].name
    dips, traits = [], parts.read_traits(clusters)  # in each group that is made of them, and in what it differs
    stated: list[Trait] = []
    for row in parts.read_group_rows(clusters):
        if row.within == UNLABELLED_GROUP and row.proposed:
            members = [kinds[one] for one in membership.member_ids(clusters, part, row.ref).to_pylist()]
            dips.append(members.count("dip") if members.count("dip") > 0.8 * row.size else 0)
            if dips[-1]:
                stated.append(traits[row.within, row.k, row.cluster])
    nameless = parts.scan_assignments(clusters, UNLABELLED_GROUP).collect()["series_id"].to_list()
    left = [kinds[one] for one in nameless].count("dip")  # the others were called normal, with a group they lie in
    assert left >= 20
    assert max(dips) >= 0.95 * left  # by features alone 21 of 25
    assert {(trait.measure, trait.of_stretch) for trait in stated} == {("dip", True)}
    facts = Workspace.open(root).manifest(CLUSTERS).facts
    assert facts.asked is not None
    inside, asked = facts.within[str(UNLABELLED_GROUP)], facts.asked.model_copy(update={"k": "2..8", "restarts": 2})
    assert inside.settings != config.digest(asked, inside.state)  # as before shapes counted: that was another sweep
    known = set(parts.read_centers(clusters).columns)
    of_shapes = set(parts.read_centers(clusters / folder_within(UNLABELLED_GROUP)).columns) - known
    assert {"shape_level", "shape_dip_3"} <= of_shapes
    assert not (clusters / "measured").exists()
