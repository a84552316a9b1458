"""The columns and keys of a table, and a look at the texts in one of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "number", "numbers", "json", "text", "time", "other"]
Holds = Literal["number", "numbers", "time", ""]


@dataclass(frozen=True)
class Column:
    """A column of a source. `numbers` is an array of them; `type` is in the source's own words."""

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True)
class Key:
    """The columns of an index, in its order; `unique` holds every combination of values once."""

    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True)
class Seen:
    """What the texts of a column are.

    holds     what most of them are: number, numbers (an array of them), time; "" for anything else
    text      the first one that is not that, "" where all are;  where: its place, "in row 7"
    grouped   are all numbers in one clear form that the source does not know, and are they read nevertheless?
    whole     are all of them that, though the source reads none as that? Then `text` is the first
    readable  are they read as that, or does the source refuse to?
    varies    do most rows have another text than the row before?
    casts     the SQL that makes a time or a number of them; several where a date fits several orders
    """

    holds: Holds = ""
    text: str = ""
    where: str = ""
    readable: bool = False
    varies: bool = False
    casts: tuple[str, ...] = ()
    whole: bool = False
    grouped: bool = False

    @property
    def misfit(self) -> str:
        """The first text that does not fit, for a message."""
        return f"{shortened(self.text)} {self.where}".strip() if self.where else ""


Look = Callable[[str], Seen]  # at a column of texts


def no_look(_: str) -> Seen:
    """Where nobody can look."""
    return Seen()


def for_shell(text: str) -> str:
    """`text` as one word of a command line."""
    return f'"{text}"' if "'" in text and not set(text) & set('"$`\\!') else shlex.quote(text)


def shortened(text: str, most: int = 60) -> str:
    """`text` in quotes, for a message."""
    return repr(text if len(text) <= most else text[:most] + "...")
