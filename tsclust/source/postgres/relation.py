"""What is selected from: the user's table or query, as an item of FROM."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsclust.config import Source
from tsclust.errors import SettingsError
from tsclust.source.table import near

if TYPE_CHECKING:
    from psycopg import sql

# A query up to its last word: strings and quoted names may hold what looks like a comment or a semicolon.
_TOKEN = re.compile(
    r"""(?P<idle> \s+ | ; | --[^\n]* | /\*.*?\*/ )
      | [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
      | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
      | [^\W\d][\w$]* | .""",
    re.VERBOSE | re.DOTALL,
)
_NAME = r'"(?:[^"]|"")+"|[^."]+'


@dataclass(frozen=True)
class Relation:
    """What is selected from."""

    text: sql.Composable  # an item of FROM, named q
    label: str  # what messages call it: "machine.cycles", "sql/long_rows.sql"


def relation(source: Source, base: Path) -> Relation:
    """The table or query of `source`; a query may be a file, relative to `base`.

    Raises SettingsError where neither is set, the table's name cannot be read, or there is no such file.
    """
    from psycopg import sql

    text, label = _found(source, base)
    return Relation(sql.SQL(text), label)


def text_of(source: Source, base: Path) -> str:
    """The text of `relation`, without psycopg, which who only asks whether it has changed does without. Errors are the
    same."""
    return _found(source, base)[0]


def _found(source: Source, base: Path) -> tuple[str, str]:
    """The item of FROM, and what to call it."""
    if source.query.strip():
        text, label = _query(source.query.strip(), base)
        return f"(\n{text}\n) AS q", label
    if source.table.strip():
        quoted = (name.replace('"', '""') for name in table_names(source.table))
        return ".".join(f'"{name}"' for name in quoted) + " AS q", source.table.strip()
    raise SettingsError(
        "source.table, source.query and source.files are all empty: expected one of them",
        'Set one in tsclust.toml, for example: table = "machine.cycles"; or on the command line: --from FILES',
    )


def _query(text: str, base: Path) -> tuple[str, str]:
    """The SQL to put in parentheses, and what to call it."""
    label = "source.query"
    if text.startswith("@") or re.fullmatch(r"\S+\.sql", text, re.IGNORECASE):
        label = text.removeprefix("@").strip()
        text = _file_text(base / Path(label).expanduser(), label)
    text = _without_end(text)
    if not text:
        raise SettingsError(f"{label} contains no query", "Write a SELECT that gives the id and the values")
    return text, label


def _file_text(path: Path, label: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"source.query: {label} is not UTF-8 text", "Save it as UTF-8") from None
    except OSError as error:
        there = near(path.name, sorted(p.name for p in path.parent.glob("*.sql")))
        raise SettingsError(
            f"source.query: {path} cannot be read ({error.strerror}): expected a file with a SELECT",
            f"Files there: {there}" if there else "Give its path relative to the workspace",
        ) from None


def _without_end(query: str) -> str:
    """`query` without the semicolons, comments and blanks behind its last word: it is going to stand in parentheses."""
    return query[: max((t.end() for t in _TOKEN.finditer(query) if t.lastgroup != "idle"), default=0)]


def table_names(text: str, asked: str = "source.table") -> tuple[str, ...]:
    """`schema.table` or `"My Schema"."T"` -> its names, spelled exactly as the server has them."""
    # libpq reads up to a NUL, and what is not UTF-8 on a command line comes as surrogates.
    sound = not re.search("[\0\ud800-\udfff]", text)
    if not sound or not re.fullmatch(rf"(?:{_NAME})(?:\.(?:{_NAME}))*", text.strip()):
        raise SettingsError(
            f"{asked} = {text!r} is not a table name",
            'Write schema.table, with names that contain a dot or a quote in double quotes: "my.schema"."T"',
        )
    names = re.findall(_NAME, text.strip())
    return tuple(n[1:-1].replace('""', '"') if n.startswith('"') else n.strip() for n in names)
