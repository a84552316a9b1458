"""series/ -> features/: what describes a series, what has to be computed, and doing it part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.config import Rule, Settings
from tsclust.engine.base import Listener, Progress, map_parts
from tsclust.series import SeriesBlock
from tsclust.stages.features import catalogue, lost_groups, parts, survey, typical
from tsclust.stages.features.default_rules import CLEAR, in_force
from tsclust.stages.features.explained import Explained
from tsclust.stages.features.facts import FeaturesFacts, PartFacts, counted
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.screening import Screen
from tsclust.stages.features.spec import Describer, FeatureSpec
from tsclust.stages.features.survey import Baselines, PartSurvey, Survey
from tsclust.stages.features.tally import Tally
from tsclust.stages.features.typical import Typical
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.parquet import StageWriter, Written, write_part


@dataclass(frozen=True)
class Plan:
    """What is to be computed, and by which measure it is judged.

    asked      parts of series/ to describe
    known      parts of features/ that stay as they are, with what is remembered of them
    votes      part -> (up, down) of its series
    sign       1 where the peak is a maximum, -1 a minimum; `agreement` is the share of series that say so
    typical    what is typical of each kind of series
    groups     carried columns that name groups of series
    """

    asked: list[Path]
    known: dict[str, PartFacts]
    votes: dict[str, survey.Votes]
    sign: int
    agreement: float
    rules: tuple[Rule, ...]
    typical: Typical
    groups: tuple[str, ...]


def describer_of(spec: FeatureSpec, series: SeriesFiles, listen: Listener) -> Describer:
    """With its kernels compiled for this type of values: seconds the first time, then they come from a cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    describer = spec.compile()
    describer(series.empty_block(), 1)
    return describer


def choose_baseline(series: SeriesFiles, describer: Describer, peak: str, listen: Listener) -> tuple[Explained, ...]:
    """The carried columns to compare series within, where nobody has chosen any: by a look at a sample."""
    if not series.carried or series.manifest.rows < survey.TO_CHOOSE:
        return ()
    seen = _survey(series.paths, series.manifest.rows, None, listen)
    sign, _ = survey.direction(peak, seen.votes.values())
    described = survey.sample(seen.drawn, _described_all(seen, sign, describer)).frame
    least = _least_of(describer, described)
    return survey.explained(seen.drawn, described, [*least], np.array([*least.values()]))


def plan_of(
    series: SeriesFiles,
    settings: Settings,
    describer: Describer,
    before: FeatureFiles | None,
    listen: Listener,
) -> Plan:
    """`before`: made with the same settings, else None."""
    hashes, rows, old = series.manifest.outputs, series.manifest.rows, before.facts.by_part if before else {}
    known = {name: part for name, part in old.items() if part.series == hashes.get(name)}
    asked = [path for path in series.paths if path.name not in known]
    series_parts.check_carried(series.carried, settings.cluster.baseline_columns)
    seen = _survey(asked, rows, None if known else _baselines(series.paths, settings.cluster.baseline_columns), listen)
    votes = {name: part.votes for name, part in known.items()} | seen.votes
    sign, agreement = survey.direction(settings.features.peak, votes.values())
    rules = in_force(settings.rule, agreement >= CLEAR, catalogue.needed(describer.features))
    if before and known and (before.facts.peak, before.facts.rules) == (_peak(sign), rules):
        # New parts are held against what was typical when the first ones came: no old part is touched.
        return Plan(asked, known, votes, sign, agreement, rules, before.typical, before.facts.groups)
    if known:
        seen = _survey(series.paths, rows, _baselines(series.paths, settings.cluster.baseline_columns), listen)
    typical_now, groups = _typical(seen, sign, describer), survey.columns_of_groups(seen.drawn)
    return Plan(list(series.paths), {}, votes, sign, agreement, rules, typical_now, groups)


def _baselines(paths: Sequence[Path], columns: tuple[str, ...]) -> Baselines | None:
    if not columns:
        return None
    return Baselines.of_parts(columns, map_parts(partial(_count_part, columns), paths))


def _count_part(columns: tuple[str, ...], path: Path) -> pl.DataFrame:
    return survey.count(series_parts.read_carried(path, columns))


def _survey(paths: Sequence[Path], rows: int, baselines: Baselines | None, listen: Listener) -> Survey:
    """A first look at these parts of series/, of `rows` series in all."""
    votes, drawn, done = {}, [], 0
    for path, part in zip(paths, map_parts(partial(_survey_part, rows, baselines), paths), strict=True):
        votes[path.name], done = part.votes, done + part.series
        drawn.append(part.drawn)
        listen(Progress("features: a first look", done, rows))
    return Survey(votes, tuple(drawn))


def _survey_part(rows: int, baselines: Baselines | None, path: Path) -> PartSurvey:
    return survey.survey(series_parts.read_block(path), rows, series_parts.read_all_carried(path), baselines)


def _typical(seen: Survey, sign: int, describer: Describer) -> Typical:
    sample = survey.sample(seen.drawn, _described_all(seen, sign, describer))
    spec, least = describer.spec, _least_of(describer, sample.frame)
    return typical.fit(sample, spec.baseline, tuple(least), least, look=spec.regimes)


def _described_all(seen: Survey, sign: int, describer: Describer) -> list[pl.DataFrame]:
    """What was drawn of each part, described."""
    return list(map_parts(partial(_described, describer, sign), [drawn.block for drawn in seen.drawn]))


