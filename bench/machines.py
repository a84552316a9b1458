"""Two more machines that were never there, to judge what was built while looking at the first: a press, and a valve.

They share nothing with tsclust/demo but the schema: other curves, other units, other malfunctions, other ways to be
normal. The press makes three products and no column says which; the valve's column says whose recording it is.

    press  force in N: quick to a peak, a hold that sinks a little, release; 60 to 95 values
    valve  current in mA, downwards: the peak is a minimum; 250 valves; 50 to 80 values
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

# kind -> share of the recordings
PRESS = {
    "blunt tool": 0.006, "double sheet": 0.004, "leaking cylinder": 0.003, "chatter": 0.002, "short hold": 0.002,
    "cracked die": 0.001, "late release": 0.001, "second hit": 0.0005,
}  # fmt: skip
VALVE = {
    "sticks at first": 0.008, "weak spring": 0.005, "dirty seat": 0.003, "slow closing": 0.002, "flutter": 0.001,
    "supply dips": 0.001, "does not close": 0.0005,
}  # fmt: skip


def press(n: int, seed: int) -> tuple[pl.DataFrame, dict[str, float], list[str]]:
    """(series with their kind, kinds, baseline columns)."""
    rng = np.random.default_rng([seed, 21])
    kind = _kinds(rng, n, PRESS)
    product = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    hold = np.array([8_000.0, 14_000.0, 21_000.0])[product] * rng.normal(1, 0.015, n)
    ratio = np.array([2.6, 1.9, 3.4])[product] * rng.normal(1, 0.02, n)
    length = np.array([38, 52, 45])[product] + rng.integers(-1, 2, n)
    length = np.where(kind == "short hold", length - rng.integers(10, 16, n), length)
    ratio = np.where(kind == "blunt tool", ratio * rng.uniform(1.3, 1.6, n), ratio)
    hold = np.where(kind == "double sheet", hold * rng.uniform(1.3, 1.5, n), hold)
    rows = [_press(rng, str(k), h, r, int(m)) for k, h, r, m in zip(kind, hold, ratio, length, strict=True)]
    return _frame(rows, kind, rng), PRESS, []


def _press(rng: Rng, kind: str, hold: float, ratio: float, length: int) -> Floats:
    x = np.arange(length) / length
    sink = rng.uniform(0.25, 0.4) if kind == "leaking cylinder" else 0.05
    curve = hold * (1 - sink * x) * (1 + 0.01 * rng.standard_normal(length))
    curve[:8] += hold * (ratio - 1) * np.array([0.3, 0.8, 1.0, 0.75, 0.45, 0.22, 0.1, 0.03])
    if kind == "chatter":
        curve += hold * rng.uniform(0.08, 0.14) * np.sin(np.arange(length) * rng.uniform(1.1, 1.6) + rng.uniform(0, 6))
    if kind == "cracked die":
        curve[int(length * rng.uniform(0.3, 0.6)) :] *= rng.uniform(0.6, 0.75)
    if kind == "second hit":
        at = int(length * rng.uniform(0.45, 0.8))
        curve[at : at + 4] += hold * rng.uniform(0.6, 1.0) * np.array([0.6, 1.0, 0.7, 0.3])[: length - at]
    release = hold * np.exp(-np.arange(16) / (6.0 if kind == "late release" else 1.5))
    return _recorded(rng, [curve, release * (1 - sink)], 0.002 * 8_000, 0)


def valve(n: int, seed: int) -> tuple[pl.DataFrame, dict[str, float], list[str]]:
    """(series with their kind, kinds, baseline columns)."""
    rng = np.random.default_rng([seed, 22])
    kind = _kinds(rng, n, VALVE)
    which = rng.integers(0, 250, n)
    own = rng.lognormal(0, 0.25, 250), rng.uniform(3, 6, 250), rng.integers(30, 50, 250)
    rows = [_valve(rng, str(k), own[0][v], own[1][v], int(own[2][v])) for k, v in zip(kind, which, strict=True)]
    return _frame(rows, kind, rng).with_columns(valve=pl.Series([f"V-{v:03d}" for v in which])), VALVE, ["valve"]


def _valve(rng: Rng, kind: str, own: float, ratio: float, length: int) -> Floats:
    level = 40 * own * rng.normal(1, 0.02)
    if kind == "weak spring":
        level *= rng.uniform(0.6, 0.72)
    t = np.arange(length + rng.integers(-1, 2))
    first = rng.uniform(1.35, 1.7) if kind == "sticks at first" else rng.normal(1, 0.02)
    curve = level * (1 + (ratio * first - 1) * np.exp(-t / 2.2)) + 0.5 * rng.standard_normal(len(t))
    if kind == "dirty seat":
        curve += level * np.clip((t / len(t) - 0.75) / 0.25, 0, 1) * rng.uniform(0.6, 1.1)
    if kind == "flutter":
        curve += level * rng.uniform(0.2, 0.3) * np.where((t // 3) % 2, 1, -1)
    if kind == "supply dips":
        at = rng.integers(12, len(t) - 10)
        curve[at : at + 6] *= rng.uniform(0.3, 0.5)
    closing = level * np.exp(-np.arange(12) / (5.0 if kind == "slow closing" else 1.0))
    rest = level * rng.uniform(0.1, 0.2) if kind == "does not close" else 0.0
    return -_recorded(rng, [curve, np.maximum(closing, rest)], 0.3, rest)


def _kinds(rng: Rng, n: int, shares: dict[str, float]) -> npt.NDArray[np.str_]:
    return rng.choice(["normal", *shares], n, p=[1 - sum(shares.values()), *shares.values()])


def _recorded(rng: Rng, phases: list[Floats], noise: float, rest: float) -> Floats:
    """The phases between two stretches of rest, cut up to 5 samples early or late."""
    shift = int(rng.integers(-5, 6))
    curve = np.concatenate([np.zeros(6 + shift), *phases, np.full(7 - shift, rest)])
    return curve + noise * rng.standard_normal(len(curve))


def _frame(rows: list[Floats], kind: npt.NDArray[np.str_], rng: Rng) -> pl.DataFrame:
    return pl.DataFrame({"series_id": np.arange(1, len(rows) + 1), "label": kind, "values": rows})


MACHINES: dict[str, Callable[[int, int], tuple[pl.DataFrame, dict[str, float], list[str]]]] = {
    "press": press,
    "valve": valve,
}
