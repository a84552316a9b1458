"""cluster --within GROUP: a sweep over the members of one group, its groups beside those of the main sweep.

The members are compared as in the main sweep, each with its own baseline; only what is normal among them lies
elsewhere: in their own middle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from tsclust import config
from tsclust.atomic import StageWriter
from tsclust.config import Cluster, Settings
from tsclust.engine import Listener
from tsclust.errors import SettingsError
from tsclust.features import catalogue
from tsclust.pipeline import kept, notes, numbering, screening, sweeping
from tsclust.pipeline.kept import Scope
from tsclust.pipeline.numbering import Renumbered
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.sweeping import Sweep
from tsclust.workspace import Manifest, Members, Meter, Workspace, command, folder_within, write_manifest

COMPARED_BY = ("scaling", "baseline", "regimes", "seed")  # settings of the main sweep that hold in a drill-down too


def drill(workspace: Workspace, settings: Settings, group: int, listen: Listener) -> Result:
    """Sweep inside `group`: clusters/ gets a folder for it, and its groups a place under their parent."""
    meter, then, before = Meter(), command("report", workspace.root), _last(workspace)
    known = pl.DataFrame(pq.read_table(workspace.stage("clusters") / "groups.parquet"))
    members = _members(workspace, known, group)
    compared_by = {name: before.facts["asked"][name] for name in COMPARED_BY}
    main = Cluster.model_validate(settings.cluster.model_dump() | compared_by)
    asked = main.model_copy(update={"seed": settings.cluster.seed})
    under = folder_within(group)
    if before.facts["within"].get(str(group), {}).get("settings") == config.digest(asked):
        return up_to_date("cluster", workspace.stage("clusters") / under, before, then)
    ks = sweeping.possible(asked.ks, members.size, f"in group {group}", "Name a larger group, or a smaller --k")
    with workspace.writing("clusters") as writer:
        others = _without(known, group)
        _adopt(workspace, writer, before, others)
        scaler, names = kept.fit_scaler(workspace, main), catalogue.clustered(kept.described_by(workspace))
        one = Sweep(Scope(workspace, members.size, members), ks, asked, scaler, names, writer, f"{under}/", listen)
        numbered, facts = _swept(one, before, others, group)
        seconds, peak = meter.read()
        facts |= {"settings": config.digest(asked), "seed": asked.seed, "seconds": seconds, "peak_mb": peak}
        manifest = write_manifest(writer, meter, **_about(before, others, group, numbered.highest, facts))
    cost = manifest.model_copy(update={"seconds": seconds, "peak_mb": peak, "rows": members.size})
    said = notes.of_drill(group, manifest, before, numbered)
    return of_stage("cluster", workspace.stage("clusters") / under, cost, then, notes=said)


def _swept(one: Sweep, before: Manifest, others: pl.DataFrame, group: int) -> tuple[Renumbered, dict[str, Any]]:
    """Run the sweep and write its groups, to its own folder and below `group` among the `others`."""
    swept = sweeping.run(one)
    last, now = (folder / one.under for folder in (one.scope.workspace.stage("clusters"), one.writer.folder))
    spread = one.scaler.spreads[0]
    numbered = numbering.renumber(last, now, swept.groups, before.facts["highest"], spread, one.names, group)
    inside = numbered.groups.with_columns(
        parent=pl.col("parent").fill_null(group), within=pl.lit(group, pl.Int64), share=pl.col("size") / before.rows
    )
    sweeping.write_groups(one, swept, inside)
    one.writer.write_table("groups.parquet", _beside(others, inside, group).to_arrow())
    return numbered, swept.facts


def _last(workspace: Workspace) -> Manifest:
    """The manifest of the sweep to drill into. Raises StageMissingError where features/ has changed since."""
    before = workspace.manifest("clusters")
    if before.inputs["features"] != workspace.manifest("features").output_hash or "asked" not in before.facts:
        raise screening.other_features(workspace)
    return before


def _members(workspace: Workspace, known: pl.DataFrame, group: int) -> Members:
    """Raises SettingsError where there is no such group."""
    row = known.filter(pl.col("group") == group)
    if row.is_empty():
        raise SettingsError(
            f"--within {group}: expected a group's number, such as {', '.join(map(str, known['group'].head(3)))}",
            f"They stand in the report and in {workspace.stage('clusters') / 'groups.parquet'}",
        )
    one = row.row(0, named=True)
    return Members(one["within"], one["k"], one["cluster"], one["size"])


def _without(known: pl.DataFrame, group: int) -> pl.DataFrame:
    """The groups that stay: not those found within `group` before, nor what was found within these."""
    gone = {group}
    while len(more := gone | set(known.filter(pl.col("within").is_in(gone))["group"])) > len(gone):
        gone = more
    return known.filter(~pl.col("group").is_in(gone - {group}))


def _adopt(workspace: Workspace, writer: StageWriter, before: Manifest, others: pl.DataFrame) -> None:
    """The files of the main sweep and of the other drill-downs, as they are."""
    stay = {folder_within(number) for number in others["within"].drop_nulls().unique()}
    for name, sha256 in before.outputs.items():
        top = Path(name).parts[0]
        if name != "groups.parquet" and (top in stay or not top.startswith("within-")):
            writer.adopt(workspace.stage("clusters") / name, sha256, name)


def _beside(others: pl.DataFrame, inside: pl.DataFrame, group: int) -> pl.DataFrame:
    """All groups: those found within one stand right below it."""
    at = others["group"].to_list().index(group) + 1
    return pl.concat([others.head(at), inside, others.tail(len(others) - at)])


def _about(before: Manifest, others: pl.DataFrame, group: int, highest: int, facts: dict[str, Any]) -> dict[str, Any]:
    """The manifest of the stage with one more drill-down: what the main sweep is and cost stays said."""
    stay = {str(number) for number in others["within"].drop_nulls().unique()}
    within = {number: about for number, about in before.facts["within"].items() if number in stay}
    facts_now = before.facts | {"highest": highest, "within": within | {str(group): facts}}
    return before.model_dump(exclude={"outputs", "versions", "facts"}) | {"facts": facts_now}
