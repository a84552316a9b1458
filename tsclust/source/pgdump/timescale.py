"""Chunks of hypertables that TimescaleDB has compressed: which of them belong to a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from tsclust.source.pgdump import copy_text
from tsclust.source.pgdump.contents import Contents, Copy
from tsclust.source.pgdump.inheritance import above
from tsclust.source.pgdump.statements import Name

CATALOG: Name = ("_timescaledb_catalog", "hypertable")  # has the number of each hypertable's compressed one
_ID, _PACKED_ID = "id", "compressed_hypertable_id"
_CHUNK = re.compile(r"_hyper_(\d+)_\d+_chunk")
_PACKED = re.compile(r"compress_hyper_(\d+)_\d+_chunk")


def packed(contents: Contents, name: Name, catalog: tuple[bytes, Copy] | None) -> Sequence[Copy]:
    """The rows of the table that only TimescaleDB can unpack; where nothing tells whose they are, those of all.

    catalog: the rows of CATALOG, where the dump has them.
    """
    all_ = [copy for copy in contents.copies if copy.name[1].startswith("compress_hyper_")]
    mine = {m[1] for table in contents.tables if name in above(contents, table) and (m := _CHUNK.match(table[1]))}
    if not mine or not all_:
        return ()
    known = _numbers(*catalog) if catalog else {}
    if not mine <= set(known):
        return all_
    wanted = {known[number] for number in mine}
    return [copy for copy in all_ if (m := _PACKED.match(copy.name[1])) and m[1] in wanted]


def _numbers(text: bytes, copy: Copy) -> dict[str, str | None]:
    """The number of a hypertable -> that of its compressed one; None where there is none."""
    if not {_ID, _PACKED_ID} <= set(copy.columns):
        return {}
    cells = copy_text.columns(text, copy.columns, {_ID: pa.string(), _PACKED_ID: pa.string()})
    return dict(zip(cells[_ID].to_pylist(), cells[_PACKED_ID].to_pylist(), strict=True))
