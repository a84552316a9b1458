"""The view of shapes: how each series runs against the typical curve that it is most like, measured stretch by stretch.

Features say what every mechanism has, a peak and a level; what only this one does, a dent in its second plateau or a
late third stroke, moves none of them far. The same K-means++ sweep goes over these measures, see `clusters.step`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from tsclust.arrays import Floats, Int64s, UInt64s
from tsclust.engine.base import map_parts
from tsclust.hashing import order_of
from tsclust.series import SeriesBlock
from tsclust.stages.clusters import membership, scratch
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.clusters.scaling import GRID
from tsclust.stages.clusters.scope import Scope, ScopedRows
from tsclust.stages.clusters.shapes import curves, kernels, scaling
from tsclust.stages.clusters.shapes.curves import TypicalCurves
from tsclust.stages.clusters.shapes.scaling import ShapeScaler
from tsclust.stages.clusters.shapes.traits import Shared
from tsclust.stages.series import parts as series_parts

OF_ALL = ("level", "run", "misfit", "before", "after", "early", "late", "stray")
OF_STRETCH = ("duration", "level", "slope", "roughness", "bump", "dip")
LONGEST = 1_000  # values of a series: what it takes to cut a curve grows with the square
SPARE = 2  # times as many series as a sample needs are drawn: some have no shape
TO_SCALE = 50_000  # series that medians are taken from
CHUNK = 16_384  # rows that are added up at a time
FEWEST = 2_000  # series that typical curves are looked for in: of fewer a stretch has too few to tell what is normal

Say = Callable[[str, int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class ShapeScope(Scope):
    """A scope whose series are measured along typical curves, each part in a file in `folder` with 1 + `width` columns;
    of these the d `columns` are read."""

    folder: Path
    width: int
    columns: tuple[int, ...]

    def read(self, path: Path, columns: Sequence[str], baseline: Sequence[str]) -> ScopedRows:
        """The rows of the part of that name: x (n, d), see `ShapeScaler.transform`; of a part the columns are all."""
        rows = super().read(path, (), baseline)
        x = _read(self.folder / path.stem, len(rows.ids), self.width)
        return ScopedRows(rows.ids, x[:, self.columns], rows.keys)


@dataclass(frozen=True)
class ShapeView:
    """What a sweep over shapes needs: the scope, names (d,) of what it reads, the scaler, and the typical curves."""

    scope: ShapeScope
    names: tuple[str, ...]
    scaler: ShapeScaler
    curves: TypicalCurves


class NoShapesError(Exception):
    """Why there is no view of shapes, as a clause: it is no error of the command."""


def of(scope: Scope, baseline: tuple[str, ...], sign: int, seed: int, folder: Path, say: Say) -> ShapeView:
    """The series of a scope measured, in files in `folder`. Raises NoShapesError.

    sign: 1 where the peak is a maximum, -1 a minimum
    """
    found = _typical_curves(scope, sign, seed)
    folder.mkdir()
    done = 0
    for rows in map_parts(partial(_measure, scope, found, sign, folder), scope.paths):
        done += rows
        say("shapes", done, scope.rows, "series")
    shapes = ShapeScope(**vars(scope), folder=folder, width=found.width, columns=tuple(range(1 + found.width)))
    scaler = _fit(shapes, baseline, seed, len(found))
    # What no series differs in costs as much as anything else.
    telling = (0, *(1 + np.flatnonzero(scaler.weights)).tolist())
    if len(telling) == 1:
        raise NoShapesError("all curves are the same")
    return ShapeView(
        replace(shapes, columns=telling), tuple(np.array(names(found))[[*telling]].tolist()),
        scaler.of_columns(telling), found,
    )  # fmt: skip


def names(found: TypicalCurves) -> tuple[str, ...]:
    """(1 + d,) what is read of a series: its typical curve and its measures, those of a stretch with its number."""
    most = int(found.stretches.max())
    return ("curve", *OF_ALL, *(f"{what}_{stretch}" for stretch in range(1, most + 1) for what in OF_STRETCH))


def shared(view: ShapeView, clusters: Path, groups: Sequence[GroupRef], baseline: tuple[str, ...]) -> Shared:
    """What the members of groups share; `clusters` has the assignments of the sweeps that found them."""
    parts = [*map_parts(partial(_shared, view, clusters, groups, baseline), view.scope.paths)]
    along, total = (sum(one, np.zeros_like(one[0])) for one in zip(*parts, strict=True))
    return Shared(along, total / GRID / np.maximum(along.sum(axis=1), 1)[:, None])


def _shared(
    view: ShapeView, clusters: Path, groups: Sequence[GroupRef], baseline: tuple[str, ...], path: Path
) -> tuple[Int64s, Int64s]:
    rows = view.scope.read(path, (), baseline)
    inside = membership.inside_of(clusters, path.name, groups, rows.ids, np.ones(len(rows.ids), bool))
    curves = rows.x[:, :1] == np.arange(len(view.curves))
    what = np.hstack([curves, view.scaler.transform(rows.x, rows.keys)])
    total = np.zeros((len(groups), what.shape[1]), np.int64)
    for at in range(0, len(what), CHUNK):  # whole numbers in floats: exact in any order, and by BLAS
        total += (inside[at : at + CHUNK].T.astype(np.float64) @ what[at : at + CHUNK]).astype(np.int64)
    along, away = np.hsplit(total, [len(view.curves)])
    return along, away


def _typical_curves(scope: Scope, sign: int, seed: int) -> TypicalCurves:
    if scope.rows < FEWEST:
        raise NoShapesError(f"that takes at least {FEWEST:,} series")
    wanted = SPARE * curves.SAMPLE
    limit = min(1.0, 2 * wanted / max(scope.rows, 1)) * 2.0**64
    drawn = list(map_parts(partial(_draw, scope, sign, seed, limit), scope.paths))
    order = order_of([hashes for hashes, _ in drawn])[:wanted]
    series = [y for _, of_part in drawn for y in of_part]
    sample = [series[i] for i in order if len(series[i])]
    if 2 * len(sample) <= len(order):
        raise NoShapesError("most series have no run")
    if max(map(len, sample)) > LONGEST:
        raise NoShapesError(f"series of more than {LONGEST:,} values are not laid along each other")
    if (found := curves.fit(sample)) is None:
        raise NoShapesError("they have no run in common")
    return found


def _draw(scope: Scope, sign: int, seed: int, limit: float, path: Path) -> tuple[UInt64s, list[Floats]]:
    """(hashes, values in their own size) of the sample's series in one part."""
    rows = scope.read(path, (), ())
    hashes = rows.hashes(seed)
    taken = np.flatnonzero(hashes.astype(np.float64) <= limit)
    block = series_parts.read_block(path=scope.series / path.name, rows=scope.places(path)[taken])
    each = (values[a:b] for _, offsets, values in block.pieces() for a, b in itertools.pairwise(offsets))
    return hashes[taken], [kernels.of_own_size(one, sign)[0] for one in each]


