"""Rows of PostgreSQL's binary COPY -> flat arrays. Big-endian bytes in, nothing else; the GIL is released.

Format: https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format"), arrays as array_send() writes them:
int32 dimensions, int32 has NULLs, uint32 element type, (int32 length, int32 lower bound) for each dimension, then for
each element int32 length (-1 = NULL) and its bytes.

The bytes come from a network and may be anything: `fields` holds every count and length against what is there before
anybody reads by it, and `floats` and `doubles` the length of each element. The others take what `fields` let pass.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from tsclust.arrays import Int64s, UInt64s

Bytes = npt.NDArray[np.uint8]
Int32s = npt.NDArray[np.int32]
UInt32s = npt.NDArray[np.uint32]
Fault = tuple[int, int, int, int]  # what, in which column, what was found, what was expected
_HEADER = 20  # bytes before the elements of a one-dimensional array
_MOST_DIMENSIONS = 6  # MAXDIM of PostgreSQL
_FLOAT4, _FLOAT8 = 700, 701  # pg_type.oid

# Kinds of columns: a number of bytes, or
TEXT, FLOAT4S, FLOAT8S = 0, -4, -8

# Faults
(
    NONE, NO_ROW, COLUMNS, WIDTH, TOO_LONG, TOO_SHORT, BOOLEAN, DIMENSIONS, NULL_FLAG, ELEMENT_TYPE, ELEMENTS,
    ARRAY_LENGTH, ELEMENT_LENGTH,
) = range(13)  # fmt: skip


@njit(cache=True, nogil=True)
def int32_at(data: Bytes, at: int) -> int:
    """The big-endian int32 at byte `at`."""
    value = (np.int64(data[at]) << 24) | (np.int64(data[at + 1]) << 16) | (np.int64(data[at + 2]) << 8) | data[at + 3]
    return int(value - (np.int64(1) << 32) if value >= (np.int64(1) << 31) else value)


@njit(cache=True, nogil=True)
def fields(data: Bytes, ends: Int64s, kinds: Int64s) -> tuple[Int64s, Int64s, int, Fault]:
    """Where the fields of rows are, each row all bytes up to its `ends` (rows,); `kinds` (columns,) of the columns.

    Returns starts (columns, rows), lengths (columns, rows) with -1 for NULL, and the first row that does not hold what
    it should, with its fault; (rows, NONE) where all do.
    """
    shape = (len(kinds), len(ends))
    starts, lengths = np.empty(shape, np.int64), np.empty(shape, np.int64)
    at = 0
    for row in range(len(ends)):
        fault = _row(data, at, ends[row], kinds, starts[:, row], lengths[:, row])
        if fault[0] != NONE:
            return starts, lengths, row, fault
        at = ends[row]
    return starts, lengths, len(ends), (NONE, 0, 0, 0)


@njit(cache=True, nogil=True)
def _row(data: Bytes, at: int, end: int, kinds: Int64s, starts: Int64s, lengths: Int64s) -> Fault:
    """Note the fields of the row data[at:end]."""
    if at + 2 > end:
        return NO_ROW, 0, end - at, 2
    count = (np.int64(data[at]) << 8) | data[at + 1]
    if count != len(kinds):
        return COLUMNS, 0, int(count), len(kinds)
    at += 2
    for column in range(len(kinds)):
        if at + 4 > end:
            return TOO_SHORT, column, end - at, 4
        length = int32_at(data, at)
        starts[column], lengths[column] = at + 4, length
        at += 4
        if length != -1:
            if length < 0 or length > end - at:
                return TOO_LONG, column, length, end - at
            fault = _field(data, at, length, kinds[column])
            if fault[0] != NONE:
                return fault[0], column, fault[2], fault[3]
            at += length
    return (NONE, 0, 0, 0) if at == end else (TOO_SHORT, len(kinds), end - at, 0)


@njit(cache=True, nogil=True)
def _field(data: Bytes, at: int, length: int, kind: int) -> Fault:
    """What is wrong with a field of `length` bytes, which are there."""
    if kind > 0:
        if length != kind:
            return WIDTH, 0, length, kind
        if kind == 1 and data[at] > 1:
            return BOOLEAN, 0, int(data[at]), 1
    elif kind < 0:
        return _array(data, at, length, -kind)
    return NONE, 0, 0, 0


@njit(cache=True, nogil=True)
def _array(data: Bytes, at: int, length: int, width: int) -> Fault:
    """What is wrong with an array of `length` bytes; the elements of one dimension are left to `floats`, `doubles`."""
    if length < 12:
        return ARRAY_LENGTH, 0, length, 12
    dimensions, flag, type_ = int32_at(data, at), int32_at(data, at + 4), int32_at(data, at + 8)
    if dimensions < 0 or dimensions > _MOST_DIMENSIONS:
        return DIMENSIONS, 0, dimensions, _MOST_DIMENSIONS
    if flag != 0 and flag != 1:
        return NULL_FLAG, 0, flag, 1
    if type_ != (_FLOAT4 if width == 4 else _FLOAT8):
        return ELEMENT_TYPE, 0, type_, _FLOAT4 if width == 4 else _FLOAT8
    header = 12 + 8 * dimensions
    if length < header or (dimensions == 0 and length != header):
        return ARRAY_LENGTH, 0, length, header
    count = 1 if dimensions else 0
    for dimension in range(dimensions):
        size = int32_at(data, at + 12 + 8 * dimension)
        if size < 0 or count * size > (length - header) // 4:  # a NULL takes 4 bytes
            return ELEMENTS, 0, size, (length - header) // 4
        count *= size
    payload = length - header - 4 * count
    if payload > count * width or payload % width or (flag == 0 and payload != count * width):
        return ARRAY_LENGTH, 0, length, header + (4 + width) * count
    return _elements(data, at, length, width) if dimensions > 1 else (NONE, 0, 0, 0)


@njit(cache=True, nogil=True)
def _elements(data: Bytes, at: int, length: int, width: int) -> Fault:
    """What is wrong with the elements of an array of several dimensions."""
    end = at + length
    at += 12 + 8 * int32_at(data, at)
    while at + 4 <= end:
        size = int32_at(data, at)
        if size != -1 and (size != width or at + 4 + width > end):
            return ELEMENT_LENGTH, 0, size, width
        at += 4 + max(size, 0)
    return (NONE, 0, 0, 0) if at == end else (ARRAY_LENGTH, 0, length, length - (end - at))


@njit(cache=True, nogil=True)
def _bad_element(size: int, width: int, length: int, before: int) -> Fault:
    """The fault of an element of `size` bytes behind the first `before` bytes of an array of `length`."""
    if size == width or before + 4 > length:
        return ARRAY_LENGTH, 0, length, before + 4 + width
    return ELEMENT_LENGTH, 0, size, width


@njit(cache=True, nogil=True)
def texts(data: Bytes, starts: Int64s, lengths: Int64s, offsets: Int32s, out: Bytes) -> None:
    """Copy each text to its place: out[offsets[i]:offsets[i + 1]]."""
    for i in range(len(starts)):
        out[offsets[i] : offsets[i + 1]] = data[starts[i] : starts[i] + max(lengths[i], 0)]


@njit(cache=True, nogil=True)
def floats(
    data: Bytes, starts: Int64s, lengths: Int64s, offsets: Int32s, out: UInt32s, missing: Bytes
) -> tuple[int, int, Fault]:  # fmt: skip
    """Copy the elements (float4) of every array to out (total,) as their bits; a NULL stays what out has there.

    missing (total,) becomes 1 where an element is NULL. Returns how many are, and the first array whose elements are
    not what they should be, with its fault; (arrays, NONE) where all are.
    """
    nulls = 0
    for i in range(len(starts)):
        at, end = starts[i] + _HEADER, starts[i] + lengths[i]
        for j in range(offsets[i], offsets[i + 1]):
            size = int32_at(data, at) if at + 4 <= end else 0
            if size == 4 and at + 8 <= end:
                bits = np.uint32(0)
                for byte in range(4, 8):
                    bits = np.uint32((bits << np.uint32(8)) | np.uint32(data[at + byte]))
                out[j], at = bits, at + 8
            elif size == -1:
                missing[j], nulls, at = 1, nulls + 1, at + 4
            else:
                return nulls, i, _bad_element(size, 4, lengths[i], at - starts[i])
        if offsets[i + 1] > offsets[i] and at != end:
            return nulls, i, (ARRAY_LENGTH, 0, lengths[i], at - starts[i])
    return nulls, len(starts), (NONE, 0, 0, 0)


@njit(cache=True, nogil=True)
def doubles(
    data: Bytes, starts: Int64s, lengths: Int64s, offsets: Int32s, out: UInt64s, missing: Bytes
) -> tuple[int, int, Fault]:  # fmt: skip
    """`floats` for float8."""
    nulls = 0
    for i in range(len(starts)):
        at, end = starts[i] + _HEADER, starts[i] + lengths[i]
        for j in range(offsets[i], offsets[i + 1]):
            size = int32_at(data, at) if at + 4 <= end else 0
            if size == 8 and at + 12 <= end:
                bits = np.uint64(0)
                for byte in range(4, 12):
                    bits = (bits << np.uint64(8)) | np.uint64(data[at + byte])
                out[j], at = bits, at + 12
            elif size == -1:
                missing[j], nulls, at = 1, nulls + 1, at + 4
            else:
                return nulls, i, _bad_element(size, 8, lengths[i], at - starts[i])
        if offsets[i + 1] > offsets[i] and at != end:
            return nulls, i, (ARRAY_LENGTH, 0, lengths[i], at - starts[i])
    return nulls, len(starts), (NONE, 0, 0, 0)
