"""series/ -> features/: what describes a series, what has to be computed, and doing it part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from tsclust import config
from tsclust.config import Rule, Settings
from tsclust.engine.base import Listener, Progress
from tsclust.errors import SettingsError
from tsclust.series import SeriesBlock
from tsclust.stages.features import catalogue, custom, screening, survey
from tsclust.stages.features import rules as screen
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.custom import Extra
from tsclust.stages.features.facts import FEATURES, FeaturesFacts, PartFacts, counted
from tsclust.stages.features.freshness import refuse_other
from tsclust.stages.features.kernels import describe
from tsclust.stages.features.screening import CLEAR
from tsclust.stages.features.tally import Tally
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.parquet import StageWriter


@dataclass(frozen=True)
class Describer:
    """What describes a series: the catalogue, and the user's own features."""

    features: tuple[Feature, ...]
    extra: tuple[Extra, ...]

    def __call__(self, block: SeriesBlock, sign: int) -> pl.DataFrame:
        """A column for each feature, a row for each series; null where a feature is not known."""
        found = describe(block, sign)
        if self.extra:
            found = np.hstack([found, custom.describe_extra(block, sign, self.extra)])
        return pl.DataFrame(found, schema=[f.name for f in self.features]).with_columns(pl.all().fill_nan(None))


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


def describe_as(
    workspace: Workspace, settings: Settings, base: Path, same: Mapping[str, Any], listen: Listener
) -> Manifest[FeaturesFacts]:
    """Describe the series of another workspace as those of the one at `base` were, from `same`, facts of its features/:
    in the same direction, by the same rules, held against what was typical there.

    Raises StageMissingError where the features are not the same ones.
    """
    meter = Meter()
    describer = describer_of(workspace, settings, base, listen)
    now, then = (catalogue.plain(describer.features), digest(base, settings)), (same["catalogue"], same["made"])
    refuse_other(now, then, base)
    rules = tuple(Rule.model_validate(rule) for rule in same["rules"])
    sign = 1 if same["peak"] == "max" else -1
    plan = Plan(workspace.parts(SERIES), {}, dict.fromkeys(workspace.manifest(SERIES).outputs, (0, 0)), sign, 1.0,
                rules, same["typical"])  # fmt: skip
    with workspace.locked(), workspace.writing(FEATURES) as writer:
        facts = describe_parts(workspace, writer, describer, plan, None, listen)
        series = workspace.manifest(SERIES)
        return write_manifest(
            writer, meter, FEATURES, settings=digest(base, settings), inputs={"series": series.output_hash},
            seed=0, rows=series.rows, parts=series.parts, facts=facts,
        )  # fmt: skip


def digest(root: Path, settings: Settings) -> str:
    """A hash of what decides on the features: the settings, and the user's own ones as they are written."""
    return config.digest(settings.features, _extra_text(root, settings))


def _extra_text(root: Path, settings: Settings) -> str:
    """The user's file, "" where none is named or there. Raises SettingsError where it is no text."""
    path = root / settings.features.extra
    try:
        return path.read_text(encoding="utf-8") if settings.features.extra and path.is_file() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None


def describer_of(workspace: Workspace, settings: Settings, base: Path, listen: Listener) -> Describer:
    """With its kernels compiled for this type of values: seconds the first time, then they come from a cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    asked = settings.features
    path = base / asked.extra
    if asked.extra and not path.is_file():
        raise SettingsError(f"[features] extra = {path}: there is no such Python file", "Correct the path")
    own = custom.load(path, _extra_text(base, settings)) if asked.extra else ()
    describer = Describer(catalogue.in_force(asked.skip, [e.feature for e in own]), own)
    describer(series_parts.empty_block(workspace), 1)
    return describer


def plan_of(
    workspace: Workspace,
    settings: Settings,
    describer: Describer,
    before: Manifest[FeaturesFacts] | None,
    listen: Listener,
) -> Plan:
    """`before`: made with the same settings, else None."""
    series, paths = workspace.manifest(SERIES), workspace.parts(SERIES)
    old = before.facts.by_part if before else {}
    known = {name: part for name, part in old.items() if part.series == series.outputs.get(name)}
    asked = [path for path in paths if path.name not in known]
    seen = survey.survey(asked, series.rows, listen)
    votes = {name: part.votes for name, part in known.items()} | seen.votes
    sign, agreement = survey.direction(settings.features.peak, votes.values())
    rules = screen.in_force(settings.rule, agreement >= CLEAR, catalogue.needed(describer.features))
    if before and known and (before.facts.peak, before.facts.rules) == (_peak(sign), rules):
        # New parts are held against what was typical when the first ones came: no old part is touched.
        return Plan(asked, known, votes, sign, agreement, rules, before.facts.typical)
    if known:
        seen = survey.survey(paths, series.rows, listen)
    return Plan(paths, {}, votes, sign, agreement, rules, survey.typical(seen.samples, sign, describer))


def _peak(sign: int) -> Literal["max", "min"]:
    return "max" if sign > 0 else "min"


def describe_parts(
    workspace: Workspace,
    writer: StageWriter,
    describer: Describer,
    plan: Plan,
    before: Manifest[FeaturesFacts] | None,
    listen: Listener,
) -> FeaturesFacts:
    """Compute the parts asked for, take over the known ones; the facts for the manifest."""
    series = workspace.manifest(SERIES)
    judge = screening.judge(workspace, plan.rules, plan.typical, describer.features)

    def one_part(path: Path) -> Tally:
        block = series_parts.read_block(path)
        judged, tally = judge(describer(block, plan.sign), block.ids, path)
        writer.write_table(path.name, judged)
        return tally

    for name in plan.known:
        writer.adopt(workspace.stage(FEATURES) / name, before.outputs[name] if before else "")
    tallies = {name: part.tally for name, part in plan.known.items()}
    done = sum(tally.rows for tally in tallies.values())
    tallies |= screening.heard(one_part, plan.asked, "features", done, series.rows, listen)
    by_part = {name: PartFacts.of(series.outputs[name], plan.votes[name], tallies[name]) for name in sorted(tallies)}
    return FeaturesFacts(
        peak=_peak(plan.sign), agreement=round(plan.agreement, 4), typical=plan.typical, catalogue=describer.features,
        **counted(plan.rules, by_part),
    )  # fmt: skip
