"""Machines made up anew for every seed: ten mechanisms of different physics, and the structure of a fleet of each.

A mechanism is a row of phases. What else a fleet is comes from the seed: how many machines and products there are and
how they differ, how much its recordings vary, noise (with heavy tails, coloured, on a coarse scale, drifting), where
the recorder cuts. bench/faults.py says what goes wrong. TUNING was looked at while the method was built; HELD_BACK was
not, and is what docs/clustering.md reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from faults import Fault, draw, spoil

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Shape = Callable[[Floats, Floats, Floats, Floats, Floats], Floats]

SHIFT = 5  # the cut is off by up to this many samples
FEWEST = 25  # series of a kind
IMPOSSIBLE = 0.04  # of the recordings


def hold(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    return level + 0 * u


def ramp(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    return before + (level - before) * u


def charge(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    charged: Floats = level + (before - level) * np.exp(-(t + 1) / tau)
    return charged


def inrush(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    """About four times the level at first; it rises a little afterwards."""
    high: Floats = level * (1 + 0.1 * u + 3 * np.where(t < 1, 0.4, np.exp(-(t - 1) / tau)))
    return high


def arch(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    half: Floats = level * np.sin(np.pi * u)
    return half


def saw(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    return level * (1 + 0.3 * (t / tau % 1 - 0.5))


def pulsation(u: Floats, t: Floats, before: Floats, level: Floats, tau: Floats) -> Floats:
    return before + (level - before) * u + 0.12 * level * np.sin(2 * np.pi * t / tau)


@dataclass(frozen=True)
class Phase:
    """samples: how long it is; level: at its end, of the machine's; tau: samples, where the shape has one."""

    shape: Shape
    samples: int
    level: float
    tau: float = 0.0


MECHANISMS: dict[str, tuple[Phase, ...]] = {
    # the current of a breaker's coil: rise, the plunger moves, rise, off
    "breaker": (Phase(charge, 9, 1.0, 3), Phase(ramp, 5, 0.6), Phase(charge, 34, 1.15, 6), Phase(charge, 9, 0, 1.5)),
    # the torque of a robot's joint in a symmetric move: one way, coasting, the other way
    "robot": (
        Phase(ramp, 4, 1.0), Phase(hold, 10, 1.0), Phase(ramp, 3, 0.15), Phase(hold, 24, 0.15), Phase(ramp, 3, -0.8),
        Phase(hold, 10, -0.8), Phase(ramp, 4, 0),
    ),
    # the current of a spot welder: preheating, a pause, the weld, a hold
    "welder": (
        Phase(arch, 12, 0.5), Phase(hold, 6, 0.05), Phase(charge, 24, 1.0, 2), Phase(charge, 16, 0.3, 1.5),
        Phase(ramp, 3, 0),
    ),
    # the pressure behind a compressor: each stroke is seen
    "compressor": (Phase(charge, 8, 0.6, 2), Phase(pulsation, 50, 1.3, 7), Phase(charge, 12, 0, 3)),
    # the current of a sliding door: start, run, creeping, the stop
    "door": (
        Phase(inrush, 32, 1.0, 1.8), Phase(ramp, 4, 0.45), Phase(hold, 16, 0.45), Phase(arch, 6, 0.9), Phase(ramp, 2, 0)
    ),
    # the power of a pump: inrush, running, spinning down
    "pump": (Phase(inrush, 52, 0.9, 2.2), Phase(charge, 10, 0, 2.5)),
    # the power of a heater: all of it, then on and off, cooling down
    "heater": (Phase(charge, 22, 1.0, 1.2), Phase(saw, 40, 0.5, 9), Phase(charge, 12, 0, 3)),
    # the pressure of a cylinder: it moves, it presses, it is let go
    "cylinder": (
        Phase(ramp, 3, 0.3), Phase(hold, 18, 0.3), Phase(ramp, 6, 1.0), Phase(hold, 26, 1.0), Phase(charge, 9, 0, 2)
    ),
    # the power of a spindle: it starts, idles, cuts, idles
    "spindle": (
        Phase(inrush, 14, 0.3, 1.5), Phase(charge, 34, 1.0, 2), Phase(ramp, 5, 0.3), Phase(hold, 12, 0.3),
        Phase(ramp, 3, 0),
    ),
    # the current of a latch: inrush, a long way, it locks
    "latch": (Phase(inrush, 46, 0.5, 1.5), Phase(arch, 8, 1.2), Phase(hold, 6, 0.25), Phase(ramp, 2, 0)),
}  # fmt: skip
TUNING = ("breaker", "robot", "welder", "compressor", "door")
HELD_BACK = ("pump", "heater", "cylinder", "spindle", "latch")


