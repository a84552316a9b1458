"""Which rows cannot be real. A rule is an SQL expression over features and carried columns, parsed and never run."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError

from tsclust.config import Rule
from tsclust.errors import SettingsError

# A side movement that stands out of rest and is calm: only then can its level tell where a recording was cut.
_STEADY = "side_mean > 0.1 * peak_height AND side_std < 0.2 * side_mean"

# Right for a recorder and wrong for no malfunction: a limit that depends on the machine does not belong here.
DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(name="empty", when="n_values = n_missing", reason="Nothing was recorded"),
    Rule(name="too_short", when="n_values - n_missing < 8", reason="Fewer than 8 values: no operation is that short"),
    Rule(name="gaps", when="n_missing > 0.03 * n_values", reason="Values are missing: the recorder lost some"),
    Rule(
        name="flat",
        when="longest_flat_run >= 0.9 * n_values",
        reason="The same value all the time: no sensor, or no run",
    ),
    Rule(
        name="stuck",
        when="longest_flat_run > 0.25 * n_values",
        reason="The value freezes during the run: a sensor always shows some noise",
    ),
    Rule(
        name="cut_start",
        when="start = 0 AND first_level > 0.5 * side_mean AND " + _STEADY,
        reason="The recording begins in the middle of a run",
    ),
    Rule(name="wrong_sign", when="upright < 0.1", reason="Upside down: the sensor is connected the wrong way"),
    Rule(
        name="cut_end",
        when="rest_level > 0.5 * side_mean AND " + _STEADY,
        reason="The recording ends before the run does",
    ),
)

# What no rule of the user's caught and still has no features (its own policy may have left `too_short` out).
NOT_DESCRIBED = Rule(
    name="not_described", when="run_length IS NULL", reason="Features cannot be computed: too few values"
)


@dataclass(frozen=True)
class Screening:
    """What the rules say of n rows.

    rejected_by  (n,) name of the first rule that rejects the row, null = kept
    alone        rule -> rows it rejects, whatever the others say
    """

    rejected_by: pl.Series
    alone: dict[str, int]


def in_force(rules: Sequence[Rule] | None, one_way: bool) -> tuple[Rule, ...]:
    """The user's rules, or the default ones where none are given, and the one that always holds.

    Where series do not point `one_way`, the default rules cannot tell which of them are upside down.
    """
    defaults = (r for r in DEFAULT_RULES if one_way or r.name != "wrong_sign")
    return (*(defaults if rules is None else rules), NOT_DESCRIBED)


def columns_used(rules: Sequence[Rule], known: Sequence[str]) -> set[str]:
    """The columns that the rules read. Raises SettingsError for a rule that does not parse or has an unknown column."""
    used: set[str] = set()
    for rule in rules:
        names = set(_expression(rule).meta.root_names())
        for name in sorted(names - set(known)):
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
            raise SettingsError(
                f"rule {rule.name}: unknown column {name!r} in {rule.when!r} (near: {', '.join(near)})",
                "Correct the rule's `when` in tsclust.toml",
            )
        used |= names
    return used


def screen(frame: pl.DataFrame, rules: Sequence[Rule]) -> Screening:
    """Apply the rules in their order. A comparison with a missing value rejects nothing."""
    try:
        hits = frame.select(_expression(r).fill_null(False).cast(pl.Boolean).alias(r.name) for r in rules)
    except PolarsError as error:
        when = " | ".join(r.when for r in rules)
        raise SettingsError(
            f"a rule does not give true or false ({when[:200]}): {error}", "Correct its `when`"
        ) from None
    first = pl.coalesce(pl.when(pl.col(r.name)).then(pl.lit(r.name)) for r in rules)
    alone = {r.name: int(hits[r.name].sum()) for r in rules}
    return Screening(hits.select(first.alias("rejected_by")).to_series().cast(pl.String), alone)


def _expression(rule: Rule) -> pl.Expr:
    try:
        return pl.sql_expr(rule.when)
    except PolarsError as error:
        raise SettingsError(
            f"rule {rule.name}: {rule.when!r} is not an SQL condition: {error}",
            "Write it like: peak_height < 0.2 OR n_missing > 3",
        ) from None
