"""Fleets that were never there, to judge rules by: each has what is the recorder's way and no fault of a
recording.

They share nothing with tsclust/simulation or bench/machines.py but the schema. Three styles of mechanism, five
malfunctions, and recordings that cannot be real planted among them: `impossible` names these, "" is possible. A way of
recording belongs to some machines, to a product that no column names, or to some recordings of all machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

FAULTS = ("high", "bump", "ramp", "wave", "weak")
IMPOSSIBLE = (
    *("empty", "short", "long", "holes", "flat", "upside down", "frozen"),
    *("begins in the run", "ends in the run", "no run", "glitch"),
)
SENTINELS = (65_535.0, -9_999.0, -32_768.0, 1e6)


@dataclass(frozen=True)
class Style:
    """A mechanism: peak against level, samples of the run, of the rise and of its decay, noise and rest noise."""

    ratio: tuple[float, float]
    run: tuple[int, int]
    rise: tuple[float, ...]
    decay: float
    noise: float
    still: float
    sink: float = 0.0


DRIVE = Style((3.5, 7.5), (36, 62), (0.55,), 1.5, 0.012, 0.004)
PRESS = Style((1.8, 3.2), (45, 80), (0.2, 0.6, 0.9), 2.5, 0.008, 0.003, sink=0.06)
VALVE = Style((2.5, 5.0), (28, 45), (), 2.0, 0.02, 0.006)


@dataclass
class Recording:
    """A recording in the making. way: whether it is one of those that the fleet records in its own way."""

    values: Floats
    machine: int
    product: int
    kind: str
    way: bool
    start: int
    run: int
    level: float
    peak: int
    impossible: str = ""


Change = Callable[[Rng, Recording], None]


@dataclass(frozen=True)
class Fleet:
    """style, changes that the `way` makes, whose way it is, rest before the run, what cannot be planted in it."""

    style: Style
    changes: tuple[Change, ...]
    whose: str = "machines"
    lead: tuple[int, int] = (2, 9)
    never: tuple[str, ...] = ()
    scale: float = 1.0
    down: bool = False


def curve(rng: Rng, style: Style, level: float, ratio: float, run: int, lead: int, fault: str) -> Floats:
    """Rest, peak, plateau, return, rest."""
    t = np.arange(run)
    x = t / run
    side = level * (1 - style.sink * x) * (1 + style.noise * rng.standard_normal(run))
    side = side * (1.5 if fault == "high" else 1.0)
    side += level * {"bump": np.exp(-(((x - 0.55) / 0.06) ** 2)), "ramp": 0.5 * x,
                     "wave": 0.18 * np.sin(2 * np.pi * t / 6)}.get(fault, np.zeros(run))  # fmt: skip
    top = level * (ratio * (0.6 if fault == "weak" else 1.0) - 1)
    first = len(style.rise)
    side[:first] += top * np.array(style.rise)
    side[first:] += top * np.exp(-(t[first:] - first) / style.decay)
    falls = level * np.array([0.45, 0.42, 0.2])
    out = np.concatenate([np.zeros(lead), side, falls, np.zeros(6)])
    return out + level * style.still * rng.standard_normal(len(out))


def recordings(rng: Rng, fleet: Fleet, n: int, machines: int, share: float) -> list[Recording]:
    """All as they are before anything is planted."""
    style = fleet.style
    level, ratio = rng.lognormal(0, 0.2, machines), rng.uniform(*style.ratio, machines)
    run = rng.integers(*style.run, machines)
    out = []
    for i in range(n):
        m, product = i % machines, int(rng.random() < share)
        fault = str(rng.choice(FAULTS)) if rng.random() < 0.05 else "normal"
        way = {"machines": m >= machines * (1 - share), "product": product == 1, "some": rng.random() < 0.15}
        own, length, lead = (
            fleet.scale * level[m] * rng.normal(1, 0.02),
            int(run[m] + rng.integers(-1, 2)),
            int(rng.integers(*fleet.lead)),
        )
        values = curve(rng, style, own, ratio[m], length, lead, fault)
        mine = fleet.whose == "all" or way.get(fleet.whose, False)
        out.append(Recording(values, m, product, fault, mine, lead, length, own, lead + len(style.rise)))
    return out


def spoilt(rng: Rng, one: Recording, kind: str) -> None:
    """Make a recording impossible, in place."""
    v, n = one.values, len(one.values)
    inside = one.start + int(one.run * rng.uniform(0.3, 0.7))
    if kind in ("empty", "short"):
        one.values = np.empty(0) if kind == "empty" else v[: rng.integers(1, 5)]
    elif kind == "long":
        one.values = np.concatenate([v, one.level + 0.01 * one.level * rng.standard_normal(19 * n)])
    elif kind == "holes":
        v[inside - 8 : inside - 8 + int(rng.integers(max(5, n // 12), max(8, n // 5)))] = np.nan
    elif kind == "flat":
        one.values = np.full(n, one.level * rng.uniform(0, 0.4))
    elif kind == "upside down":
        one.values = -v
    elif kind == "frozen":
        v[inside:] = v[inside]
    elif kind == "begins in the run":
        one.values = v[one.peak + int(8 * (n / 60 if n > 200 else 1)) + int(rng.integers(0, 6)) :]
    elif kind == "ends in the run":
        one.values = v[:inside]
    elif kind == "no run":
        one.values = 0.003 * one.level * rng.standard_normal(n)
    elif kind == "glitch":
        size, at = int(rng.integers(1, 3)), int(rng.integers(0, n - 1))
        v[at : at + size] = rng.choice(SENTINELS) * max(1.0, one.level / 10)
    one.impossible = kind


def kilo(_: Rng, one: Recording) -> None:
    one.values, one.level = one.values / 1000, one.level / 1000


def fast(times: int) -> Change:
    def change(_: Rng, one: Recording) -> None:
        n = len(one.values)
        one.values = np.interp(np.arange(0, n - 1, 1 / times), np.arange(n), one.values)
        one.start, one.run, one.peak = one.start * times, one.run * times, one.peak * times

    return change


def coarse(step: float) -> Change:
    def change(_: Rng, one: Recording) -> None:
        one.values = np.round(one.values / step) * step

    return change


def saturated(limit: float) -> Change:
    """By the machine, not by the recording: the limit is the sensor's."""

    def change(_: Rng, one: Recording) -> None:
        one.values = np.minimum(one.values, limit * round(one.level, 1))

    return change


