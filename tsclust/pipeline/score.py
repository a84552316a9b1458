"""score: the workspace's series -> scores/, or new ones from any source -> scores_new/; what changed since training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust import config
from tsclust.config import parse_share
from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.sink.postgres.table import write_table
from tsclust.sink.postgres.target import names_of
from tsclust.stages.features import freshness
from tsclust.stages.model import bundle, examples
from tsclust.stages.model.classifier import single_threaded_blas
from tsclust.stages.scores import messages, recent
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.stages.scores.step import (
    COLUMNS,
    Asked,
    drift_of,
    facts_of,
    made_of,
    score_all,
    series_to_score,
    whole,
    with_threshold,
)
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, write_manifest
from tsclust.workspace.result import Result, of_stage


def score(
    root: Path,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    refuse: str = "",
    to_table: str = "",
) -> Result:
    """Say of each series which kind it is, "don't know" or "none of these": of those in features/, or, where `flags`
    name a source, of new ones.

    refuse: the share of series that get no answer, in place of the threshold of training. to_table: a table in
    PostgreSQL that gets them too.
    Raises StageMissingError where the model was trained on other features, rules or baselines; with `to_table` what
    write_table raises, when scores/ is in place.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = config.load(workspace.config, flags)
    share, stage = _share(refuse), SCORES_NEW if _elsewhere(flags) else SCORES
    if to_table:
        names_of(to_table, list(COLUMNS))
    with workspace.locked(), single_threaded_blas():
        model = bundle.read(workspace)
        freshness.refuse_other(examples.compared_by(settings), model.facts["same"]["compared_by"], root)
        with series_to_score(workspace, settings, stage, model, listen) as series:
            asked = with_threshold(Asked(series, settings, model, window=recent.last(series)), share)
            with workspace.writing(stage) as writer:
                said, now = score_all(asked, writer, listen)
                drift = drift_of(asked, now, writer.folder)
                about = {"refuse": share, "elsewhere": stage == SCORES_NEW} | facts_of(asked, said, drift)
                manifest = write_manifest(writer, meter, stage, **made_of(workspace, asked), facts=about)
    if to_table:
        write_table(settings.dsn.get_secret_value(), to_table, whole(workspace, stage), key=["series_id"])
    then = f"{command('cluster', root)} --unlabelled" if stage == SCORES else command("status", root)
    notes = messages.notes(manifest.facts, to_table)
    table = messages.table(manifest.facts, manifest.rows)
    return of_stage("score", workspace.stage(stage), manifest, then, notes=notes, table=table)


def _share(refuse: str) -> float | None:
    try:
        return parse_share(refuse) if refuse else None
    except ValueError as error:
        raise SettingsError(f"--refuse {error}", "Correct it") from None


def _elsewhere(flags: Mapping[str, object] | None) -> bool:
    return any(config.section(flags, "source").values())
