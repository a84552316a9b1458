"""The rules that apply while a user sets none, and which are in force: nothing here parses or applies one."""

from __future__ import annotations

from collections.abc import Sequence

from tsclust.config import Rule

CLEAR = 0.9  # share of the series that must agree on the direction of the peak before the others count as upside down

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
# Whatever its curve is like: others begin or end at rest, it does not, and it is shorter by more than a cut.
_FAR_TOO_SHORT = "n_recorded < 0.8 * typical_n_recorded AND n_recorded < typical_n_recorded - 5 - 2 * spread_n_recorded"
_ENDS_WITHIN = (
    "typical_return_time > 0 AND typical_rest_level < 0.03 * typical_peak_height"
    " AND rest_level > 0.06 * typical_peak_height"
    f" AND rest_level > typical_rest_level + 10 * spread_rest_level AND {_FAR_TOO_SHORT}"
)
_BEGINS_WITHIN = (
    "typical_start > 0 AND typical_first_level < 0.03 * typical_peak_height AND start = 0"
    " AND first_level > 0.06 * typical_peak_height AND first_level > typical_first_level + 10 * spread_first_level"
    " AND n_recorded < 0.8 * typical_n_recorded AND n_recorded < typical_n_recorded - 5 - 3 * spread_n_recorded"
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
        when=f"{_BEGINS_HIGH} AND {_STEADY_RUN} AND {_NO_PEAK} OR {_BEGINS_WITHIN}",
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
        f" OR {_NEVER_LOW} OR {_ENDS_WITHIN}",
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


def in_force(rules: Sequence[Rule] | None, one_way: bool, extra: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The user's rules, or the default ones where none are given, and the one that always holds.

    Where series do not point `one_way`, the default rules cannot tell which of them are upside down. `extra` are the
    user's own features: they may know no number for a series either.
    """
    defaults = (r for r in DEFAULT_RULES if one_way or r.name != "wrong_sign")
    when = " OR ".join(f"{name} IS NULL" for name in ("run_length", *extra))
    return (*(defaults if rules is None else rules), NOT_DESCRIBED.model_copy(update={"when": when}))
