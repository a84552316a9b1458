"""Pages of what rules reject: their series read from one state of features/, and written to reports/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tsclust.config import Report, Rule
from tsclust.stages.features import freshness
from tsclust.stages.features.default_rules import NOT_DESCRIBED
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.messages import counts_of
from tsclust.stages.reports import rejected_page
from tsclust.stages.reports.data import Curve
from tsclust.stages.reports.rejected_page import RejectedPage
from tsclust.stages.reports.step import KEPT, NORMAL_DRAWN, choose_by_rule, normal_band, read_curves, read_measured
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest
from tsclust.workspace.pages import write_pages


def read_rejected(
    workspace: Workspace, before: Manifest[FeaturesFacts], rule: Rule, limit: int
) -> tuple[pl.DataFrame, tuple[Curve, ...]]:
    """The first `limit` series that a rule rejects, by hash, and their curves; 0: all of them, and no curves."""
    with freshness.one_state(workspace, before):
        chosen = choose_by_rule(workspace, {rule.name: limit or None})
        return chosen, read_curves(workspace, chosen) if limit else ()


def collect_rejected(
    workspace: Workspace, before: Manifest[FeaturesFacts], rules: Sequence[Rule], limit: int, settings: Report
) -> list[tuple[RejectedPage, pl.DataFrame]]:
    """What the pages say, and the series on them."""
    pages = []
    with freshness.one_state(workspace, before):
        chosen = choose_by_rule(workspace, {**{rule.name: limit for rule in rules}, KEPT: NORMAL_DRAWN})
        measured = read_measured(workspace, settings)
        normal = normal_band(workspace, chosen.filter(pl.col("rule") == KEPT))
        for rule in rules:
            own = chosen.filter(pl.col("rule") == rule.name)
            editable = rule.name != NOT_DESCRIBED.name
            curves = read_curves(workspace, own)
            groups, counts = before.facts.lost_groups_of(rule.name), counts_of(before, rule)
            page = RejectedPage(
                rule, editable, before.rows, counts["rejected"], counts["in_all"], counts["alone"],
                curves, normal, groups, measured,
            )  # fmt: skip
            pages.append((page, own))
    return pages


def write_rejected(workspace: Workspace, pages: Sequence[RejectedPage], lang: str) -> list[Path]:
    """reports/rejected-RULE.html of each; earlier ones stay under their numbers. The workspace is locked."""
    paths = [workspace.reports / f"rejected-{page.rule.name}.html" for page in pages]
    texts = (rejected_page.render(page, lang) for page in pages)
    write_pages(workspace.root, "filter", dict(zip(paths, texts, strict=True)))
    return paths
