"""Answers -> labels: the series that each answer is about, and which answers are in force."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial, reduce
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.arrays import Int64s
from tsclust.engine.base import map_parts
from tsclust.errors import AnswersError
from tsclust.series import ID
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.selection import THE_SWEEP, SelectedGroups, choose
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.labels import archive, group_state, resolution
from tsclust.stages.labels.answers import AGAIN, WHERE, Answers, Limits, parse
from tsclust.stages.labels.files import File, kept_file
from tsclust.stages.labels.group_state import GroupState, LabelIndex
from tsclust.stages.labels.resolution import Rows
from tsclust.stages.labels.tables import LabelTables
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace


def with_file(workspace: Workspace, tables: LabelTables, file: File, answers: Answers, older: bool) -> LabelTables:
    """The tables with those of one more file."""
    if answers.series or not answers.groups:
        _refuse_others(workspace, file, answers)
    first, rows = len(tables.answers), Rows.of(answers, file.name, file.sha256, datetime.now(UTC))
    members = pl.concat([_of_groups(workspace, file, answers, older), _of_series(workspace, file, answers)])
    members = members.select(answer=pl.col("number").cast(pl.Int64) + first, series_id=ID)
    return LabelTables(
        pl.concat([tables.files, rows.file]),
        pl.concat([tables.answers, rows.answers.with_columns(pl.col("answer") + first)]),
        pl.concat([tables.members, members]),
        pl.concat([tables.objections, rows.objections]),
    )


def in_force_only(tables: LabelTables) -> LabelTables:
    """The tables with what is in force now, and only the members of that."""
    files = resolution.in_force(resolution.labellers_as_first_written(tables.files, tables.files))
    named = (resolution.labellers_as_first_written(rows, tables.files) for rows in (tables.answers, tables.objections))
    answers, objections = (resolution.counting(rows, files) for rows in named)
    answers = resolution.kinds_as_first_written(answers)
    members = tables.members.join(answers.filter("in_force").select("answer"), on="answer", how="semi")
    return LabelTables(files, answers, members, objections)


def without_files(workspace: Workspace, tables: LabelTables, gone: Collection[str]) -> LabelTables:
    """The tables without the files of these hashes. A file that counts again, as a later one of the same labeller
    about the same report is gone, is looked up once more: its series were not kept."""
    left = tables.files.filter(~pl.col("sha256").is_in(list(gone)))
    now = resolution.in_force(left)
    again = left.filter(~pl.col("in_force")).join(now.filter("in_force"), on="sha256", how="semi")
    rest = _only(tables, left.join(again, on="sha256", how="anti")["sha256"])
    limits = Limits(archive.most_clusters(workspace))
    for name, sha256 in again.select("file", "sha256").iter_rows():
        file = kept_file(workspace, name, sha256)
        rest = with_file(workspace, rest, file, parse(file.name, file.content, limits), older=True)
    return in_force_only(rest)


def _only(tables: LabelTables, files: pl.Series) -> LabelTables:
    """The rows of these files, their answers numbered anew."""
    mine = pl.col("sha256").is_in(files.to_list())
    numbers = tables.answers.filter(mine).select(old="answer").with_row_index("answer").cast(pl.Int64)
    answers = tables.answers.filter(mine).with_columns(answer=numbers["answer"])
    members = tables.members.join(numbers, left_on="answer", right_on="old", suffix="_now")
    members = members.select(answer="answer_now", series_id=ID)
    return LabelTables(tables.files.filter(mine), answers, members, tables.objections.filter(mine))


def _of_groups(workspace: Workspace, file: File, answers: Answers, older: bool) -> pl.DataFrame:
    """number, series_id: the members of the groups answered, less what does not belong to them or is asked apart."""
    if not answers.groups:
        return pl.DataFrame(schema={"number": pl.Int64, ID: SeriesFiles.of(workspace).id_type})
    found = archive.members(workspace.stage(CLUSTERS), answers.groups)
    if found is None:
        found = _of_older(workspace, file, answers, older)
    _refuse_other_sizes(file, answers, found)
    out = [(n, series_id) for n, group in enumerate(answers.groups) for series_id in group.not_members]
    marked = pl.DataFrame(out, schema={"number": pl.Int64, "text": pl.String}, orient="row").unique()
    found = found.with_columns(text=pl.col(ID).cast(pl.String))
    left = found.join(marked, on=["number", "text"], how="anti")
    if len(found) - len(left) != len(marked):
        raise AnswersError(f"{file.name} marks series that are in none of its groups", WHERE)
    return left.filter(~pl.col("apart")).select("number", ID)


def _refuse_other_sizes(file: File, answers: Answers, found: pl.DataFrame) -> None:
    """Of two answers that about fewer series counts: how many these are is counted, not believed."""
    counted = dict(found.group_by("number").len().iter_rows())
    for number, group in enumerate(answers.groups):
        if group.size != (there := counted.get(number, 0)):
            raise AnswersError(
                f"{file.name} gives cluster {group.cluster} of k = {group.k} {group.size:,} series: it has {there:,}",
                AGAIN,
            )


def _refuse_others(workspace: Workspace, file: File, answers: Answers) -> None:
    """Nothing but the report's model says where a file is from that has no groups."""
    model, now = answers.report.model, workspace.find_manifest(CLUSTERS)
    if not (workspace.asked / model).is_dir() and (now is None or model != now.output_hash):
        raise AnswersError(f"{file.name} is not about a report of {workspace.root}", WHERE)


