"""Which rows cannot be real. A rule is an SQL condition over features and carried columns: see conditions.py."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from tsclust.config import Rule
from tsclust.errors import SettingsError
from tsclust.stages.features import conditions
from tsclust.stages.features.catalogue import similar

_OF_REGEX = re.compile(r"^regex.*^error: ([^\n]+)", re.DOTALL | re.MULTILINE)
_OF_ZONE = re.compile(r"Datetime\('..', '")


@dataclass(frozen=True)
class Screening:
    """What the rules say of n rows.

    rejected_by  (n,) name of the first rule that rejects the row, null = kept
    in_all       rule -> rows it rejects, whatever the others say
    alone        rule -> rows that no other rejects
    """

    rejected_by: pl.Series
    in_all: dict[str, int]
    alone: dict[str, int]


def applied_rule(applied: Sequence[Rule], in_force: Sequence[Rule], name: str) -> Rule:
    """The applied rule of this name. Raises SettingsError for one that was not, with those that were."""
    rules = {rule.name: rule for rule in applied}
    if name in rules:
        return rules[name]
    if any(rule.name == name for rule in in_force):
        raise SettingsError(f"rule {name!r} is in tsclust.toml, but has not been applied yet", "Run: tsclust filter")
    near = similar(name, list(rules), cutoff=0.5)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise SettingsError(f"there is no rule {name[:100]!r}{meant}", f"The rules are: {', '.join(rules)}")


def columns_read(rules: Sequence[Rule]) -> set[str]:
    """The columns that the rules read. Raises SettingsError for a rule that does not parse."""
    return {name for rule in rules for name in conditions.parse(rule.name, rule.when).columns}


def columns_used(rules: Sequence[Rule], known: Sequence[str]) -> set[str]:
    """The columns that the rules read. Raises SettingsError for a rule that does not parse or has an unknown column."""
    used: set[str] = set()
    for rule in rules:
        names = conditions.parse(rule.name, rule.when).columns
        for name in sorted(names - set(known)):
            near = similar(name, known, cutoff=0.4)
            guess = f" (did you mean {' or '.join(near)}?)" if near else ""
            raise SettingsError(
                f"rule {rule.name}: unknown column {name!r} in {rule.when!r}{guess}",
                "Correct the rule's `when` in tsclust.toml: it names features and carried columns",
            )
        used |= names
    return used


def screen(frame: pl.DataFrame, rules: Sequence[Rule]) -> Screening:
    """Apply the rules in their order. A comparison with a missing value rejects nothing."""
    hits = pl.DataFrame([_hits(frame, rule) for rule in rules])
    first = pl.coalesce(pl.when(pl.col(r.name)).then(pl.lit(r.name)) for r in rules)
    in_all = hits.sum().row(0, named=True)
    alone = hits.filter(pl.sum_horizontal(pl.all()) == 1).sum().row(0, named=True)
    return Screening(hits.select(first.alias("rejected_by")).to_series().cast(pl.String), in_all, alone)


def first_rule(frame: pl.DataFrame, rules: Sequence[Rule]) -> pa.Array:
    """(n,) text: the first rule that rejects each row, null where none does. All rules at once: few rows are fast."""
    hits = np.column_stack([hit.to_numpy() for hit in _all_hits(frame, rules)])
    at = np.where(hits.any(axis=1), hits.argmax(axis=1), len(rules))
    names = pa.array([*(rule.name for rule in rules), None], pa.string())
    return names.take(pa.array(at))


def _all_hits(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[pl.Series]:
    """(n,) Boolean of each rule. Where one of them cannot be applied, they are asked one by one which it is."""
    try:
        found = frame.with_columns(
            conditions.parse(rule.name, rule.when).expression.alias(str(n)) for n, rule in enumerate(rules)
        )
    except (PolarsError, pl.exceptions.PanicException):
        return [_hits(frame, rule) for rule in rules]
    hits = [found[str(n)] for n in range(len(rules))]
    if any(hit.dtype != pl.Boolean for hit in hits):
        return [_hits(frame, rule) for rule in rules]
    return [hit.fill_null(False) if hit.null_count() else hit for hit in hits]


def _hits(frame: pl.DataFrame, rule: Rule) -> pl.Series:
    """(n,) Boolean, named as the rule; a literal holds for all rows."""
    try:
        found = frame.with_columns(conditions.parse(rule.name, rule.when).expression.alias(rule.name))[rule.name]
        wrong, hint = f"it gives {found.dtype}", "Correct its `when`"
    except (PolarsError, pl.exceptions.PanicException) as error:
        found, (wrong, hint) = pl.Series([0]), _why(str(error))
    if found.dtype not in (pl.Boolean, pl.Null):
        raise SettingsError(f"rule {rule.name}: {rule.when[:200]!r} does not give true or false: {wrong}", hint)
    return found.cast(pl.Boolean).fill_null(False)


def _why(error: str) -> tuple[str, str]:
    """What Polars has against a condition, in one line; the next step."""
    first = error.partition("\n")[0][:200]
    if reason := _OF_REGEX.search(error):
        return f"regular expression: {reason[1][:200]}", "Write \\ before ( ) [ ] { } . * + ? that stand for themselves"
    if "comparison" in first and _OF_ZONE.search(first):
        return first, "Write CAST(column AS TIMESTAMP), its time in UTC, instead of the column with the time zone"
    return first, "Correct its `when`"
