"""filter: the rules again, without computing features"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tsclust.config import Rule, Settings
from tsclust.engine.base import Listener, silent
from tsclust.pipeline import filter_show
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.next_step import after
from tsclust.pipeline.settings import load
from tsclust.stages.features import catalogue, freshness, messages, step
from tsclust.stages.features.default_rules import CLEAR, in_force
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.parts import TYPICAL_FILE
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.result import Result, of_stage, up_to_date


def filter(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    dry_run: bool = False,
    show: str | None = None,
    html: bool = False,
    limit: int | None = None,
) -> Result:
    """Apply the rules again, without computing features; with `dry_run` only say what would change.

    With `show` or `html` no rule is applied: `limit` of the series that rule `show` rejects are shown, by hash of
    their ids (0: the ids of all), or, with `html`, drawn in reports/rejected-RULE.html - for every rule, if none is
    named. Raises SettingsError for a rule that was not applied.
    """
    workspace = Workspace.open(root)
    settings = load(workspace, flags)
    filter_show.refuse_nonsense(dry_run, show, html, limit)
    if show is not None or html:
        if workspace.find_manifest(FEATURES) is None:
            workspace.manifest(SERIES)  # where neither is there, it is what is to be made
        rules = _in_force(settings, workspace.manifest(FEATURES))
        with engine_of(workspace, settings):
            return filter_show.show(workspace, settings, rules, show, html, limit)
    meter = Meter()
    locked = contextlib.nullcontext() if dry_run else workspace.locked(settings.history.keep)
    with locked, engine_of(workspace, settings):
        freshness.refuse_stale(workspace)
        before = workspace.manifest(FEATURES)
        rules = _in_force(settings, before)
        if before.facts.rules == rules:
            workspace.parts(FEATURES)  # up to date means whole, too
            done = up_to_date("filter", workspace.stage(FEATURES), before, after(workspace))
            notes = (*done.notes, *_notes(workspace, settings))
            return replace(done, notes=notes, table=messages.rule_table(before))
        if dry_run:
            with freshness.one_state(workspace, before):
                freshness.refuse_older(workspace)
                return _dry(workspace, FeatureFiles.of(workspace), rules, meter, listen)
        freshness.refuse_older(workspace)
        files = FeatureFiles.of(workspace)
        with workspace.writing(FEATURES, "filter") as writer:
            writer.adopt(files.folder / TYPICAL_FILE, before.outputs[TYPICAL_FILE])
            facts = step.screen_parts(files, writer, rules, listen)
            manifest = write_manifest(
                writer, meter, FEATURES, settings=before.settings, inputs=before.inputs, seed=0,
                rows=before.rows, parts=before.parts, facts=facts, made_with=before.made_with,
            )  # fmt: skip
    notes, table = _notes(workspace, settings), messages.rule_table(manifest)
    return of_stage("filter", workspace.stage(FEATURES), manifest, after(workspace), notes=notes, table=table)


def _notes(workspace: Workspace, settings: Settings) -> tuple[str, ...]:
    """What is out of date, and which groups lose much."""
    lost = messages.lost_groups(workspace, workspace.manifest(FEATURES).facts)
    return (*freshness.stale_notes(workspace, settings), *lost)


def _in_force(settings: Settings, before: Manifest[FeaturesFacts]) -> tuple[Rule, ...]:
    """The rules that tsclust.toml asks for."""
    needed = catalogue.needed(before.facts.catalogue)
    return in_force(settings.rule, before.facts.agreement >= CLEAR, needed)


def _dry(workspace: Workspace, files: FeatureFiles, rules: tuple[Rule, ...], meter: Meter, listen: Listener) -> Result:
    before, after = files.facts, step.screen_parts(files, None, rules, listen)
    note = f"dry run, nothing written: {before.kept:,} series are kept now, {after.kept:,} would be"
    table = messages.change_table(before, after)
    facts = after.model_dump(include={"rejected", "in_all", "alone", "kept", "lost_groups"})
    return Result(
        "filter", None, *meter.read(), notes=(note, *messages.lost_groups(workspace, after)), table=table,
        then=command("filter", files.root), facts=facts | {"kept_now": before.kept},
    )  # fmt: skip
