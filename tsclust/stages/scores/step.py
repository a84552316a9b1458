"""features/ -> scores/, part by part, by the model of the workspace."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tsclust import config
from tsclust.arrays import Bools, Floats
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.errors import SettingsError
from tsclust.stages.features import freshness
from tsclust.stages.features import step as features_step
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels.kinds import DONT_KNOW, IMPOSSIBLE, NONE_OF_THESE
from tsclust.stages.model import abstention, examples
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.examples import Part
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.profile import FeatureProfile
from tsclust.stages.scores import drift_check
from tsclust.stages.scores.drift_check import CurrentProfile, Drift
from tsclust.stages.scores.facts import SCORES
from tsclust.stages.scores.recent import Window
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series import step
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Stage
from tsclust.workspace.parquet import StageWriter

COLUMNS = ("series_id", "said", "kind", "probability", "novelty", "rejected_by")


WORKERS = 2


@dataclass(frozen=True)
class Asked:
    """The workspace whose series are scored, the settings of the main one, its model, and less sure is don't know."""

    series: Workspace
    settings: Settings
    model: ModelBundle
    threshold: float = 0.0
    window: Window | None = None

    def read(self, path: Path) -> Part:
        """A part of features/."""
        return examples.read(self.series, self.settings, self.model.scaler, self.model.facts["machine"], path)

    def refused(self, scores: Path, path: Path) -> Bools:
        """(n,) which kept series of a part of features/ the model alone would not answer, by the part of the scores."""
        found = pl.DataFrame(pq.read_table(scores / path.name, columns=["probability", "novelty"])).drop_nulls()
        return self.model.refuses(found["probability"].to_numpy(), found["novelty"].to_numpy())


def whole(workspace: Workspace, stage: Stage) -> pa.Table:
    """The scores of a stage as one table."""
    return pa.concat_tables(pq.read_table(path) for path in workspace.parts(stage))


@contextmanager
def series_to_score(
    workspace: Workspace, settings: Settings, stage: Stage, model: ModelBundle, listen: Listener
) -> Iterator[Workspace]:
    """The workspace itself, or one for as long as it takes, with series of another source, described alike."""
    same = model.facts["same"]
    if stage == SCORES:
        freshness.refuse_stale(workspace)
        there = workspace.manifest(FEATURES)
        facts = (there.facts.shown(()), same)
        now, then = ([of[name] for name in ("catalogue", "peak", "rules")] for of in facts)
        freshness.refuse_other((there.settings, now), (same["made"], then), workspace.root)
        yield workspace
        return
    beside = Workspace(workspace.root / ".scoring")
    shutil.rmtree(beside.root, ignore_errors=True)
    beside.root.mkdir()
    try:
        step.read_into(beside, settings, workspace.root, listen)
        _check_carried(beside, settings, model)
        features_step.describe_as(beside, settings, workspace.root, same, listen)
        yield beside
    finally:
        shutil.rmtree(beside.root, ignore_errors=True)


def _check_carried(beside: Workspace, settings: Settings, model: ModelBundle) -> None:
    """Raises SettingsError where the new series lack a column that series are compared by."""
    there = series_parts.schema(beside).names
    needed = [*settings.cluster.baseline, *filter(None, [model.facts["machine"]])]
    if missing := next((name for name in needed if name not in there), None):
        raise SettingsError(
            f"the new series have no column {missing!r}, by which the model compares series (they have: "
            f"{', '.join(there)[:200]})",
            f"Carry it along (--carry {missing}), or name a source that has it",
        )


def with_threshold(asked: Asked, share: float | None) -> Asked:
    """The threshold of training; with a share, that at which so many of these series get no answer."""
    threshold = asked.model.facts["threshold"]
    if share is not None:
        sure = np.concatenate(list(map_parts(partial(_confidence, asked), asked.series.parts(FEATURES), WORKERS)))
        threshold = abstention.threshold_for_rejection_rate(sure, share)
    return replace(asked, threshold=threshold)


