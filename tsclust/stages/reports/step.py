"""Series that pages show one by one: chosen by rule or by id, their curves read from series/.

Of series/ only the stretches of rows are read in which the chosen ones lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.config import Report
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids
from tsclust.series import ID, VALUES, SeriesBlock
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.catalogue import START
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.freshness import other_series
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import Band, Curve
from tsclust.stages.reports.groups.cards import curves_of
from tsclust.stages.reports.groups.sample import MEMBERS_DRAWN, SEED
from tsclust.stages.reports.measured import Measured, times_in
from tsclust.stages.reports.review_page import Item, ReviewData
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

if TYPE_CHECKING:  # it loads scikit-learn, which pages of groups do not need
    from tsclust.stages.model.label_errors import Suspect

KEPT = ""  # stands for the rule of the series that no rule rejects
NORMAL_DRAWN = MEMBERS_DRAWN  # of them say where the normal ones lie


def choose_by_rule(workspace: Workspace, wanted: Mapping[str, int | None]) -> pl.DataFrame:
    """series_id, rule, start, hash, part, row of as many series of each rule as wanted (None: all), by their hashes."""
    parts = list(map_parts(partial(_choose_in_part, wanted), workspace.parts(FEATURES)))
    return _first(pl.concat(parts), wanted)


def read_curves(workspace: Workspace, chosen: pl.DataFrame) -> tuple[Curve, ...]:
    """The curves and carried columns of the chosen series, in their order."""
    if not len(chosen):
        return ()
    return curves_of(read_chosen(workspace, chosen, None), starts_of(chosen), [None] * len(chosen))


def find_series(workspace: Workspace, ids: Sequence[Any]) -> pl.DataFrame:
    """series_id, start, part, row of the series with these ids that features/ has."""
    wanted = list(map(str, ids))

    def one_part(path: Path) -> pl.DataFrame:
        rows = feature_parts.read(path, [START])
        table = pl.DataFrame({ID: pl.Series(rows.ids), START: rows.x[:, 0]}).with_row_index("row")
        return table.filter(pl.col(ID).cast(pl.String).is_in(wanted)).with_columns(part=pl.lit(path.name))

    return pl.concat(map_parts(one_part, workspace.parts(FEATURES)))


def read_sheet(workspace: Workspace, ids: Sequence[str]) -> tuple[Curve, ...]:
    """The curves of the series with these ids, as text, in this order; those that are there."""
    found = find_series(workspace, ids).with_columns(name=pl.col(ID).cast(pl.String)) if ids else pl.DataFrame()
    wanted = pl.DataFrame({"name": list(ids)}, {"name": pl.String})
    return read_curves(workspace, wanted.join(found, on="name", maintain_order="left")) if ids else ()


def normal_band(workspace: Workspace, kept: pl.DataFrame) -> Band:
    """Where 90 % of these series lie."""
    if not len(kept):
        return Band((), (), ())
    block = SeriesBlock.from_arrow(read_chosen(workspace, kept, [ID, VALUES]))
    at, (low, high) = curves.quantiles(block, np.arange(len(kept)), starts_of(kept), (0.05, 0.95))
    return Band(tuple(at.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _choose_in_part(wanted: Mapping[str, int | None], path: Path) -> pl.DataFrame:
    """`choose_by_rule` of one part."""
    features = feature_parts.read(path, [START])
    rules = pl.Series(features.rejected_by).cast(pl.String).fill_null(KEPT)
    rows = np.flatnonzero(rules.is_in(list(wanted)).to_numpy())
    ids = features.ids.take(pa.array(rows))
    columns = {ID: ids, "rule": rules[rows], START: features.x[rows, 0]}
    hashes = hash_ids(ids, SEED)
    return _first(pl.DataFrame(columns).with_columns(hash=hashes, part=pl.lit(path.name), row=rows), wanted)


def _first(found: pl.DataFrame, wanted: Mapping[str, int | None]) -> pl.DataFrame:
    """As many of each rule as wanted, those with the smallest hashes."""
    found = found.sort("hash", maintain_order=True)
    number = pl.int_range(pl.len()).over("rule")
    limits = [(pl.col("rule") == rule) & (number < limit) for rule, limit in wanted.items() if limit is not None]
    unlimited = [rule for rule, limit in wanted.items() if limit is None]
    return found.filter(pl.any_horizontal(pl.col("rule").is_in(unlimited), *limits))


def starts_of(chosen: pl.DataFrame) -> Int64s:
    """(n,) where each run starts, 0 where that is not known."""
    return chosen[START].fill_nan(None).fill_null(0.0).cast(pl.Int64).to_numpy()


def read_chosen(workspace: Workspace, chosen: pl.DataFrame, columns: Sequence[str] | None) -> pa.Table:
    """These columns (None: all) of the chosen rows of series/, in their order. Raises StageMissingError."""
    pieces, places = series_parts.by_part(chosen)
    tables = [_rows_of(workspace, part, rows, columns) for part, rows in pieces]
    table = pa.concat_tables(tables).take(pa.array(places))
    if pl.Series(table[ID]).to_list() != chosen[ID].to_list():
        raise other_series(workspace)
    return table


def _rows_of(workspace: Workspace, part: str, rows: Int64s, columns: Sequence[str] | None) -> pa.Table:
    """These rows of a part of series/. Raises StageMissingError where it has no such rows."""
    try:
        return series_parts.read_rows(workspace.stage(SERIES) / part, rows, columns)
    except (FileNotFoundError, IndexError):
        raise other_series(workspace) from None


def read_measured(workspace: Workspace, settings: Report) -> Measured:
    """What is recorded, by the settings, the source, and times that are carried. Raises StageMissingError."""
    layout, first = workspace.manifest(SERIES).facts.layout, workspace.parts(SERIES)[0]
    times = times_in(series_parts.read_schema(first).names)
    return Measured.of(settings, layout, series_parts.read_table(first, [*times, VALUES]) if times else None)


SHOWN_OF_KIND = 4  # curves of each kind


def collect_review(
    workspace: Workspace, settings: Report, suspects: Sequence[Suspect], verdicts: Mapping[str, str], model: str
) -> ReviewData:
    """Read the curves of the suspects and of what is near them."""
    ids = {one for s in suspects for one in (s.series_id, *s.near_kind, *s.near_suggested)}
    found = find_series(workspace, sorted(ids, key=str)) if ids else pl.DataFrame()
    items = tuple(_item(workspace, suspect, found) for suspect in suspects)
    named = {kind: verdicts[kind] for s in suspects for kind in (s.kind, s.suggested)}
    return ReviewData(settings.title, items, named, model, read_measured(workspace, settings))


def _item(workspace: Workspace, suspect: Suspect, found: pl.DataFrame) -> Item:
    def rows(ids: Sequence[Any]) -> pl.DataFrame:
        wanted = pl.DataFrame({ID: pl.Series(list(ids), dtype=found[ID].dtype)})
        return wanted.join(found, on=ID, maintain_order="left")

    near_kind, near_suggested = rows(suspect.near_kind), rows(suspect.near_suggested)
    (curve,) = read_curves(workspace, rows([suspect.series_id]))
    of_kind, of_suggested = (read_curves(workspace, near.head(SHOWN_OF_KIND)) for near in (near_kind, near_suggested))
    bands = [normal_band(workspace, near) for near in (near_kind, near_suggested)]
    return Item(curve, suspect.kind, suspect.suggested, of_kind, of_suggested, *bands)
