"""Damage is reported as damage: files of a workspace that are cut off, emptied, or have a flipped bit."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.endurance import times
from tests.support.plant import Plant
from tsclust.errors import DamagedError
from tsclust.stages.clusters import parts as cluster_parts
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files as label_files
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model import bundle
from tsclust.stages.model import parts as model_parts
from tsclust.stages.scores import check_files
from tsclust.stages.scores import parts as score_parts
from tsclust.stages.series import parts as series_parts
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import MANIFEST
from tsclust.workspace.integrity import whole as checked

TICK = itertools.count(1_000_000_000)


@pytest.fixture(scope="module")
def whole(small_plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Every stage, and a sweep that a report was made from. A test leaves it as it was."""
    workspace = small_plant.copy_to(tmp_path_factory.mktemp("damage") / "ws")
    tsclust.cluster(workspace.root, {"cluster": {"k": "2..4", "coreset": 1_000, "restarts": 1}})
    tsclust.report(workspace.root, {"report": {"charts": False}})
    return workspace


@contextmanager
def holding(path: Path, content: bytes) -> Iterator[None]:
    """Another content in a file of its own, for as long as it takes: what links to the file keeps what it has."""
    before = path.read_bytes()
    _put(path, content)
    try:
        yield
    finally:
        _put(path, before)


def _put(path: Path, content: bytes) -> None:
    """Each time with another mtime: a process reads a file once that has not changed."""
    beside = path.with_name("beside")
    beside.write_bytes(content)
    os.utime(beside, ns=(0, next(TICK)))
    beside.replace(path)


def files_of(workspace: Workspace) -> list[Path]:
    found = [path for path in workspace.root.rglob("*") if path.is_file() and path.suffix not in {".toml", ".html"}]
    kept = {"sql", "answers"}
    return sorted(path for path in found if not kept & set(path.parts) and not path.name.startswith("."))


def reader(workspace: Workspace, path: Path) -> Callable[[], object]:
    """What reads this file."""
    if path.name == MANIFEST:
        of_check = partial(check_files.answered, workspace, "majority")
        return of_check if "checks" in path.parts else partial(tsclust.status, workspace.root)
    if path.name == "typical.arrow":
        kinds = workspace.manifest(FEATURES).facts.kinds
        assert kinds is not None
        return lambda: feature_parts.read_typical(path, kinds)
    stage = path.relative_to(workspace.root).parts[0]
    read: dict[str, Callable[[], object]] = {
        "series": lambda: series_parts.read_rows(path, np.array([0])),
        "features": lambda: feature_parts.read(path),
        "clusters": lambda: cluster_parts.count_rows([path]),
        "asked": lambda: cluster_parts.count_rows([path]),
        "labels": lambda: label_files.read_table(workspace, path.name),
        "model": lambda: (bundle.read(path.parent), model_parts.read_trained(path.parent)),
        "scores": lambda: score_parts.scan([path]),
        "checks": lambda: checked(path),
    }
    return read[stage]


def damaged_in(root: Path) -> dict[str, list[str]]:
    """Folder -> its damaged files, as `tsclust verify` finds them."""
    facts = tsclust.verify(root).facts
    assert facts is not None
    damaged: dict[str, list[str]] = facts["damaged"]
    return damaged


def is_named(workspace: Workspace, path: Path) -> bool:
    """Whether `tsclust verify` finds this file damaged, and no other."""
    damaged = damaged_in(workspace.root)
    stage, name = next((s, n[0]) for s, n in damaged.items()) if damaged else ("", "")
    assert len(damaged) < 2
    return workspace.root / stage / name == path


def test_a_whole_workspace_is_whole(whole: Workspace) -> None:
    found = tsclust.verify(whole.root)
    assert found.facts is not None
    assert found.facts["damaged"] == {}
    assert found.facts["other_input"] == {}
    assert found.facts["files"] == len(files_of(whole))
    assert not [note for note in found.notes if "not written by tsclust" in note]


