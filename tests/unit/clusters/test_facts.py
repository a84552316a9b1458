"""What clusters/ remembers: written and read again, and as earlier versions wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tsclust.config import Cluster
from tsclust.errors import StageMissingError
from tsclust.stages.clusters.facts import CLUSTERS, Advice, Asked, ClustersFacts, DrilldownFacts, sweep_hash
from tsclust.stages.labels.facts import LABELS, LabelsFacts
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, Stage, write_manifest

WITHIN = DrilldownFacts(k=(2, 3), rows=40, groups=3, settings="ab12", seed=2, seconds=0.5, advice=Advice(elbow=3))
FACTS = ClustersFacts(
    advice=Advice(elbow=8, stability=12), k=(2, 3, 4), rows=100, coreset=60, fewer_clusters=(4,), groups=5, proposed=3,
    normal=1, baseline=("machine",), asked=Asked.model_validate(Cluster(k="2..4", baseline=("machine",)).model_dump()),
    scaling="exceedance", highest=9, compared=True, changed=(2,), new=(9,), gone=(4, 5), within={"7": WITHIN},
)  # fmt: skip
OLD: dict[str, Any] = {  # as it was written before facts were typed
    "advice": {"elbow": 8, "silhouette": 3, "stability": None}, "k": [2, 3], "rows": 100, "coreset": 60,
    "fewer_clusters": [], "groups": 5, "proposed": 3, "normal": 1, "baseline": ["machine"], "baseline_groups": 2,
    "baseline_too_few": 0, "regimes": 0, "scaling": "robust", "left_out_k": 0, "highest": 5, "compared": False,
    "kept_groups": 0, "changed": [], "new": [1], "gone": [],
    "asked": {
        "k": "2..3", "scaling": "robust", "baseline": ["machine"], "regimes": True, "seed": 1, "restarts": 4,
        "coreset": 20000, "groups": 40, "no_longer_a_setting": 3,
    },
    "within": {"3": {
        "advice": {"elbow": None, "silhouette": None, "stability": None}, "k": [2], "rows": 30, "coreset": 30,
        "fewer_clusters": [], "groups": 2, "proposed": 2, "normal": 0, "settings": "5e77", "seed": 1, "seconds": 0.1,
        "peak_mb": 90.0,
    }},
}  # fmt: skip

NOT_YET = {"made_with", "state", "no_shapes"}  # of a drill-down, at that time


def written(root: Path, stage: Stage[Any], facts: dict[str, Any]) -> Workspace:
    about = {
        "stage": stage.name, "settings": "5e77", "inputs": {"features": "12ab"}, "versions": {}, "seed": 1, "rows": 100,
        "outputs": {"sweep.parquet": "aa", "groups.parquet": "bb", "within-003/sweep.parquet": "cc"}, "parts": 2,
        "seconds": 1.0, "peak_mb": 100.0, "made_at": "2026-03-04T05:06:07Z", "facts": facts,
    }  # fmt: skip
    folder = root / stage.name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    return Workspace(root)


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.writing(CLUSTERS) as writer:
        write_manifest(
            writer, Meter(), CLUSTERS, settings="5e77", inputs={}, seed=1, rows=100, parts=2, facts=FACTS,
        )  # fmt: skip
    assert workspace.manifest(CLUSTERS).facts == FACTS


def test_facts_of_before_are_understood(tmp_path: Path) -> None:
    facts = written(tmp_path, CLUSTERS, OLD).manifest(CLUSTERS).facts
    assert (facts.version, facts.advice, facts.highest) == (1, Advice(elbow=8, silhouette=3), 5)
    assert facts.asked is not None
    assert facts.asked.model_dump(mode="json", exclude={"shapes"}) == {
        name: value for name, value in OLD["asked"].items() if name != "no_longer_a_setting"
    }
    assert facts.within["3"].model_dump(mode="json", exclude=NOT_YET) == OLD["within"]["3"]
    later = {"version": True, "asked": True, "described": True, "shapes": True, "within": {"3": NOT_YET}}
    again = facts.model_dump(mode="json", exclude=later)
    assert again == {name: value for name, value in OLD.items() if name != "asked"}


def test_the_first_versions_noted_down_no_settings(tmp_path: Path) -> None:
    facts = written(tmp_path, CLUSTERS, {"advice": {"elbow": 4, "silhouette": 2}}).manifest(CLUSTERS).facts
    assert (facts.asked, facts.within, facts.baseline) == (None, {}, ())


def test_facts_of_a_later_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageMissingError, match="newer tsclust"):
        written(tmp_path, CLUSTERS, OLD | {"version": 2}).manifest(CLUSTERS)


def test_the_hash_of_a_sweep_knows_nothing_of_its_drill_downs(tmp_path: Path) -> None:
    found = written(tmp_path, CLUSTERS, OLD).manifest(CLUSTERS)
    with_drill_down, without = (sweep_hash(found.model_copy(update={"outputs": outputs})) for outputs in (
        found.outputs | {"within-007/centers.parquet": "dd", "groups.parquet": "ee"}, {"sweep.parquet": "aa"},
    ))  # fmt: skip
    assert sweep_hash(found) == with_drill_down == without
    assert sweep_hash(found) == "42bb3cde6709ad67"  # as before facts were typed: models remember it
    assert sweep_hash(found.model_copy(update={"outputs": {"sweep.parquet": "ab"}})) != without


def test_labels_remember_nothing_but_their_tables(tmp_path: Path) -> None:
    found: Manifest[LabelsFacts] = written(tmp_path, LABELS, {}).manifest(LABELS)
    assert found.facts == LabelsFacts()