def _of_older(workspace: Workspace, file: File, answers: Answers, older: bool) -> pl.DataFrame:
    """From the sweep that the report was made of, where it is kept and asked for."""
    asked = workspace.asked / answers.report.model
    found = archive.members(asked, answers.groups) if asked.is_dir() else None
    if found is None:
        raise AnswersError(
            f"{file.name} is not about the groups of {workspace.root}: none of its sweeps contains these groups",
            WHERE,
        )
    if not older:
        raise AnswersError(
            f"{file.name} is about a sweep earlier than the one in {workspace.stage(CLUSTERS)}",
            "Its series are still known: add --older to import it anyway",
        )
    return found


def _of_series(workspace: Workspace, file: File, answers: Answers) -> pl.DataFrame:
    """number, series_id of the single series answered."""
    first, asked = len(answers.groups), [answer.series_id for answer in answers.series]
    there = _known(workspace, asked)
    if unknown := sorted(set(asked) - set(there["text"])):
        raise AnswersError(
            f"{file.name} is about series {unknown[0]!r:.60}, which {workspace.root} does not have", WHERE
        )
    numbered = pl.DataFrame({"number": range(first, first + len(asked)), "text": asked}, schema=NUMBERED)
    return numbered.join(there, on="text").select("number", ID)


NUMBERED = {"number": pl.Int64, "text": pl.String}


def _known(workspace: Workspace, asked: Sequence[str]) -> pl.DataFrame:
    """text, series_id: those of the ids `asked` that series/ has."""

    def one_part(path: Path) -> pl.DataFrame:
        ids = pl.DataFrame({ID: pl.Series(series_parts.read_ids(path))})
        return ids.with_columns(text=pl.col(ID).cast(pl.String)).filter(pl.col("text").is_in(list(asked)))

    empty = pl.DataFrame(schema={ID: SeriesFiles.of(workspace).id_type, "text": pl.String})
    return pl.concat([empty, *map_parts(one_part, workspace.parts(SERIES) if asked else [])])


def group_states(workspace: Workspace, labelled: LabelIndex) -> dict[int, GroupState]:
    """Of each group that a report would show. Raises StageMissingError for a workspace without clusters."""
    chosen = choose(workspace, THE_SWEEP)
    one_part = partial(_tally, workspace, chosen, labelled)
    counts = reduce(np.add, map_parts(one_part, workspace.parts(FEATURES)))
    cards = ((j, card, card.group) for j, card in enumerate(chosen.cards))
    return {n: group_state.state_of(labelled, counts[:, j], card) for j, card, n in cards if n is not None}


def _tally(workspace: Workspace, chosen: SelectedGroups, labelled: LabelIndex, path: Path) -> Int64s:
    rows = feature_parts.read(path)
    inside = membership.inside_of(workspace.stage(CLUSTERS), path.name, chosen.members, rows.ids, rows.kept)
    return group_state.tally(labelled, rows.ids, inside)
