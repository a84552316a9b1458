"""labels review: wrong labels come first, what an expert answers comes back; cluster --unlabelled."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.plant import Plant, Reviewed, label
from tests.support.power import fill
from tests.support.workspaces import all_hashes
from tsclust.errors import DiskFullError, NoSeriesError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.scores.facts import SCORES
from tsclust.workspace.folder import Workspace


def test_wrong_labels_come_first_with_the_right_kind(reviewed: Reviewed) -> None:
    truth, wrong, order = reviewed.truth, reviewed.wrong, reviewed.order
    assert set(order["series_id"]) == set(truth["series_id"])
    flips = set(wrong.filter(wrong["kind"] != truth["kind"])["series_id"])
    first = order.head(len(order) // 10)
    assert len(flips & set(first["series_id"])) > 0.95 * len(flips)
    right = first.filter(pl.col("series_id").is_in(flips)).join(truth.rename({"kind": "true"}), on="series_id")
    assert (right["suggested"] == right["true"]).mean() > 0.9


def test_a_review_by_the_same_labeller_outweighs_the_group(unlabelled_copy: Workspace, tmp_path: Path) -> None:
    """What is said of one series counts more than what was said of a group it is in, also "don't know"."""
    root = unlabelled_copy.root
    tsclust.cluster(root, {"cluster": {"k": "2..12", "shapes": False}})
    form = form_of(tsclust.report(root).wrote)
    named = {group["name"]: "obstacle" for group in form["groups"] if not group["normal"]}  # so some of it is wrong
    said = named | {form["groups"][0]["name"]: "vibration", form["groups"][-1]["name"]: "normal"}
    tsclust.labels_import(root, [put(tmp_path / "a.json", answered(form, "Anna", said))])
    review = form_of(tsclust.labels_review(root, limit=3).wrote)
    later = {"1": "normal", "2": "dont_know"}
    body = answered(review, "Anna", later, at="2026-02-01T00:00:00Z")
    tsclust.labels_import(root, [put(tmp_path / "b.json", body)])
    labels = pl.read_parquet(root / "labels" / "labels.parquet")
    found = dict(labels.select(pl.col("series_id").cast(pl.String), "kind").iter_rows())
    ids = [group["series_id"] for group in review["groups"]]
    assert [found[i] for i in ids[:2]] == ["normal", "don't know"]


def found_left(workspace: Workspace) -> pl.Series:
    return pl.read_parquet(workspace.stage(CLUSTERS) / "within-000/assignments/*.parquet")["series_id"]


@pytest.mark.usefixtures("learned_once")
def test_the_next_round_is_about_what_is_left(unlabelled_copy: Workspace, described_plant: Plant) -> None:
    workspace, truth = unlabelled_copy, described_plant.kinds
    label(workspace, truth.filter(~pl.col("kind").is_in(["vibration", "obstacle"])))
    tsclust.cluster(workspace.root, {"cluster": {"k": "2..8"}})
    numbers = pl.read_parquet(workspace.stage(CLUSTERS) / "groups.parquet")
    tsclust.train(workspace.root)
    tsclust.cluster(workspace.root, {"cluster": {"k": "2..8"}}, unlabelled=True)
    left = found_left(workspace)
    asked = set(truth.filter(pl.col("kind").is_in(["vibration", "obstacle"]))["series_id"])
    assert asked <= set(left)
    assert not set(left) & (set(truth["series_id"]) - asked)
    after = pl.read_parquet(workspace.stage(CLUSTERS) / "groups.parquet")
    assert parts.of_sweep(after).equals(numbers)
    assert set(after["within"].head(len(after) - len(numbers))) == {0}
    assert tsclust.cluster(workspace.root, {"cluster": {"k": "2..8"}}, unlabelled=True).skipped
    form = form_of(tsclust.report(workspace.root).wrote)
    assert sum(group["size"] for group in form["groups"] if not group["normal"]) > 0
    state = tsclust.status(workspace.root, {"cluster": {"k": "2..8"}}).facts
    assert state is not None
    assert state["stages"]["clusters"]["state"] == "up to date"
    labelled, every = len(truth) - len(asked), workspace.manifest(FEATURES).facts.kept
    assert (state["labels"]["series"], state["labels"]["unlabelled"]) == (labelled, every - labelled)

    tsclust.score(workspace.root)
    tsclust.cluster(workspace.root, {"cluster": {"k": "2..8"}}, unlabelled=True)
    scored = pl.concat([pl.read_parquet(path) for path in workspace.parts(SCORES)])
    refused = scored.filter(pl.col("said").is_in(["don't know", "none of these"]))["series_id"]
    assert set(refused) <= set(found_left(workspace))
    more = scored.filter(pl.col("series_id").is_in(list(set(found_left(workspace)) - set(refused))))
    assert set(more["said"]) == {"normal"}  # the twentieth of what is taken for normal that is least like it
    assert 0 < len(more) <= 0.05 * len(scored.filter(pl.col("said") == "normal"))

    label(workspace, truth)
    shutil.rmtree(workspace.stage(SCORES))
    kept_all = pl.concat([pl.read_parquet(p, columns=["series_id", "rejected_by"]) for p in workspace.parts(FEATURES)])
    rest = kept_all.filter(pl.col("rejected_by").is_null())["series_id"]
    label(workspace, pl.DataFrame({"series_id": rest, "kind": ["normal"] * len(rest)}))
    with pytest.raises(NoSeriesError, match="no series are left to group"):
        tsclust.cluster(workspace.root, unlabelled=True)


@pytest.mark.usefixtures("learned_once")
def test_a_full_disk_is_reported_and_leaves_all_as_it_was(
    described_plant: Plant, reviewed: Reviewed, small_disk: Path
) -> None:
    workspace = described_plant.copy_to(small_disk / "ws")
    label(workspace, reviewed.wrong)
    fill(small_disk, 32_768)
    before = all_hashes(workspace.root)
    with pytest.raises(DiskFullError, match=r"no space left on the disk holding .*; existing files are unchanged"):
        tsclust.labels_review(workspace.root, limit=6)
    assert all_hashes(workspace.root) == before
    (small_disk / "filling").unlink()
    assert tsclust.labels_review(workspace.root, limit=6).wrote
