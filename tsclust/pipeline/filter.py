"""filter: the rules again, without computing features"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tsclust import config
from tsclust.config import Rule, Settings
from tsclust.engine.base import Listener, silent
from tsclust.pipeline import filter_show
from tsclust.stages.features import catalogue, freshness, messages, step
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.rules import in_force
from tsclust.stages.features.screening import CLEAR
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
    settings = config.load(workspace.config, flags)
    filter_show.refuse_nonsense(dry_run, show, html, limit)
    if show is not None or html:
        rules = _in_force(settings, workspace.manifest(FEATURES))
        return filter_show.show(workspace, settings, rules, show, html, limit)
    meter = Meter()
    then = command("cluster", root)
    with contextlib.nullcontext() if dry_run else workspace.locked():
        before = workspace.manifest(FEATURES)
        rules = _in_force(settings, before)
        if before.facts.rules == rules:
            done = up_to_date("filter", workspace.stage(FEATURES), before, then)
            return replace(done, table=messages.rule_table(before))
        if dry_run:
            with freshness.one_state(workspace, before):
                freshness.refuse_stale(workspace)
                return _dry(FeatureFiles.of(workspace), rules, meter, listen)
        freshness.refuse_stale(workspace)
        files = FeatureFiles.of(workspace)
        with workspace.writing(FEATURES) as writer:
            facts = step.screen_parts(files, writer, rules, listen)
            manifest = write_manifest(
                writer, meter, FEATURES, settings=before.settings, inputs=before.inputs, seed=0,
                rows=before.rows, parts=before.parts, facts=facts,
            )  # fmt: skip
    return of_stage("filter", workspace.stage(FEATURES), manifest, then, table=messages.rule_table(manifest))


def _in_force(settings: Settings, before: Manifest[FeaturesFacts]) -> tuple[Rule, ...]:
    """The rules that tsclust.toml asks for."""
    needed = catalogue.needed(before.facts.catalogue)
    return in_force(settings.rule, before.facts.agreement >= CLEAR, needed)


def _dry(files: FeatureFiles, rules: tuple[Rule, ...], meter: Meter, listen: Listener) -> Result:
    before, after = files.facts, step.screen_parts(files, None, rules, listen)
    note = f"dry run, nothing written: {before.kept:,} series are kept now, {after.kept:,} would be"
    table = messages.change_table(before, after)
    facts = after.model_dump(include={"rejected", "in_all", "alone", "kept"}) | {"kept_now": before.kept}
    return Result(
        "filter", None, *meter.read(), notes=(note,), table=table, then=command("filter", files.root), facts=facts
    )