def _least_of(describer: Describer, described: pl.DataFrame) -> dict[str, float]:
    """Feature that series are compared by -> the least spread that means something, in a sample."""
    compared = catalogue.clustered(describer.features)
    known = described.select(*dict.fromkeys((*compared, *catalogue.SIZES))).drop_nulls()
    sizes = known.select(catalogue.SIZES).median().to_numpy()
    x = known.select(compared).to_numpy()
    spreads = catalogue.least_spreads(describer.features, x, np.nan_to_num(sizes.astype(np.float64)))
    return dict(zip(compared, spreads[0].tolist(), strict=True))


def _described(describer: Describer, sign: int, block: SeriesBlock) -> pl.DataFrame:
    return describer(block, sign)


def _peak(sign: int) -> Literal["max", "min"]:
    return "max" if sign > 0 else "min"


def describe_parts(
    series: SeriesFiles, writer: StageWriter, describer: Describer, plan: Plan, listen: Listener,
    chosen: tuple[Explained, ...] | None = None,
) -> FeaturesFacts:  # fmt: skip
    """Compute the parts asked for, beside those that the writer has adopted; the facts for the manifest, with the
    baseline that was `chosen`."""
    screen = Screen.prepare(plan.rules, plan.typical, describer.names, series.carried)
    tallies = {name: part.tally for name, part in plan.known.items()}
    done = sum(tally.rows for tally in tallies.values())
    writer.write_bytes(parts.TYPICAL_FILE, parts.typical_bytes(plan.typical))
    of_groups = [_count_known(series.folder, writer.folder, plan.groups, name) for name in sorted(plan.known)]
    describe_part = partial(_describe_part, describer, screen, plan.sign, plan.groups, writer.folder)
    progress = Progress("features", done, series.manifest.rows)
    tallies |= _map_with_progress(describe_part, plan.asked, writer, progress, listen, of_groups)
    hashes = series.manifest.outputs
    by_part = {name: PartFacts.of(hashes[name], plan.votes[name], tallies[name]) for name in sorted(tallies)}
    return FeaturesFacts(
        peak=_peak(plan.sign), agreement=round(plan.agreement, 4), typical=plan.typical.whole, kinds=plan.typical.kinds,
        catalogue=describer.features, chosen=chosen, groups=plan.groups, lost_groups=lost_groups.found(of_groups),
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
    screen = Screen.prepare(rules, files.typical, names, files.series.carried)
    used = names if writer else screen.reads(names)
    folder = writer.folder if writer else None
    screen_part = partial(_screen_part, screen, used, facts.groups, files.series.folder, folder)
    progress, of_groups = Progress("filter", 0, files.manifest.rows), list[pl.DataFrame]()
    tallies = _map_with_progress(screen_part, files.paths, writer, progress, listen, of_groups)
    by_part = {name: PartFacts.of(part.series, part.votes, tallies[name]) for name, part in facts.by_part.items()}
    return facts.model_copy(update=counted(rules, by_part) | {"lost_groups": lost_groups.found(of_groups)})


@dataclass(frozen=True)
class Screened:
    """A part of features/ that rules were applied to: what was written of it, how many each rule rejects, and of which
    groups."""

    written: Written | None
    tally: Tally
    groups: pl.DataFrame


def _describe_part(
    describer: Describer, screen: Screen, sign: int, groups: tuple[str, ...], folder: Path, path: Path
) -> Screened:
    """The features of a part of series/, written to `folder`."""
    block = series_parts.read_block(path)
    features = describer(block, sign)
    rejected_by, tally = screen.apply(features, series_parts.read_carried(path, screen.needs))
    written = write_part(folder, path.name, parts.table_of(block.ids, features, rejected_by))
    return Screened(written, tally, lost_groups.count(series_parts.read_carried(path, groups), rejected_by))


def _screen_part(
    screen: Screen, names: Sequence[str], groups: tuple[str, ...], series: Path, folder: Path | None, path: Path
) -> Screened:
    """Rules applied to a part of features/, with the carried columns from `series`; written to `folder`, if any."""
    ids, features = parts.read_frame(path, names)
    rejected_by, tally = screen.apply(features, series_parts.read_carried(series / path.name, screen.needs))
    table = parts.table_of(ids, features, rejected_by)
    written = write_part(folder, path.name, table) if folder else None
    carried = series_parts.read_carried(series / path.name, groups)
    return Screened(written, tally, lost_groups.count(carried, rejected_by))


def _count_known(series: Path, features: Path, groups: tuple[str, ...], name: str) -> pl.DataFrame:
    """Of a part that was screened before."""
    rejected_by = pl.Series(parts.read(features / name).rejected_by)
    return lost_groups.count(series_parts.read_carried(series / name, groups), rejected_by)


def _map_with_progress(
    function: Callable[[Path], Screened],
    paths: Sequence[Path],
    writer: StageWriter | None,
    progress: Progress,
    listen: Listener,
    groups: list[pl.DataFrame],
) -> dict[str, Tally]:
    """The tally of every part by its name; what was written is added to the stage, what was counted of groups to these,
    `progress` goes on from where it is."""
    tallies = {}
    for path, part in zip(paths, map_parts(partial(_lean, function), paths), strict=True):
        if writer and part.written:
            writer.add(part.written)
        tallies[path.name] = part.tally
        groups.append(part.groups)
        progress = replace(progress, done=progress.done + part.tally.rows)
        listen(progress)
    return tallies


def _lean(function: Callable[[Path], Screened], path: Path) -> Screened:
    part = function(path)
    pa.default_memory_pool().release_unused()  # else pieces pile up: 60 MB more for three million series
    return part
