"""series/ -> features/: what describes a series, what has to be computed, and doing it part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from tsclust.config import Rule, Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.errors import SettingsError
from tsclust.stages.features import catalogue, parts, screening, survey
from tsclust.stages.features.facts import FeaturesFacts, PartFacts, counted
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.rules import in_force
from tsclust.stages.features.screening import CLEAR, Screen
from tsclust.stages.features.spec import Describer, FeatureSpec
from tsclust.stages.features.survey import PartSurvey, Survey
from tsclust.stages.features.tally import Tally
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.parquet import StageWriter, Written, write_part


@dataclass(frozen=True)
class Plan:
    """What is to be computed, and by which measure it is judged.

    asked      parts of series/ to describe
    known      parts of features/ that stay as they are, with what is remembered of them
    votes      part -> (up, down) of its series
    sign       1 where the peak is a maximum, -1 a minimum; `agreement` is the share of series that say so
    typical    feature -> (median, robust deviation)
    """

    asked: list[Path]
    known: dict[str, PartFacts]
    votes: dict[str, survey.Votes]
    sign: int
    agreement: float
    rules: tuple[Rule, ...]
    typical: dict[str, tuple[float, float]]


def digest(root: Path, settings: Settings) -> str:
    """A hash of what decides on the features: the settings, and the user's own ones as they are written."""
    return read_spec(root, settings).digest


def read_spec(root: Path, settings: Settings) -> FeatureSpec:
    """By what series are described; the user's file lies in the folder `root`. Raises SettingsError where it is no
    text."""
    path = root / settings.features.extra
    there = bool(settings.features.extra) and path.is_file()
    try:
        return FeatureSpec(settings.features, path, path.read_text(encoding="utf-8") if there else None)
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None


