"""Statements of SQL as pg_dump writes them: which tables and columns they speak of."""

from __future__ import annotations

import re

import pyarrow as pa

Name = tuple[str, str]  # schema, table
_DOUBLES = pa.list_(pa.float64())
_TYPES = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double precision": pa.float64(), "numeric": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"), "timestamp with time zone": pa.timestamp("us", "UTC"),
    **dict.fromkeys(["smallint[]", "integer[]", "bigint[]", "double precision[]", "numeric[]"], _DOUBLES),
    "real[]": pa.list_(pa.float32()),
}  # fmt: skip
_QUOTED = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'""")
_COLUMN = re.compile(
    r"""^\ +("(?:[^"]|"")+"|[^\s"]+)\ +
         (double\ precision|timestamp|[^\s,(\[]+)(?:\([\d,\s-]*\))?(\ with(?:out)?\ time\ zone)?((?:\[\])*)""",
    re.VERBOSE | re.MULTILINE,
)
_ID = r'"(?:[^"]|"")+"|[^\s".,()]+'
_NAME = rf"(?:({_ID})\.)?({_ID})"
_COPY = re.compile(rf"COPY {_NAME} +(?:\((?P<columns>.*)\) )?(?P<oids>WITH OIDS )?FROM stdin;", re.DOTALL)
_CREATE = re.compile(rf"CREATE (?:UNLOGGED |FOREIGN )?TABLE {_NAME}")
_ATTACH = re.compile(rf"ALTER TABLE (?:ONLY )?{_NAME} ATTACH PARTITION {_NAME}")
_ENCODING = re.compile(r"SET client_encoding = '(\w+)';")
_SEARCH_PATH = re.compile(rf"SET search_path = ({_ID})")
_PART = r'"(?:[^"]|"")+"|[^."]+'  # "my.schema"."T"


def created(statement: str, schema: str) -> Name | None:
    """The table of a CREATE TABLE; `schema` is where names without one are, here and below."""
    found = _CREATE.match(statement)
    return _name(found[1], found[2], schema) if found else None


def attached(statement: str, schema: str) -> tuple[Name, Name] | None:
    """The table and the partition of an ALTER TABLE ... ATTACH PARTITION."""
    found = _ATTACH.match(statement)
    return (_name(found[1], found[2], schema), _name(found[3], found[4], schema)) if found else None


def copied(statement: str, schema: str) -> tuple[Name, tuple[str, ...]] | None:
    """The table and the columns of a COPY ... FROM stdin, behind which rows follow."""
    if not (found := _COPY.match(statement)):
        return None
    columns = tuple(unquoted(c) for c in re.findall(_ID, found["columns"] or ""))
    return _name(found[1], found[2], schema), (("oid", *columns) if found["oids"] else columns)


def column_types(create: str) -> dict[str, pa.DataType]:
    """Column -> type, from the text of CREATE TABLE, which pg_dump writes with a column on a line."""
    plain = _QUOTED.sub(lambda m: m[0] if m[0][0] == '"' else "''", create)
    types: dict[str, pa.DataType] = {}
    for name, type_, zone, array in _COLUMN.findall(plain):
        types.setdefault(unquoted(name), _TYPES.get(type_ + zone + array[:2], pa.string()))
    return types


def client_encoding(statement: str) -> str | None:
    """PostgreSQL's name of the encoding that a SET client_encoding says."""
    found = _ENCODING.match(statement)
    return found[1] if found else None


def python_encoding(encoding: str) -> str:
    """PostgreSQL's name of an encoding -> Python's; SQL_ASCII is what was put in: UTF8, we hope. Raises LookupError."""
    name = encoding.upper().replace("SQL_ASCII", "UTF8").replace("WIN", "cp").replace("KOI8", "koi8_")
    b"a".decode(name)
    return name


def search_path(statement: str) -> str | None:
    """The first schema of a SET search_path."""
    found = _SEARCH_PATH.match(statement)
    return unquoted(found[1]) if found else None


def split_name(name: str) -> tuple[str, ...]:
    """`schema.table` or `"My Schema"."T"` -> its names."""
    return tuple(unquoted(n) for n in re.findall(_PART, name.strip()))


def joined_name(name: Name) -> str:
    """The reverse of `split_name`."""
    return ".".join(f'"{n.replace(chr(34), chr(34) * 2)}"' if re.search(r'[."\s]', n) else n for n in name if n)


def unquoted(name: str) -> str:
    """A name as SQL writes it -> the name."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _name(schema: str | None, table: str, default: str) -> Name:
    return unquoted(schema) if schema else default, unquoted(table)
