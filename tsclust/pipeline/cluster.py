"""cluster: features/ -> clusters/, or one of its groups -> clusters/within-GROUP/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsclust import config
from tsclust.config import Settings
from tsclust.engine import Listener, silent
from tsclust.errors import NoSeriesError
from tsclust.features import catalogue
from tsclust.pipeline import kept, numbering, screening, sweeping
from tsclust.pipeline.kept import Scope
from tsclust.pipeline.numbering import Renumbered
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.sweeping import Sweep
from tsclust.workspace import Manifest, Meter, Workspace, command, write_manifest


def cluster(
    root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent, *, within: int | None = None
) -> Result:
    """Run K-means++ over the whole sweep of k and find the groups hidden in it, or `within` one of these groups."""
    from tsclust.pipeline import drilling

    workspace = Workspace.open(root)
    settings = config.load(workspace.config, flags)
    with workspace.locked():
        workspace.manifest("features")
        if settings.cluster.baseline:
            screening.refuse_stale(workspace)
        if within is not None:
            return drilling.drill(workspace, settings, within, listen)
        return _all(workspace, settings, listen)


def _all(workspace: Workspace, settings: Settings, listen: Listener) -> Result:
    meter, then = Meter(), command("report", workspace.root)
    features, before = workspace.manifest("features"), workspace.find_manifest("clusters")
    inputs, digest = {"features": features.output_hash}, config.digest(settings.cluster)
    if before and (before.inputs, before.settings) == (inputs, digest):
        return up_to_date("cluster", workspace.stage("clusters"), before, then)
    scope = Scope(workspace, features.facts["kept"])
    ks = possible(settings.cluster.ks, scope.rows)
    with workspace.writing("clusters") as writer:
        scaler, names = kept.fit_scaler(workspace, settings.cluster), catalogue.clustered(kept.described_by(workspace))
        one = Sweep(scope, ks, settings.cluster, scaler, names, writer, "", listen)
        swept = sweeping.run(one)
        highest = before.facts.get("highest", 0) if before else 0
        old = workspace.stage("clusters")
        numbered = numbering.renumber(old, writer.folder, swept.groups, highest, scaler.spreads[0], names)
        sweeping.write_groups(one, swept, numbered.groups)
        manifest = write_manifest(
            writer, meter, stage="clusters", settings=digest, inputs=inputs, seed=settings.cluster.seed,
            rows=scope.rows, parts=features.parts,
            facts=swept.facts | _of_baseline(one) | _of_numbers(numbered) | {"within": {}},
        )  # fmt: skip
    notes = (*_notes(manifest, settings), *_gone(before))
    return of_stage("cluster", workspace.stage("clusters"), manifest, then, notes=notes)


RULES = "See what each rule rejects with: tsclust filter --dry-run"


def possible(ks: tuple[int, ...], rows: int, of: str = "left by the rules", then: str = RULES) -> tuple[int, ...]:
    """The k's that `rows` series allow: fewer clusters than series."""
    fewer = tuple(k for k in ks if k < rows)
    if not fewer:
        raise NoSeriesError(f"{rows} series are {of}: more than {ks[0]} are needed for k = {ks[0]}", then)
    return fewer


def _of_baseline(one: Sweep) -> dict[str, Any]:
    regimes = one.scaler.regimes
    return {
        "baseline": list(one.asked.baseline),
        "baseline_groups": len(one.scaler.keys) - 1 if regimes is None else 0,
        "baseline_too_few": one.scaler.too_few,
        "regimes": 0 if regimes is None else len(regimes.places),
        "scaling": one.asked.scaling,
        "compared_by": one.asked.model_dump(include={"scaling", "baseline", "regimes", "seed"}),
        "left_out_k": len(one.asked.ks) - len(one.ks),
    }


def _of_numbers(numbered: Renumbered) -> dict[str, Any]:
    proposed = set(numbered.groups.filter("proposed")["group"])
    return {
        "highest": numbered.highest,
        "compared": numbered.compared,
        "kept_groups": numbered.kept,
        "changed": sorted(proposed & set(numbered.changed)),
        "new": sorted(proposed & set(numbered.new)),
        "gone": numbered.gone,
    }


def _notes(manifest: Manifest, settings: Settings) -> tuple[str, ...]:
    facts = manifest.facts
    notes = [
        f"{facts['groups']} distinct groups in the sweep, {facts['proposed']} of them proposed for a look",
        f"advice on k: {advice(facts['advice'])}; the groups need no one k",
    ]
    if settings.cluster.baseline:
        names = ", ".join(settings.cluster.baseline)
        notes.append(f"baseline {names}: {facts['baseline_groups']} groups are compared with themselves")
    if facts["baseline_too_few"]:
        notes.append(f"{facts['baseline_too_few']} have too few series for that and are compared with the whole")
    if facts["regimes"]:
        notes.append(f"no baseline: {facts['regimes']} regimes of the normal mass are compared with themselves")
    if facts["left_out_k"]:
        notes.append(f"{facts['left_out_k']} k left out: there are only {manifest.rows} series")
    if facts["fewer_clusters"]:
        notes.append(f"from k = {facts['fewer_clusters'][0]} on there are fewer clusters than asked: series are alike")
    return (*notes, *_renumbered(facts))


def advice(advice: Mapping[str, int | None]) -> str:
    """`elbow 8, silhouette 3, stability 12`, and that they do not agree where they do not."""
    said = ", ".join(f"{voice} {k or '-'}" for voice, k in advice.items())
    return said if len(set(advice.values())) == 1 and None not in advice.values() else f"{said}: no clear k"


def _renumbered(facts: Mapping[str, Any]) -> list[str]:
    """What became of the last run's groups: of the new ones only those that are proposed."""
    if not facts["compared"]:
        return []
    changes = [f"{len(facts[what])} {what} ({listed(facts[what])})" for what in ("changed", "new") if facts[what]]
    changes += [f"{len(facts['gone'])} gone"] if facts["gone"] else []
    return [f"{facts['kept_groups']} groups keep their numbers; {', '.join(changes) or 'no other is there'}"]


def listed(numbers: Sequence[int]) -> str:
    """The first of them."""
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _gone(before: Manifest | None) -> list[str]:
    """Drill-downs belong to the groups that they were made of."""
    old = list(before.facts.get("within", {})) if before else []
    if not old:
        return []
    return [f"the drill-downs into {', '.join(old)} are gone with the last sweep: --within {old[0]} makes one again"]
