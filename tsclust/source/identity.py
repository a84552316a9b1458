"""What the rows of a series have in common, and the next step where rows of different series have one id."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.config import Source
from tsclust.source.columns import Column
from tsclust.source.keys import names_a_thing
from tsclust.source.layouts import Layout, free_name
from tsclust.source.long_rows import Sameness


def sameness(
    layout: Layout,
    columns: Mapping[str, Column],
    source: Source,
    folders: Collection[str] = (),
    files: Sequence[str] = (),
) -> Sameness | None:
    """What is to be checked; None where `merge` says that rows of one id are one series.

    folders: the columns that folders name;  files: the names of files that series may not share.
    """
    if source.merge and layout.form == "long":
        return None
    tells = {name for name in columns if name in folders or names_a_thing(columns[name])}
    checked = [n for n in layout.carry if n in tells or "*" in source.carry]  # what the user names may change
    used = {*layout.carry, *layout.ids, layout.order, *layout.values}
    others = tuple(name for name in columns if name in tells and name not in used)
    constant = {free_name(name, columns): name for name in checked}
    return Sameness(layout.ids, layout.order, constant, others, tuple(files), frozenset(tells))


def varying(same: Sameness | None, layout: Layout, kept: Collection[str]) -> tuple[str, ...]:
    """The columns that name a thing, but are not among those `kept` because they are the same in a whole series."""
    if same is None:
        return ()
    return tuple(n for n in layout.carry if n not in kept and n in same.tells)


def joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Several columns as one id: 7/12. A slash in a text becomes \\/, so that no two rows of cells give one id."""
    texts = [_escaped(part) if pa.types.is_string(part.type) else part.cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, "/", null_handling="emit_null")


def _escaped(texts: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), "/", "\\/")