def _measure(scope: Scope, found: TypicalCurves, sign: int, folder: Path, path: Path) -> int:
    """Measure the series of one part into its file: how many."""
    places = scope.places(path)
    block = series_parts.read_block(scope.series / path.name)
    block = block if len(places) == len(block) else block.take(places)
    scratch.lay_down(folder / path.stem, measured(block, found, sign).astype(np.float32))
    return len(block)


def measured(block: SeriesBlock, found: TypicalCurves, sign: int) -> Floats:
    """(n, 1 + d) the typical curve that each series is most like, -1 for none, and its measures: see `names`."""
    which, out = np.zeros(len(block), np.int64), np.zeros((len(block), 1 + found.width))
    curves = found.values, found.lengths, found.borders, found.stretches
    for rows, offsets, values in block.pieces():
        kernels.measure(values, offsets, sign, *curves, which[rows], out[rows, 1:])
    out[:, 0] = which
    return out


def _fit(scope: ShapeScope, baseline: tuple[str, ...], seed: int, count: int) -> ShapeScaler:
    limit = min(1.0, TO_SCALE / max(scope.rows, 1)) * 2.0**64
    pieces = list(map_parts(partial(_sampled, scope, baseline, seed, limit), scope.paths))
    order = order_of([hashes for hashes, _ in pieces])
    x, keys = (np.concatenate([getattr(rows, what) for _, rows in pieces])[order] for what in ("x", "keys"))
    there = x[:, 0] >= 0
    return scaling.fit(x[there], keys[there], count)


def _sampled(
    scope: ShapeScope, baseline: tuple[str, ...], seed: int, limit: float, path: Path
) -> tuple[UInt64s, ScopedRows]:
    rows = scope.read(path, (), baseline)
    hashes = rows.hashes(seed)
    taken = np.flatnonzero(hashes.astype(np.float64) <= limit)
    return hashes[taken], ScopedRows(rows.ids.take(taken), rows.x[taken], rows.keys[taken])


def _read(path: Path, rows: int, width: int) -> Floats:
    return scratch.mapped(path, np.dtype(np.float32), (rows, 1 + width)).astype(np.float64)
