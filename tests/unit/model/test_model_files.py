"""What a model is made of: the stages whose hashes count, and where the labelled series are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.support.bundles import Trained
from tests.support.plant import label
from tests.support.report_workspace import lifelike, write
from tsclust.config import Cluster
from tsclust.errors import SettingsError, StageMissingError
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features import catalogue
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.labels import files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model import bundle
from tsclust.stages.model.files import ModelInputs, find_labelled
from tsclust.workspace.folder import Workspace

MADE = lifelike(48)
BY_MACHINE = Cluster(baseline=("machine",))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = write(tmp_path / "ws", MADE)
    label(made, pl.DataFrame({"series_id": [m.series_id for m in MADE], "kind": [m.group or "flat" for m in MADE]}))
    return made


def swept_from(workspace: Workspace, features: str) -> None:
    """Make clusters/ say which features it was made of."""
    path = workspace.stage(CLUSTERS) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"inputs": {"features": features}}))


def test_the_sweep_counts_where_it_is_of_these_features_and_says_what_is_normal(workspace: Workspace) -> None:
    swept_from(workspace, "others")
    inputs = ModelInputs.of(workspace)
    described, labels = inputs.features.manifest.output_hash, workspace.manifest(LABELS).output_hash
    assert inputs.hashes(True) == inputs.hashes(False) == {"features": described, "labels": labels}
    assert inputs.normal is None
    swept_from(workspace, described)
    inputs = ModelInputs.of(workspace)
    assert list(inputs.hashes(True)) == ["features", "labels", "clusters"]
    assert inputs.hashes(False) == {"features": described, "labels": labels}
    assert inputs.normal == workspace.stage(CLUSTERS)


def test_a_model_of_features_that_are_measured_otherwise_today_is_refused(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = (replace(f, formula="another one") if f.name == "area" else f for f in CATALOGUE)
    monkeypatch.setattr(catalogue, "CATALOGUE", tuple(other))
    with pytest.raises(StageMissingError, match="made by an earlier tsclust, for features and rules that have changed"):
        bundle.read(trained.bundles / "features")


def test_no_labels(tmp_path: Path) -> None:
    with pytest.raises(StageMissingError, match="labels"):
        ModelInputs.of(write(tmp_path / "ws", MADE))


@pytest.mark.parametrize(("compared_by", "named", "machine", "carried"), [
    (BY_MACHINE, "", "machine", {"machine"}), (Cluster(), "", "", set()),
    (Cluster(), "machine", "machine", {"machine"}),
])  # fmt: skip
def test_the_first_column_of_the_baseline_is_the_machine_where_none_is_named(
    workspace: Workspace, compared_by: Cluster, named: str, machine: str, carried: set[str]
) -> None:
    used = files.in_use(workspace, "")
    source = find_labelled(ModelInputs.of(workspace), used, compared_by, named)
    assert source.reader.yardstick.machine == machine
    assert set(source.carried) == carried
    assert (len(source.parts), source.kept, len(source.used)) == (2, 45, 48)


def test_a_machine_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match=r"\[train\] machine: no carried column 'machines' \(there are: machine\)"):
        find_labelled(ModelInputs.of(workspace), files.in_use(workspace, ""), Cluster(), "machines")
