"""What the keys of a table say: which columns name a series, and which one orders its values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tsclust.source.columns import Column, Key

# What people call the order, the likeliest first.
ORDERS = ("idx", "index", "order", "ord", "i", "n", "seq", "pos", "position", "sample", "step", "t", "time", "ts",
          "timestamp", "sampled_at", "measured_at", "recorded_at", "at")  # fmt: skip
_THING = "machine|device|unit|asset|equipment|motor|engine|pump|switch|turbine|vehicle|station|plant|site"
_SIGNAL = "sensor|channel|signal|metric|variable|parameter|tag"
_NAMES = re.compile(rf"(?:.*_)?(?:{_THING}|{_SIGNAL})(?:_.*)?", re.IGNORECASE)
_IDS = re.compile(r"(?:.*_)?id", re.IGNORECASE)


def names_a_thing(column: Column) -> bool:
    """Does it say by its name which machine or which of its sensors a value is from? One series has one of them."""
    return column.kind in ("integer", "text", "other") and bool(_NAMES.fullmatch(column.name))


def split_keys(keys: Sequence[Key], columns: Mapping[str, Column], said: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """(the id's columns, the order's) of every key that has both; those that hold each combination once first.

    said: the order as a setting, "" = it is not set.
    """
    for key in sorted(keys, key=lambda k: not k.unique):
        order = said or _order_in(key, columns)
        if len(key.columns) > 1 and order in key.columns:
            yield tuple(name for name in key.columns if name != order), order


def _order_in(key: Key, columns: Mapping[str, Column]) -> str:
    """The column of a key that orders: the last one, unless that names something and another is a time, or counts."""
    last = columns[key.columns[-1]]
    likely = [name for name in key.columns if name.casefold() in ORDERS]
    if last.name in likely or last.kind in ("time", "number"):
        return last.name
    times = [name for name in key.columns if columns[name].kind == "time"]
    names = last.kind != "integer" or names_a_thing(last) or bool(_IDS.fullmatch(last.name))
    if names or set(times) & set(likely):
        return (times or likely or [""])[-1]
    return last.name if key.unique or len(key.columns) == 2 else ""
