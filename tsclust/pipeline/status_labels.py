"""Lines of `tsclust status` about labels: how many series have one, of which kinds, what is contradictory or new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from tsclust.config import Settings
from tsclust.series import ID
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import files, resolution, tables
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.group_state import GroupState
from tsclust.stages.labels.step import group_states
from tsclust.stages.scores import unlabelled
from tsclust.wording.english import counted
from tsclust.workspace.folder import Workspace

FEW = 12  # kinds, and groups, that are named
WORDS = {"new": "new", "changed": "changed since", "contradicted": "contradictory", "named": "already named"}


def status(workspace: Workspace, settings: Settings, fresh: bool) -> tuple[tuple[str, ...], dict[str, Any]]:
    """(lines for people, facts for scripts). fresh: clusters/ is there and up to date."""
    if workspace.find_manifest(LABELS) is None:
        return (), {}
    found = files.labels(workspace)
    files.check_resolve(settings.labels.resolve, found)
    used, differ = resolution.resolved(found, settings.labels.resolve), resolution.conflicts(found)
    kinds, who = tables.count_kinds(used), tables.labellers(found)
    facts: dict[str, Any] = {
        "series": found[ID].n_unique(), "in_use": len(used), "labellers": who,
        "kinds": dict(kinds.iter_rows()), "contradictory": int(differ["series"].sum()),
    }  # fmt: skip
    notes = [f"labels: {facts['series']:,} series, by {', '.join(who)}; {_kinds(kinds)}"]
    if facts["contradictory"]:
        notes.append(
            f"{facts['contradictory']:,} series have contradictory labels: decide with --resolve or [labels] resolve"
        )
    if workspace.find_manifest(FEATURES):
        facts["unlabelled"] = unlabelled.count(workspace.parts(FEATURES), found[ID])
    if facts.get("unlabelled"):
        notes.append(f"{facts['unlabelled']:,} series kept by the rules without a label")
    if not fresh:
        return tuple(notes), facts
    labelled = files.read_index(workspace)
    groups = group_states(workspace, labelled) if labelled else {}
    facts["groups"] = {state: [n for n, one in groups.items() if one.state == state] for state in WORDS}
    return (*notes, _groups(groups)), facts


def _kinds(kinds: pl.DataFrame) -> str:
    named = ", ".join(f"{kind} {count:,}" for kind, count in kinds.head(FEW).iter_rows())
    return named + (f" and {counted(len(kinds) - FEW, 'more kind')}" if len(kinds) > FEW else "")


def _groups(groups: Mapping[int, GroupState]) -> str:
    said = []
    for state, words in WORDS.items():
        numbers = [str(number) for number, one in groups.items() if one.state == state]
        some = f" ({', '.join(numbers[:FEW])}{', ...' if len(numbers) > FEW else ''})" if state != "named" else ""
        said += [f"{len(numbers)} {words}{some}"] if numbers else []
    return f"groups: {'; '.join(said)}"
