"""Statements of SQL as pg_dump writes them: which tables and columns they speak of."""

from __future__ import annotations

import re

import pyarrow as pa

from tsclust.source.columns import Key

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
_TYPE = r"""((?:character|bit)\ varying|double\ precision|timestamp|(?:"(?:[^"]|"")+"|[^\s,(\[;"])+)(?:\([\d,\s-]*\))?
            (\ with(?:out)?\ time\ zone)?((?:\[\])*)"""
_COLUMN = re.compile(rf"""^\ +("(?:[^"]|"")+"|[^\s"]+)\ +{_TYPE}(.*)""", re.VERBOSE | re.MULTILINE)
_DOMAIN = re.compile(rf"""CREATE\ DOMAIN\ ([^\n]+?)\ AS\ {_TYPE}""", re.VERBOSE)
_NO_COLUMN = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE")
_ID = r'"(?:[^"]|"")+"|[^\s".,()]+'
_NAME = rf"(?:({_ID})\.)?({_ID})"
_COPY = re.compile(rf"COPY {_NAME} +(?:\((?P<columns>.*)\) )?(?P<oids>WITH OIDS )?FROM stdin;", re.DOTALL)
_CREATE = re.compile(rf"CREATE (?:UNLOGGED |FOREIGN )?TABLE {_NAME}")
_KIN = re.compile(rf"(?: |\) |\n|\)\n)(?:(PARTITION OF {_NAME})|INHERITS \((.*)\))", re.DOTALL)
_INHERIT = re.compile(rf"ALTER TABLE (?:ONLY )?{_NAME}\s+INHERIT {_NAME}")
_MADE_TYPE = re.compile(rf"CREATE TYPE {_NAME} AS ")
_COLLATION = re.compile(rf"CREATE COLLATION {_NAME} \((.*)\)", re.DOTALL)
_CONSTRAINT = re.compile(
    rf"ALTER TABLE (?:ONLY )?{_NAME}\s+ADD CONSTRAINT (?:{_ID}) (PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? \((.*?)\)"
)
_INDEX = re.compile(rf"CREATE (UNIQUE )?INDEX (?:{_ID}) ON (?:ONLY )?{_NAME} USING btree \((.*)\)[^()]*;")
_INDEXED = re.compile(rf"({_ID})(?: (?:ASC|DESC|NULLS FIRST|NULLS LAST|{_ID}))*")
_ATTACH = re.compile(rf"ALTER TABLE (?:ONLY )?{_NAME} ATTACH PARTITION {_NAME}")
_ENCODING = re.compile(r"SET client_encoding = '(\w+)';")
_SEARCH_PATH = re.compile(rf"SET search_path = ({_ID})")
_PART = r'"(?:[^"]|"")+"|[^."]+'  # "my.schema"."T"


def created(statement: str, schema: str) -> Name | None:
    """The table of a CREATE TABLE; `schema` is where names without one are, here and below."""
    found = _CREATE.match(statement)
    return _name(found[1], found[2], schema) if found else None


def kin(statement: str, schema: str) -> tuple[Name, tuple[Name, ...], bool] | None:
    """(a table, those whose part it is, is it a partition?) where a statement says so."""
    if found := _ATTACH.match(statement):
        return _name(found[3], found[4], schema), (_name(found[1], found[2], schema),), True
    if found := _INHERIT.match(statement):
        return _name(found[1], found[2], schema), (_name(found[3], found[4], schema),), False
    if not (table := created(statement, schema)):
        return None
    plain = _without_texts(statement)
    if found := _KIN.search(plain, _CREATE.match(statement).end()):  # type: ignore[union-attr]
        if found[1]:
            return table, (_name(found[2], found[3], schema),), True
        return table, tuple(_name(of, name, schema) for of, name in re.findall(_NAME, found[4])), False
    return None


def domain(statement: str, schema: str) -> tuple[Name, str] | None:
    """The name of a domain and the type that it is of."""
    found = _DOMAIN.match(statement)
    return (type_name(found[1], schema), found[2] + (found[3] or "") + found[4][:2]) if found else None


def made_type(statement: str, schema: str) -> Name | None:
    """The name of an enum, a composite or a range."""
    found = _MADE_TYPE.match(statement)
    return _name(found[1], found[2], schema) if found else None


def key(statement: str, schema: str) -> tuple[Name, Key, bool] | None:
    """(a table, a key of it, is it the primary one?) where a statement makes one of whole columns for all rows."""
    if found := _CONSTRAINT.match(statement):
        columns = tuple(unquoted(c) for c in re.findall(_ID, found[4]))
        return _name(found[1], found[2], schema), Key(columns, unique=True), found[3] == "PRIMARY KEY"
    if (found := _INDEX.match(statement)) and " WHERE " not in statement:
        pieces = [_INDEXED.fullmatch(piece.strip()) for piece in found[4].split(",")]
        if all(pieces):
            columns = tuple(unquoted(piece[1]) for piece in pieces if piece)
            return _name(found[2], found[3], schema), Key(columns, unique=bool(found[1])), False
    return None


def copied(statement: str, schema: str) -> tuple[Name, tuple[str, ...]] | None:
    """The table and the columns of a COPY ... FROM stdin, behind which rows follow."""
    if not (found := _COPY.match(statement)):
        return None
    columns = tuple(unquoted(c) for c in re.findall(_ID, found["columns"] or ""))
    return _name(found[1], found[2], schema), (("oid", *columns) if found["oids"] else columns)


def column_types(create: str) -> dict[str, str]:
    """Column -> type as SQL names it, without a length, from CREATE TABLE as pg_dump writes it: a column on a line."""
    found = _COLUMN.findall(_without_texts(create))
    return {unquoted(n): type_ + zone + array[:2] for n, type_, zone, array, _ in found if n not in _NO_COLUMN}


def generated(create: str) -> tuple[str, ...]:
    """The columns that the server computes from others: COPY has none of them."""
    found = _COLUMN.findall(_without_texts(create))
    return tuple(unquoted(n) for n, *_, more in found if "GENERATED ALWAYS AS (" in more)


def made_collation(statement: str, schema: str) -> tuple[Name, bool] | None:
    """The name of a collation, and whether texts that differ may be equal by it."""
    found = _COLLATION.match(statement)
    return (_name(found[1], found[2], schema), "deterministic = false" in found[3]) if found else None


def collations(create: str, schema: str) -> dict[str, Name]:
    """Column -> its collation, where that is not one of PostgreSQL's own."""
    found = {
        unquoted(column): re.search(rf"COLLATE (?!pg_catalog\.)(?:{_NAME})", more)
        for column, *_, more in _COLUMN.findall(_without_texts(create))
    }
    return {column: _name(by[1], by[2], schema) for column, by in found.items() if by}


def arrow_type(type_: str) -> pa.DataType | None:
    """What a type of PostgreSQL's own becomes; None for one that is not: text."""
    return _TYPES.get(type_)


def type_name(type_: str, schema: str) -> Name:
    """`public.mv` -> its schema and its name."""
    names = split_name(type_)
    return (names[-2] if len(names) > 1 else schema, names[-1])


def _without_texts(statement: str) -> str:
    """A statement without what stands in single quotes: it may look like SQL."""
    return _QUOTED.sub(lambda m: m[0] if m[0][0] == '"' else "''", statement)


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
