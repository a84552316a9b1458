"""What people read of rules: tables of what they reject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tsclust.workspace.manifest import Manifest


def rule_table(manifest: Manifest) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects in all, what it alone does, what it is the first to, and what is kept."""
    facts = manifest.facts
    rows = [("rule", "in all", "alone", "rejected", "because")]
    for rule in facts["rules"]:
        counts = (f"{facts[key][rule['name']]:,}" for key in ("in_all", "alone", "rejected"))
        rows.append((rule["name"], *counts, rule["reason"]))
    return (*rows, ("kept", "", "", f"{facts['kept']:,}", f"of {manifest.rows:,} series"))


def change_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """For people: what each rule rejects now and what it would, from the facts of two manifests."""
    reasons = {r["name"]: r["reason"] for facts in (before, after) for r in facts["rules"]}
    rows = [("rule", "now", "would be", "change", "because")]
    for name, reason in reasons.items():
        rows.append((name, *_change(before["rejected"].get(name, 0), after["rejected"].get(name, 0)), reason))
    return (*rows, ("kept", *_change(before["kept"], after["kept"]), ""))


def _change(now: int, then: int) -> tuple[str, str, str]:
    return f"{now:,}", f"{then:,}", f"{then - now:+,}" if then != now else ""
