"""Random numbers that belong to a series, and fingerprints of sets of series: from the hash of an id."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tsclust.arrays import Bools, Int64s, UInt64s

# splitmix64 (Steele, Lea, Flood 2014): the mixing constants of its output function.
_PRINTED_WITH = (11, 13)  # seeds of the two halves of a fingerprint


_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def hash_ids(ids: pa.Array, seed: int) -> UInt64s:
    """(n,) uint64, uniform: a random number that belongs to the series and the seed, not to its row or part.

    Integers go through splitmix64, text through Polars' seeded hash.
    """
    if pa.types.is_integer(ids.type):
        x = ids.cast(pa.int64()).to_numpy(zero_copy_only=False).view(np.uint64).copy()
    else:
        x = _text_to_uint64(ids)
    return _mixed(x ^ _mixed(np.full(1, seed, np.uint64)))


def limit(wanted: int, of: int) -> np.uint64:
    """The largest hash that is drawn, so that about `wanted` of `of` series are."""
    return np.uint64(min(2**64 - 1, wanted * 2**64 // max(of, 1)))


def order_of(pieces: Sequence[UInt64s]) -> Int64s:
    """(n,) where each of the hashes, ascending, stands in the pieces put one after the other: drawn series in the same
    order for any parts."""
    return np.argsort(np.concatenate(pieces), kind="stable")


def among(hashes: UInt64s, known: UInt64s) -> Bools:
    """(n,) which of the hashes are among the known ones (m,), which ascend: nothing is sorted here."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    found: Bools = known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes
    return found


def fingerprints(ids: pa.Array, inside: npt.NDArray[np.bool_]) -> UInt64s:
    """(g, 2) of g sets of ids, inside (n, g): sums of two hashes, the same for any order, and added up over parts.

    Equal sets have equal ones; two sets that differ have, by chance, about once in 2**128.
    """
    groups, rows = np.nonzero(np.ascontiguousarray(inside.T))
    ends = np.cumsum(np.bincount(groups, minlength=inside.shape[1]))
    sums = (np.cumsum(hash_ids(ids, seed)[rows], dtype=np.uint64) for seed in _PRINTED_WITH)
    upto = np.column_stack([np.concatenate([np.zeros(1, np.uint64), each])[ends] for each in sums])
    return np.diff(upto, axis=0, prepend=np.zeros((1, 2), np.uint64))


def fingerprint(ids: pa.Array) -> UInt64s:
    """(2,) of one set of ids."""
    one: UInt64s = fingerprints(ids, np.ones((len(ids), 1), bool))[0]
    return one


def hexadecimal(fingerprint: UInt64s) -> str:
    """A fingerprint (2,) as text."""
    return "".join(f"{half:016x}" for half in fingerprint.tolist())


def _mixed(x: UInt64s) -> UInt64s:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return x ^ (x >> np.uint64(31))


def _text_to_uint64(ids: pa.Array) -> UInt64s:
    """FNV-1a (Fowler, Noll, Vo) over UTF-8, a column of bytes at a time: stable over versions, a library's is not."""
    texts = ids.cast(pa.large_binary()) if not pa.types.is_large_binary(ids.type) else ids
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    lengths = np.diff(offsets)
    x = np.full(len(texts), 0xCBF29CE484222325, np.uint64)
    for j in range(int(lengths.max(initial=0))):
        live = np.flatnonzero(lengths > j)
        x[live] = (x[live] ^ data[offsets[live] + j]) * np.uint64(0x100000001B3)
    return x