@pytest.mark.parametrize("stage", ["series", "features", "clusters", "asked", "labels", "model", "scores", "checks"])
def test_no_changed_byte_is_read_as_other_data(whole: Workspace, stage: str) -> None:
    """A flipped bit is found, or it is in the seal of a manifest, whose content is then the same."""
    rng, seen = random.Random(stage), 0
    for path in (one for one in files_of(whole) if one.relative_to(whole.root).parts[0] == stage):
        good = path.read_bytes()
        changed = [b"", good[: len(good) // 2], good[:-1], good + b"x"]
        for _ in range(times(5, 250)):
            flipped = bytearray(good)
            flipped[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
            changed.append(bytes(flipped))
        for content in changed:
            with holding(path, content):
                if is_named(whole, path):
                    with pytest.raises(DamagedError) as refused:
                        refuse_unread(whole, path)
                    assert "\n" not in str(refused.value)
                else:
                    assert path.name == MANIFEST
                    assert content[: good.rindex(b',\n  "sha256"')] == good[: good.rindex(b',\n  "sha256"')]
            seen += 1
    assert seen > 8


def refuse_unread(workspace: Workspace, path: Path) -> None:
    """Read it; what nothing reads but people (the model's figures, row by row) is for `verify` alone."""
    if path.name == "out_of_fold.parquet" or (path.name == MANIFEST and "asked" in path.parts):
        raise DamagedError("named by verify", "")
    reader(workspace, path)()


COMMANDS: list[tuple[str, list[str]]] = [
    ("series/part-00000.parquet", ["run"]), ("series/manifest.json", ["status"]), ("series/manifest.json", ["run"]),
    ("features/part-00000.parquet", ["cluster", "--seed", "5"]), ("features/part-00001.parquet", ["filter"]),
    ("features/typical.arrow", ["train", "--answer", "99%"]), ("features/manifest.json", ["cluster"]),
    ("clusters/groups.parquet", ["report"]), ("clusters/assignments/part-00001.parquet", ["report"]),
    ("clusters/manifest.json", ["report"]), ("labels/labels.parquet", ["train"]), ("labels/manifest.json", ["train"]),
    ("labels/files.parquet", ["labels", "review"]), ("model/model.skops", ["score"]),
    ("model/manifest.json", ["score"]), ("scores/part-00000.parquet", ["verify"]), ("asked", ["verify"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=[f"{name} {words[0]}" for name, words in COMMANDS])
def test_every_command_says_so_in_one_line(whole: Workspace, name: str, words: list[str]) -> None:
    path = whole.root / name
    path = next(path.rglob("centers.parquet")) if path.is_dir() else path
    with holding(path, path.read_bytes()[:-2]):
        done = call_tsclust(*words, "-w", whole.root)
    assert done.returncode == DamagedError.exit_code, done.stderr
    assert done.stderr.count("\n") == 1
    assert str(whole.root) in done.stderr


def test_verify_says_how_a_stage_is_made_again_and_that_works(small_plant_copy: Workspace) -> None:
    root = small_plant_copy.root
    for name in ("features/part-00001.parquet", "model/model.skops"):
        path = root / name
        _put(path, path.read_bytes()[:-1])
    found = tsclust.verify(root)
    assert found.facts is not None
    assert found.facts["damaged"] == {"features": ["part-00001.parquet"], "model": ["model.skops"]}
    notes = "\n".join(found.notes)
    assert f"features/: part-00001.parquet - make it again: tsclust features -w {root}" in notes
    assert f"make it again: tsclust train -w {root}" in notes
    assert not tsclust.features(root).skipped
    assert damaged_in(root).keys() == {"model"}


def test_a_missing_part_is_damage_and_a_stray_one_is_not_read(small_plant_copy: Workspace) -> None:
    part = small_plant_copy.root / "features" / "part-00001.parquet"
    part.with_name("part-00001 (copy).parquet").write_bytes(part.read_bytes())
    assert tsclust.filter(small_plant_copy.root, dry_run=True).facts is not None
    part.unlink()
    with pytest.raises(DamagedError, match="is missing, or its content is no longer what tsclust wrote"):
        tsclust.filter(small_plant_copy.root, dry_run=True)


def test_manifests_of_before_have_no_hash_and_are_read(small_plant_copy: Workspace) -> None:
    path = small_plant_copy.stage(LABELS) / MANIFEST
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.rindex(',\n  "sha256"')] + "\n}\n", encoding="utf-8")
    before: Any = tsclust.verify(small_plant_copy.root).facts
    assert before["damaged"] == {}
    assert len(label_files.labels(small_plant_copy)) > 0