def _confidence(asked: Asked, path: Path) -> Floats:
    z = asked.read(path).z
    return asked.model.predict(asked.model.scaler.of_deviations(z))[1]


def score_all(asked: Asked, writer: StageWriter, listen: Listener) -> tuple[Counter[str], CurrentProfile]:
    """Write scores/; what was said how often, and how the series lie."""
    said: Counter[str] = Counter()
    nothing = FeatureProfile.none(len(asked.model.facts["features"]))
    now = CurrentProfile(nothing, nothing if asked.window else None)
    for of_part, lies in map_parts(partial(_score, asked, writer), asked.series.parts(FEATURES), WORKERS):
        said, now = said + of_part, now + lies
        listen(Progress("score", said.total(), asked.series.manifest(FEATURES).rows))
    return said, now


def _score(asked: Asked, writer: StageWriter, path: Path) -> tuple[Counter[str], CurrentProfile]:
    part = asked.read(path)
    kind, sure, novelty = asked.model.predict(asked.model.scaler.of_deviations(part.z))
    names = pl.Series([*asked.model.kinds, DONT_KNOW, NONE_OF_THESE, IMPOSSIBLE])
    dont_know, none, impossible = range(len(names) - 3, len(names))
    said = np.where(novelty > 1, none, np.where(sure < asked.threshold, dont_know, kind))
    columns = {
        "said": names.gather(_spread(said, part.keep, impossible)),
        "kind": names.gather(_spread(kind, part.keep, impossible)).set(pl.Series(~part.keep), None),
        "probability": _spread(sure, part.keep, np.nan), "novelty": _spread(novelty, part.keep, np.nan),
    }  # fmt: skip
    scored = part.rows.with_columns(**columns).with_columns(pl.col("probability", "novelty").fill_nan(None))
    writer.write_table(path.name, scored.select(COLUMNS).to_arrow())
    counts = Counter(dict(scored["said"].value_counts().iter_rows()))
    return counts, _now(asked, path, part, asked.model.refuses(sure, novelty))


def _now(asked: Asked, path: Path, part: Part, refused: Bools) -> CurrentProfile:
    """How the series of a part lie, and those in the window."""
    whole = FeatureProfile.of(part.z, part.machine, refused, part.rejected)
    if asked.window is None:
        return CurrentProfile(whole, None)
    late = asked.window.rows(path)
    kept, out = late[part.keep], late[~part.keep]
    return CurrentProfile(whole, FeatureProfile.of(part.z[kept], part.machine[kept], refused[kept], part.rejected[out]))


def _spread(values: Any, keep: Bools, other: float) -> Any:
    """(all,) the values (n,) of the rows that are kept, `other` for the rest."""
    spread = np.full(len(keep), other, values.dtype)
    spread[keep] = values
    return spread


def drift_of(asked: Asked, now: CurrentProfile, scores: Path) -> Drift:
    refused = partial(asked.refused, scores)
    return drift_check.find(asked.series, now, asked.model, asked.model.facts["features"], asked.read, refused)


def made_of(workspace: Workspace, asked: Asked) -> dict[str, Any]:
    """For the manifest."""
    described = asked.series.manifest(FEATURES)
    inputs = {"model": workspace.manifest(MODEL).output_hash, "features": described.output_hash}
    threshold = config.digest(str(asked.threshold))
    return {"settings": threshold, "inputs": inputs, "seed": 0, "rows": described.rows, "parts": described.parts}


def facts_of(asked: Asked, said: Counter[str], drift: Drift) -> dict[str, Any]:
    """What the manifest remembers."""
    origin = asked.series.manifest(SERIES).facts.origin
    return {
        "threshold": asked.threshold, "said": dict(said.most_common()), "drift": drift.plain(), "origin": origin,
        "kept": asked.series.manifest(FEATURES).facts.kept,
    }  # fmt: skip
