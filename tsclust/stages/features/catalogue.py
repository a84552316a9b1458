"""The catalogue: every number that describes a series, in the order of the columns of features/part-*.parquet.

Levels are measured in the direction of the peak: where the peak of a recorder is negative, a deeper value is a higher
level. `lower` is the lower end of a recording, by which its phases are found, `rest` the level of the idle sensor
(`phases`). Who changes what a feature measures changes its formula: it is part of what features/ and models are held by.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from tsclust.arrays import Floats
from tsclust.errors import SettingsError

Unit = Literal["samples", "value", "value/sample", "value x samples", "1"]
Phase = Literal["recording", "rest", "peak", "decay", "side movement", "return", "run", "extra"]


@dataclass(frozen=True)
class Feature:
    """One number that describes a series.

    name       column name
    unit       samples, value (the recorder's unit), value/sample, value x samples or 1 (none)
    phase      the part of the series it is taken from; `extra` is one of the user's own
    meaning    one sentence for people
    formula    how it is computed; x: values in the direction of the peak, [start, end): the run
    clustered  False for simple facts, which rules use, for what only says how the recording was cut, and what is skipped
    """

    name: str
    unit: Unit
    phase: Phase
    meaning: str
    formula: str
    clustered: bool = True


START = "start"  # the feature that curves are laid over each other by

CATALOGUE: tuple[Feature, ...] = (
    Feature("n_values", "samples", "recording", "Length of the recording.", "number of values", False),
    Feature("n_missing", "samples", "recording", "Values that are missing.", "number of NULL, NaN or infinite", False),
    Feature("min", "value", "recording", "Smallest value, as recorded.", "min of the values", False),
    Feature("max", "value", "recording", "Largest value, as recorded.", "max of the values", False),
    Feature(
        "n_recorded", "samples", "recording", "Length without what is missing at the ends.",
        "values from the first to the last that is not missing", False,
    ),
    Feature("n_lost", "samples", "recording", "Values that are missing inside.", "number of missing among n_recorded", False),
    Feature(
        "least_step", "value", "recording", "Smallest change from one sample to the next: how coarse the scale is.",
        "min |x[i + 1] - x[i]| above a millionth of the largest |x|; 0 where nothing changes", False,
    ),
    Feature(
        "longest_flat_run", "samples", "recording", "Longest stretch of one and the same value away from rest.",
        "longest run of equal neighbours with x - lower > 3 % of max x - lower; all of a flat recording", False,
    ),
    Feature(
        "frozen_run", "samples", "recording", "Longest stretch of one and the same value between rest and the highest value.",
        "longest_flat_run among values below max x, at rest too where it begins amid the run", False,
    ),
    Feature(
        "spike", "value", "recording", "How far one sample, or two, stand out from those beside them.",
        "largest distance of x[i], or of x[i] and x[i + 1], up or down to the nearer of both neighbours; at an end, to all others", False,
    ),
    Feature("floor", "value", "recording", "Lowest level it comes to.", "third lowest x", False),
    Feature("first_level", "value", "rest", "Level at which the recording begins.", "x[0] - rest", False),
    Feature(
        "upright", "1", "recording", "Whether it leaves the level of its ends upwards (1) or downwards (0).",
        "above / (above + below) of the third highest and lowest x against its ends; 1 if below is under a tenth of max - min", False,
    ),
    Feature(START, "samples", "rest", "Where the run starts in the recording.", "first of two neighbours with |x - lower| > 3 % of max x - lower, at the peak at the latest", False),
    Feature("run_length", "samples", "run", "How long the mechanism runs.", "end - start"),
    Feature("peak_position", "samples", "peak", "When the peak comes after the start.", "first local maximum with x - lower >= 90 % of max x - lower, less start"),
    Feature("peak_height", "value", "peak", "Height of the peak above rest.", "max x - rest"),
    Feature("peak_width", "samples", "peak", "Width of the peak at half its height.", "distance of the crossings of peak_height / 2"),
    Feature(
        "decay_time", "samples", "decay", "How fast the peak falls to the side movement.",
        "from the peak to the crossing of side + (peak - side) / e",
    ),
    Feature("side_mean", "value", "side movement", "Mean level of the side movement above rest.", "mean - rest"),
    Feature("side_std", "value", "side movement", "Spread of the side movement.", "standard deviation"),
    Feature("side_skewness", "1", "side movement", "Whether it strays upwards or downwards.", "m3 / m2^1.5"),
    Feature("side_kurtosis", "1", "side movement", "Whether few values stray far.", "m4 / m2^2 - 3"),
    Feature("side_slope", "value/sample", "side movement", "Whether it rises or falls.", "medians of its first and last third, joined by a line"),
    Feature("side_roughness", "value", "side movement", "Mean step between neighbours.", "mean |x[i + 1] - x[i]|"),
    Feature("side_rise", "value", "side movement", "Largest rise above its median.", "max - median"),
    Feature("side_fall", "value", "side movement", "Largest fall below its median.", "median - min"),
    Feature(
        "side_step", "value", "side movement", "Step from one level to another that lasts.",
        "median after less median before the sample where the means of 5 neighbours on each side differ most",
    ),
    Feature(
        "step_or_line", "1", "side movement", "Whether it changes in one step (1) or along a line (-1).",
        "(r - s) / (r + s); r, s: sums of squares that the best line and the best step leave",
    ),
    Feature(
        "side_oscillation", "1", "side movement", "How regular a swing it has.",
        "largest autocorrelation at lags 3 to 20 after the line is taken off",
    ),
    Feature("side_to_peak", "1", "side movement", "Level of the side movement against the peak.", "side_mean / peak_height"),
    Feature("spread_to_peak", "1", "side movement", "Its spread against the peak.", "side_std / peak_height"),
    Feature("rise_to_peak", "1", "side movement", "Its largest rise against the peak.", "side_rise / peak_height"),
    Feature("roughness_to_peak", "1", "side movement", "Its roughness against the peak.", "side_roughness / peak_height"),
    Feature("return_time", "samples", "return", "How long the fall to rest takes.", "end - last x at 70 % of the side level above lower"),
    Feature("return_level", "value", "return", "Mean level during the fall.", "mean of the return - rest"),
    Feature("rest_level", "value", "rest", "Level after the return against before the start.", "min of the last 3 - x[0], or - rest where start is 0"),
    Feature("area", "value x samples", "run", "Area under the curve: the work done.", "sum of x - rest over the run"),
    Feature("p05", "value", "run", "5 % of the run lie below.", "5th percentile of the run - rest"),
    Feature("p25", "value", "run", "A quarter of the run lies below.", "25th percentile of the run - rest"),
    Feature("p50", "value", "run", "Half of the run lies below.", "median of the run - rest"),
    Feature("p75", "value", "run", "Three quarters of the run lie below.", "75th percentile of the run - rest"),
    Feature("p95", "value", "run", "95 % of the run lie below.", "95th percentile of the run - rest"),
)  # fmt: skip

SIZES = ("least_step", "peak_height", "run_length")  # what says how coarse the others are
NAMES: tuple[str, ...] = tuple(f.name for f in CATALOGUE)


def in_force(skip: Sequence[str] = (), extra: Iterable[Feature] = ()) -> tuple[Feature, ...]:
    """The catalogue, the user's `extra` ones behind it; what `skip` names is not clustered. Raises SettingsError."""
    features = (*CATALOGUE, *extra)
    can_skip = [f.name for f in features if f.clustered]
    for name in skip:
        if name not in can_skip:
            raise SettingsError(
                f"[features] skip: {name!r} is not a feature that series are compared by ({meant(name, can_skip)})",
                "Correct it",
            )
    if set(can_skip) <= set(skip):
        raise SettingsError("[features] skip names every feature: expected at least one to be left", "Remove some")
    return tuple(replace(f, clustered=False) if f.name in skip else f for f in features)


def meant(name: str, known: Sequence[str]) -> str:
    """For an unknown name: `did you mean p50 or p05?`, or the known ones where none is like it."""
    near = similar(name, known)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"


def similar(name: str, known: Sequence[str], cutoff: float = 0.6) -> list[str]:
    """The names that differ from this one by case alone, else up to three of those most like it."""
    same = [one for one in known if one.casefold() == name.casefold()]
    return same or difflib.get_close_matches(name, known, n=3, cutoff=cutoff)


def clustered(features: Iterable[Feature]) -> tuple[str, ...]:
    """The names of those that series are compared by."""
    return tuple(f.name for f in features if f.clustered)


def measured_otherwise(then: Iterable[Feature]) -> list[str]:
    """The names of those that are computed by another formula today; the user's own ones have none here."""
    now = {f.name: f.formula for f in CATALOGUE}
    return [f.name for f in then if now.get(f.name, f.formula) != f.formula]


def needed(features: Iterable[Feature]) -> tuple[str, ...]:
    """Those of the user's own that are clustered: a series for which they know no number cannot be."""
    return tuple(f.name for f in features if f.phase == "extra" and f.clustered)


def least_spreads(features: Iterable[Feature], x: Floats, sizes: Floats | None = None) -> Floats:
    """The least spread that means something, for the clustered features with values x (n, d): (d,), or (n, d) where
    `sizes` (n, 3) has what SIZES names of each series.

    What is counted in samples is off by a sample in any recording; what is measured by a step of the recorder's scale,
    where that is known, or by rounding.
    """
    counted = [f for f in features if f.clustered]
    largest = np.abs(x).max(axis=0, initial=0.0)
    rounding = np.where(largest > 0, 1e-9 * largest, 1.0)
    spreads: Floats = np.where([f.unit == "samples" for f in counted], 1.0, rounding)
    if sizes is None:
        return spreads
    return np.maximum(spreads, np.column_stack([_step_of(f, sizes) for f in counted]))


def _step_of(feature: Feature, sizes: Floats) -> Floats:
    """(n,) how much a feature changes with one step of the scale; 0 where nobody can say."""
    step, height, length = sizes.T
    of = {"value": 1.0, "value x samples": 1.0, "value/sample": np.maximum(length, 1.0)}
    over = np.where(height > 0, height, np.inf) if feature.name.endswith("_to_peak") else of.get(feature.unit, np.inf)
    changes: Floats = step / over
    return changes


def plain(features: Iterable[Feature]) -> list[dict[str, Any]]:
    """For a manifest: what describes the series is kept with them."""
    return [asdict(f) for f in features]


def as_markdown(word: Callable[[str], str]) -> str:
    """The catalogue as the table in docs/features.md; `word` gives phases and meanings as readers see them."""
    rows = ["| name | unit | phase | meaning | formula |", "| --- | --- | --- | --- | --- |"]
    for f in CATALOGUE:
        name = f"`{f.name}`" if f.clustered else f"`{f.name}` (rules only)"
        rows.append(f"| {name} | {f.unit} | {word(f.phase)} | {word(f.meaning)} | {f.formula.replace('|', '&#124;')} |")
    return "\n".join(rows) + "\n"
