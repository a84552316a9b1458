"""What people read of rules: tables of what they reject."""

from __future__ import annotations

from tsclust.stages.features.facts import FeaturesFacts
from tsclust.workspace.manifest import Manifest


def rule_table(manifest: Manifest[FeaturesFacts]) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects in all, what it alone does, what it is the first to, and what is kept."""
    facts = manifest.facts
    rows: list[tuple[str, ...]] = [("rule", "in all", "alone", "rejected", "because")]
    for rule in facts.rules:
        counts = (f"{count[rule.name]:,}" for count in (facts.in_all, facts.alone, facts.rejected))
        rows.append((rule.name, *counts, rule.reason))
    return (*rows, ("kept", "", "", f"{facts.kept:,}", f"of {manifest.rows:,} series"))


def change_table(before: FeaturesFacts, after: FeaturesFacts) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects now and what it would."""
    reasons = {rule.name: rule.reason for facts in (before, after) for rule in facts.rules}
    rows = [("rule", "now", "would be", "change", "because")]
    for name, reason in reasons.items():
        rows.append((name, *_change(before.rejected.get(name, 0), after.rejected.get(name, 0)), reason))
    return (*rows, ("kept", *_change(before.kept, after.kept), ""))


def _change(now: int, then: int) -> tuple[str, str, str]:
    return f"{now:,}", f"{then:,}", f"{then - now:+,}" if then != now else ""
