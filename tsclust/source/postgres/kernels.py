"""Rows of PostgreSQL's binary COPY -> flat arrays. Big-endian bytes in, nothing else; the GIL is released.

Format: https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format"), arrays as array_send() writes them:
int32 dimensions, int32 has NULLs, uint32 element type, (int32 length, int32 lower bound) for each dimension, then for
each element int32 length (-1 = NULL) and its bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Int64s, UInt64s

Bytes = npt.NDArray[np.uint8]
Int32s = npt.NDArray[np.int32]
UInt32s = npt.NDArray[np.uint32]
_HEADER = 20  # bytes before the elements of a one-dimensional array


@njit(cache=True, nogil=True)
def int32_at(data: Bytes, at: int) -> int:
    """The big-endian int32 at byte `at`."""
    value = (np.int64(data[at]) << 24) | (np.int64(data[at + 1]) << 16) | (np.int64(data[at + 2]) << 8) | data[at + 3]
    return int(value - (np.int64(1) << 32) if value >= (np.int64(1) << 31) else value)


@njit(cache=True, nogil=True)
def row_end(data: Bytes, at: int) -> int:
    """Where the row at byte `at` ends; -1 if `data` ends before it does, -2 at the trailer that ends all rows."""
    if at + 2 > len(data):
        return -1
    columns = (np.int64(data[at]) << 8) | data[at + 1]
    if columns == 0xFFFF:
        return -2
    at += 2
    for _ in range(columns):
        if at + 4 > len(data):
            return -1
        at += 4 + max(int32_at(data, at), 0)
    return at if at <= len(data) else -1


@njit(cache=True, nogil=True)
def fields(data: Bytes, columns: int, most: int) -> tuple[Int64s, Int64s, int]:
    """(starts (columns, rows), lengths (columns, rows), bytes used) of at most `most` whole rows; length -1 is NULL."""
    starts, lengths = np.empty((columns, most), np.int64), np.empty((columns, most), np.int64)
    rows, used = 0, 0
    while rows < most:
        end = row_end(data, used)
        if end < 0:
            break
        at = used + 2
        for column in range(columns):
            length = int32_at(data, at)
            starts[column, rows], lengths[column, rows] = at + 4, length
            at += 4 + max(length, 0)
        rows, used = rows + 1, end
    return starts[:, :rows].copy(), lengths[:, :rows].copy(), used


@njit(cache=True, nogil=True)
def texts(data: Bytes, starts: Int64s, lengths: Int64s, offsets: Int32s, out: Bytes) -> None:
    """Copy each text to its place: out[offsets[i]:offsets[i + 1]]."""
    for i in range(len(starts)):
        out[offsets[i] : offsets[i + 1]] = data[starts[i] : starts[i] + max(lengths[i], 0)]


@njit(cache=True, nogil=True)
def floats(data: Bytes, starts: Int64s, offsets: Int32s, out: UInt32s, missing: Bytes) -> int:
    """Copy the elements (float4) of every array to out (total,) as their bits; a NULL stays what out has there.

    missing (total,) becomes 1 where an element is NULL. Returns how many are.
    """
    nulls = 0
    for i in range(len(starts)):
        at = starts[i] + _HEADER
        for j in range(offsets[i], offsets[i + 1]):
            if data[at] == 0xFF:  # the length is -1
                missing[j], nulls, at = 1, nulls + 1, at + 4
            else:
                bits = np.uint32(0)
                for byte in range(4, 8):
                    bits = np.uint32((bits << np.uint32(8)) | np.uint32(data[at + byte]))
                out[j], at = bits, at + 8
    return nulls


@njit(cache=True, nogil=True)
def doubles(data: Bytes, starts: Int64s, offsets: Int32s, out: UInt64s, missing: Bytes) -> int:
    """`floats` for float8."""
    nulls = 0
    for i in range(len(starts)):
        at = starts[i] + _HEADER
        for j in range(offsets[i], offsets[i + 1]):
            if data[at] == 0xFF:
                missing[j], nulls, at = 1, nulls + 1, at + 4
            else:
                bits = np.uint64(0)
                for byte in range(4, 12):
                    bits = (bits << np.uint64(8)) | np.uint64(data[at + byte])
                out[j], at = bits, at + 12
    return nulls
