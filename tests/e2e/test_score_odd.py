"""score on series that are odd or damaged, and on a model or workspace that is not what it was."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.plant import Plant, label, scores
from tests.support.workspaces import all_hashes
from tsclust.errors import DamagedError, DiskFullError, NoSeriesError, SettingsError, StageMissingError
from tsclust.stages.model import skops_file
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Stage


def of(workspace: Workspace, table: pl.DataFrame) -> dict[str, Any]:
    """The flags that score these series."""
    table.write_parquet(workspace.root / "new.parquet")
    return {"source": {"files": str(workspace.root / "new.parquet")}}


def drift(workspace: Workspace, stage: Stage[Any] = SCORES_NEW) -> Any:
    return asdict(workspace.manifest(stage).facts.drift)


@pytest.mark.parametrize("share", ["abc", "", "120%", "-1%", "nan"])
def test_a_share_that_is_none_is_an_error_of_one_line(small_plant_copy: Workspace, share: str) -> None:
    done = call_tsclust("score", "-w", small_plant_copy.root, f"--refuse={share}")
    if share:
        assert done.returncode == SettingsError.exit_code
        assert done.stderr.count("\n") == 1
        assert f"--refuse {share!r}" in done.stderr
    else:
        assert done.returncode == 0


def test_the_same_series_with_a_share_to_refuse_have_not_changed(
    small_plant_copy: Workspace, small_plant: Plant
) -> None:
    """Whoever asks for more refusals must not be told of drift."""
    tsclust.score(small_plant_copy.root, of(small_plant_copy, small_plant.series), refuse="40%")
    assert not drift(small_plant_copy)["found"], drift(small_plant_copy)


def test_new_series_lack_the_column_that_all_are_compared_by(small_plant_copy: Workspace, small_plant: Plant) -> None:
    with pytest.raises(SettingsError, match=r"no column 'direction'.*--carry direction"):
        tsclust.score(small_plant_copy.root, of(small_plant_copy, small_plant.series.drop("direction")))
    assert not (small_plant_copy.root / ".scoring").exists()
    assert not (small_plant_copy.root / "scores_new").exists()


def test_series_of_which_nobody_knows_the_machine(small_plant_copy: Workspace, small_plant: Plant) -> None:
    some = small_plant.series.head(2_000).with_columns(
        machine_id=pl.when(pl.int_range(2_000) < 300).then(None).otherwise("machine_id")
    )
    tsclust.score(small_plant_copy.root, of(small_plant_copy, some))
    assert len(scores(small_plant_copy, SCORES_NEW)) == 2_000
    assert list(drift(small_plant_copy)["unknown"]) == [""]
    note = next(
        one
        for one in tsclust.score(small_plant_copy.root, of(small_plant_copy, some)).notes
        if "not in the training data" in one
    )
    assert "(no machine named)" in note


def test_recordings_that_have_become_impossible_are_a_change(small_plant_copy: Workspace, small_plant: Plant) -> None:
    """A sensor that has died makes no series that could be called anything."""
    dead = small_plant.series.with_columns(values=pl.when(pl.int_range(pl.len()) % 2 == 0).then(
        pl.col("values").list.eval(pl.element() * 0.0)).otherwise("values"))  # fmt: skip
    tsclust.score(small_plant_copy.root, of(small_plant_copy, dead))
    found = drift(small_plant_copy)
    assert (found["found"], found["changed"][0]["rejected_more"]) == (True, True)
    assert found["changed"][0]["rejected"] > 0.5
    new = small_plant_copy.root / "new.parquet"
    assert call_tsclust("score", "-w", small_plant_copy.root, "--check", "--from", new).returncode == 17


def test_all_series_impossible_is_an_answer(small_plant_copy: Workspace, small_plant: Plant) -> None:
    dead = small_plant.series.head(50).with_columns(pl.col("values").list.eval(pl.element() * 0.0))
    tsclust.score(small_plant_copy.root, of(small_plant_copy, dead))
    found = scores(small_plant_copy, SCORES_NEW)
    assert (len(found), set(found["said"])) == (50, {"impossible"})
    with pytest.raises(NoSeriesError):
        tsclust.score(small_plant_copy.root, of(small_plant_copy, small_plant.series.head(0)))


@pytest.mark.parametrize("when", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)])
def test_times_that_cannot_be_do_not_say_since_when(
    small_plant_copy: Workspace, small_plant: Plant, when: datetime
) -> None:
    higher = small_plant.series.with_columns(
        pl.col("values").list.eval(pl.element() * 1.7),
        recorded_at=pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit(when).dt.replace_time_zone(
            small_plant.series.schema["recorded_at"].time_zone)).otherwise("recorded_at"),  # type: ignore[attr-defined]
    )  # fmt: skip
    tsclust.score(small_plant_copy.root, of(small_plant_copy, higher))
    found = drift(small_plant_copy)
    assert found["found"]
    assert all(one["since"] is None or one["since"][:2] == "20" for one in found["changed"])


def test_hostile_names_of_machines_are_text(small_plant_copy: Workspace, small_plant: Plant) -> None:
    names = ["[red]x[/red]", "a\nb", "=1+1", "x" * 10_000]
    some = small_plant.series.head(400).with_columns(
        machine_id=pl.Series([names[i % 4] for i in range(400)], dtype=pl.String)
    )
    done = tsclust.score(small_plant_copy.root, of(small_plant_copy, some))
    assert set(drift(small_plant_copy)["unknown"]) == set(names)
    assert max(map(len, done.notes)) < 1_000


def test_a_feature_that_was_edited_is_another_feature(small_plant_copy: Workspace, small_plant: Plant) -> None:
    """Under the same name it means something else: the model knows nothing of it."""
    own = small_plant_copy.root / "own.py"
    own.write_text(OWN.format("1.0"), encoding="utf-8")
    settings = small_plant_copy.config.read_text(encoding="utf-8")
    small_plant_copy.config.write_text(settings.replace('extra = ""', f'extra = "{own}"'), encoding="utf-8")
    label(small_plant_copy, small_plant.kinds.head(1_000))
    tsclust.features(small_plant_copy.root)
    tsclust.train(small_plant_copy.root)
    tsclust.score(small_plant_copy.root, of(small_plant_copy, small_plant.series.head(100)))
    own.write_text(OWN.format("2.0"), encoding="utf-8")
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(small_plant_copy.root, of(small_plant_copy, small_plant.series.head(100)))
    tsclust.features(small_plant_copy.root)
    with pytest.raises(StageMissingError, match="was trained on other features"):
        tsclust.score(small_plant_copy.root)


OWN = '''"""Mine."""


def twice(x):
    """The highest value.

    Unit: value
    """
    return {} * x.max()
'''


def test_a_model_of_other_shapes_is_damaged(small_plant_copy: Workspace) -> None:
    """Its hash is written anew, too: as one who has changed the file would."""
    path, manifest = small_plant_copy.stage(MODEL) / "model.skops", small_plant_copy.stage(MODEL) / "manifest.json"
    about = json.loads(manifest.read_text())
    whole = skops_file.loads(path.read_bytes(), len(about["facts"]["features"]))
    points = whole["known"]["reference"]
    wrong = [points[:, :-1], np.hstack([points, points]), points[:, :, None], points[0]]
    beside: list[object] = [whole["known"] | {"reference": one} for one in wrong]
    for spoil in ("known", "scaler", "lying"):
        for changed in ({}, dict.fromkeys(whole[spoil]), 5, *(beside if spoil == "known" else ())):
            path.write_bytes(skops_file.dumps(whole | {spoil: changed}))
            about["outputs"]["model.skops"] = hashlib.sha256(path.read_bytes()).hexdigest()
            manifest.write_text(json.dumps(about))
            with pytest.raises(DamagedError, match="the model cannot be read"):
                tsclust.score(small_plant_copy.root)


def test_a_killed_score_leaves_the_last_scores(small_plant_copy: Workspace, small_plant: Plant) -> None:
    before = {path.name: path.read_bytes() for path in small_plant_copy.stage(SCORES).iterdir()}
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(small_plant_copy.root)])
    assert child.wait() == -9
    assert {path.name: path.read_bytes() for path in small_plant_copy.stage(SCORES).iterdir()} == before
    tsclust.score(small_plant_copy.root)
    assert scores(small_plant_copy).equals(scores(small_plant.workspace))


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """For this process and those that it starts a file of more bytes is one that the disk has no space for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("command", [
    ["train", "--answer", "99%"], ["score"], ["score", "--from", "new.parquet"], ["labels", "review"],
    ["labels", "export", "labels.parquet"],
])  # fmt: skip
def test_a_full_disk_is_one_line_and_loses_nothing(
    small_plant_copy: Workspace, small_plant: Plant, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    label(small_plant_copy, small_plant.kinds.head(1_000))
    of(small_plant_copy, small_plant.series.head(1_000))
    (small_plant_copy.root / "labels.parquet").write_text("what was there before")
    before = all_hashes(small_plant_copy.root)
    monkeypatch.chdir(small_plant_copy.root)
    with no_file_above(5_000):
        done = call_tsclust(*command, "-w", small_plant_copy.root)
    assert done.returncode == DiskFullError.exit_code, done.stderr
    assert done.stderr.count("\n") == 1
    assert "no space left" in done.stderr
    assert all_hashes(small_plant_copy.root) == before


KILLED = """
import os, signal, sys
from pathlib import Path
import tsclust
from tsclust.stages.scores import drift_check
drift_check.detect_drift = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
tsclust.score(Path(sys.argv[1]))
"""


def test_kinds_that_only_few_have_and_no_normal_ones(small_plant_copy: Workspace, small_plant: Plant) -> None:
    """A handful of normal series must not stand for all: those in which nothing is strange are normal, too."""
    few = pl.concat(
        [small_plant.kinds.filter(pl.col("kind") != "normal"), small_plant.kinds.filter(kind="normal").head(3)]
    )
    label(small_plant_copy, few)
    tsclust.cluster(small_plant_copy.root, {"cluster": {"k": "2..6"}})
    tsclust.train(small_plant_copy.root)
    facts = small_plant_copy.manifest(MODEL).facts
    assert facts.assumed > 1_000
    assert facts.counts["normal"] == facts.assumed + 3
    tsclust.score(small_plant_copy.root)
    said = (
        scores(small_plant_copy)
        .join(small_plant.kinds, on="series_id", suffix="_true")
        .filter(kind_true="normal")["said"]
    )
    assert (said == "normal").mean() > 0.8
    assert said.is_in(["normal", "don't know", "none of these"]).mean() > 0.99
