"""Two readings of a source, series by series: by id, then by a hash of the carried columns and the values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsclust.series import SeriesBlock, carried
from tsclust.stages.series import parts

NAMED = 10  # ids that are shown
Ids = tuple[int | str, ...]


@dataclass(frozen=True)
class Comparison:
    """Ids, ascending: of the second reading only, of the first only, of both with other content."""

    new: Ids
    gone: Ids
    changed: Ids


def compare(one: Sequence[Path], other: Sequence[Path]) -> Comparison:
    """The parts of two readings. Columns that only one of them has do not count."""
    shared = sorted(_columns(one) & _columns(other))
    was, now = dict(_contents(one, shared)), dict(_contents(other, shared))
    return Comparison(
        new=tuple(sorted(now.keys() - was.keys())),
        gone=tuple(sorted(was.keys() - now.keys())),
        changed=tuple(sorted(id_ for id_ in was.keys() & now.keys() if was[id_] != now[id_])),
    )


def _columns(paths: Sequence[Path]) -> set[str]:
    return set(carried(parts.read_schema(paths[0]).names))


def _contents(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[tuple[int | str, bytes]]:
    """(id, hash) of each series: 16 bytes and the id are held, not the values."""
    for path in paths:
        block, rows = parts.read_block(path), parts.read_carried(path, columns)
        ids = block.ids.to_pylist()
        about = map(repr, rows.iter_rows()) if columns else [""] * len(ids)
        for id_, row, content in zip(ids, about, _values(block), strict=True):
            yield id_, hashlib.blake2b(row.encode() + content, digest_size=16).digest()


def _values(block: SeriesBlock) -> Iterator[bytes]:
    values = np.ascontiguousarray(block.values, np.float64)
    for start, stop in zip(block.offsets[:-1], block.offsets[1:], strict=True):
        yield values[start:stop].tobytes()
