"""Notes of `tsclust cluster` for people: about a sweep, about a drill-down."""

from __future__ import annotations

from collections.abc import Sequence

from tsclust.stages.clusters.facts import Advice, ClustersFacts, ShapesFacts
from tsclust.stages.clusters.parts import UNLABELLED_GROUP, to_review
from tsclust.stages.clusters.proposal import FEW
from tsclust.stages.clusters.renumbering import Renumbered
from tsclust.wording.english import counted
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.result import Result, about_stage


def of_sweep(manifest: Manifest[ClustersFacts], before: Manifest[ClustersFacts] | None) -> tuple[str, ...]:
    """Of the main sweep; `before`, the manifest of the last one."""
    facts = manifest.facts
    notes = [
        f"{counted(facts.proposed, 'group')} proposed for review, "
        f"of {counted(facts.groups, 'distinct set')} in the sweep",
        _suggested(facts.advice, manifest.rows),
    ]
    if facts.baseline:
        notes.append(
            f"baseline {', '.join(facts.baseline)}: "
            f"{counted(facts.baseline_groups, 'set of series', 'sets of series')}; "
            "series are compared only within their own set"
        )
    if facts.baseline_too_few:
        few = counted(facts.baseline_too_few, "set has", "sets have")
        notes.append(f"{few} too few series for that: compared with the overall baseline")
    if facts.regimes:
        where = "in these sets" if facts.baseline else "no baseline"
        notes += [
            f"{where}: {counted(facts.regimes, 'regime')} of normal; series are compared only within their own regime",
            "is each of these normal? the report shows their curves; regimes = false under [cluster] does without",
        ]
    notes += _of_shapes(facts.shapes)
    if facts.left_out_k and manifest.rows >= FEW:
        notes.append(f"{counted(facts.left_out_k, 'value')} of k skipped: only {manifest.rows:,} series")
    if facts.fewer_clusters:
        notes.append(
            f"from k = {facts.fewer_clusters[0]} on there are fewer clusters than k: some series are identical"
        )
    return (*notes, *_renumbered(facts), *_gone(before))


def _of_shapes(shapes: ShapesFacts | None) -> list[str]:
    """Of the sweep over shapes, or why there is none."""
    if shapes is None or not (shapes.curves or shapes.none):
        return []
    if shapes.none:
        return [f"no second sweep over shapes: {shapes.none}"]
    curves = counted(shapes.curves, "typical curve", "typical curves")
    return [f"a second sweep, over shapes: {curves}; one list has the groups of both"]


def _suggested(advice: Advice, rows: int) -> str:
    """What speaks for which k, of this many series."""
    if rows < FEW:
        return f"{counted(rows, 'series', 'series')}: too few to divide, one group has them all"
    return f"suggested k: {_advice(advice)}"


def _advice(advice: Advice) -> str:
    """`elbow 8, silhouette 3, stability 12`, and that they do not agree where they do not."""
    said, ks = ", ".join(f"{voice} {k or '-'}" for voice, k in advice), {k for _, k in advice}
    clear = len(ks) == 1 and None not in ks
    return said if clear else f"{said} (no clear winner; groups do not depend on a single k)"


def _renumbered(facts: ClustersFacts) -> list[str]:
    """What became of the last run's groups: of the new ones only those that are proposed."""
    if not facts.compared:
        return []
    proposed = (("changed", facts.changed), ("new", facts.new))
    changes = [f"{len(numbers)} {what} ({_listed(numbers)})" for what, numbers in proposed if numbers]
    changes += [f"{len(facts.gone)} gone"] if facts.gone else []
    kept = counted(facts.kept_groups, "group keeps its number", "groups keep their numbers")
    return [f"{kept}; {', '.join(changes) or 'no others'}"]


def _listed(numbers: Sequence[int]) -> str:
    """The first of them."""
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _gone(before: Manifest[ClustersFacts] | None) -> list[str]:
    """Drill-downs belong to the groups that they were made of."""
    old = list(before.facts.within) if before else []
    if not old:
        return []
    names = ["the series without a name" if number == str(UNLABELLED_GROUP) else number for number in old]
    again = "--unlabelled" if old[0] == str(UNLABELLED_GROUP) else f"--within {old[0]}"
    return [f"drill-downs into {', '.join(names)} were removed with the last sweep: {again} makes one again"]


def of_drill(group: int, name: str, now: ClustersFacts, before: ClustersFacts, numbered: Renumbered) -> tuple[str, ...]:
    """Of a drill-down into `group`, which is called `name`; `before`, the facts of the stage without it."""
    facts = now.within[str(group)]
    proposed = to_review(numbered.groups)["group"].to_list()
    return (
        f"{name}: {facts.rows:,} series, {counted(len(proposed), 'group')} proposed for review "
        f"of {counted(facts.groups, 'distinct set')}{': ' if proposed else ''}{_listed(proposed)}",
        _suggested(facts.advice, facts.rows),
        *([f"compared by features alone, not by shapes: {facts.no_shapes}"] if facts.no_shapes else []),
        *_changes(numbered),
        *_ended(before, now, group),
    )


def of_trial(manifest: Manifest[ClustersFacts], numbered: Renumbered, notes: Sequence[str]) -> Result:
    """Of a sweep that was only tried: the groups that it proposes, in a table."""
    facts = about_stage(manifest) | {"trial": True}
    note = "trial: nothing was written; the same command without --try replaces clusters/"
    table = _trial_table(numbered, manifest.rows)
    return Result("cluster", None, manifest.seconds, manifest.peak_mb, notes=(*notes, note), table=table, facts=facts)


def _trial_table(numbered: Renumbered, rows: int) -> tuple[tuple[str, ...], ...]:
    """The groups proposed, and which of them are not as before."""
    known = dict.fromkeys(numbered.changed, "changed") | dict.fromkeys(numbered.new, "new")
    proposed = to_review(numbered.groups).select("group", "k", "size")
    found = (
        (f"{n}", f"{k}", f"{size:,}", f"{size / max(rows, 1):.2%}", known.get(n, "")) for n, k, size in proposed.rows()
    )
    return (("group", "k", "series", "share", "since the last sweep"), *found)


def _changes(numbered: Renumbered) -> list[str]:
    """What became of the groups that were found inside before."""
    if not numbered.compared:
        return []
    kept = counted(numbered.kept, "group keeps its number", "groups keep their numbers")
    return [f"{kept}, {len(numbered.changed)} changed, {len(numbered.gone)} gone"]


def _ended(before: ClustersFacts, now: ClustersFacts, group: int) -> list[str]:
    """The drill-downs into groups that were found in this one before."""
    ended = before.within.keys() - now.within.keys() - {str(group)}
    return [f"drill-downs into {', '.join(sorted(ended))} were removed with the groups they were in"] if ended else []
