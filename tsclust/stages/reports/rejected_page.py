"""What the rules set aside, for a look: a few series of each rule, chosen by hash, and the page of one rule.

Nothing but series/ and features/ is read, and of series/ only the stretches of rows in which the chosen ones lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.config import Rule
from tsclust.engine.base import map_parts
from tsclust.hashing import hash_ids
from tsclust.series import SeriesBlock
from tsclust.stages.features import parts as feature_parts
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.freshness import other_series
from tsclust.stages.reports.charts import curves, drawing
from tsclust.stages.reports.groups import sample
from tsclust.stages.reports.groups.collect import curves_of
from tsclust.stages.reports.groups.data import Band, Curve
from tsclust.stages.reports.html import page
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.wording.language import Language
from tsclust.workspace.folder import Workspace

KEPT = ""  # stands for the rule of the series that no rule rejects
NORMAL = sample.PER_GROUP  # of them say where the normal ones lie
WORKERS = 2


@dataclass(frozen=True)
class Aside:
    """What a page says of one rule.

    editable               False for the rule that holds whatever the settings say
    series                 how many there are in all
    rejected, in_all, alone  of them: rejected by this rule as the first, by it at all, by no other
    examples               some of the rejected
    normal                 where the kept ones lie
    """

    rule: Rule
    editable: bool
    series: int
    rejected: int
    in_all: int
    alone: int
    examples: tuple[Curve, ...]
    normal: Band


def choose(workspace: Workspace, wanted: Mapping[str, int | None]) -> pl.DataFrame:
    """series_id, rule, start, hash, part, row of as many series of each rule as wanted (None: all), by their hashes."""
    parts = list(map_parts(partial(_choose, wanted), workspace.parts(FEATURES), WORKERS))
    return _first(pl.concat(parts), wanted)


def read_curves(workspace: Workspace, chosen: pl.DataFrame) -> tuple[Curve, ...]:
    """The curves and carried columns of the chosen series, in their order."""
    if not len(chosen):
        return ()
    return curves_of(_read(workspace, chosen, None), _starts(chosen), [None] * len(chosen))


def find(workspace: Workspace, ids: Sequence[Any]) -> pl.DataFrame:
    """series_id, start, part, row of the series with these ids that features/ has."""
    wanted = list(map(str, ids))

    def one_part(path: Path) -> pl.DataFrame:
        rows = feature_parts.read(path, ["start"])
        table = pl.DataFrame({"series_id": pl.Series(rows.ids), "start": rows.x[:, 0]}).with_row_index("row")
        return table.filter(pl.col("series_id").cast(pl.String).is_in(wanted)).with_columns(part=pl.lit(path.name))

    return pl.concat(map_parts(one_part, workspace.parts(FEATURES), WORKERS))


def normal_band(workspace: Workspace, kept: pl.DataFrame) -> Band:
    """Where 90 % of these series lie."""
    if not len(kept):
        return Band((), (), ())
    block = SeriesBlock.from_arrow(_read(workspace, kept, ["series_id", "values"]))
    at, (low, high) = curves.quantiles(block, np.arange(len(kept)), _starts(kept), (0.05, 0.95))
    return Band(tuple(at.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def render(aside: Aside, lang: str) -> str:
    """The page in the language `lang`: nothing but HTML and style, the same bytes for the same data."""
    language = Language.load(lang)
    # A frame of its own for each: one endless or huge recording leaves the others as they are.
    drawings = [
        drawing.draw(drawing.Frame.around((aside.normal,), (curve,)), aside.normal, None, (curve,), language)
        for curve in aside.examples
    ]
    template = page.templates(language).get_template("rejected.html")
    style = page.static("page.css")
    return template.render(aside=aside, drawings=drawings, r=language.texts["rejected"], style=style)


def _choose(wanted: Mapping[str, int | None], path: Path) -> pl.DataFrame:
    """`choose` of one part."""
    features = feature_parts.read(path, ["start"])
    rules = pl.Series(features.rejected_by).cast(pl.String).fill_null(KEPT)
    rows = np.flatnonzero(rules.is_in(list(wanted)).to_numpy())
    ids = features.ids.take(pa.array(rows))
    columns = {"series_id": ids, "rule": rules[rows], "start": features.x[rows, 0]}
    hashes = hash_ids(ids, sample.SEED)
    return _first(pl.DataFrame(columns).with_columns(hash=hashes, part=pl.lit(path.name), row=rows), wanted)


def _first(found: pl.DataFrame, wanted: Mapping[str, int | None]) -> pl.DataFrame:
    """As many of each rule as wanted, those with the smallest hashes."""
    found = found.sort("hash", maintain_order=True)
    number = pl.int_range(pl.len()).over("rule")
    limits = [(pl.col("rule") == rule) & (number < limit) for rule, limit in wanted.items() if limit is not None]
    unlimited = [rule for rule, limit in wanted.items() if limit is None]
    return found.filter(pl.any_horizontal(pl.col("rule").is_in(unlimited), *limits))


def _starts(chosen: pl.DataFrame) -> Int64s:
    """(n,) where each run starts, 0 where that is not known."""
    return chosen["start"].fill_nan(None).fill_null(0.0).cast(pl.Int64).to_numpy()


def _read(workspace: Workspace, chosen: pl.DataFrame, columns: Sequence[str] | None) -> pa.Table:
    """These columns (None: all) of the chosen rows of series/, in their order. Raises StageMissingError."""
    by_part = chosen.with_row_index("place").partition_by("part", maintain_order=True)
    tables = [_rows_of(workspace, rows["part"][0], rows["row"].to_numpy(), columns) for rows in by_part]
    places = np.concatenate([rows["place"].to_numpy() for rows in by_part])
    table = pa.concat_tables(tables).take(pa.array(np.argsort(places)))
    if pl.Series(table["series_id"]).to_list() != chosen["series_id"].to_list():
        raise other_series(workspace)
    return table


def _rows_of(workspace: Workspace, part: str, rows: Int64s, columns: Sequence[str] | None) -> pa.Table:
    """These rows of a part of series/. Raises StageMissingError where it has no such rows."""
    try:
        return series_parts.read_rows(workspace.stage(SERIES) / part, rows, columns)
    except (FileNotFoundError, IndexError):
        raise other_series(workspace) from None