def at_most(limit: float) -> Change:
    def change(_: Rng, one: Recording) -> None:
        one.values = np.minimum(one.values, limit)

    return change


def padded(to: int) -> Change:
    def change(_: Rng, one: Recording) -> None:
        one.values = np.concatenate([one.values, np.full(max(to - len(one.values), 0), np.nan)])

    return change


def padded_in_front(_: Rng, one: Recording) -> None:
    one.values = np.concatenate([np.full(20, np.nan), one.values])
    one.start, one.peak = one.start + 20, one.peak + 20


def lost(rng: Rng, one: Recording) -> None:
    at = rng.choice(np.arange(3, len(one.values) - 3), 2, replace=False)
    one.values[at[: rng.integers(1, 3)]] = np.nan


def lost_pair(rng: Rng, one: Recording) -> None:
    at = int(rng.integers(3, len(one.values) - 4))
    one.values[at : at + 2] = np.nan


def in_the_rise(rng: Rng, one: Recording) -> None:
    first = max(one.peak - int(rng.integers(0, 2)), 0)
    one.values, one.start, one.peak = one.values[first:], 0, one.peak - first


def cut(rng: Rng, one: Recording) -> None:
    """By up to 5 samples, before the peak."""
    first = min(int(rng.integers(1, 6)), one.peak)
    one.values, one.start, one.peak = one.values[first:], max(one.start - first, 0), one.peak - first


def held(_: Rng, one: Recording) -> None:
    one.values = one.values[: one.start + one.run - 3]


def stays_up(rng: Rng, one: Recording) -> None:
    """At the level it has at the end of the run: the mechanism holds."""
    end = one.start + one.run
    one.values[end:] = one.values[end - 6 : end].mean() + 0.01 * one.level * rng.standard_normal(len(one.values) - end)


def drift(spread: float) -> Change:
    def change(rng: Rng, one: Recording) -> None:
        one.values = one.values + np.linspace(0, 1, len(one.values)) * one.level * spread * rng.standard_normal()

    return change


def offset(rng: Rng, one: Recording) -> None:
    one.values = one.values + 40 * one.level


