"""labels review: labels that are probably wrong, most suspicious first, as a report whose answers become labels."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tsclust.config import Settings
from tsclust.engine.base import Listener, silent
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.settings import load
from tsclust.series import ID
from tsclust.stages.features import freshness
from tsclust.stages.labels import archive, files, tables
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.classifier import single_threaded_blas
from tsclust.stages.model.files import LabelledSeries, ModelInputs, find_labelled
from tsclust.stages.model.suspects import LabelJudge, learn_labels, rank_labels, suspects_of, unjudged_kinds
from tsclust.stages.reports import review_page
from tsclust.stages.reports.files import valid_name, write_page
from tsclust.stages.reports.step import collect_review
from tsclust.wording.english import counted
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

FEW, SHORT = 5, 60  # kinds that are named, characters of a name
NAME = "review"


def labels_review(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    limit: int = 40,
    name: str = NAME,
) -> Result:
    """Write a report of the `limit` most suspicious labels, each with the kind it looks like. Its answers are
    imported like those of any other."""
    workspace, meter, name = Workspace.open(root), Meter(), valid_name(name)
    settings = load(workspace, flags)
    with workspace.locked(settings.history.keep), engine_of(workspace, settings), single_threaded_blas():
        reviewed = files.read(workspace).reviewed  # need not be asked about again
        source, judge, ranked = _ranked(workspace, settings, listen)
        doubted = ranked.filter(pl.col("margin") > 0)
        shown = doubted.filter(~pl.col(ID).is_in(reviewed.implode())).head(limit)
        path = _write(workspace, settings, source, judge, shown, name)
    notes = (
        f"{len(doubted):,} of {counted(len(ranked), 'label')} look wrong; {_how_many(shown, doubted)}",
        *_unjudged(unjudged_kinds(source, judge, ranked)),
        f"send it to the people who know the machine; import the answers with: {LABELS.command(root)}",
    )
    facts = {"rows": len(ranked), "suspicious": len(doubted), "shown": len(shown)}
    then = f"open {shlex.quote(str(path))}"
    return Result("labels review", path, *meter.read(), notes=notes, then=then, facts=facts)


def rank(root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent) -> pl.DataFrame:
    """Every label in use, the most suspicious first: series_id, kind, suggested, probability (of the label), margin."""
    workspace = Workspace.open(root)
    with single_threaded_blas():
        return _ranked(workspace, load(workspace, flags), listen)[-1].drop("part", "row")


def _ranked(
    workspace: Workspace, settings: Settings, listen: Listener
) -> tuple[LabelledSeries, LabelJudge, pl.DataFrame]:
    freshness.refuse_stale(workspace)
    inputs, used = ModelInputs.of(workspace), files.in_use(workspace, settings.labels.resolve)
    source = find_labelled(inputs, used, settings.cluster, settings.train.machine)
    judge = learn_labels(source, settings.cluster.seed, settings.train.assume_normal, listen)
    return source, judge, rank_labels(source, judge, listen)


def _write(
    workspace: Workspace, settings: Settings, source: LabelledSeries, judge: LabelJudge, shown: pl.DataFrame, name: str
) -> Path:
    """The page about the labels shown."""
    suspects, labels = suspects_of(source, judge, shown), workspace.manifest(LABELS).output_hash
    verdicts = {NORMAL: NORMAL} | tables.verdicts(source.used)
    archive.remember_review(workspace, labels)
    found = collect_review(workspace, settings.report, suspects, verdicts, labels)
    return write_page(workspace, name, review_page.render(found, settings.report.lang, name), "labels review")


def _how_many(shown: pl.DataFrame, doubted: pl.DataFrame) -> str:
    if shown.is_empty():
        return "none is shown"
    which = f"all {len(shown)}" if len(shown) == len(doubted) else str(len(shown))
    return f"{which} {'is' if len(shown) == 1 else 'are'} shown, most doubtful first"


def _unjudged(kinds: list[str]) -> list[str]:
    names = ", ".join(kind[:SHORT] for kind in kinds[:FEW])
    return [f"not checked, as they occur on too few machines: labels of {names}"] if kinds else []
