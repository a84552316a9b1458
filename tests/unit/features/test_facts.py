"""What series/ and features/ remember: written and read again, as earlier versions wrote it, and by a newer one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tsclust.config import Rule
from tsclust.errors import StageMissingError
from tsclust.stages.features.catalogue import CATALOGUE
from tsclust.stages.features.facts import FEATURES, FeaturesFacts, PartFacts, counted
from tsclust.stages.features.tally import Tally
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Facts, Meter, Stage, write_manifest
from tsclust.workspace.result import of_stage

SERIES_FACTS = SeriesFacts(
    origin="a.csv", layout="wide", place="12ab", mark="77", bytes=10, read={"now": 4}, odd={"empty": 1},
    ranges=(("1", "5"), ("6", None)), new=4,
)  # fmt: skip
RULES = (Rule(name="low", when="max < 1", reason="Low"), Rule(name="long", when="n_values > 9", reason="Long"))
TALLIES = (
    Tally(10, Counter(low=2), Counter(low=2, long=1), Counter(low=1)),
    Tally(5, Counter(low=1, long=1), Counter(low=1, long=1), Counter(low=1, long=1)),
)
BY_PART = {f"part-{n}": PartFacts.of(f"sha{n}", (3, n), tally) for n, tally in enumerate(TALLIES)}
FEATURES_FACTS = FeaturesFacts(
    peak="min", agreement=0.9876, typical={"max": (1.5, 0.25)}, catalogue=CATALOGUE, **counted(RULES, BY_PART)
)
STAGES: list[tuple[Stage[Any], Facts]] = [(SERIES, SERIES_FACTS), (FEATURES, FEATURES_FACTS)]


def written(root: Path, stage: Stage[Any], facts: Any) -> Workspace:
    workspace = Workspace(root)
    with workspace.writing(stage) as writer:
        write_manifest(
            writer, Meter(), stage, settings="5e77", inputs={}, seed=0, rows=15, parts=2, facts=facts
        )  # fmt: skip
    return workspace


def changed(workspace: Workspace, stage: Stage[Any], **facts: Any) -> None:
    """Write other facts into the manifest, None: none of this name."""
    path = workspace.stage(stage) / "manifest.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["facts"] = {name: value for name, value in (about["facts"] | facts).items() if value is not None}
    path.write_text(json.dumps(about), encoding="utf-8")


@pytest.mark.parametrize(("stage", "facts"), STAGES)
def test_facts_are_read_as_they_were_written(tmp_path: Path, stage: Stage[Any], facts: Facts) -> None:
    assert written(tmp_path, stage, facts).manifest(stage).facts == facts


@pytest.mark.parametrize(("stage", "facts"), STAGES)
def test_facts_without_a_version_are_of_the_first_one(tmp_path: Path, stage: Stage[Any], facts: Facts) -> None:
    workspace = written(tmp_path, stage, facts)
    changed(workspace, stage, version=None, no_longer_known=1)
    assert workspace.manifest(stage).facts == facts


@pytest.mark.parametrize(("stage", "facts"), STAGES)
def test_facts_of_a_newer_version_are_refused_in_one_line(tmp_path: Path, stage: Stage[Any], facts: Facts) -> None:
    workspace = written(tmp_path, stage, facts)
    changed(workspace, stage, version=2)
    with pytest.raises(StageMissingError, match=f"{stage.name} was made by a newer tsclust .*Update tsclust"):
        workspace.manifest(stage)


def test_a_series_manifest_of_the_first_versions_has_few_facts(tmp_path: Path) -> None:
    workspace = written(tmp_path, SERIES, SERIES_FACTS)
    changed(workspace, SERIES, **dict.fromkeys(("layout", "place", "mark", "bytes", "read", "odd", "ranges", "new")))
    assert workspace.manifest(SERIES).facts == SeriesFacts(origin="a.csv")


def test_every_rule_counts_and_the_kept_series_too() -> None:
    assert FEATURES_FACTS.rejected == {"low": 3, "long": 1}
    assert FEATURES_FACTS.in_all == {"low": 3, "long": 2}
    assert FEATURES_FACTS.alone == {"low": 2, "long": 1}
    assert FEATURES_FACTS.kept == 11
    assert FEATURES_FACTS.sign == -1
    assert [part.tally for part in FEATURES_FACTS.by_part.values()] == list(TALLIES)


def test_which_features_count_is_part_of_the_hash_as_it_always_was(tmp_path: Path) -> None:
    manifest = written(tmp_path, FEATURES, FEATURES_FACTS).manifest(FEATURES)
    as_before = ([], [asdict(feature) for feature in CATALOGUE])
    assert manifest.output_hash == hashlib.sha256(repr(as_before).encode()).hexdigest()[:16]


def test_the_rule_that_always_holds_may_be_longer_than_one_of_the_users(tmp_path: Path) -> None:
    when = " OR ".join(f"feature_{n} IS NULL" for n in range(300))
    rules = (*RULES, Rule.model_construct(name="not_described", when=when, reason="-"))
    facts = FEATURES_FACTS.model_copy(update=counted(rules, BY_PART))
    assert written(tmp_path, FEATURES, facts).manifest(FEATURES).facts.rules == rules


@pytest.mark.parametrize(("stage", "facts"), STAGES)
def test_a_result_shows_no_facts_that_only_a_manifest_is_for(tmp_path: Path, stage: Stage[Any], facts: Facts) -> None:
    manifest = written(tmp_path, stage, facts).manifest(stage)
    shown = of_stage("any", tmp_path, manifest, "").facts
    assert shown is not None
    assert list(shown)[:2] == ["rows", "parts"]
    assert not {"version", "ranges", "by_part", "catalogue", "typical"} & set(shown)
    assert set(shown) == {"rows", "parts"} | set(type(facts).model_fields) - {"version"} - type(facts).INTERNAL
