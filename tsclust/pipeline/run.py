"""run: every stage that is out of date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tsclust import config
from tsclust.engine.base import Listener, silent
from tsclust.pipeline import cluster, extract, features, filter, report
from tsclust.stages.series import freshness
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.result import Result, up_to_date


def run(root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent) -> Iterator[Result]:
    """Yield the Result of each stage in turn. Series that were extracted with the same settings are not read again."""
    workspace = Workspace.open(root)
    settings = config.load(workspace.config, freshness.with_remembered(workspace, flags))
    there = workspace.find_manifest(SERIES)
    if there and there.settings == freshness.digest(settings.source, root):
        workspace.parts(SERIES)  # up to date means whole, too
        yield up_to_date("extract", workspace.stage(SERIES), there, f"{command('extract', root)}  (reads it again)")
    else:
        yield extract.extract(root, flags, listen)
    yield features.features(root, flags, listen)
    yield filter.filter(root, flags, listen)
    yield cluster.cluster(root, flags, listen)
    yield report.report(root, flags, listen)