@dataclass(frozen=True)
class Fleet:
    """What the seed says of a fleet.

    level, time    (machines,) of each machine, about 1;  shares (products,)
    of_level, of_time  (products, phases) of each product, about 1
    spread, jitter of a recording: relative deviation of its level, samples of each phase
    noise          relative to the highest level; tails: degrees of freedom; color: how neighbours resemble each other
    coarse         steps of the scale within the highest level, 0: none;  drift: relative, from first to last recording
    lead           samples of rest at both ends, before the cut is shifted;  unit, sign: of the values
    """

    level: Floats
    time: Floats
    shares: Floats
    of_level: Floats
    of_time: Floats
    spread: float
    jitter: float
    noise: float
    tails: float
    color: float
    coarse: int
    drift: float
    lead: int
    unit: float
    sign: int


@dataclass
class Runs:
    """n recordings in the making: which machine and product (n,), what the phases of each are (n, phases), and where
    its run pauses: pause (n, 2) begin and length in samples. sigma (n,): a deviation of normal, as a level."""

    fleet: Fleet
    phases: tuple[Phase, ...]
    machine: Ints
    samples: Floats
    level: Floats
    tau: Floats
    pause: Floats
    sigma: Floats

    @property
    def ends(self) -> Floats:
        """(n, phases) samples from the start to the end of each phase."""
        return np.cumsum(self.samples, axis=1)


def fleet(rng: Rng, phases: int) -> Fleet:
    machines, products = int(np.exp(rng.uniform(np.log(10), np.log(200)))), int(rng.integers(1, 4))
    differ, odd = rng.choice([0.0, 0.1, 0.25]), products > 1
    return Fleet(
        level=rng.lognormal(0, differ, machines), time=rng.lognormal(0, differ / 4, machines),
        shares=rng.dirichlet(np.full(products, 5.0)) * 0.7 + 0.3 / products,
        of_level=np.exp(odd * rng.uniform(-0.4, 0.4, (products, phases))),
        of_time=np.exp(odd * rng.uniform(-0.3, 0.3, (products, phases))),
        spread=rng.uniform(0.01, 0.03), jitter=rng.uniform(0.3, 0.9), noise=rng.uniform(0.003, 0.015),
        tails=rng.choice([3.0, 30.0]), color=rng.choice([0.0, 0.6]), coarse=int(rng.choice([0, 0, 60, 250])),
        drift=rng.choice([0.0, 0.0, 0.03]), lead=int(rng.integers(4, 8)), unit=float(10 ** rng.uniform(-2, 3)),
        sign=int(rng.choice([1, 1, 1, -1])),
    )  # fmt: skip


def made_up(
    name: str, n: int, seed: int, machines: int | None = None
) -> tuple[pl.DataFrame, dict[str, float], list[str]]:
    """(series_id, label, machine, values; kinds with their shares; baseline columns): the same for the same seed.

    With `machines` so many of the fleet's alone, and nothing that changes from the first recording to the last.
    """
    rng = np.random.default_rng([seed, [*MECHANISMS].index(name), 17])
    of, phases = fleet(rng, len(MECHANISMS[name])), MECHANISMS[name]
    if machines is not None:
        of = replace(of, level=of.level[:machines], time=of.time[:machines], drift=0.0)
    kinds = _kinds(rng, phases, n)
    which = rng.choice(len(kinds) + 1, n, p=[1 - sum(kinds.values()), *kinds.values()]) - 1
    runs = _runs(rng, of, phases, n)
    for i, fault in enumerate(kinds):
        fault.change(rng, runs, np.flatnonzero(which == i))
    values, label = _recorded(rng, runs, which, [*kinds], upright=min(p.level for p in phases) >= 0)
    machine = pl.Series([f"M-{m:03d}" for m in runs.machine])
    frame = pl.DataFrame({"series_id": np.arange(1, n + 1), "label": label, "machine": machine, "values": values})
    return frame, {fault.name: share for fault, share in kinds.items()}, ["machine"]


