"""Several files as one: columns that all of them have, those that their folders name, and which file a row is from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tsclust.errors import BadSeriesError, SettingsError
from tsclust.source.files.objects import FilePath, ObjectPath
from tsclust.source.layouts import FILE
from tsclust.source.protocols import Batches, OnBytes, Rows
from tsclust.source.table import near

FILE_NAME = "file"  # the column with the name of each row's file, for those who ask for it
# Files that one program wrote next to each other may share a series: part-00000.parquet, data_1.parquet, ...
_PIECE = re.compile(r"(part|data|chunk|shard|split|batch|block|slice|piece)[-_. ]?\d.*", re.IGNORECASE)


@dataclass(frozen=True)
class Several:
    """Files with the same columns, one after another; the protocol is `Rows`.

    folders  columns with one value for a whole file, those of its folders; FILE_NAME among them. They are in `schema`,
             but for FILE_NAME
    origins  what a file is called where series must not be in two, "" for those that may be in both
    """

    label: str
    schema: pa.Schema
    size: int
    parts: Sequence[Rows]
    folders: Mapping[str, pa.Array]
    origins: tuple[str, ...]

    @property
    def left_out(self) -> Mapping[str, str]:
        """The columns that are there and cannot be used: name -> why."""
        return {name: why for part in self.parts for name, why in getattr(part, "left_out", {}).items()}

    @property
    def files(self) -> tuple[str, ...]:
        """What the numbers in the column FILE stand for."""
        return tuple(dict.fromkeys(self.origins))

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Batches:
        """See `Rows.read`. The column FILE is there too, for who asks for it."""
        for number, part in enumerate(self.parts):
            own = {name: t for name, t in types.items() if name not in self.folders and name != FILE}
            for batch in part.read(_known(part, own), tell):
                yield batch if len(own) == len(types) else self._completed(batch, types, number)

    def _completed(self, batch: pa.RecordBatch, types: Mapping[str, pa.DataType], number: int) -> pa.RecordBatch:
        origin = pa.scalar(self.files.index(self.origins[number]), pa.int32())

        def column(name: str) -> pa.Array:
            if name not in self.folders and name != FILE:
                return batch.column(name)
            value = origin if name == FILE else self.folders[name][number]
            return pa.repeat(value, batch.num_rows).cast(types[name])

        return pa.RecordBatch.from_arrays([column(n) for n in types], schema=pa.schema(list(types.items())))


def several(
    label: str, parts: Sequence[Rows], paths: Sequence[FilePath], folders: Mapping[str, pa.Array], *, text_wins: bool
) -> Several:
    """Files as one. text_wins: where a column is text in one file and a number in another, it is text.

    Raises SettingsError where their columns differ.
    """
    schema = _common(parts, text_wins=text_wins)
    named = {name: values for name, values in folders.items() if name not in schema.names}
    for name, values in named.items():
        schema = schema.append(pa.field(name, values.type))
    if len(paths) > 1 and FILE_NAME not in schema.names:
        named[FILE_NAME] = pa.array(_names(paths), pa.string())
    return Several(label, schema, sum(p.size for p in parts), parts, named, _origins(paths))


def _names(paths: Sequence[FilePath]) -> list[str]:
    """What tells files apart: their paths below the folder that all are in, without what names their kind."""
    above = Path(os.path.commonpath([path.parent for path in paths]))
    return [str(path.relative_to(above).with_name(path.name.split(".")[0] or path.name)) for path in paths]


def _origins(paths: Sequence[FilePath]) -> tuple[str, ...]:
    """The names of files; those that one program wrote next to each other have one together."""
    folders = (path.parent if _PIECE.fullmatch(path.name) else path for path in paths)
    return tuple(one.url if isinstance(one, ObjectPath) else str(one) for one in folders)


def _common(parts: Sequence[Rows], *, text_wins: bool) -> pa.Schema:
    """The columns of all parts, in the order of the first one, with types that hold the values of each."""
    types = dict(zip(parts[0].schema.names, parts[0].schema.types, strict=True))
    for part in parts[1:]:
        _check_names(parts[0], part)
        for name, type_ in types.items():
            types[name] = _wider(name, type_, part, parts[0].label, text_wins=text_wins)
    return pa.schema([(name, pa.string() if pa.types.is_null(t) else t) for name, t in types.items()])


def _check_names(first: Rows, part: Rows) -> None:
    for has, lacks in ((first, part), (part, first)):
        there = set(lacks.schema.names)
        missing = [name for name in has.schema.names if name not in there]
        if missing:
            raise SettingsError(
                f"{lacks.label} has no column {missing[0]}, which {has.label} has", "Name files with the same columns"
            )


def _wider(name: str, type_: pa.DataType, part: Rows, first: str, *, text_wins: bool) -> pa.DataType:
    """The type that holds the values of `type_` and of the column of `part`."""
    other = part.schema.field(name).type
    pair = [type_, other]
    flat = not any(pa.types.is_list(t) for t in pair)
    if flat and text_wins and pa.string() in pair:  # ids: 1 to 99 in one file, A1 in the next
        return pa.string()
    if flat and pa.date32() in pair and pa.timestamp("us") in pair:
        return pa.timestamp("us")
    try:
        schemas = [pa.schema([(name, t)]) for t in pair]
        return pa.unify_schemas(schemas, promote_options="permissive").field(name).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise SettingsError(
            f"{part.label}: column {name} is {other}, in {first} it is {type_}", "Name files with the same columns"
        ) from None


def _known(part: Rows, types: Mapping[str, pa.DataType]) -> Mapping[str, pa.DataType]:
    """`types`, where the part has these columns or says itself why it has not."""
    there = {*part.schema.names, *getattr(part, "left_out", {})}
    for name in types:
        if name not in there:
            raise BadSeriesError(
                f"{part.label} has no column {name} (it has {near(name, part.schema.names)})", "Name one of its columns"
            )
    return types
