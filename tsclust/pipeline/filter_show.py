"""filter --show, --html: the series that a rule set aside, to be looked at"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsclust.config import Rule, Settings
from tsclust.errors import SettingsError
from tsclust.series import ID
from tsclust.stages.features import messages
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.rules import applied_rule
from tsclust.stages.reports import rejected_files
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Shown, Sketch

TERMINAL, PAGE = 20, 100  # series shown where no limit is said
MOST = 1_000  # series of a page: more makes it slow, and nobody looks at them


def refuse_nonsense(dry_run: bool, name: str | None, html: bool, limit: int | None) -> None:
    """Raises SettingsError for flags that do not go together."""
    if dry_run and (name is not None or html):
        raise SettingsError(
            "--dry-run tries rules out, --show and --html show what was rejected", "Use only one of them"
        )
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
    rule = applied_rule(before.facts.rules, in_force, name)
    limit = TERMINAL if limit is None else limit
    chosen, curves = rejected_files.read_rejected(workspace, before, rule, limit)
    facts = messages.rule_facts(before, rule, chosen[ID])
    notes = (*messages.about_rule(before, rule), *messages.unapplied(workspace, before, in_force))
    then = f"{messages.show_command(workspace, rule)} --html" if facts["ids"] else ""
    return Shown(
        "filter", None, *meter.read(), notes=notes, then=then, facts=facts, ids=tuple(facts["ids"]),
        sketches=tuple(Sketch(c.series_id, c.carried, c.values) for c in curves),
        endings=messages.not_shown(workspace, rule, facts["rejected"], len(facts["ids"])),
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
    rules = list(before.facts.rules) if name is None else [applied_rule(before.facts.rules, in_force, name)]
    rules = [rule for rule in rules if name or before.facts.rejected[rule.name]]
    limit = PAGE if limit is None else limit
    if not 1 <= limit <= MOST:
        raise SettingsError(f"--limit {limit}: a page shows 1 to {MOST:,} series", "Omit --html to list all ids")
    found = rejected_files.collect_rejected(workspace, before, rules, limit, settings.report)
    with workspace.locked(settings.history.keep) if found else contextlib.nullcontext():
        files = rejected_files.write_rejected(workspace, [page for page, _ in found], settings.report.lang)
    written = [
        messages.rule_facts(before, page.rule, chosen[ID]) | {"file": str(file), "bytes": file.stat().st_size}
        for (page, chosen), file in zip(found, files, strict=True)
    ]
    notes = (
        messages.unapplied(workspace, before, in_force)
        if files
        else ("no rule rejects a series: there is nothing to draw",)
    )
    return Shown(
        "filter", files[0] if name else workspace.reports if files else None, *meter.read(), notes=notes,
        table=_page_table(written), then=f"open {files[0]}" if name else "",
        facts=written[0] if name else {"pages": written},
    )  # fmt: skip


def _page_table(written: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], ...]:
    rows = tuple((t["rule"], f"{t['rejected']:,}", f"{len(t['ids']):,}", Path(t["file"]).name) for t in written)
    return (("rule", "rejected", "shown", "page"), *rows) if rows else ()
