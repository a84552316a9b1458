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

# A run that is level and well above rest: only then can that level tell where a recording was cut.
_STEADY_RUN = "p50 > 0.1 * peak_height AND p75 - p25 < 0.4 * p50"
# It begins high, and of what the peak rises above the middle of the run, against that middle, there is less than a
# third of what is typical. What was cut before its peak, or is at its sensor's limit, has all there is to see. Where
# most begin high, one without a peak may be a malfunction, but not if it is shorter too.
_BEGINS_HIGH = "start = 0 AND first_level > 0.5 * p50 AND (typical_start > 0 OR run_length < 0.95 * typical_run_length)"
_NO_PEAK = (
    "peak_height < 0.9 * typical_peak_height"
    " AND (peak_height - p50) * typical_p50 < 0.3 * (typical_peak_height - typical_p50) * p50"
    " AND NOT (peak_position > 0 AND peak_position <= typical_peak_position AND peak_height > 1.15 * first_level)"
)
# It is still as high as it was and shorter than others, which come to rest. Where most do not, it is far shorter.
_STILL_HIGH = (
    "rest_level > 0.5 * side_mean AND return_time <= 1 AND side_mean > 0.1 * peak_height AND p50 - p25 < 0.4 * p50"
    " AND side_fall - least_step < 0.2 * side_mean"
)
_OTHERS_REST = "typical_return_time > 0 AND typical_rest_level < 0.25 * typical_side_mean"
_FAR_SHORTER = "run_length < 0.6 * typical_run_length AND run_length < typical_run_length - 2 * spread_run_length"
# It began amid the run, so that only others know where rest is.
_NEVER_LOW = (
    f"{_OTHERS_REST} AND start = 0 AND n_recorded < 0.9 * typical_n_recorded"
    " AND floor - typical_floor > 0.5 * typical_side_mean AND floor - typical_floor > 10 * spread_floor"
)

# Right for a recorder and wrong for no malfunction: a limit that depends on the machine does not belong here. What most
# recordings have (they begin or end amid the run, miss values, stand still on a coarse scale) is the recorder's way and
# no fault of one: that is what typical_... is for, which is that of the series' own kind.
DEFAULT_RULES: tuple[Rule, ...] = (
    Rule(name="empty", when="n_values = n_missing", reason="Nothing was recorded"),
    Rule(
        name="too_short",
        when="n_values - n_missing < 8 OR 10 * n_recorded < typical_n_recorded",
        reason="Fewer than 8 values, or a tenth of what is typical: no operation is that short",
    ),
    Rule(
        name="too_long",
        when="n_recorded > 10 * typical_n_recorded AND n_recorded > typical_n_recorded + 10 * spread_n_recorded",
        reason="More than ten times as long as is typical: the recorder did not stop",
    ),
    Rule(
        name="gaps",
        when="n_lost > 2 AND n_lost > 0.03 * n_recorded AND n_lost > 3 * typical_n_lost",
        reason="More than two values are missing inside: the recorder lost some",
    ),
    Rule(
        name="glitch",
        when="spike > 50 * (typical_max - typical_min) AND spike > 0.5 * (max - min)",
        reason="One sample or two stand alone, fifty times what is typical: a failed reading, or a code for an error",
    ),
    Rule(
        name="flat",
        when="longest_flat_run >= 0.97 * n_recorded OR frozen_run >= 0.9 * n_recorded",
        reason="The same value all the time: no sensor, or no run",
    ),
    Rule(
        name="stuck",
        # A quarter of the recording, or a fifth at its end, where it should have come to rest.
        when="(frozen_run > 0.25 * n_recorded"
        " OR frozen_run > 0.2 * n_recorded AND frozen_run > typical_frozen_run + 5 * spread_frozen_run"
        " AND rest_level > 0.5 * side_mean AND return_time <= 1)"
        " AND frozen_run > 3 * typical_frozen_run"
        " AND typical_roughness_to_peak * peak_height > 0.5 * least_step",
        reason="The value freezes during the run: a sensor always shows some noise",
    ),
    Rule(
        name="cut_start",
        when=f"{_BEGINS_HIGH} AND {_STEADY_RUN} AND {_NO_PEAK}",
        reason="The recording begins in the middle of a run: its peak is missing",
    ),
    Rule(
        name="wrong_sign",
        # Or, where it begins amid the run: far below what others come to, and it ends higher.
        when="upright < 0.1 OR floor < typical_floor - 0.3 * typical_peak_height"
        " AND rest_level > 0.3 * typical_peak_height AND rest_level > 0.5 * peak_height",
        reason="Upside down: the sensor is connected the wrong way",
    ),
    Rule(
        name="cut_end",
        when=f"{_STILL_HIGH} AND ({_OTHERS_REST} AND run_length < typical_run_length OR {_FAR_SHORTER})"
        f" OR {_NEVER_LOW}",
        reason="The recording ends before the run does",
    ),
    Rule(
        name="no_run",
        when="50 * (max - min) < typical_max - typical_min",
        reason="Nothing moves, fifty times less than is typical: nothing ran",
    ),
)

# What no rule of the user's caught and still has no features (its own policy may have left `too_short` out).
NOT_DESCRIBED = Rule(
    name="not_described", when="run_length IS NULL", reason="Features cannot be computed, mostly: too few values"
)


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


def in_force(rules: Sequence[Rule] | None, one_way: bool, extra: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The user's rules, or the default ones where none are given, and the one that always holds.

    Where series do not point `one_way`, the default rules cannot tell which of them are upside down. `extra` are the
    user's own features: they may know no number for a series either.
    """
    defaults = (r for r in DEFAULT_RULES if one_way or r.name != "wrong_sign")
    when = " OR ".join(f"{name} IS NULL" for name in ("run_length", *extra))
    return (*(defaults if rules is None else rules), NOT_DESCRIBED.model_copy(update={"when": when}))


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