def _kinds(rng: Rng, phases: tuple[Phase, ...], n: int) -> dict[Fault, float]:
    """6 to 14 of them, of different names."""
    drawn = draw(rng, [p.samples for p in phases], [p.tau for p in phases], int(rng.integers(6, 15)))
    least = np.log(max(0.0002, FEWEST / n))
    return {fault: float(np.exp(rng.uniform(least, np.log(0.01)))) for fault in drawn}


def _runs(rng: Rng, of: Fleet, phases: tuple[Phase, ...], n: int) -> Runs:
    machine, product = rng.integers(0, len(of.level), n), rng.choice(len(of.shares), n, p=of.shares)
    samples = np.array([p.samples for p in phases]) * of.of_time[product] * of.time[machine, None]
    samples = np.maximum(np.rint(samples + of.jitter * rng.standard_normal(samples.shape)), 1.0)
    own = of.level[machine] * rng.normal(1, of.spread, n) * (1 + of.drift * np.linspace(-0.5, 0.5, n))
    level = np.array([p.level for p in phases]) * of.of_level[product] * own[:, None]
    typical = (np.abs(level) * samples).sum(axis=1) / samples.sum(axis=1)
    sigma = np.hypot(of.spread * typical, of.noise * np.abs(level).max(axis=1))
    tau = np.tile(np.array([p.tau for p in phases], np.float64), (n, 1))
    return Runs(of, phases, machine, samples, level, tau, np.zeros((n, 2)), sigma)


def _recorded(
    rng: Rng, runs: Runs, which: Ints, kinds: list[Fault], upright: bool
) -> tuple[list[Floats], npt.NDArray[np.str_]]:
    """The values of each recording, and what it is."""
    of, total = runs.fleet, runs.samples.sum(axis=1) + runs.pause[:, 1]
    shift = rng.integers(-SHIFT, SHIFT + 1, len(total))
    lead, length = of.lead + shift, (2 * of.lead + total).astype(np.int64)
    t = np.arange(length.max())[None, :] - lead[:, None].astype(np.float64)
    clean = _clean(runs, t)
    for i, fault in enumerate(kinds):
        rows = np.flatnonzero(which == i)
        clean[rows] += fault.added(rng, runs, rows, t[rows])
    curve = clean + _noise(rng, runs, t, total)
    if of.coarse:
        step = np.abs(clean).max() / of.coarse
        curve = np.rint(curve / step) * step
    label = np.array(["normal", *(fault.name for fault in kinds)])[which + 1].astype("<U40")
    bad = rng.random(len(label)) < IMPOSSIBLE
    recorded = spoil(rng, curve, lead, length, total, label, bad, upright)
    return [of.sign * of.unit * row for row in recorded], label


def _clean(runs: Runs, t: Floats) -> Floats:
    """(n, width) the curve at the samples t since the start, without noise; 0 outside of the run and in a pause."""
    begin, long = runs.pause[:, :1], runs.pause[:, 1:]
    within = np.where(t < begin, t, t - long)
    paused = (t >= begin) & (t < begin + long)
    curve, before, ends = np.zeros(t.shape), np.zeros((len(t), 1)), runs.ends
    for i, phase in enumerate(runs.phases):
        start, last, level = (
            ends[:, i : i + 1] - runs.samples[:, i : i + 1],
            ends[:, i : i + 1],
            runs.level[:, i : i + 1],
        )
        inside = (within >= start) & (within < last)
        local = np.where(inside, within - start, 0.0)
        u = (local + 0.5) / np.maximum(last - start, 1)
        curve += inside * phase.shape(u, local, before, level, runs.tau[:, i : i + 1])
        before = level * (phase.shape is not arch)
    return np.where(paused, 0.0, curve)


def _noise(rng: Rng, runs: Runs, t: Floats, total: Floats) -> Floats:
    """Of deviation `noise` of the highest level while it runs, a quarter of it at rest."""
    of = runs.fleet
    white = rng.standard_t(of.tails, (len(t), t.shape[1] + 1))
    colored = (white[:, 1:] + of.color * white[:, :-1]) / np.hypot(1, of.color)
    size = of.noise * np.abs(runs.level).max(axis=1)[:, None]
    noise: Floats = size * np.where((t >= 0) & (t < total[:, None]), 1.0, 0.25) * colored
    return noise
