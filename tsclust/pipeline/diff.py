"""diff: what was different after one run from what it was after another, or is now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.verify import STAGES
from tsclust.stages.clusters import parts
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.wording import changes
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.history import History
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

FEW = 20  # groups that are named
Summaries = Mapping[str, Mapping[str, Any]]  # hash of a manifest -> the manifest in short


def diff(
    root: Path, a: int, b: int | None = None, flags: Mapping[str, object] | None = None, listen: Listener = silent
) -> Result:
    """Compare the workspace as it was after run `a` with that after run `b`, or, without b, with what it is now.

    Raises SettingsError for a run that is not known.
    """
    workspace, meter = Workspace.open(root), Meter()
    kept = workspace.history
    states = [_state(workspace, kept, number) for number in (a, b)]
    known = _summaries(workspace, kept)
    rows = list(_rows(known, *states))
    names = ("", f"after run {a}", "now" if b is None else f"after run {b}")
    groups = _groups(workspace, kept, *states)
    different = [row for row in rows if row[1] != row[2]]
    notes = [] if different else ["no difference"]
    notes += [f"groups {what}: {', '.join(found[:FEW])}" for what, found in groups.items() if found]
    facts = {"different": [dict(zip(("what", "a", "b"), row, strict=True)) for row in different], "groups": groups}
    table = (names, *different) if different else ()
    return Result(
        "diff", None, *meter.read(), notes=tuple(notes), table=table, then=command("history", root), facts=facts
    )


def _state(workspace: Workspace, kept: History, number: int | None) -> dict[str, str]:
    """stage -> hash of its manifest, after a run or now."""
    if number is None:
        return {name: manifest for name in STAGES if (manifest := kept.now(name))}
    found = next((run.stages for run in kept.runs if run.number == number), None)
    if found is None:
        there = f"{kept.runs[0].number} to {kept.runs[-1].number}" if kept.runs else "none yet"
        raise SettingsError(
            f"run {number}: expected one that is known ({there})", f"Run: {command('history', workspace.root)}"
        )
    return found


def _summaries(workspace: Workspace, kept: History) -> Summaries:
    """Of all states of stages that runs have made or replaced, and of those that are there."""
    known: dict[str, Mapping[str, Any]] = {}
    for run in kept.runs:
        known |= {of: short for of, short in ((run.before, run.was), (run.after, run.now)) if of and short}
    for name, stage in STAGES.items():
        if (now := kept.now(name)) and now not in known and (manifest := workspace.find_manifest(stage)):
            known[now] = manifest.summary()
    return known


def _rows(known: Summaries, a: Mapping[str, str], b: Mapping[str, str]) -> Any:
    for stage, shown in changes.SHOWN.items():
        was, now = (known.get(state.get(stage, ""), {}) for state in (a, b))
        for key, words in shown.items():
            yield (f"{stage}: {words}", changes.figure(was, key), changes.figure(now, key))


def _groups(workspace: Workspace, kept: History, a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, list[str]]:
    """Which groups only one of the two has, or has with another size, where both sweeps are still kept."""
    folders = [kept.find(CLUSTERS.name, state.get(CLUSTERS.name, "")) for state in (a, b)]
    if not all(folders):
        return {}
    was, now = (_sizes(folder) for folder in folders if folder)
    both = was.keys() & now.keys()
    return {
        "no longer there": [str(n) for n in sorted(was.keys() - now.keys())],
        "new": [str(n) for n in sorted(now.keys() - was.keys())],
        "of another size": [f"{n} ({was[n]:,} -> {now[n]:,})" for n in sorted(both) if was[n] != now[n]],
    }


def _sizes(folder: Path) -> dict[int, int]:
    found: pl.DataFrame = parts.read_groups(folder).select("group", "size")
    return dict(found.iter_rows())