def describer_of(spec: FeatureSpec, series: SeriesFiles, listen: Listener) -> Describer:
    """With its kernels compiled for this type of values: seconds the first time, then they come from a cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    describer = spec.compile()
    describer(series.empty_block(), 1)
    return describer


def plan_of(
    series: SeriesFiles,
    settings: Settings,
    describer: Describer,
    before: Manifest[FeaturesFacts] | None,
    listen: Listener,
) -> Plan:
    """`before`: made with the same settings, else None."""
    hashes, rows, old = series.manifest.outputs, series.manifest.rows, before.facts.by_part if before else {}
    known = {name: part for name, part in old.items() if part.series == hashes.get(name)}
    asked = [path for path in series.paths if path.name not in known]
    seen = _survey(asked, rows, listen)
    votes = {name: part.votes for name, part in known.items()} | seen.votes
    sign, agreement = survey.direction(settings.features.peak, votes.values())
    rules = in_force(settings.rule, agreement >= CLEAR, catalogue.needed(describer.features))
    if before and known and (before.facts.peak, before.facts.rules) == (_peak(sign), rules):
        # New parts are held against what was typical when the first ones came: no old part is touched.
        return Plan(asked, known, votes, sign, agreement, rules, before.facts.typical)
    if known:
        seen = _survey(series.paths, rows, listen)
    return Plan(list(series.paths), {}, votes, sign, agreement, rules, survey.typical(seen.samples, sign, describer))


def _survey(paths: Sequence[Path], rows: int, listen: Listener) -> Survey:
    """A first look at these parts of series/, of `rows` series in all."""
    votes, samples, done = {}, [], 0
    for path, part in zip(paths, map_parts(partial(_survey_part, rows), paths), strict=True):
        votes[path.name], done = part.votes, done + part.series
        samples.append(part.sample)
        listen(Progress("features: a first look", done, rows))
    return Survey(votes, tuple(samples))


def _survey_part(rows: int, path: Path) -> PartSurvey:
    return survey.survey(series_parts.read_block(path), rows)


def _peak(sign: int) -> Literal["max", "min"]:
    return "max" if sign > 0 else "min"


def describe_parts(
    series: SeriesFiles, writer: StageWriter, describer: Describer, plan: Plan, listen: Listener
) -> FeaturesFacts:
    """Compute the parts asked for, beside those that the writer has adopted; the facts for the manifest."""
    screen = Screen.prepare(plan.rules, plan.typical, describer.names, series.carried)
    tallies = {name: part.tally for name, part in plan.known.items()}
    done = sum(tally.rows for tally in tallies.values())
    describe_part = partial(_describe_part, describer, screen, plan.sign, writer.folder)
    tallies |= _map_with_progress(
        describe_part, plan.asked, writer, Progress("features", done, series.manifest.rows), listen
    )
    hashes = series.manifest.outputs
    by_part = {name: PartFacts.of(hashes[name], plan.votes[name], tallies[name]) for name in sorted(tallies)}
    return FeaturesFacts(
        peak=_peak(plan.sign), agreement=round(plan.agreement, 4), typical=plan.typical, catalogue=describer.features,
        **counted(plan.rules, by_part),
    )  # fmt: skip


def screen_parts(
    files: FeatureFiles, writer: StageWriter | None, rules: tuple[Rule, ...], listen: Listener
) -> FeaturesFacts:
    """Apply rules to every part of features/ again; the facts for the manifest.

    Without a writer nothing is written, and only the features that rules read are read.
    """
    facts = files.facts
    names = [feature.name for feature in facts.catalogue]
    screen = Screen.prepare(rules, facts.typical, names, files.series.carried)
    used = names if writer else screening.features_used(rules, names)
    folder = writer.folder if writer else None
    screen_part = partial(_screen_part, screen, used, files.series.folder, folder)
    progress = Progress("filter", 0, files.manifest.rows)
    tallies = _map_with_progress(screen_part, files.paths, writer, progress, listen)
    by_part = {name: PartFacts.of(part.series, part.votes, tallies[name]) for name, part in facts.by_part.items()}
    return facts.model_copy(update=counted(rules, by_part))


@dataclass(frozen=True)
class Screened:
    """A part of features/ that rules were applied to: what was written of it, and how many each rule rejects."""

    written: Written | None
    tally: Tally


def _describe_part(describer: Describer, screen: Screen, sign: int, folder: Path, path: Path) -> Screened:
    """The features of a part of series/, written to `folder`."""
    block = series_parts.read_block(path)
    features = describer(block, sign)
    rejected_by, tally = screen.apply(features, series_parts.read_carried(path, screen.carried))
    return Screened(write_part(folder, path.name, parts.table_of(block.ids, features, rejected_by)), tally)


def _screen_part(screen: Screen, names: Sequence[str], series: Path, folder: Path | None, path: Path) -> Screened:
    """Rules applied to a part of features/, with the carried columns from `series`; written to `folder`, if any."""
    ids, features = parts.read_frame(path, names)
    rejected_by, tally = screen.apply(features, series_parts.read_carried(series / path.name, screen.carried))
    table = parts.table_of(ids, features, rejected_by)
    return Screened(write_part(folder, path.name, table) if folder else None, tally)


def _map_with_progress(
    function: Callable[[Path], Screened],
    paths: Sequence[Path],
    writer: StageWriter | None,
    progress: Progress,
    listen: Listener,
) -> dict[str, Tally]:
    """The tally of every part by its name; what was written is added to the stage, `progress` goes on from where it
    is."""
    tallies = {}
    for path, part in zip(paths, map_parts(partial(_lean, function), paths), strict=True):
        if writer and part.written:
            writer.add(part.written)
        tallies[path.name] = part.tally
        progress = replace(progress, done=progress.done + part.tally.rows)
        listen(progress)
    return tallies


def _lean(function: Callable[[Path], Screened], path: Path) -> Screened:
    part = function(path)
    pa.default_memory_pool().release_unused()  # else pieces pile up: 60 MB more for three million series
    return part
