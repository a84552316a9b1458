"""The series drawn and counted -> what the cards of a report say, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.config import Rule
from tsclust.hashing import hexadecimal
from tsclust.series import ID, SeriesBlock, carried
from tsclust.stages.clusters.parts import ClusterRow
from tsclust.stages.clusters.selection import ReportScope, SelectedGroups
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.features.reference import MIN_SERIES
from tsclust.stages.labels.group_state import GroupState
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import (
    Band,
    Curve,
    Group,
    Line,
    Month,
    Period,
    Plain,
    Rejected,
    Stage,
    name_of,
)
from tsclust.stages.reports.groups.counts import Span, Time
from tsclust.stages.reports.groups.histograms import GroupDeviations
from tsclust.stages.reports.groups.sample import EXAMPLES_PER_RULE, Sample
from tsclust.stages.reports.groups.similar import middles, nearest
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out, where
from tsclust.workspace.manifest import Manifest

USUAL_DRAWN = 100  # the most normal series of a baseline that a usual curve is taken from
REACHED = 0.5  # of them have the samples it is drawn at: those that run on longer are not what is usual


def gets_card(wanted: ReportScope, called: GroupState | None) -> bool:
    """Whether a group whose members were called so gets a card; what is asked for by number or k does anyway."""
    alone = wanted.k is not None or wanted.group is not None
    return alone or wanted.known or called is None or called.state != "named"


def groups_of(
    chosen: SelectedGroups,
    drawn: Sample,
    reference: NormalReference,
    was: Sequence[GroupState | None],
    shown: Sequence[int],
    members: int,
) -> tuple[Group, ...]:
    """Those of the cards that are shown."""
    rows, deviations = [chosen.cards[j] for j in shown], GroupDeviations.of(drawn, reference)
    names = [name_of(row.group, row.k, row.cluster) for row in rows]
    sizes = np.array([row.size for row in rows])
    near = nearest(names, middles(drawn, reference)[shown], drawn.counts.shared[np.ix_(shown, shown)], sizes)
    groups = (_group(row, j, drawn, deviations, members) for row, j in zip(rows, shown, strict=True))
    return tuple(
        replace(group, near=near[at], known=was[j]) for at, (j, group) in enumerate(zip(shown, groups, strict=True))
    )


def _group(row: ClusterRow, j: int, drawn: Sample, deviations: GroupDeviations, members: int) -> Group:
    rows, reference, size = np.flatnonzero(drawn.inside[:, j]), deviations.reference, row.size
    shaped = reference.log_deviations(drawn.x[rows], drawn.keys[rows])
    chosen = rows[curves.strata(curves.typical_first(shaped), members)]
    tallies = {name: tally for name, tally in drawn.counts.tallies.items() if tally is not None}
    times = drawn.counts.spans
    return Group(
        number=row.group, k=row.k, cluster=row.cluster, size=size, share=row.share, first_k=row.first_k,
        last_k=row.last_k, parent=row.parent, within=row.within, normal=row.normal,
        band=band_of(drawn, rows), members=curves_drawn(drawn, chosen),
        unusual=stands_out(drawn.x[rows], drawn.keys[rows], reference),
        where=tuple(where(name, name in times, tally, j, size) for name, tally in tallies.items() if len(tally) > 1),
        periods=tuple(
            Period(name, first, last, _months(tallies.get(name), j)) for name, first, last in periods_of(times, 1 + j)
        ),
        near=(), known=None, spreads=deviations.spreads(rows), fingerprint=hexadecimal(drawn.counts.fingerprints[j]),
    )  # fmt: skip


def periods_of(spans: Mapping[str, Sequence[Span]], of: int = 0) -> Iterator[tuple[str, Time, Time]]:
    """The columns by which it is known when the series `of` were recorded: column, first, last."""
    for column, found in spans.items():
        first, last = found[of]
        if first is not None and last is not None:
            yield column, first, last


def _months(tally: pl.DataFrame | None, j: int) -> tuple[Month, ...]:
    """Of group j, and of all series."""
    known = tally.drop_nulls("value").select("value", str(j), "all").rows() if tally is not None else []
    return tuple(Month(*month) for month in known)


def band_of(drawn: Sample, rows: Int64s) -> Band:
    """Where 90 % of these rows of the drawn series lie; nowhere for no rows."""
    if not len(rows):
        return Band((), (), ())
    at, (low, high) = curves.quantiles(drawn.block, rows, drawn.starts[rows], (0.05, 0.95))
    return Band(tuple(at.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def curves_drawn(drawn: Sample, rows: Int64s) -> tuple[Curve, ...]:
    """These rows of the drawn series, each with what is usual for its baseline key."""
    return curves_of(drawn.table.take(rows), drawn.starts[rows], [_usual(drawn, key) for key in drawn.keys[rows]])


def curves_of(table: pa.Table, starts: Int64s, usual: Sequence[Line | None]) -> tuple[Curve, ...]:
    """Every row of a table with series_id, carried columns and values."""
    names = carried(table.column_names)
    columns = [[_plain(scalar) for scalar in _micro(table[name])] for name in names]
    named = [tuple(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [()] * len(table)
    block = SeriesBlock.from_arrow(table)
    values = [tuple(None if np.isnan(v) else float(v) for v in curves.sensible(block[i])) for i in range(len(block))]
    ids = [str(scalar.as_py()) for scalar in table[ID]]
    return tuple(map(Curve, ids, starts.tolist(), values, named, usual))


def _usual(drawn: Sample, key: str) -> Line | None:
    """What is usual for series with this baseline key."""
    rows = np.flatnonzero(drawn.normal & (drawn.keys == key))[:USUAL_DRAWN]
    if not key or len(rows) < MIN_SERIES:
        return None
    at, (middle,) = curves.quantiles(drawn.block, rows, drawn.starts[rows], (0.5,), REACHED)
    return Line(tuple(at.tolist()), tuple(middle.tolist()))


def _micro(column: pa.ChunkedArray) -> Iterable[pa.Scalar]:
    """Times to the microsecond: Python knows no finer ones."""
    times = pa.types.is_timestamp(column.type)
    fine: Iterable[pa.Scalar] = column.cast(pa.timestamp("us", column.type.tz), safe=False) if times else column
    return fine


def _plain(scalar: pa.Scalar) -> Plain:
    """A value of a carried column; what is neither text, number nor time becomes text."""
    try:
        value = scalar.as_py()
    except (OverflowError, ValueError):  # a time outside of the years 1 to 9999, like PostgreSQL's infinity
        return str(scalar.value)
    return value if isinstance(value, Plain) else str(value)


def rejected_of(facts: FeaturesFacts, drawn: Sample) -> tuple[Rejected, ...]:
    """The rules that set something aside, most first."""
    found = [
        Rejected(
            rule.name,
            rule.when,
            rule.reason,
            facts.rejected[rule.name],
            curves_drawn(drawn, _of_rule(drawn, rule)),
            facts.lost_groups_of(rule.name),
        )
        for rule in facts.rules
        if facts.rejected.get(rule.name)
    ]
    return tuple(sorted(found, key=lambda r: (-r.count, r.rule)))


def _of_rule(drawn: Sample, rule: Rule) -> Int64s:
    """Rows are in the order of their hashes: the first few of all parts together."""
    return np.flatnonzero(drawn.rejected == rule.name)[:EXAMPLES_PER_RULE]


def stage_of(manifest: Manifest[Any]) -> Stage:
    """A stage for the appendix."""
    return Stage(
        name=manifest.stage, made_at=manifest.made_at, rows=manifest.rows, parts=manifest.parts,
        seconds=manifest.seconds, peak_mb=manifest.peak_mb, seed=manifest.seed, settings=manifest.settings,
        output=manifest.output_hash, inputs=tuple(sorted(manifest.inputs.items())),
        versions=tuple(sorted(manifest.versions.items())),
    )  # fmt: skip
