"""features/ -> scores/, or series of another source -> scores_new/, part by part, by the model of the workspace."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust import config
from tsclust.arrays import Bools, Floats, Int64s, UInt64s
from tsclust.config import Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.errors import SettingsError
from tsclust.stages.features import freshness
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels.kinds import IMPOSSIBLE
from tsclust.stages.model import abstention
from tsclust.stages.model import parts as model_parts
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.deviations import Deviations
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores import check_files, check_sample, drift_check, onset, parts, recent
from tsclust.stages.scores.check_sample import Candidates, Looked
from tsclust.stages.scores.drift_check import CurrentProfile
from tsclust.stages.scores.facts import CheckFacts, ScoresFacts
from tsclust.stages.scores.onset import Sign
from tsclust.stages.scores.recent import RecentWindow
from tsclust.stages.scores.scorer import Scorer, Scores, scores_of
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series import step as series_step
from tsclust.stages.series.facts import SERIES
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, Stage, write_manifest
from tsclust.workspace.parquet import StageWriter, Written, write_part


class PartScorer(Protocol):
    """Scores a part: all its series, or these rows of it, ascending."""

    def __call__(self, path: Path, rows: Int64s | None = None) -> Scores: ...

    def deviations(self, path: Path, rows: Int64s | None = None) -> Deviations:
        """What is scored, without the scores: these take the longer half."""


@dataclass(frozen=True)
class Described:
    """Scores parts of features/. series: the folder of the parts with their carried columns."""

    model: ModelBundle
    series: Path

    def __call__(self, path: Path, rows: Int64s | None = None) -> Scores:
        return scores_of(self.model, self.deviations(path, rows))

    def deviations(self, path: Path, rows: Int64s | None = None) -> Deviations:
        described = feature_parts.read(path, self.model.facts.features)
        carried = series_parts.read_carried(self.series / path.name, self.model.yardstick.carried)
        return self.model.yardstick.measure(described, carried, rows)


@dataclass(frozen=True)
class Undescribed:
    """Scores parts of series/. described: the folder that keeps the features of a part, which are asked for again
    where something has changed since training."""

    scorer: Scorer
    described: Path

    def __call__(self, path: Path, rows: Int64s | None = None) -> Scores:
        return scores_of(self.scorer.model, self.deviations(path, rows))

    def deviations(self, path: Path, rows: Int64s | None = None) -> Deviations:
        model = self.scorer.model
        carried = self.scorer.as_trained(series_parts.read_table(path, self.scorer.carried))
        kept = self.described / path.name
        if kept.exists():
            described = feature_parts.read(kept, model.facts.features)
        else:
            described = self.scorer.features(series_parts.read_block(path), carried)
            feature_parts.write_for_now(kept, model.facts.features, described)
        return model.yardstick.measure(described, carried, rows)


@dataclass(frozen=True)
class SeriesToScore:
    """Parts, and how they are scored.

    series  the folder of the parts with the carried columns; times: the one that says when a series was recorded
    rows    of all parts; inputs: stage -> hash, for the manifest; origin: where the series came from
    layout  how they are stored there
    trained hashes of the ids of the series that the model was trained on: these are not compared; None: all are
    looked  what labels say of the series, from which a sample is drawn; None: none is drawn
    """

    paths: tuple[Path, ...]
    scores: PartScorer
    model: ModelBundle
    series: Path
    times: str | None
    rows: int
    inputs: dict[str, str]
    origin: str
    layout: str
    trained: UInt64s | None
    looked: Looked | None = None

    def is_new(self, ids: pa.Array) -> Bools:
        """(all,) which of these series the model was not trained on."""
        return ~model_parts.was_trained(ids, self.trained)

    def when(self, path: Path) -> pl.Series | None:
        """(all,) when the series of a part were recorded; None where no column says."""
        return None if self.times is None else series_parts.read_times(self.series / path.name, self.times)


@contextmanager
def series_to_score(
    workspace: Workspace, settings: Settings, model: ModelBundle, new: bool, listen: Listener
) -> Iterator[SeriesToScore]:
    """The workspace's own series, or `new` ones of another source for as long as it takes.

    Raises StageMissingError where the model was trained on other features or rules, SettingsError where new series lack
    a column that the model needs.
    """
    if not new:
        yield replace(_own(workspace, model), looked=check_files.looked(workspace, settings.labels.resolve))
        return
    scorer = _scorer_of(workspace, settings, model)
    beside = Workspace(workspace.root / ".scoring")
    shutil.rmtree(beside.root, ignore_errors=True)
    beside.root.mkdir()
    try:
        series_step.read_into(beside, settings, workspace.root, listen)
        _check_carried(SeriesFiles.of(beside).schema.names, scorer)
        (described := beside.root / "described").mkdir()
        about = workspace.manifest(MODEL), beside.manifest(SERIES)
        inputs = {manifest.stage: manifest.output_hash for manifest in about}
        yield _source(beside, tuple(beside.parts(SERIES)), Undescribed(scorer, described), model, inputs, None)
    finally:
        shutil.rmtree(beside.root, ignore_errors=True)


def _own(workspace: Workspace, model: ModelBundle) -> SeriesToScore:
    freshness.refuse_stale(workspace)
    there, contract = workspace.manifest(FEATURES), model.facts.feature_contract
    now = (there.facts.catalogue, there.facts.peak, there.facts.rules)
    then = (contract.catalogue, contract.peak, contract.rules)
    freshness.refuse_other((there.settings, now), (contract.settings_digest, then), workspace.root)
    inputs = {manifest.stage: manifest.output_hash for manifest in (workspace.manifest(MODEL), there)}
    scores = Described(model, workspace.stage(SERIES))
    trained = model_parts.read_trained(workspace.stage(MODEL))
    return _source(workspace, tuple(workspace.parts(FEATURES)), scores, model, inputs, trained)


def _source(
    series: Workspace, paths: tuple[Path, ...], scores: PartScorer, model: ModelBundle,
    inputs: dict[str, str], trained: UInt64s | None,
) -> SeriesToScore:  # fmt: skip
    there = SeriesFiles.of(series)
    about = there.manifest
    return SeriesToScore(
        paths, scores, model, there.folder, there.time_column, about.rows, inputs, about.facts.origin,
        about.facts.layout, trained,
    )  # fmt: skip


def _scorer_of(workspace: Workspace, settings: Settings, model: ModelBundle) -> Scorer:
    """The model's own features are run where they are, word for word, those of the workspace's settings."""
    spec = FeatureSpec.read(workspace.root, settings)
    freshness.refuse_other(spec.digest, model.facts.feature_contract.settings_digest, workspace.root)
    return Scorer(model, allow_features=spec.text == model.feature_text)


def _check_carried(there: Sequence[str], scorer: Scorer) -> None:
    """Raises SettingsError where the new series lack a column that the model needs."""
    if missing := next((name for name in scorer.carried if name not in there), None):
        raise SettingsError(
            f"the new series have no column {missing!r}, by which the model compares series (they have: "
            f"{', '.join(there)[:200]})",
            f"Carry it along (--carry {missing}), or name a source that has it",
        )


def threshold_of(source: SeriesToScore, share: float | None) -> float:
    """The threshold of training; with a share, the one at which that share of these series gets no answer."""
    if share is None:
        return source.model.facts.threshold
    sure = list(map_parts(partial(_probability, source), source.paths))
    return abstention.threshold_for_rejection_rate(np.concatenate(sure), share)


def _probability(source: SeriesToScore, path: Path) -> Floats:
    return source.scores(path).probability


def score_all(
    source: SeriesToScore, writer: StageWriter, meter: Meter, stage: Stage[ScoresFacts], refuse: float | None,
    listen: Listener,
) -> Manifest[ScoresFacts]:  # fmt: skip
    """Write scores/. refuse: the share of series that are to get no answer, None for the threshold of training."""
    threshold, windows = threshold_of(source, refuse), _windows(source)
    said: Counter[str] = Counter()
    drawn = []
    now = CurrentProfile.empty(source.model.profile.bins, [one.days for one in windows])
    one_part = partial(_score, source, writer.folder, threshold, windows)
    for written, of_part, profile, candidates in map_parts(one_part, source.paths):
        writer.add(written)
        drawn.append(candidates)
        said, now = said + of_part, now + profile
        listen(Progress("score", said.total(), source.rows))
    facts = ScoresFacts(
        refuse=refuse, elsewhere=stage.name == "scores_new", threshold=threshold, said=dict(said.most_common()),
        drift=drift_check.detect_drift(now, source.model, partial(_since, source)), origin=source.origin,
        kept=said.total() - said[IMPOSSIBLE], layout=source.layout, model=source.model.facts.id,
        check=_check(source, writer, drawn),
    )  # fmt: skip
    return write_manifest(
        writer, meter, stage, settings=config.digest(str(threshold)), inputs=source.inputs, seed=0, rows=source.rows,
        parts=len(source.paths), facts=facts,
    )  # fmt: skip


def _windows(source: SeriesToScore) -> tuple[RecentWindow, ...]:
    """The last days; none where no column says when, or there are no more days than these."""
    if source.times is None:
        return ()
    return recent.last_days(list(map_parts(partial(_ends, source), source.paths)))


def _ends(source: SeriesToScore, path: Path) -> Floats:
    when = source.when(path)
    return np.full(2, np.nan) if when is None else recent.ends_of(when)


def _score(
    source: SeriesToScore, folder: Path, threshold: float, windows: Sequence[RecentWindow], path: Path
) -> tuple[Written, Counter[str], CurrentProfile, Candidates]:
    scores = source.scores(path)
    table = scores.table(source.model, threshold)
    written = write_part(folder, path.name, table)
    counts = Counter(dict(pl.Series(table[parts.SAID]).value_counts().iter_rows()))
    new = source.is_new(scores.deviations.ids)
    profile = CurrentProfile.from_scores(source.model.profile.bins, scores, new, _late(source, windows, path))
    return written, counts, profile, _candidates(source, scores, threshold)


def _candidates(source: SeriesToScore, scores: Scores, threshold: float) -> Candidates:
    if source.looked is None:
        return Candidates.none()
    facts, of = source.model.facts, scores.deviations
    faulty = np.array([facts.verdicts[kind] == "malfunction" for kind in facts.kinds])
    said = faulty[scores.kind] & ~source.model.refuses(scores.probability, scores.novelty, threshold)
    return check_sample.candidates(of.kept_ids, of.z, said, source.looked, source.rows)


def _check(source: SeriesToScore, writer: StageWriter, drawn: Sequence[Candidates]) -> CheckFacts | None:
    """The sample that an expert is asked about, where one is drawn."""
    if source.looked is None:
        return None
    candidates = Candidates.joined(drawn)
    writer.write_bytes(check_files.CALLED, check_files.called_bytes(candidates))
    return check_files.sample(candidates, [source.series / path.name for path in source.paths])


def _late(source: SeriesToScore, windows: Sequence[RecentWindow], path: Path) -> dict[int, Bools]:
    when = source.when(path) if windows else None
    return {} if when is None else {one.days: one.rows(when) for one in windows}


def _since(source: SeriesToScore, signs: Sequence[Sign]) -> list[str | None]:
    """The day since when each of these signs is there; None where no column says."""
    if source.times is None:
        return [None] * len(signs)
    return onset.since(pl.concat(map_parts(partial(_days, source, signs), source.paths)), signs)


def _days(source: SeriesToScore, signs: Sequence[Sign], path: Path) -> pl.DataFrame:
    of, when = source.scores.deviations(path), source.when(path)
    assert when is not None
    return onset.days_of(of, onset.refused_of(source.model, of, signs), when, source.is_new(of.ids), signs)
