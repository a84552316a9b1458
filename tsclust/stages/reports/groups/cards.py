"""The series drawn and counted -> what the cards of a report say, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Floats, Int64s
from tsclust.config import Rule
from tsclust.hashing import hexadecimal
from tsclust.series import ID, SeriesBlock, carried
from tsclust.stages.clusters.parts import SHAPES, ClusterRow, GroupPlace, Trait
from tsclust.stages.clusters.selection import ReportScope, SelectedGroups
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.labels.group_state import GroupState
from tsclust.stages.reports.charts import curves
from tsclust.stages.reports.data import (
    Band,
    Curve,
    Group,
    Line,
    Month,
    Near,
    Part,
    Period,
    Plain,
    Rejected,
    name_of,
)
from tsclust.stages.reports.groups import agreement
from tsclust.stages.reports.groups.counts import Span, Time
from tsclust.stages.reports.groups.differences import apart
from tsclust.stages.reports.groups.histograms import GroupDeviations
from tsclust.stages.reports.groups.occurrence import began, places
from tsclust.stages.reports.groups.own_normal import OwnNormals
from tsclust.stages.reports.groups.sample import EXAMPLES_PER_RULE, Sample
from tsclust.stages.reports.groups.similar import middles, nearest
from tsclust.stages.reports.groups.traits import plateau_of, trait_of
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out
from tsclust.stages.reports.made_from import Stage
from tsclust.workspace.manifest import Manifest

SAMPLED = 200  # members of a group, at most, that the page can lay over each other


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
    normal: Band,
    under: Mapping[int, tuple[int, float]] = MappingProxyType({}),
    traits: Mapping[GroupPlace, Trait] = MappingProxyType({}),
    mapped: Callable[[Callable[[int], Group], Sequence[int]], Iterable[Group]] = map,
) -> tuple[Group, ...]:
    """Those of the cards that are shown. normal: the band of all normal series; under: number of a group -> that of the
    card it is a row of, and the share of its series that are on that card; traits: by the place of a group; mapped: as
    `map`, or by several threads."""
    deviations, normals = GroupDeviations.of(drawn, reference), OwnNormals.of(drawn, reference)
    there = {chosen.cards[j].group for j in shown}
    family = {number: Near(str(card), share) for number, (card, share) in under.items() if card in there}
    near = _near(chosen, drawn, reference, [j for j in shown if chosen.cards[j].group not in family])
    cards = zip(shown, mapped(lambda j: _group(chosen.cards[j], j, normals, deviations, members), shown), strict=True)
    return tuple(
        replace(
            card, near=near.get(j, ()), known=was[j], family=family.get(card.number or 0),
            trait=trait_of(chosen.cards[j], traits, card, normal, plateau_of(drawn, drawn.inside[:, j], reference)),
        )
        for j, card in cards
    )  # fmt: skip


def _near(
    chosen: SelectedGroups, drawn: Sample, reference: NormalReference, cards: Sequence[int]
) -> dict[int, tuple[Near, ...]]:
    """Of each of these cards the most similar others of them."""
    rows = [chosen.cards[j] for j in cards]
    names, sizes = [name_of(row.group, row.k, row.cluster) for row in rows], np.array([row.size for row in rows])
    near = nearest(names, middles(drawn, reference)[cards], drawn.counts.shared[np.ix_(cards, cards)], sizes)
    return dict(zip(cards, near, strict=True))


def _group(row: ClusterRow, j: int, normals: OwnNormals, deviations: GroupDeviations, members: int) -> Group:
    drawn = normals.drawn
    rows, reference, size = np.flatnonzero(drawn.inside[:, j]), deviations.reference, row.size
    shaped = reference.log_deviations(drawn.x[rows], drawn.keys[rows])
    order = curves.typical_first(shaped)
    chosen, sample = rows[curves.strata(order, members)], rows[_sample(order, members)]
    tallies = {name: tally for name, tally in drawn.counts.tallies.items() if tally is not None}
    times = drawn.counts.spans
    band, around = normals.bands(rows, int(chosen[0]))
    unit = agreement.directions(shaped, reference.scaler.weights)
    by_features = not row.normal and row.within != SHAPES  # of a group of shapes features say little
    return Group(
        number=row.group, k=row.k, cluster=row.cluster, size=size, share=row.share, first_k=row.first_k,
        last_k=row.last_k, parent=row.parent, within=row.within, normal=row.normal,
        band=band, around=around, apart=apart(normals, rows, int(chosen[0])) if around else None,
        members=curves_drawn(normals, chosen),
        sample=curves_drawn(normals, sample),
        unusual=stands_out(drawn.x[rows], drawn.keys[rows], reference, drawn.rest),
        where=places(tallies, times, j, size),
        periods=tuple(
            _period(name, first, last, _months(tallies.get(name), j), size)
            for name, first, last in periods_of(times, 1 + j)
        ),
        near=(), known=None, spreads=deviations.spreads(rows), fingerprint=hexadecimal(drawn.counts.fingerprints[j]),
        agreement=agreement.agreement(unit) if by_features else None,
        parts=_parts(normals, reference, rows, unit) if by_features else (),
    )  # fmt: skip


def _sample(order: Int64s, members: int) -> Int64s:
    """SAMPLED of the rows in this order, with the `members` that a card shows among them."""
    shown = curves.strata(order, members)
    others = order[~np.isin(order, shown)]
    more = curves.strata(others, SAMPLED - len(shown))
    return order[np.isin(order, np.concatenate([shown, more]))]


def _parts(normals: OwnNormals, reference: NormalReference, rows: Int64s, unit: Floats) -> tuple[Part, ...]:
    """Of a group's rows of the drawn series, whose directions are unit (n, d); none where nothing can be stated of
    either part."""
    drawn = normals.drawn
    parts = tuple(
        Part(
            float(part.mean()),
            curves_drawn(normals, rows[part][curves.typical_first(unit[part])[:1]])[0],
            stands_out(drawn.x[rows[part]], drawn.keys[rows[part]], reference),
        )
        for part in agreement.parts(unit) or ()
    )
    return parts if any(part.unusual for part in parts) else ()


def _period(column: str, first: Time, last: Time, months: tuple[Month, ...], size: int) -> Period:
    return Period(column, first, last, months, began(months, size))


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


def curves_drawn(normals: OwnNormals, rows: Int64s) -> tuple[Curve, ...]:
    """These rows of the drawn series, each with what is usual for its machine or regime."""
    drawn, own = normals.drawn, normals.own[rows].tolist()
    return curves_of(drawn.table.take(rows), drawn.starts[rows], [normals.usual(which) for which in own])


def curves_of(table: pa.Table, starts: Int64s, usual: Sequence[Line | None]) -> tuple[Curve, ...]:
    """Every row of a table with series_id, carried columns and values."""
    names = carried(table.column_names)
    columns = [[_plain(scalar) for scalar in _micro(table[name])] for name in names]
    named = [tuple(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [()] * len(table)
    block = SeriesBlock.from_arrow(table)
    values = [curves.plain(block[i]) for i in range(len(block))]
    ids = [str(scalar.as_py()) for scalar in table[ID]]
    return tuple(map(Curve, ids, starts.tolist(), values, named, usual))


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
    normals = OwnNormals.by_key(drawn)
    found = [
        Rejected(
            rule.name,
            rule.when,
            rule.reason,
            facts.rejected[rule.name],
            curves_drawn(normals, _of_rule(drawn, rule)),
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
