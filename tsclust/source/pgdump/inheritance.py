"""Which tables of a dump hold the rows of a table, and what its columns are: as the server would give them."""

from __future__ import annotations

import pyarrow as pa

from tsclust.source.pgdump import statements
from tsclust.source.pgdump.contents import Contents
from tsclust.source.pgdump.statements import Name

_TRIMMED = ("character", "bpchar")  # their ends are blanks that mean nothing, and the server leaves them out of a text
_TEXTS = ("citext",)  # of extensions


def above(contents: Contents, name: Name) -> list[Name]:
    """The table, what it is a part of, what those are parts of, ...: whoever reads one of them gets its rows too."""
    names = [name]
    for one in names:
        names += [parent for parent in contents.parents.get(one, ()) if parent not in names]
    return names


def meant(contents: Contents, name: Name) -> Name:
    """The table that people mean who name none: not its partitions, nor tables that only add rows to another."""
    seen = {name}
    while (parents := contents.parents.get(name, ())) and len(parents) == 1 and parents[0] not in seen:
        known = parents[0] in contents.tables and not statements.column_types(contents.tables.get(name, ""))
        if name not in contents.partitions and not known:
            break
        name = parents[0]
        seen.add(name)
    return name


def declared(contents: Contents, name: Name) -> dict[str, str]:
    """Column -> type as SQL names it; those of the tables above come first."""
    types: dict[str, str] = {}
    for table in reversed(above(contents, name)):
        types |= statements.column_types(contents.tables.get(table, ""))
    return types


def generated(contents: Contents, name: Name) -> tuple[str, ...]:
    """The columns that the server computes."""
    found = (statements.generated(contents.tables.get(table, "")) for table in above(contents, name))
    return tuple(dict.fromkeys(column for columns in found for column in columns))


def base(contents: Contents, type_: str, schema: str) -> str:
    """A type without the domains around it."""
    for _ in range(len(contents.domains)):
        found = contents.domains.get(statements.type_name(type_.removesuffix("[]"), schema))
        if found is None:
            break
        type_ = found + ("[]" if type_.endswith("[]") and not found.endswith("[]") else "")
    return type_


def arrow_types(contents: Contents, name: Name) -> dict[str, pa.DataType | None]:
    """Column -> its type; None where the dump does not say what the type is."""
    return {column: _arrow(contents, type_, name[0]) for column, type_ in declared(contents, name).items()}


def trimmed(contents: Contents, name: Name) -> frozenset[str]:
    """The columns of texts that are filled up with blanks."""
    types = declared(contents, name)
    return frozenset(column for column, type_ in types.items() if base(contents, type_, name[0]) in _TRIMMED)


def spelled(contents: Contents, name: Name) -> dict[str, str]:
    """The columns whose equal values may be written differently -> what makes them equal: citext, or a collation that
    the database has of its own."""
    types, found = declared(contents, name), dict[str, Name]()
    for table in above(contents, name):
        found |= statements.collations(contents.tables.get(table, ""), table[0])
    folding = {column: f"collation {by[1]}" for column, by in found.items() if contents.folding.get(by, True)}
    of = {column: statements.type_name(base(contents, type_, name[0]), name[0])[1] for column, type_ in types.items()}
    return folding | {column: type_ for column, type_ in of.items() if type_ in _TEXTS}


def _arrow(contents: Contents, type_: str, schema: str) -> pa.DataType | None:
    type_ = base(contents, type_, schema)
    if (found := statements.arrow_type(type_)) is not None:
        return found
    own = statements.type_name(type_.removesuffix("[]"), schema)
    unknown = "." in type_ and own not in contents.types and own[1] not in _TEXTS
    return None if unknown else pa.string()
