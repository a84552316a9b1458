"""What `tsclust cluster` says to people: of a sweep, of a drill-down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsclust.stages.clusters.parts import LEFT
from tsclust.stages.clusters.renumbering import Renumbered
from tsclust.workspace.manifest import Manifest


def of_sweep(manifest: Manifest, before: Manifest | None) -> tuple[str, ...]:
    """Of the main sweep; `before`, the manifest of the last one."""
    facts = manifest.facts
    notes = [
        f"{facts['groups']} distinct groups in the sweep, {facts['proposed']} of them proposed for a look",
        f"advice on k: {_advice(facts['advice'])}; the groups need no one k",
    ]
    if facts["baseline"]:
        notes.append(
            f"baseline {', '.join(facts['baseline'])}: {facts['baseline_groups']} groups are compared with themselves"
        )
    if facts["baseline_too_few"]:
        notes.append(f"{facts['baseline_too_few']} have too few series for that and are compared with the whole")
    if facts["regimes"]:
        notes.append(f"no baseline: {facts['regimes']} regimes of the normal mass are compared with themselves")
    if facts["left_out_k"]:
        notes.append(f"{facts['left_out_k']} k left out: there are only {manifest.rows} series")
    if facts["fewer_clusters"]:
        notes.append(f"from k = {facts['fewer_clusters'][0]} on there are fewer clusters than asked: series are alike")
    return (*notes, *_renumbered(facts), *_gone(before))


def _advice(advice: Mapping[str, int | None]) -> str:
    """`elbow 8, silhouette 3, stability 12`, and that they do not agree where they do not."""
    said = ", ".join(f"{voice} {k or '-'}" for voice, k in advice.items())
    return said if len(set(advice.values())) == 1 and None not in advice.values() else f"{said}: no clear k"


def _renumbered(facts: Mapping[str, Any]) -> list[str]:
    """What became of the last run's groups: of the new ones only those that are proposed."""
    if not facts["compared"]:
        return []
    changes = [f"{len(facts[what])} {what} ({_listed(facts[what])})" for what in ("changed", "new") if facts[what]]
    changes += [f"{len(facts['gone'])} gone"] if facts["gone"] else []
    return [f"{facts['kept_groups']} groups keep their numbers; {', '.join(changes) or 'no other is there'}"]


def _listed(numbers: Sequence[int]) -> str:
    """The first of them."""
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _gone(before: Manifest | None) -> list[str]:
    """Drill-downs belong to the groups that they were made of."""
    old = list(before.facts.get("within", {})) if before else []
    if not old:
        return []
    names = ["what has no name yet" if number == str(LEFT) else number for number in old]
    again = "--unlabelled" if old[0] == str(LEFT) else f"--within {old[0]}"
    return [f"the drill-downs into {', '.join(names)} are gone with the last sweep: {again} makes one again"]


def of_drill(group: int, name: str, manifest: Manifest, before: Manifest, numbered: Renumbered) -> tuple[str, ...]:
    """Of a drill-down into `group`, which is called `name`; `before`, the manifest of the stage without it."""
    facts = manifest.facts["within"][str(group)]
    proposed = numbered.groups.filter("proposed")["group"].to_list()
    return (
        f"{name}, {facts['rows']:,} series: {facts['groups']} distinct groups in it, {len(proposed)} of them "
        f"proposed for a look: {_listed(proposed)}",
        f"advice on k: {_advice(facts['advice'])}",
        *_changes(numbered),
        *_ended(before, manifest, group),
    )


def _changes(numbered: Renumbered) -> list[str]:
    """What became of the groups that were found inside before."""
    if not numbered.compared:
        return []
    return [f"{numbered.kept} groups keep their numbers, {len(numbered.changed)} changed, {len(numbered.gone)} gone"]


def _ended(before: Manifest, manifest: Manifest, group: int) -> list[str]:
    """The drill-downs into groups that were found in this one before."""
    ended = before.facts["within"].keys() - manifest.facts["within"].keys() - {str(group)}
    return [f"the drill-downs into {', '.join(sorted(ended))} are gone with the groups they were in"] if ended else []
