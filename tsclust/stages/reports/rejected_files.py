"""Pages of what rules reject: their series read from one state of features/, and written to reports/."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa

from tsclust.config import Rule
from tsclust.errors import DamagedError, TsclustError, WorkspaceBusyError
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.messages import counts_of
from tsclust.stages.features.rules import NOT_DESCRIBED
from tsclust.stages.reports import rejected_page
from tsclust.stages.reports.data import Curve
from tsclust.stages.reports.rejected_page import RejectedPage
from tsclust.stages.reports.step import KEPT, NORMAL_DRAWN, choose_by_rule, normal_band, read_curves
from tsclust.workspace.atomic import write_file
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest


def read_rejected(
    workspace: Workspace, before: Manifest[FeaturesFacts], rule: Rule, limit: int
) -> tuple[pl.DataFrame, tuple[Curve, ...]]:
    """The first `limit` series that a rule rejects, by hash, and their curves; 0: all of them, and no curves."""
    with _one_state(workspace, before):
        chosen = choose_by_rule(workspace, {rule.name: limit or None})
        return chosen, read_curves(workspace, chosen) if limit else ()


def collect_rejected(
    workspace: Workspace, before: Manifest[FeaturesFacts], rules: Sequence[Rule], limit: int
) -> list[tuple[RejectedPage, pl.DataFrame]]:
    """What the pages say, and the series on them."""
    pages = []
    with _one_state(workspace, before):
        chosen = choose_by_rule(workspace, {**{rule.name: limit for rule in rules}, KEPT: NORMAL_DRAWN})
        normal = normal_band(workspace, chosen.filter(pl.col("rule") == KEPT))
        for rule in rules:
            own = chosen.filter(pl.col("rule") == rule.name)
            editable = rule.name != NOT_DESCRIBED.name
            curves = read_curves(workspace, own)
            page = RejectedPage(rule, editable, before.rows, **counts_of(before, rule), examples=curves, normal=normal)
            pages.append((page, own))
    return pages


def write_rejected(workspace: Workspace, page: RejectedPage, lang: str) -> Path:
    """reports/rejected-RULE.html."""
    path = workspace.reports / f"rejected-{page.rule.name}.html"
    write_file(path, rejected_page.render(page, lang))
    return path


@contextmanager
def _one_state(workspace: Workspace, before: Manifest[FeaturesFacts]) -> Iterator[None]:
    """All is read from the features/ of this manifest. There is no lock: a look needs no right to write, nor waits."""
    try:
        yield
    except (TsclustError, pa.ArrowInvalid, OSError) as error:
        _refuse_change(workspace, before)
        if isinstance(error, TsclustError) or (isinstance(error, OSError) and error.errno):
            raise
        raise DamagedError(
            f"a Parquet file in {workspace.root} cannot be read: {error}",
            f"Remove that stage's folder and make it again: {command('run', workspace.root)}",
        ) from None
    _refuse_change(workspace, before)


def _refuse_change(workspace: Workspace, before: Manifest[FeaturesFacts]) -> None:
    now = workspace.find_manifest(FEATURES)
    if now is None or now.output_hash != before.output_hash:
        raise WorkspaceBusyError(f"{workspace.stage(FEATURES)} was rewritten while it was read", "Run this again")
