"""filter --show, --html: the series that a rule set aside, to be looked at"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from tsclust.config import Rule, Settings
from tsclust.errors import DamagedError, SettingsError, TsclustError, WorkspaceBusyError
from tsclust.stages.features import rules as screen
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.reports import rejected_page
from tsclust.stages.reports.rejected_page import RejectedPage
from tsclust.stages.reports.step import KEPT, NORMAL_DRAWN, choose_by_rule, normal_band, read_curves
from tsclust.workspace.atomic import write_file
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.result import Shown, Sketch

TERMINAL, PAGE = 20, 100  # series shown where no limit is said
MOST = 1_000  # series of a page: more makes it slow, and nobody looks at them


def refuse_nonsense(dry_run: bool, name: str | None, html: bool, limit: int | None) -> None:
    """Raises SettingsError for flags that do not go together."""
    if dry_run and (name is not None or html):
        raise SettingsError("--dry-run applies rules, --show and --html show what was rejected", "Use only one of them")
    if limit is not None and name is None and not html:
        raise SettingsError(f"--limit {limit} needs a rule whose series to show", "Add --show RULE")
    if limit is not None and limit < 0:
        raise SettingsError(f"limit {limit}: expected a number of series to show, or 0 for all ids", "Correct it")


def show(
    workspace: Workspace, settings: Settings, in_force: Sequence[Rule], name: str | None, html: bool, limit: int | None
) -> Shown:
    """Series that rule `name` rejects: listed, or as pages where `html` is wanted."""
    if html or name is None:
        return pages(workspace, settings, in_force, name, limit)
    return listed(workspace, in_force, name, limit)


def listed(workspace: Workspace, in_force: Sequence[Rule], name: str, limit: int | None) -> Shown:
    """The ids and curves of the series that rule `name` rejects; limit 0: all ids, and no curves."""
    meter = Meter()
    before = workspace.manifest(FEATURES)
    rule = _named(before, in_force, name)
    limit = TERMINAL if limit is None else limit
    with _one_state(workspace, before):
        chosen = choose_by_rule(workspace, {name: limit or None})
        curves = read_curves(workspace, chosen) if limit else ()
    facts = _facts(before, rule, chosen)
    return Shown(
        "filter", None, *meter.read(), notes=(*_about(before, rule), *_notes(workspace, before, in_force)),
        then=f"{_show(workspace, rule)} --html" if facts["ids"] else "", facts=facts, ids=tuple(facts["ids"]),
        sketches=tuple(Sketch(c.series_id, c.carried, c.values) for c in curves),
        endings=_endings(workspace, rule, facts),
    )  # fmt: skip


def pages(
    workspace: Workspace, settings: Settings, in_force: Sequence[Rule], name: str | None, limit: int | None
) -> Shown:
    """Write reports/rejected-RULE.html for rule `name`; for every rule that rejected something where None is named.

    Who asks for no rule wants to look through all that was set aside: there are about ten rules, all their pages
    are found in one pass, and an error would only make people type the names that `tsclust filter` prints.
    """
    meter = Meter()
    before = workspace.manifest(FEATURES)
    rules = _rules(before) if name is None else [_named(before, in_force, name)]
    rules = [rule for rule in rules if name or before.facts.rejected[rule.name]]
    limit = PAGE if limit is None else limit
    if not 1 <= limit <= MOST:
        raise SettingsError(f"limit {limit}: expected 1 to {MOST:,}, as a page shows", "Omit --html for the ids of all")
    found = _asides(workspace, before, rules, limit)
    files = [_write(workspace, aside, settings.report.lang) for aside, _ in found]
    told = [
        _facts(before, aside.rule, chosen) | {"file": str(file), "bytes": file.stat().st_size}
        for (aside, chosen), file in zip(found, files, strict=True)
    ]
    notes = _notes(workspace, before, in_force) if files else ("no rule rejects a series: there is nothing to draw",)
    return Shown(
        "filter", files[0] if name else workspace.reports if files else None, *meter.read(), notes=notes,
        table=_page_table(told), then=f"open {files[0]}" if name else "", facts=told[0] if name else {"pages": told},
    )  # fmt: skip


def _asides(
    workspace: Workspace, before: Manifest[FeaturesFacts], rules: Sequence[Rule], limit: int
) -> list[tuple[RejectedPage, pl.DataFrame]]:
    """What the pages say, and the series on them."""
    found = []
    with _one_state(workspace, before):
        chosen = choose_by_rule(workspace, {**{rule.name: limit for rule in rules}, KEPT: NORMAL_DRAWN})
        normal = normal_band(workspace, chosen.filter(pl.col("rule") == KEPT))
        for rule in rules:
            own = chosen.filter(pl.col("rule") == rule.name)
            editable = rule.name != screen.NOT_DESCRIBED.name
            curves = read_curves(workspace, own)
            aside = RejectedPage(rule, editable, before.rows, **_counts(before, rule), examples=curves, normal=normal)
            found.append((aside, own))
    return found


def _write(workspace: Workspace, aside: RejectedPage, lang: str) -> Path:
    path = workspace.reports / f"rejected-{aside.rule.name}.html"
    write_file(path, rejected_page.render(aside, lang))
    return path


def _rules(before: Manifest[FeaturesFacts]) -> list[Rule]:
    """The rules that were applied."""
    return list(before.facts.rules)


def _named(before: Manifest[FeaturesFacts], in_force: Sequence[Rule], name: str) -> Rule:
    """The applied rule of this name. Raises SettingsError for one that was not, with those that were."""
    rules = {rule.name: rule for rule in _rules(before)}
    if name in rules:
        return rules[name]
    if any(rule.name == name for rule in in_force):
        raise SettingsError(f"rule {name!r} is in tsclust.toml, but has not been applied yet", "Run: tsclust filter")
    near = difflib.get_close_matches(name, rules, n=3, cutoff=0.5)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise SettingsError(f"there is no rule {name[:100]!r}{meant}", f"The rules are: {', '.join(rules)}")


def _counts(before: Manifest[FeaturesFacts], rule: Rule) -> dict[str, int]:
    facts = before.facts
    counts = {"rejected": facts.rejected, "in_all": facts.in_all, "alone": facts.alone}
    return {key: count.get(rule.name, 0) for key, count in counts.items()}


def _facts(before: Manifest[FeaturesFacts], rule: Rule, chosen: pl.DataFrame) -> dict[str, Any]:
    about = {"rule": rule.name, "when": rule.when, "reason": rule.reason}
    return about | _counts(before, rule) | {"ids": chosen["series_id"].to_list()}


def _about(before: Manifest[FeaturesFacts], rule: Rule) -> tuple[str, ...]:
    counts = "rejects {rejected:,} series as the first rule, {in_all:,} in all, {alone:,} that no other rule rejects"
    return f"{rule.name}: {rule.reason}", f"when {rule.when}", counts.format(**_counts(before, rule))


def _notes(workspace: Workspace, before: Manifest[FeaturesFacts], in_force: Sequence[Rule]) -> tuple[str, ...]:
    if _rules(before) == list(in_force):
        return ()
    return (f"the rules in tsclust.toml have changed; to apply them: {command('filter', workspace.root)}",)


def _endings(workspace: Workspace, rule: Rule, facts: Mapping[str, Any]) -> tuple[str, ...]:
    more = facts["rejected"] - len(facts["ids"])
    return (f"{more:,} more; the ids of all: {_show(workspace, rule)} --limit 0",) if more else ()


def _show(workspace: Workspace, rule: Rule) -> str:
    return f"{command('filter', workspace.root)} --show {rule.name}"


def _page_table(told: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    rows = tuple((t["rule"], f"{t['rejected']:,}", f"{len(t['ids']):,}", Path(t["file"]).name) for t in told)
    return (("rule", "rejected", "shown", "page"), *rows) if rows else ()


@contextmanager
def _one_state(workspace: Workspace, before: Manifest[FeaturesFacts]) -> Iterator[None]:
    """All is read from the features/ of this manifest. There is no lock: a look needs no right to write, nor waits."""
    try:
        yield
    except (TsclustError, pa.ArrowInvalid, OSError) as error:
        _refuse_change(workspace, before)
        if isinstance(error, TsclustError) or (isinstance(error, OSError) and error.errno):
            raise
        raise DamagedError(
            f"a Parquet file in {workspace.root} cannot be read: {error}",
            f"Remove that stage's folder and make it again: {command('run', workspace.root)}",
        ) from None
    _refuse_change(workspace, before)


def _refuse_change(workspace: Workspace, before: Manifest[FeaturesFacts]) -> None:
    now = workspace.find_manifest(FEATURES)
    if now is None or now.output_hash != before.output_hash:
        raise WorkspaceBusyError(f"{workspace.stage(FEATURES)} was rewritten while it was read", "Run this again")
