"""A stage that was made from another state of the one before it is refused by whoever reads it, and named by verify."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tsclust
from tsclust.errors import DamagedError, StageMissingError
from tsclust.workspace.integrity import MANIFEST


@pytest.fixture
def foreign(screened_copy: Path) -> Path:
    """Its features/ is that of other series, as if copied from another workspace."""
    manifest = screened_copy / "features" / MANIFEST
    about = json.loads(manifest.read_text(encoding="utf-8"))
    about["inputs"] = {"series": "another"}
    for part in about["facts"]["by_part"].values():
        part["series"] = "another"
    manifest.write_text(json.dumps(about), encoding="utf-8")
    return screened_copy


READERS: list[Callable[[Path], object]] = [
    lambda root: tsclust.cluster(root, {"cluster": {"baseline": []}}),
    lambda root: tsclust.cluster(root, trial=True),
    tsclust.train,
    tsclust.filter,
    lambda root: tsclust.filter(root, dry_run=True),
    lambda root: tsclust.filter(root, show="stuck", limit=0),
    lambda root: tsclust.filter(root, html=True),
    lambda root: tsclust.report(root, kind="features"),
]


def test_who_reads_features_of_other_series_is_refused(foreign: Path) -> None:
    for read in READERS:
        with pytest.raises(StageMissingError, match=r"does not describe the series that .*Run: tsclust features"):
            read(foreign)
    found = tsclust.verify(foreign)
    assert (found.facts["damaged"], found.facts["other_input"]) == ({}, {"features": "series"})
    assert "features/: whole, but not made from the series/ that is there now" in "".join(found.notes)
    assert found.then == f"tsclust features -w {foreign}"


def test_features_makes_again_what_lost_its_manifest_to_damage(screened_copy: Path) -> None:
    (screened_copy / "features" / MANIFEST).write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedError, match="Make it again: tsclust features"):
        tsclust.cluster(screened_copy)
    assert not tsclust.features(screened_copy).skipped
    assert tsclust.verify(screened_copy).facts["damaged"] == {}
