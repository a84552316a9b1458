"""Which scored series an expert looks at one by one, to find out what a model misses: a sample drawn by their ids.

From each tenth of the series that are taken for normal, by how unlike normal they are, as many; and some of those that
are called a malfunction. They come in blocks, each of which is such a sample, and all of them together are one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, UInt64s
from tsclust.hashing import hash_ids, limit
from tsclust.series import is_in
from tsclust.stages.model.profile import unlikeness
from tsclust.stages.model.quality import CHECK_SEED

STRATA, OF_STRATUM, OF_CALLED = 10, 4, 10  # a block: 40 series taken for normal, 10 that are called a malfunction
CONSIDERED = 1_000_000  # series that tell where the tenths of more than that are
BLOCKS = 25  # of which the sample consists at most
MIXED = 18  # seed of the order in a block


@dataclass(frozen=True)
class Looked:
    """What labels say of series (ids): called: a malfunction; alone: looked at one by one; faulty: both;
    cleared: looked at one by one, and no malfunction."""

    called: pl.Series
    alone: pl.Series
    faulty: pl.Series
    cleared: pl.Series


@dataclass(frozen=True)
class Candidates:
    """Series that may be drawn. hashes, far (n,): of those taken for normal, and how unlike normal they are - of those
    with the smallest hashes where they are many, as these are drawn first; normal: how many are taken so; called
    (m,): hashes of those called a malfunction; faulty (f,): of malfunctions that were looked at one by one."""

    hashes: UInt64s
    far: Floats
    called: UInt64s
    faulty: UInt64s
    normal: int

    @classmethod
    def joined(cls, found: Sequence[Candidates]) -> Candidates:
        """Those of all parts."""

        def of(name: str) -> np.ndarray:
            return np.concatenate([getattr(one, name) for one in found])

        normal = sum(one.normal for one in found)
        return cls(of("hashes"), of("far"), of("called"), of("faulty"), normal)

    @classmethod
    def none(cls) -> Candidates:
        nothing = np.zeros(0, np.uint64)
        return cls(nothing, np.zeros(0), nothing, nothing, 0)


def candidates(ids: pa.Array, z: Floats, said: Bools, looked: Looked, rows: int) -> Candidates:
    """Of the kept series of a part: ids, said (n,), whether score calls them a malfunction, deviations z (n, d); rows:
    series of all parts."""
    alone, faulty, known = (is_in(ids, one.to_arrow()) for one in (looked.alone, looked.faulty, looked.called))
    called = (said | known) & ~alone
    hashes, others = hash_ids(ids, CHECK_SEED), ~called & ~alone
    first = others & (hashes <= limit(CONSIDERED, rows))
    return Candidates(
        hashes[first], unlikeness(z[first]), hashes[called], hashes[faulty], normal=int(np.count_nonzero(others))
    )


def draw(of: Candidates) -> tuple[UInt64s, UInt64s]:
    """(drawn, called): hashes of the series, block by block and mixed within each; those of them that are called a
    malfunction."""
    order = np.lexsort((of.hashes, of.far))
    strata = [np.sort(of.hashes[rows]) for rows in np.array_split(order, STRATA)]
    called = np.sort(of.called)
    blocks = []
    for number in range(BLOCKS):
        normal = [one[number * OF_STRATUM : (number + 1) * OF_STRATUM] for one in strata]
        block = np.concatenate([*normal, called[number * OF_CALLED : (number + 1) * OF_CALLED]])
        blocks.append(block[np.argsort(_mixed(block))])
    return np.concatenate(blocks), called[: BLOCKS * OF_CALLED]


def _mixed(hashes: UInt64s) -> UInt64s:
    return hash_ids(pa.array(hashes.view(np.int64)), MIXED)
