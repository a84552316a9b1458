"""features: series/ -> features/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsclust import config, screen
from tsclust.atomic import StageWriter
from tsclust.config import Rule, Settings
from tsclust.engine import Listener, Progress, silent
from tsclust.errors import SettingsError, StageMissingError
from tsclust.features import catalogue, extra
from tsclust.features.catalogue import Feature
from tsclust.features.extra import Extra
from tsclust.features.kernels import describe
from tsclust.pipeline import look, screening
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.screening import CLEAR, Part, Tally
from tsclust.series import SeriesBlock
from tsclust.workspace import Manifest, Meter, Workspace, command, write_manifest


@dataclass(frozen=True)
class Describer:
    """What describes a series: the catalogue, and the user's own features."""

    features: tuple[Feature, ...]
    extra: tuple[Extra, ...]

    def __call__(self, block: SeriesBlock, sign: int) -> pl.DataFrame:
        """A column for each feature, a row for each series; null where a feature is not known."""
        found = describe(block, sign)
        if self.extra:
            found = np.hstack([found, extra.describe_extra(block, sign, self.extra)])
        return pl.DataFrame(found, schema=[f.name for f in self.features]).with_columns(pl.all().fill_nan(None))


@dataclass(frozen=True)
class Plan:
    """What is to be computed, and by which measure it is judged.

    asked      parts of series/ to describe
    known      parts of features/ that stay as they are
    votes      part -> (up, down) of its series
    sign       1 where the peak is a maximum, -1 a minimum; `agreement` is the share of series that say so
    typical    feature -> (median, robust deviation)
    """

    asked: list[Path]
    known: dict[str, Part]
    votes: dict[str, look.Votes]
    sign: int
    agreement: float
    rules: tuple[Rule, ...]
    typical: dict[str, tuple[float, float]]


