"""extract: PostgreSQL, a pg_dump file, CSV or Parquet -> series/"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tsclust.config import Settings
from tsclust.engine.base import Listener, silent
from tsclust.errors import BadSeriesError, SettingsError
from tsclust.pipeline import compare, source_news
from tsclust.pipeline.ending import end
from tsclust.pipeline.settings import load
from tsclust.pipeline.source_news import News
from tsclust.source import open as source_open
from tsclust.source.checks import NamelessError
from tsclust.source.protocols import SourceInfo
from tsclust.stages.series import messages
from tsclust.stages.series.facts import SERIES, SeriesFacts
from tsclust.stages.series.ingest import Reading
from tsclust.stages.series.step import no_series, seal
from tsclust.stages.series.update import FurtherColumnsError, check_source, rest_of, with_carried
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.result import Result, about_stage, of_stage

NOT_ASKED = News(False)


def extract(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *,
    update: bool = False, strict: bool = False, save: bool = False, comparing: bool = False,
) -> Result:  # fmt: skip
    """Read the series of the configured source into series/, in Parquet files of part_rows series.

    A reading that was interrupted goes on where it was, on a new snapshot; `strict` starts over.
    update: only what is new since the last time, as further parts. save: write what was found to tsclust.toml.
    comparing: write nothing; read everything and count what is new, gone or changed in the source.
    """
    workspace = Workspace.open(root)
    if comparing and (update or save or strict):
        raise SettingsError("--compare only looks: expected no --update, --strict or --save", "Use only one of them")
    settings = load(workspace, flags)
    if comparing:
        return compare.compare(workspace, settings, listen)
    done, info = read(workspace, settings, listen, update, strict)
    return end(done, workspace, settings, "series", save=save, found=info.settings)


def read(
    workspace: Workspace, settings: Settings, listen: Listener, update: bool, strict: bool = False,
    news: News | None = None,
) -> tuple[Result, SourceInfo]:  # fmt: skip
    """Read the source, or with `update` what it has that series/ lacks; news: what it answered just now."""
    with workspace.locked(settings.history.keep):  # before it is known what is here: another one may be adding to it
        before = workspace.find_manifest(SERIES) if update else None
        if before is None or not before.facts.mark:
            news = NOT_ASKED
        elif news is None:
            news = source_news.ask(settings, workspace.root, before, None)
        try:
            return _read(workspace, settings, listen, before, news, strict, ())
        except FurtherColumnsError as error:  # of the columns that there are, further series can be read
            carried = with_carried(settings, error.carried)
            return _read(workspace, carried, listen, before, news, strict, error.further)
        except NamelessError as error:
            if before is None:
                raise
            again = f"Read all of it again, without them: {command('extract', workspace.root)} {error.where}"
            raise BadSeriesError(error.problem, again) from None  # nothing can be added under another condition


def _read(
    workspace: Workspace, settings: Settings, listen: Listener, before: Manifest[SeriesFacts] | None, news: News,
    strict: bool, left_out: tuple[str, ...],
) -> tuple[Result, SourceInfo]:  # fmt: skip
    meter, root, by = Meter(), workspace.root, f"extract{' --update' if before else ''}"
    with workspace.resuming(SERIES, by) as writer:
        after, keep, first = rest_of(workspace, before, settings if not left_out else None, root)
        if news.found and news.found.below:  # ids that are new and not the highest: only a look at all finds them
            after = None
        reading = Reading(
            settings, root, writer, listen, keep=keep, after=after, first=first, strict=strict,
            check=lambda info: check_source(workspace, info, before),
        )  # fmt: skip
        files = source_open.files_state(settings, root)
        info = reading.all()
        new = sum(d.rows for d in reading.parts)
        if not new:
            reading.journal.clear()
            return _nothing_new(workspace, before, info, news, left_out), info
        if before:
            for name, sha256 in before.outputs.items():
                writer.adopt(workspace.stage(SERIES) / name, sha256)
        changed = (news.found.changed or 0) if news.found else 0
        manifest = seal(writer, meter, settings, root, info, reading, before, files, changed)
    notes = (*messages.notes(manifest, new), *_of_source(news, root), *messages.left_out(left_out))
    return of_stage("extract", workspace.stage(SERIES), manifest, "", notes=notes), info


def _of_source(news: News, root: Path) -> list[str]:
    """What is gone or changed; what was new is here by now."""
    if not news.found:
        return []
    rest = replace(news, found=replace(news.found, new=0, below=0))
    return source_news.notes(rest, root) if news.found.gone or news.found.changed else []


def _nothing_new(
    workspace: Workspace, before: Manifest[SeriesFacts] | None, info: SourceInfo, news: News, left_out: tuple[str, ...]
) -> Result:
    if before is None:
        raise no_series(info)
    note = f"nothing new since {before.made_at} in {info.origin}"
    notes = (note, *_of_source(news, workspace.root), *messages.left_out(left_out))
    facts = about_stage(before) | {"new": 0}
    return Result("extract", workspace.stage(SERIES), 0.0, 0.0, skipped=True, notes=notes, facts=facts)
