"""What people read of rules: tables of what they reject, and notes on the series that one rejects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tsclust.config import Rule
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.lost_groups import LostGroup
from tsclust.stages.features.typical import Kinds
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest

SHOWN = 5  # groups in notes


def rule_table(manifest: Manifest[FeaturesFacts]) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects in all, what it alone does, what it is the first to, and what is kept."""
    facts = manifest.facts
    rows: list[tuple[str, ...]] = [("rule", "in all", "alone", "rejected", "because")]
    for rule in facts.rules:
        counts = (f"{count[rule.name]:,}" for count in (facts.in_all, facts.alone, facts.rejected))
        rows.append((rule.name, *counts, rule.reason))
    return (*rows, ("kept", "", "", f"{facts.kept:,}", f"of {manifest.rows:,} series"))


def chosen_baseline(facts: FeaturesFacts) -> tuple[str, ...]:
    """A note on the baseline that tsclust chose, and on how to do without."""
    if not facts.chosen:
        return ()
    why = ", ".join(f"{one.column} explains {one.share:.0%} of {one.feature}" for one in facts.chosen)
    return (f"{why}: used as baseline; baseline = [] under [cluster] in tsclust.toml switches it off",)


def lost_groups(workspace: Workspace, facts: FeaturesFacts) -> tuple[str, ...]:
    """Notes on groups that a rule rejects by more than a third, and what to do about it."""
    shown = facts.lost_groups[:SHOWN]
    if not shown:
        return ()
    notes = [f"rule {g.rule} rejects {g.rejected:,} of {g.series:,} series{_named(g)}: are they real?" for g in shown]
    more = len(facts.lost_groups) - len(shown)
    by = sorted({g.column for g in facts.lost_groups} - {"", *(facts.kinds or Kinds()).baseline})
    compare = f"compare by {' or '.join(by)} ([cluster] baseline, then tsclust features) or " if by else ""
    look = f"{command('filter', workspace.root)} --show {shown[0].rule}"
    return (
        *notes,
        *([f"and {more:,} more such groups"] if more else []),
        f"look at them: {look}  (if they are real, {compare}change the rule in tsclust.toml)",
    )


def _named(group: LostGroup) -> str:
    return f" with {group.column} {group.value[:60]}" if group.column else ""


def change_table(before: FeaturesFacts, after: FeaturesFacts) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects now and what it would."""
    reasons = {rule.name: rule.reason for facts in (before, after) for rule in facts.rules}
    rows = [("rule", "now", "would be", "change", "because")]
    for name, reason in reasons.items():
        rows.append((name, *_change(before.rejected.get(name, 0), after.rejected.get(name, 0)), reason))
    return (*rows, ("kept", *_change(before.kept, after.kept), ""))


def _change(now: int, then: int) -> tuple[str, str, str]:
    return f"{now:,}", f"{then:,}", f"{then - now:+,}" if then != now else ""


def counts_of(before: Manifest[FeaturesFacts], rule: Rule) -> dict[str, int]:
    """How many series a rule rejects: as the first one, in all, and those that no other rule rejects."""
    facts = before.facts
    counts = {"rejected": facts.rejected, "in_all": facts.in_all, "alone": facts.alone}
    return {key: count.get(rule.name, 0) for key, count in counts.items()}


def rule_facts(before: Manifest[FeaturesFacts], rule: Rule, ids: pl.Series) -> dict[str, Any]:
    """For scripts: a rule, what it rejects, and these series of it."""
    about = {"rule": rule.name, "when": rule.when, "reason": rule.reason}
    return about | counts_of(before, rule) | {"ids": ids.to_list()}


def about_rule(before: Manifest[FeaturesFacts], rule: Rule) -> tuple[str, ...]:
    """What a rule rejects, why and how many, as lines."""
    counts = "rejects {rejected:,} series as the first rule, {in_all:,} in all, {alone:,} that no other rule rejects"
    return f"{rule.name}: {rule.reason}", f"when {rule.when}", counts.format(**counts_of(before, rule))


def unapplied(workspace: Workspace, before: Manifest[FeaturesFacts], in_force: Sequence[Rule]) -> tuple[str, ...]:
    """A note where the rules of tsclust.toml have not been applied yet."""
    if before.facts.rules == tuple(in_force):
        return ()
    return (f"the rules in tsclust.toml have changed; to apply them: {command('filter', workspace.root)}",)


def not_shown(workspace: Workspace, rule: Rule, rejected: int, shown: int) -> tuple[str, ...]:
    """A line where not all series that a rule rejects are shown."""
    more = rejected - shown
    return (f"{more:,} more; the ids of all: {show_command(workspace, rule)} --limit 0",) if more else ()


def show_command(workspace: Workspace, rule: Rule) -> str:
    """What to type to see the series that a rule rejects."""
    return f"{command('filter', workspace.root)} --show {rule.name}"
