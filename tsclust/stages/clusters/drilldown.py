"""cluster --within GROUP, or --unlabelled: a sweep over the members of one group, or over what has no name yet, its
groups beside those of the main sweep.

The series are compared as in the main sweep, each with its own baseline; only what is normal among the members of a
group is elsewhere: in their own middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tsclust import config
from tsclust.config import Cluster
from tsclust.engine.base import Listener
from tsclust.errors import NoSeriesError, SettingsError
from tsclust.stages.clusters import archive, freshness, messages, parts, proposal, renumbering, step, with_shapes
from tsclust.stages.clusters.facts import CLUSTERS, Asked, ClustersFacts, DrilldownFacts
from tsclust.stages.clusters.parts import UNLABELLED_GROUP, folder_within
from tsclust.stages.clusters.renumbering import Renumbered
from tsclust.stages.clusters.scope import Scope, fit_scaler
from tsclust.stages.clusters.step import SweepTask, Swept
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.files import FeatureFiles
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import KeptSetting, Manifest, Meter, put_manifest
from tsclust.workspace.parquet import StageWriter
from tsclust.workspace.result import Result, of_stage, up_to_date

COMPARED_BY = ("scaling", "baseline", "regimes", "seed")  # settings of the main sweep that hold in a drill-down too

Clusters = Manifest[ClustersFacts]


@dataclass(frozen=True)
class Inside:
    """What to sweep: the series in `scope`, under the number of their group or UNLABELLED_GROUP; `of` says which.

    state  hash of what they come from, "" for a group's members: these are as the main sweep left them
    """

    group: int
    scope: Scope
    of: str
    state: str = ""

    @property
    def command(self) -> str:
        """What sweeps it."""
        return f"cluster {'--unlabelled' if self.group == UNLABELLED_GROUP else f'--within {self.group}'}"

    @property
    def made_of(self) -> tuple[str, ...]:
        """What a sweep depends on beside its settings. Those of what has no name did not count shapes at first."""
        return (self.state, "shapes") if self.group == UNLABELLED_GROUP else (self.state,)

    @property
    def name(self) -> str:
        """For people."""
        return "the series without a name" if self.group == UNLABELLED_GROUP else f"group {self.group}"


def drill(
    workspace: Workspace, files: FeatureFiles, settings: Cluster, made_with: Mapping[str, KeptSetting], inside: Inside,
    listen: Listener, trial: bool = False,
) -> Result:  # fmt: skip
    """clusters/ gets a folder for the sweep, and its groups a place under their parent, or before all others; not in
    a trial.

    made_with: those of the settings that tsclust.toml does not have.
    """
    meter, before = Meter(), _last(workspace)
    known = parts.read_groups(workspace.stage(CLUSTERS))
    main = _compared_as(before.facts.asked, settings)
    asked = main.model_copy(update={"seed": settings.seed})
    under, digest = folder_within(inside.group), config.digest(asked, *inside.made_of)
    last = before.facts.within.get(str(inside.group))
    if last and last.settings == digest:
        return up_to_date("cluster", workspace.stage(CLUSTERS) / under, before, "")
    ks = step.feasible_ks(asked.ks, inside.scope.rows, inside.of, "Name a larger group, or a smaller --k")
    with workspace.trying(CLUSTERS) if trial else workspace.writing(CLUSTERS, inside.command) as writer:
        others = _without(known, inside.group)
        _adopt(workspace, writer, before, others)
        task, seen, no_shapes = SweepTask(inside.scope, ks, asked, fit_scaler(files, main), files.clustered), None, ""
        if inside.group == UNLABELLED_GROUP:
            task, seen, no_shapes = with_shapes.beside_features(task, Scope.of(files), files.sign, writer, listen)
        swept = step.run(task, writer.folder, f"{under}/", listen)
        if seen:
            with_shapes.state(task, swept, seen, writer)
        with_shapes.forget(writer)
        numbered = _write(workspace, writer, files.clustered, task, swept, before, others, inside.group)
        seconds, peak = meter.read()
        facts = DrilldownFacts(
            **swept.facts.model_dump(), settings=digest, seed=asked.seed, seconds=seconds, peak_mb=peak,
            made_with=made_with, state=inside.state, no_shapes=no_shapes,
        )  # fmt: skip
        manifest = put_manifest(writer, _with(before, others, inside.group, numbered.highest, facts))
    cost = manifest.model_copy(update={"seconds": seconds, "peak_mb": peak, "rows": inside.scope.rows})
    said = messages.of_drill(inside.group, inside.name, manifest.facts, before.facts, numbered)
    if trial:
        return messages.of_trial(cost, numbered, said)
    return of_stage("cluster", workspace.stage(CLUSTERS) / under, cost, "", notes=said)


def _compared_as(main: Asked | None, settings: Cluster) -> Cluster:
    """The settings of a drill-down: what is normal is what was so in the main sweep."""
    compared_by = main.model_dump(include=set(COMPARED_BY)) if main else {}
    return Cluster.model_validate(settings.model_dump() | compared_by)


def _write(
    workspace: Workspace, writer: StageWriter, features: tuple[str, ...], task: SweepTask, swept: Swept,
    before: Clusters, others: pl.DataFrame, group: int,
) -> Renumbered:  # fmt: skip
    """The files of the sweep within `group`, whose groups stand in its own folder and below it among the `others`.

    By its members a group is known again, and by its `features` where these are all that it was found by.
    """
    under = f"{folder_within(group)}/"
    step.write(writer, under, swept)
    last, now = workspace.stage(CLUSTERS) / under, writer.folder / under
    spread = task.scaler.spreads[0, : len(features)]
    seen, highest = archive.seen_sweeps(workspace, under), archive.highest_number(workspace)
    numbered = renumbering.renumber(
        last, now, swept.groups, highest, spread, features, group, seen, archive.is_seen(workspace)
    )
    parent = pl.col("parent") if group == UNLABELLED_GROUP else pl.col("parent").fill_null(group)
    inside = numbered.groups.with_columns(
        parent=parent, within=pl.lit(group, pl.Int64), share=pl.col("size") / before.rows
    )
    step.write_groups(writer, under, swept, inside)
    writer.write_table(parts.GROUPS_FILE, _beside(others, inside, group).to_arrow())
    return numbered


def _last(workspace: Workspace) -> Clusters:
    """The manifest of the sweep to drill into. Raises StageMissingError where features/ has changed since."""
    before = workspace.manifest(CLUSTERS)
    if before.inputs["features"] != workspace.manifest(FEATURES).output_hash or before.facts.asked is None:
        raise freshness.other_features(workspace)
    return before


def members(workspace: Workspace, files: FeatureFiles, group: int) -> Inside:
    """Those of a group of the last sweep. Raises SettingsError where there is no such group, NoSeriesError where it is
    too small to divide, StageMissingError where there is no sweep of features/ as it is now."""
    _last(workspace)
    known = {row.group: row for row in parts.read_group_rows(workspace.stage(CLUSTERS))}
    if group not in known:
        raise SettingsError(
            f"--within {group}: expected a group's number, such as {', '.join(map(str, [*known][:3]))}",
            f"They are in the report and in {workspace.stage(CLUSTERS) / parts.GROUPS_FILE}",
        )
    if known[group].size < proposal.FEW:
        raise NoSeriesError(
            f"group {group} has {known[group].size} series: expected at least {proposal.FEW} to divide",
            f"See all of them: {command('report', workspace.root)} --group {group}",
        )
    within = Scope.of(files).within(workspace.stage(CLUSTERS), known[group].ref)
    return Inside(group, within, f"in group {group}")


def _without(known: pl.DataFrame, group: int) -> pl.DataFrame:
    """The groups that stay: not those found within `group` before, nor what was found within these."""
    gone = {group}
    while len(more := gone | set(known.filter(pl.col("within").is_in(gone))["group"])) > len(gone):
        gone = more
    return known.filter(~pl.col("group").is_in(gone - {group}))


def _adopt(workspace: Workspace, writer: StageWriter, before: Clusters, others: pl.DataFrame) -> None:
    """The files of the main sweep and of the other drill-downs, as they are."""
    stay = {folder_within(number) for number in others["within"].drop_nulls().unique()}
    for name, sha256 in before.outputs.items():
        top = Path(name).parts[0]
        if name != parts.GROUPS_FILE and (top in stay or not parts.is_within(name)):
            writer.adopt(workspace.stage(CLUSTERS) / name, sha256, name)


def _beside(others: pl.DataFrame, inside: pl.DataFrame, group: int) -> pl.DataFrame:
    """All groups: those found within one stand right below it, those found in what has no name yet before all."""
    at = 0 if group == UNLABELLED_GROUP else others["group"].to_list().index(group) + 1
    return pl.concat([others.head(at), inside, others.tail(len(others) - at)])


def _with(before: Clusters, others: pl.DataFrame, group: int, highest: int, facts: DrilldownFacts) -> Clusters:
    """The manifest of the stage with one more drill-down: what the main sweep is and cost stays said."""
    stay = {str(number) for number in others["within"].drop_nulls().unique()}
    within = {number: about for number, about in before.facts.within.items() if number in stay}
    now = before.facts.model_copy(update={"highest": highest, "within": within | {str(group): facts}})
    return before.model_copy(update={"facts": now})
