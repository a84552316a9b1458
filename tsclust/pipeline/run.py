"""run: what is new in the source and in answers/, then every stage that is out of date; for a schedule, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tsclust.config import Settings, parse_share
from tsclust.engine.base import Listener, silent
from tsclust.errors import AnswersError, ConnectError, DriftError, SourceLostError, StageMissingError, TsclustError
from tsclust.pipeline import (
    cluster,
    extract,
    features,
    filter,
    labels_import,
    next_step,
    report,
    score,
    source_news,
)
from tsclust.pipeline.ending import end
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.new_workspace import make_if_new
from tsclust.pipeline.settings import load
from tsclust.pipeline.stage_state import State, judged
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.model.facts import MODEL
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.result import Result, up_to_date

# Of several things that went wrong, the one whose exit code counts: the first of these.
WORST_FIRST = (DriftError, SourceLostError, ConnectError, AnswersError, StageMissingError)
AWAY = (SourceLostError, ConnectError)  # what is here can still be looked at


@dataclass
class Troubles:
    """What went wrong and did not keep the rest from being done."""

    found: list[TsclustError] = field(default_factory=list)

    def note(self, name: str, error: TsclustError, more: str = "") -> Result:
        """The Result of a stage that has to be done without."""
        self.found.append(error)
        facts = {"error": error.problem, "code": error.exit_code}
        return Result(name, None, 0.0, 0.0, skipped=True, notes=(f"{error}{more}",), facts=facts)

    def raise_worst(self) -> None:
        """Raises the one whose exit code counts; none for none."""
        for kind in WORST_FIRST:
            for error in self.found:
                if isinstance(error, kind):
                    raise error


def run(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *,
    sweep: bool = False, check: bool = False, to_table: str = "",
) -> Iterator[Result]:  # fmt: skip
    """Yield the Result of each stage in turn.

    Answers in answers/ are imported, new series read, described and screened and, where there is a model, scored.
    Groups are looked for, and a report is written, where there are none yet, with `sweep`, or when [run] sweep_after
    says so. check: raise DriftError at the end where series have drifted; to_table: a table in PostgreSQL that gets the
    scores. A folder that is no workspace becomes one where `flags` say where series are.

    Raises WorkspaceBusyError where another run is under way; what a source that is away, an answers file or drift
    raises is raised at the end, when all else is done: the first of WORST_FIRST.
    """
    make_if_new(root, flags)
    workspace, troubles = Workspace.open(root), Troubles()
    with workspace.running(), engine_of(workspace, load(workspace, flags)):
        yield from labels_import.import_waiting(workspace, listen, partial(troubles.note, "labels import"))
        yield _series(workspace, flags, listen, troubles)
        yield features.features(root, flags, listen)
        yield _but_once(filter.filter(root, flags, listen))
        yield from _groups(workspace, flags, listen, sweep)
        dsn = {"dsn": flags["dsn"]} if flags and flags.get("dsn") else None
        yield from _scores(workspace, dsn, listen, troubles, check, to_table)
    troubles.raise_worst()


def _but_once(filtered: Result) -> Result:
    """What the rules reject stands in the line of `features` where nothing has come since."""
    short = {name: value for name, value in (filtered.facts or {}).items() if name in ("rows", "parts", "kept")}
    return replace(filtered, facts=short) if filtered.skipped else filtered


def _series(workspace: Workspace, flags: Mapping[str, object] | None, listen: Listener, troubles: Troubles) -> Result:
    settings, before = load(workspace, flags), workspace.find_manifest(SERIES)
    if before is None or judged("series", {"series": before}, settings, workspace.root)[0] is not State.FRESH:
        return extract.extract(workspace.root, flags, listen)
    workspace.parts(SERIES)  # to be added to they have to be whole
    try:
        return _new_series(workspace, settings, before, listen)
    except AWAY as error:
        return troubles.note("extract", error, ": goes on with the series that are here")


def _new_series(workspace: Workspace, settings: Settings, before: Manifest[Any], listen: Listener) -> Result:
    news = source_news.ask_or_raise(settings, workspace.root, before)
    if news.is_new:
        done, _ = extract.read(workspace, settings, listen, update=True, news=news)
        return end(done, workspace, settings, "series")
    done = up_to_date("extract", workspace.stage(SERIES), before, next_step.after(workspace))
    notes = (*source_news.notes(news, workspace.root), f"read {before.made_at}")
    return replace(done, notes=notes, facts={**(done.facts or {}), "new": 0})


def _groups(
    workspace: Workspace, flags: Mapping[str, object] | None, listen: Listener, asked: bool
) -> Iterator[Result]:
    settings = load(workspace, flags)
    found = {stage.name: workspace.reusable(stage) for stage in (FEATURES, CLUSTERS)}
    state = judged("clusters", found, settings, workspace.root)[0]
    if state is State.GROWN and not (asked or _is_due(workspace, settings)):
        yield _as_it_is(workspace)
        return
    yield cluster.cluster(workspace.root, flags, listen)
    yield report.report(workspace.root, flags, listen, if_new=not asked)


def _is_due(workspace: Workspace, settings: Settings) -> bool:
    """Whether so many series came since the last sweep that [run] sweep_after asks for another one."""
    kept, swept = workspace.manifest(FEATURES).facts.kept, workspace.manifest(CLUSTERS).rows
    share = settings.run.sweep_after
    return bool(share) and kept - swept >= parse_share(share) * swept


def _as_it_is(workspace: Workspace) -> Result:
    manifest = workspace.manifest(CLUSTERS)
    further = workspace.manifest(FEATURES).facts.kept - manifest.rows
    note = f"as swept {manifest.made_at}, without {further:,} further series: run --sweep includes them"
    done = up_to_date("cluster", workspace.stage(CLUSTERS), manifest, next_step.after(workspace))
    return replace(done, notes=(note,))


def _scores(
    workspace: Workspace, flags: Mapping[str, object] | None, listen: Listener, troubles: Troubles, check: bool,
    to_table: str,
) -> Iterator[Result]:  # fmt: skip
    if workspace.find_manifest(MODEL) is None:
        if check or to_table:
            missing = StageMissingError("there is no model to score by", f"Run: {command('train', workspace.root)}")
            yield troubles.note("score", missing)
        return
    try:
        done = score.score(workspace.root, flags, listen, to_table=to_table)
    except StageMissingError as error:  # trained on other features
        yield troubles.note("score", error)
        return
    yield done
    if check and done.facts and done.facts["drift"]["found"]:
        troubles.found.append(score.drifted(done))