def spiky(rng: Rng, one: Recording) -> None:
    """A spike that is real: a tooth that breaks, 1 to 3 times the peak."""
    at = one.start + int(one.run * rng.uniform(0.3, 0.8))
    one.values[at] += one.values.max() * rng.uniform(1, 3)


def none(_: Rng, one: Recording) -> None:
    """As it is."""


_NO_NOISE = ("frozen",)  # a scale coarser than the noise freezes all the time
FLEETS: dict[str, Fleet] = {
    "plain": Fleet(DRIVE, (none,)),
    "kW and W": Fleet(DRIVE, (kilo,)),
    "watts, some in kW, downwards": Fleet(VALVE, (kilo,), scale=1_000.0, down=True),
    "12 times as fast": Fleet(DRIVE, (fast(12),)),
    "coarse machines": Fleet(DRIVE, (coarse(0.5),), never=_NO_NOISE),
    "coarse downwards": Fleet(VALVE, (coarse(0.25),), whose="all", down=True, never=_NO_NOISE),
    "integers": Fleet(PRESS, (coarse(1.0),), whose="all", scale=200.0),
    "few integers": Fleet(DRIVE, (coarse(1.0),), whose="all", scale=12.0, never=_NO_NOISE),
    "saturated": Fleet(DRIVE, (saturated(1.35),), whose="all"),
    "one limit": Fleet(PRESS, (at_most(1.9),), whose="all"),
    "padded": Fleet(DRIVE, (padded(80),), whose="all"),
    "padded in front": Fleet(PRESS, (padded_in_front,), whose="some"),
    "lost samples": Fleet(VALVE, (lost,), whose="some"),
    "lost pairs": Fleet(DRIVE, (lost_pair,), whose="some"),
    "triggered in the rise": Fleet(DRIVE, (in_the_rise,)),
    "triggered, a press": Fleet(PRESS, (in_the_rise,)),
    "cut by up to 5": Fleet(DRIVE, (cut,), whose="some", lead=(5, 6)),
    "a product is held": Fleet(DRIVE, (held,), whose="product"),
    "machines are held": Fleet(VALVE, (held,), down=True),
    "some stay up": Fleet(DRIVE, (stays_up,), whose="machines"),
    "drift": Fleet(DRIVE, (drift(0.5),), whose="all"),
    "an offset": Fleet(PRESS, (offset,)),
    "real spikes": Fleet(DRIVE, (spiky,), whose="some"),
    "kW, triggered in the rise": Fleet(DRIVE, (kilo, in_the_rise)),
    "coarse, padded, lost": Fleet(DRIVE, (coarse(0.5), lost_pair, padded(80)), never=_NO_NOISE),
    "fast and saturated": Fleet(PRESS, (fast(8), saturated(1.4))),
    "held and drifting": Fleet(DRIVE, (drift(0.25), held)),
    "saturated integers, cut": Fleet(DRIVE, (saturated(2.0), coarse(1.0), cut), whose="all", scale=100.0, lead=(5, 6)),
}  # fmt: skip


def fleet(
    name: str, n: int = 4_000, seed: int = 1, machines: int = 40, share: float = 0.2, spoil: float = 0.08
) -> pl.DataFrame:
    """series_id, machine, values; and the truth: product, kind, way, impossible ("" for what is possible)."""
    made = FLEETS[name]
    rng = np.random.default_rng([seed, [*FLEETS].index(name)])
    kinds = [kind for kind in IMPOSSIBLE if kind not in made.never]
    rows = recordings(rng, made, n, machines, share)
    for one in rows:
        if one.way:
            for change in made.changes:
                change(rng, one)
        if rng.random() < spoil:
            kind = str(rng.choice(kinds))
            if not (kind == "ends in the run" and one.way and {held, stays_up} & {*made.changes}):
                spoilt(rng, one, kind)
        if made.down:
            one.values = -one.values
    return pl.DataFrame(
        {
            "series_id": range(n), "machine": [f"M{one.machine:03d}" for one in rows],
            "product": [f"P{one.product}" for one in rows], "kind": [one.kind for one in rows],
            "way": [one.way for one in rows], "impossible": [one.impossible for one in rows],
            "values": [[None if np.isnan(v) else v for v in one.values.tolist()] for one in rows],
        },
        schema_overrides={"values": pl.List(pl.Float64)},
    )  # fmt: skip