def features(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Describe every series by the features of the catalogue and set aside what the rules say cannot be real.

    Parts whose series are the same as the last time are taken over as they are.
    """
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    meter = Meter()
    then = command("filter", root)
    with workspace.locked():
        series, before = workspace.manifest("series"), workspace.find_manifest("features")
        inputs, settings_hash = {"series": series.output_hash}, digest(root, settings)
        if before and (before.inputs, before.settings) == (inputs, settings_hash):
            return up_to_date("features", workspace.stage("features"), before, then)
        screening.refuse_nothing(workspace)
        describer = _describer(workspace, settings, root, listen)
        same = before if before and before.settings == settings_hash else None
        plan = _plan(workspace, settings, describer, same, listen)
        with workspace.writing("features") as writer:
            facts = _describe(workspace, writer, describer, plan, before, listen)
            manifest = write_manifest(
                writer, meter, stage="features", settings=settings_hash, inputs=inputs, seed=0, rows=series.rows,
                parts=series.parts, facts=facts,
            )  # fmt: skip
    notes, table = _notes(settings, describer, plan, series.parts), screening.rule_table(manifest)
    return of_stage("features", workspace.stage("features"), manifest, then, notes=notes, table=table)


def describe_as(
    workspace: Workspace, settings: Settings, base: Path, same: Mapping[str, Any], listen: Listener
) -> Manifest:
    """Describe the series of another workspace as those of the one at `base` were, from `same`, facts of its features/:
    in the same direction, by the same rules, held against what was typical there.

    Raises StageMissingError where the features are not the same ones.
    """
    meter = Meter()
    describer = _describer(workspace, settings, base, listen)
    now, then = (catalogue.plain(describer.features), digest(base, settings)), (same["catalogue"], same["made"])
    refuse_other(now, then, base)
    rules = tuple(Rule.model_validate(rule) for rule in same["rules"])
    sign = 1 if same["peak"] == "max" else -1
    plan = Plan(workspace.parts("series"), {}, dict.fromkeys(workspace.manifest("series").outputs, (0, 0)), sign, 1.0,
                rules, same["typical"])  # fmt: skip
    with workspace.locked(), workspace.writing("features") as writer:
        facts = _describe(workspace, writer, describer, plan, None, listen)
        series = workspace.manifest("series")
        return write_manifest(
            writer, meter, stage="features", settings=digest(base, settings), inputs={"series": series.output_hash},
            seed=0, rows=series.rows, parts=series.parts, facts=facts,
        )  # fmt: skip


def refuse_other(now: object, then: object, base: Path) -> None:
    """Raises StageMissingError where features are described otherwise than when the model was trained."""
    if now != then:
        raise StageMissingError(
            f"the model of {base} was trained on other features, rules or baselines than [features], [[rule]] and"
            " [cluster] ask for now",
            f"Train it again: {command('train', base)}  (or set them back)",
        )


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


def _describer(workspace: Workspace, settings: Settings, base: Path, listen: Listener) -> Describer:
    """With its kernels compiled for this type of values: seconds the first time, then they come from a cache."""
    listen(Progress("features: compiling kernels (the first time only)", 0, 0, ""))
    asked = settings.features
    path = base / asked.extra
    if asked.extra and not path.is_file():
        raise SettingsError(f"[features] extra = {path}: there is no such Python file", "Correct the path")
    own = extra.load(path, _extra_text(base, settings)) if asked.extra else ()
    describer = Describer(catalogue.in_force(asked.skip, [e.feature for e in own]), own)
    describer(SeriesBlock.from_arrow(look.read(workspace.parts("series")[0], rows=0)), 1)
    return describer


def _plan(
    workspace: Workspace, settings: Settings, describer: Describer, before: Manifest | None, listen: Listener
) -> Plan:
    """`before`: made with the same settings, else None."""
    series, paths = workspace.manifest("series"), workspace.parts("series")
    known = screening.unchanged(before, series) if before else {}
    asked = [path for path in paths if path.name not in known]
    seen = look.look(asked, series.rows, listen)
    votes = {name: part.votes for name, part in known.items()} | seen.votes
    sign, agreement = look.direction(settings.features.peak, votes.values())
    rules = screen.in_force(settings.rule, agreement >= CLEAR, catalogue.needed(describer.features))
    judged = {"peak": _peak(sign), "rules": screening.plain(rules)}
    if before and known and judged == {key: before.facts[key] for key in judged}:
        # New parts are held against what was typical when the first ones came: no old part is touched.
        return Plan(asked, known, votes, sign, agreement, rules, before.facts["typical"])
    if known:
        seen = look.look(paths, series.rows, listen)
    return Plan(paths, {}, votes, sign, agreement, rules, look.typical(seen.samples, sign, describer))


def _peak(sign: int) -> str:
    return "max" if sign > 0 else "min"


def _describe(
    workspace: Workspace,
    writer: StageWriter,
    describer: Describer,
    plan: Plan,
    before: Manifest | None,
    listen: Listener,
) -> dict[str, Any]:
    """Compute the parts asked for, take over the known ones; the facts for the manifest."""
    series = workspace.manifest("series")
    judge = screening.judge(workspace, plan.rules, plan.typical, describer.features)

    def one_part(path: Path) -> Tally:
        table = look.read(path)
        frame = describer(SeriesBlock.from_arrow(table), plan.sign)
        judged, tally = judge(frame, table["series_id"], path)
        writer.write_table(path.name, judged)
        return tally

    for name in plan.known:
        writer.adopt(workspace.stage("features") / name, before.outputs[name] if before else "")
    tallies = {name: part.tally for name, part in plan.known.items()}
    done = sum(tally.rows for tally in tallies.values())
    tallies |= screening.heard(one_part, plan.asked, "features", done, series.rows, listen)
    parts = {name: Part(series.outputs[name], plan.votes[name], tallies[name]).plain() for name in sorted(tallies)}
    return {
        "peak": _peak(plan.sign), "agreement": round(plan.agreement, 4), "typical": plan.typical,
        "catalogue": catalogue.plain(describer.features),
        **screening.total(tallies.values()).facts(plan.rules), "by_part": parts,
    }  # fmt: skip


def _notes(settings: Settings, describer: Describer, plan: Plan, parts: int) -> tuple[str, ...]:
    notes = [f"{len(plan.known)} of {parts} parts were there already"] if plan.known else []
    if describer.extra:
        notes.append(f"your own features: {', '.join(e.feature.name for e in describer.extra)}")
    for slow in (e for e in describer.extra if e.slow):
        notes.append(f"{slow.feature.name} runs as plain Python, numba cannot compile it: {slow.slow}")
    if plan.agreement < CLEAR and settings.rule is None:
        notes.append(
            f"only {plan.agreement:.0%} of the series agree on the direction of the peak: the rule wrong_sign is not"
            " applied; set [features] peak to max or min if you know it"
        )
    return tuple(notes)
