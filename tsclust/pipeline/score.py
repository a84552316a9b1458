"""score: the workspace's series -> scores/, or new ones from any source -> scores_new/; what changed since training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tsclust import config
from tsclust.config import Settings, parse_share
from tsclust.engine.base import Listener, silent
from tsclust.errors import DriftError, SettingsError, TsclustError
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.next_step import after
from tsclust.pipeline.settings import load
from tsclust.series import ID
from tsclust.sink.postgres.table import write_table
from tsclust.sink.postgres.target import names_of
from tsclust.stages.features import freshness
from tsclust.stages.model import bundle
from tsclust.stages.model.classifier import single_threaded_blas
from tsclust.stages.model.facts import MODEL, ComparedBy
from tsclust.stages.scores import messages, parts
from tsclust.stages.scores.facts import SCORES, SCORES_NEW, ScoresFacts
from tsclust.stages.scores.since import condition
from tsclust.stages.scores.step import SeriesToScore, score_all, series_to_score
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.pages import write_page
from tsclust.workspace.result import Result, of_stage

PAGE = "drift.html"  # in reports/
LATER = ("model", parts.SCORED_AT)  # columns that tables of earlier versions do not have


def score(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    refuse: str | None = None,
    to_table: str = "",
    since: str = "",
) -> Result:
    """Say of each series which kind it is, "don't know" or "none of these": of those in features/, or, where `flags`
    name a source, of new ones.

    refuse: the share of series that get no answer, in place of the threshold of training, which "" is; None: as the
    workspace's series were scored last. to_table: a table in PostgreSQL that gets them too. since: "7d", only series of
    the source that were recorded since then, by [source] watermark or the first column of times.
    Raises StageMissingError where the model was trained on other features, rules or baselines; with `to_table` what
    write_table raises, when scores/ is in place.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = load(workspace, flags, new_source=True)
    if since:
        settings = _since(workspace, settings, since)
    stage = SCORES_NEW if since or _elsewhere(flags) else SCORES
    share = _last_share(workspace) if refuse is None else _share(refuse)
    if to_table:
        names_of(to_table, [*parts.COLUMNS, parts.SCORED_AT])
    with workspace.locked(settings.history.keep), engine_of(workspace, settings), single_threaded_blas():
        compared_by = workspace.manifest(MODEL).facts.feature_contract.compared_by
        model = bundle.read(workspace.stage(MODEL))
        freshness.refuse_other(ComparedBy.from_settings(settings), compared_by, root)
        with series_to_score(workspace, settings, model, stage is SCORES_NEW, listen) as source:
            with workspace.writing(stage) as writer:
                manifest = score_all(source, writer, meter, stage, share, listen)
            page = _write_page(workspace, settings, source, manifest)
    if to_table:
        scores = parts.read_all(workspace.parts(stage), datetime.fromisoformat(manifest.made_at))
        write_table(settings.dsn.get_secret_value(), to_table, scores, key=[ID], later=LATER)
    notes = (*messages.notes(manifest.facts, to_table), *([f"drift: {page}"] if page else []))
    table = messages.table(manifest.facts, manifest.rows)
    done = of_stage("score", workspace.stage(stage), manifest, after(workspace), notes=notes, table=table)
    return replace(done, facts={**(done.facts or {}), "drift_page": None if page is None else str(page)})


def _write_page(
    workspace: Workspace, settings: Settings, source: SeriesToScore, scores: Manifest[ScoresFacts]
) -> Path | None:
    """The page of what has changed, None where nothing has: an earlier one then states that, and is kept as well."""
    found, path = scores.facts.drift.found, workspace.reports / PAGE
    if not found and not path.exists():
        return None
    from tsclust.stages.reports.drift import page, step  # most scores need no page
    from tsclust.stages.reports.step import read_measured

    data = step.collect(workspace, source, scores, settings.report.title, read_measured(workspace, settings.report))
    write_page(workspace.root, "score", path, page.render(data, settings.report.lang))
    return path if found else None


def _since(workspace: Workspace, settings: Settings, since: str) -> Settings:
    """The settings for what was recorded since then. Raises SettingsError."""
    source = settings.source
    column = source.watermark or SeriesFiles.of(workspace).time_column
    recent = condition(since, column, datetime.now(UTC), source.where)
    return settings.model_copy(update={"source": source.model_copy(update={"where": recent})})


def drifted(done: Result) -> DriftError:
    """The error of --check, for scores that drifted."""
    page = (done.facts or {}).get("drift_page") or f"{done.wrote}/manifest.json"
    return DriftError("series have drifted since the model was trained", f"See {page}")


def _last_share(workspace: Workspace) -> float | None:
    try:
        before = workspace.find_manifest(SCORES)
    except TsclustError:  # damaged: it is made again
        return None
    return before.facts.refuse if before else None


def _share(refuse: str) -> float | None:
    try:
        return parse_share(refuse) if refuse else None
    except ValueError as error:
        raise SettingsError(f"--refuse {error}", "Correct it") from None


def _elsewhere(flags: Mapping[str, object] | None) -> bool:
    return any(config.section(flags, "source").values())
