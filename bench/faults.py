"""A grammar of faults: what goes wrong with a run, at which phase or place, how strongly. And what cannot be real.

Strengths are 3 to 10 deviations of normal: of the level (its spread between recordings and the noise together), or
samples where a time changes. See bench/mechanisms.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from mechanisms import Runs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator

LONG = 8  # samples: a phase that slopes, steps and pauses are seen in
SPOILT = ("flat", "upside down", "frozen", "holes", "glitch", "begins in the run", "ends in the run")


@dataclass(frozen=True)
class Fault:
    """One kind: `verb` of PARAMETERS or ADDED; phase: where it is; place: within that phase, 0..1; sign: up or down;
    width: samples; strength: deviations of normal."""

    verb: str
    phase: int
    place: float
    strength: float
    sign: int
    width: float

    @property
    def name(self) -> str:
        return f"{self.verb} {self.phase + 1}{'+' if self.sign > 0 else '-'}"

    def change(self, rng: Rng, runs: Runs, rows: Ints) -> None:
        """Change what these runs are made of."""
        if self.verb in PARAMETERS:
            PARAMETERS[self.verb](self, runs, rows, self._strengths(rng, len(rows)))

    def added(self, rng: Rng, runs: Runs, rows: Ints, t: Floats) -> Floats:
        """(rows, width) what is added to the curves of these runs, at the samples t since their start."""
        if self.verb not in ADDED:
            return np.zeros(t.shape)
        size = (self.sign * self._strengths(rng, len(rows)) * runs.sigma[rows])[:, None]
        last = runs.ends[rows, self.phase][:, None]
        first = last - runs.samples[rows, self.phase][:, None]
        at = first + (self.place + rng.uniform(-0.05, 0.05, (len(rows), 1))) * (last - first)
        added: Floats = size * ADDED[self.verb](self, rng, t, first, last, at)
        return added

    def _strengths(self, rng: Rng, n: int) -> Floats:
        return self.strength * rng.uniform(0.8, 1.25, n)


def draw(rng: Rng, samples: Sequence[int], taus: Sequence[float], wanted: int) -> list[Fault]:
    """`wanted` faults of a mechanism whose phases have these samples and time constants; no two with the same name."""
    found: dict[str, Fault] = {}
    while len(found) < wanted:
        verb = str(rng.choice([*PARAMETERS, *ADDED]))
        if fits := _phases_for(verb, samples, taus):
            fault = Fault(
                verb, int(rng.choice(fits)), rng.uniform(0.2, 0.8), rng.uniform(3, 10), int(rng.choice([-1, 1])),
                rng.uniform(1.5, 4),
            )  # fmt: skip
            found.setdefault(fault.name, fault)
    return [*found.values()]


def _phases_for(verb: str, samples: Sequence[int], taus: Sequence[float]) -> list[int]:
    """Where it can be."""
    if verb == "does not rest":
        return [len(samples) - 1]
    if verb == "delayed":
        return [0]
    return [
        i for i, (n, tau) in enumerate(zip(samples, taus, strict=True))
        if (verb not in IN_LONG or n >= LONG) and (verb != "slower" or tau > 0)
    ]  # fmt: skip


def _duration(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    long = runs.samples[rows, fault.phase] + fault.sign * np.rint(strength * max(runs.fleet.jitter, 0.6))
    runs.samples[rows, fault.phase] = np.maximum(long, 1)


def _level(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    change = fault.sign * strength * runs.sigma[rows]
    runs.level[rows, fault.phase] += np.maximum(change, -0.9 * np.abs(runs.level[rows, fault.phase]))


def _all_levels(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    runs.level[rows] *= 1 + (fault.sign * strength * runs.fleet.spread)[:, None]


def _missing(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    runs.samples[rows, fault.phase] = np.rint(runs.samples[rows, fault.phase] / (1 + strength))


def _pause(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    began = runs.ends[rows, fault.phase] - (1 - fault.place) * runs.samples[rows, fault.phase]
    runs.pause[rows] = np.column_stack([np.rint(began), np.rint(strength)])


def _delayed(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    """It begins, and is idle again for a moment."""
    runs.pause[rows] = np.column_stack([np.ones(len(rows)), np.rint(strength)])


def _slower(fault: Fault, runs: Runs, rows: Ints, strength: Floats) -> None:
    runs.tau[rows, fault.phase] *= 1 + 0.2 * strength


def _slope(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return np.where((t >= first) & (t < last), (t - first) / np.maximum(last - first, 1), 0.0)


def _step(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return ((t >= at) & (t < last)).astype(np.float64)


def _bump(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return np.exp(-(((t - at) / fault.width) ** 2) / 2)


def _second_peak(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return fault.sign * 2.5 * np.where(t >= at, np.exp(-(t - at) / (fault.width / 2)), 0.0)


def _ringing(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    after = np.maximum(t - at, 0)
    return np.exp(-after / (4 * fault.width)) * np.sin(2 * np.pi * after / (1.5 * fault.width + 2)) * (t < last)


def _burst(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return rng.standard_normal(t.shape) * (np.abs(t - at) < 2 * fault.width)


def _rough(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return 0.4 * rng.standard_normal(t.shape) * ((t >= first) & (t < last))


def _does_not_rest(fault: Fault, rng: Rng, t: Floats, first: Floats, last: Floats, at: Floats) -> Floats:
    return fault.sign * (t >= last).astype(np.float64)


Added = Callable[[Fault, Rng, Floats, Floats, Floats, Floats], Floats]
PARAMETERS: dict[str, Callable[[Fault, Runs, Ints, Floats], None]] = {
    "duration": _duration, "level": _level, "all levels": _all_levels, "missing": _missing, "pause": _pause,
    "delayed": _delayed, "slower": _slower,
}  # fmt: skip
ADDED: dict[str, Added] = {
    "slope": _slope, "step": _step, "bump": _bump, "second peak": _second_peak, "ringing": _ringing, "burst": _burst,
    "rough": _rough, "does not rest": _does_not_rest,
}  # fmt: skip
IN_LONG = {"slope", "step", "bump", "second peak", "ringing", "burst", "rough", "pause"}


def spoil(
    rng: Rng, curve: Floats, lead: Ints, length: Ints, total: Floats, label: npt.NDArray[np.str_],
    bad: npt.NDArray[np.bool_], upright: bool,
) -> list[Floats]:  # fmt: skip
    """The rows of `curve` in their lengths; those that are `bad` are spoilt and labelled as what cannot be real."""
    rows = [row[:n] for row, n in zip(curve, length, strict=True)]
    for i in np.flatnonzero(bad):
        sort = str(rng.choice([s for s in SPOILT if upright or s != "upside down"]))
        label[i], rows[i] = f"impossible: {sort}", _spoilt(rng, sort, rows[i].copy(), int(lead[i]), int(total[i]))
    return rows


def _spoilt(rng: Rng, sort: str, row: Floats, lead: int, total: int) -> Floats:
    at = max(lead, 0) + int(total * rng.uniform(0.3, 0.6))
    match sort:
        case "flat":
            row[:] = row[0]
        case "upside down":
            row *= -1
        case "frozen":
            row[at : at + int(0.4 * total)] = row[at]
        case "holes":
            row[at : at + rng.integers(5, 12)] = np.nan
        case "glitch":
            row[at] = 100 * np.abs(row).max()
        case "begins in the run":
            return row[at:]
        case _:
            return row[:at]
    return row
