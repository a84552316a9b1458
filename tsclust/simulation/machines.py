"""The mechanism that was never there: made power curves of railway point machines, with planted malfunctions.

A cycle: rest, an inrush peak 3-9 times the side movement within the first samples, a decay, the side movement with its
own small drift, a fall to zero in two steps. The recorder's cut is off by up to 5 samples. Two directions of travel
draw different power; every machine has its own level. The truth is made beside the series and no stage reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tsclust.engine.base import map_parts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

VERSION = 1  # raised when other cycles are made
MACHINES = 400
PRONE = 80  # machines that a kind of malfunction occurs on
CHUNK = 50_000  # cycles made at a time
LEAD = 6  # samples of rest before the start, before the cut is shifted
SHIFT = 5  # the cut is off by up to this many samples
WIDTH = 100  # a recording has at most this many values
BEGAN = np.datetime64("2024-01-01T00:00:00", "us")
YEAR = np.timedelta64(365 * 24 * 3600, "s")

# kind -> share of the recordings that can be real; what it does to a cycle is in `_malfunctions` and `_parameters`.
KINDS: dict[str, float] = {
    "dry slide chairs": 0.0100,  # more power all the way
    "stiff drive": 0.0080,  # runs longer
    "weak inrush": 0.0060,  # the peak stays low
    "growing resistance": 0.0050,  # the side movement rises
    "obstacle": 0.0040,  # a second peak on the way
    "slipping clutch": 0.0030,  # power drops out for a moment
    "vibration": 0.0020,  # an oscillation
    "hard locking": 0.0015,  # a peak at the end
    "second blade binds": 0.0010,  # a step half-way
    "slow decay": 0.0006,  # the inrush fades slowly
    "worn brushes": 0.0003,  # rough all the way
    "contactor sticks": 0.0002,  # power does not return to zero
}
IMPOSSIBLE = ("flat", "negative", "stuck", "gaps", "cut off")
IMPOSSIBLE_SHARE = 0.15

SCHEMA = pa.schema(
    [
        ("series_id", pa.int64()),
        ("machine_id", pa.string()),
        ("direction", pa.string()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("values", pa.list_(pa.float32())),
    ]
)
TRUTH_SCHEMA = pa.schema([("series_id", pa.int64()), ("kind", pa.string())])


@dataclass(frozen=True)
class Park:
    """What each of the machines has of its own: (machines,) each; prone (kinds, PRONE), who is prone to which kind."""

    level: Floats
    ratio: Floats
    run: Floats
    drift: Floats
    decay: Floats
    prone: Ints


@dataclass(frozen=True)
class Cycles:
    """Parameters of n cycles, each field (n,): times in samples, powers in kW."""

    kind: npt.NDArray[np.str_]
    machine: Ints
    direction: Ints
    level: Floats
    peak: Floats
    decay: Floats
    run: Floats
    drift: Floats
    noise: Floats
    lead: Floats
    tail: Floats


def make(
    series: int, seed: int = 1, workers: int = 2, machines: int = MACHINES
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """(series, truth) batches of `CHUNK` cycles, `series` in all; the same bytes for the same seed."""
    park = _machines(np.random.default_rng([seed, 0]), machines)

    def one_chunk(number: int) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        ids = np.arange(number * CHUNK + 1, min((number + 1) * CHUNK, series) + 1)
        return _chunk(np.random.default_rng([seed, number + 1]), park, ids)

    return map_parts(one_chunk, range(-(-series // CHUNK)), workers)


def _machines(rng: np.random.Generator, n: int) -> Park:
    return Park(
        level=rng.lognormal(0.0, 0.18, n),
        ratio=rng.uniform(3.6, 7.5, n),
        run=rng.integers(36, 62, n).astype(np.float64),
        drift=rng.normal(0.0, 0.03, n),
        decay=rng.uniform(1.2, 1.8, n),
        prone=np.stack([rng.permutation(n)[:PRONE] for _ in KINDS]),
    )


def _chunk(rng: np.random.Generator, park: Park, ids: Ints) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    cycles = _parameters(rng, park, len(ids))
    curve, length = _curves(rng, cycles)
    kind, missing, first, length = _spoilt(rng, cycles, curve, length)
    batch = pa.record_batch(
        [
            pa.array(ids),
            pa.array(np.char.add("W", np.char.zfill((cycles.machine + 101).astype(str), 3))),
            pa.array(np.where(cycles.direction == 1, "reverse", "normal")),
            pa.array(np.sort(BEGAN + (rng.random(len(ids)) * YEAR.astype(float)).astype("timedelta64[s]"))),
            _lists(curve, missing, first, length),
        ],
        schema=SCHEMA,
    )
    return batch, pa.record_batch([pa.array(ids), pa.array(kind)], schema=TRUTH_SCHEMA)


def _parameters(rng: np.random.Generator, park: Park, n: int) -> Cycles:
    share = [*KINDS.values()]
    which = rng.choice(len(KINDS) + 1, n, p=[1 - sum(share), *share]) - 1
    prone = park.prone[np.maximum(which, 0), rng.integers(0, park.prone.shape[1], n)]
    machine = np.where(which < 0, rng.integers(0, len(park.level), n), prone)
    kind = np.array([*KINDS, "normal"])[which]
    direction = rng.integers(0, 2, n)
    level = park.level[machine] * np.where(direction == 1, 1.25, 1.0) * rng.normal(1, 0.02, n)
    level = level * np.where(kind == "dry slide chairs", rng.uniform(1.35, 1.6, n), 1.0)
    peak = level * park.ratio[machine] * np.where(direction == 1, 1.1, 1.0) * rng.normal(1, 0.03, n)
    run = park.run[machine] + np.where(direction == 1, 6, 0) + rng.integers(-1, 2, n)
    shift = rng.integers(-SHIFT, SHIFT + 1, n)
    return Cycles(
        kind=kind,
        machine=machine,
        direction=direction,
        level=level,
        peak=peak * np.where(kind == "weak inrush", rng.uniform(0.5, 0.65, n), 1.0),
        decay=park.decay[machine] * np.where(kind == "slow decay", rng.uniform(3, 4, n), 1.0),
        run=run + np.where(kind == "stiff drive", rng.integers(9, 17, n), 0),
        drift=park.drift[machine] + rng.normal(0, 0.01, n),
        noise=np.where(kind == "worn brushes", rng.uniform(0.08, 0.12, n), 0.012),
        lead=(LEAD + shift).astype(np.float64),
        tail=np.maximum(LEAD - shift, 2.0),
    )


def _curves(rng: np.random.Generator, c: Cycles) -> tuple[Floats, Ints]:
    """(n, WIDTH) power in kW and (n,) lengths."""
    t = np.arange(WIDTH)[None, :] - c.lead[:, None]  # samples since the start of the cycle
    x = t / c.run[:, None]  # 0 at the start, 1 at the end of the side movement
    level, run = c.level[:, None], c.run[:, None]
    side = level * (1 + c.drift[:, None] * (x - 0.5)) + _malfunctions(rng, c, t, x)
    side = side + level * c.noise[:, None] * _coloured(rng, t.shape)
    inrush = (c.peak - c.level)[:, None] * np.where(t < 1, 0.55, np.exp(-(t - 1) / c.decay[:, None]))
    curve = np.where((t >= 0) & (t < run), side + inrush, 0.0)
    curve = np.where((t >= run) & (t < run + 3), 0.45 * level, curve)
    sticks = (c.kind == "contactor sticks")[:, None] & (t >= run + 3)
    curve = np.where(sticks, rng.uniform(0.12, 0.2, (len(level), 1)) * level, curve)
    curve = curve + 0.004 * rng.standard_normal(t.shape)
    np.round(np.maximum(curve, 0), 3, out=curve)
    return curve, np.minimum(c.lead + c.run + 3 + c.tail, WIDTH).astype(np.int64)


def _malfunctions(rng: np.random.Generator, c: Cycles, t: Floats, x: Floats) -> Floats:
    """(n, WIDTH) what the malfunctions of the side movement add, in kW."""
    added = np.zeros(t.shape)

    def add(kind: str, shape: str) -> None:
        rows = np.flatnonzero(c.kind == kind)
        added[rows] = c.level[rows, None] * _SHAPES[shape](rng, t[rows], x[rows])

    for kind, shape in _SHAPE_OF.items():
        add(kind, shape)
    return added


def _ramp(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    return rng.uniform(0.35, 0.6, (len(t), 1)) * np.clip(x, 0, 1)


def _bump(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    return rng.uniform(0.6, 1.2, (len(t), 1)) * np.exp(-(((x - rng.uniform(0.35, 0.75, (len(t), 1))) / 0.05) ** 2))


def _dip(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    began = rng.integers(14, 28, (len(t), 1))
    return -rng.uniform(0.5, 0.8, (len(t), 1)) * ((t >= began) & (t < began + 4))


def _wave(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    phase = rng.uniform(0, 2 * np.pi, (len(t), 1))
    return rng.uniform(0.12, 0.2, (len(t), 1)) * np.sin(2 * np.pi * t / rng.uniform(5, 8, (len(t), 1)) + phase)


def _end(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    return rng.uniform(0.8, 1.5, (len(t), 1)) * np.clip((x - 0.9) / 0.1, 0, 1)


def _step(rng: np.random.Generator, t: Floats, x: Floats) -> Floats:
    return rng.uniform(0.25, 0.4, (len(t), 1)) * (x > rng.uniform(0.45, 0.6, (len(t), 1)))


_SHAPES = {"ramp": _ramp, "bump": _bump, "dip": _dip, "wave": _wave, "end": _end, "step": _step}
_SHAPE_OF = {
    "growing resistance": "ramp",
    "obstacle": "bump",
    "slipping clutch": "dip",
    "vibration": "wave",
    "hard locking": "end",
    "second blade binds": "step",
}


def _coloured(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Noise whose neighbours resemble each other, of deviation 1: friction is not white."""
    white = rng.standard_normal((shape[0], shape[1] + 1))
    noise: Floats = (white[:, 1:] + 0.7 * white[:, :-1]) / np.sqrt(1.49)
    return noise


def _spoilt(
    rng: np.random.Generator, c: Cycles, curve: Floats, length: Ints
) -> tuple[npt.NDArray[np.str_], Bools, Ints, Ints]:
    """Make some recordings impossible, in place. Returns kinds, missing (n, WIDTH), first kept value, lengths."""
    n = len(curve)
    which = np.where(rng.random(n) < IMPOSSIBLE_SHARE, rng.integers(0, len(IMPOSSIBLE), n), -1)
    column = np.arange(WIDTH)[None, :]
    flat, negative, stuck, gaps, cut = ((which == i)[:, None] for i in range(len(IMPOSSIBLE)))
    frozen = (c.lead + rng.uniform(0.3, 0.8, n) * c.run).astype(np.int64)
    curve[...] = np.where(flat, np.round(rng.uniform(0, 0.4, (n, 1)), 3), curve)
    curve[...] = np.where(negative, -curve, curve)
    curve[...] = np.where(stuck & (column > frozen[:, None]), curve[np.arange(n), frozen][:, None], curve)
    hole = rng.integers(10, 30, (n, 1))
    missing = gaps & (column >= hole) & (column < hole + rng.integers(6, 20, (n, 1)))
    late, early = cut[:, 0] & (c.direction == 0), cut[:, 0] & (c.direction == 1)
    first = np.where(late, c.lead + rng.integers(5, 12, n), 0).astype(np.int64)
    length = np.where(early, c.lead + rng.uniform(0.3, 0.8, n) * c.run, length).astype(np.int64)
    kind = np.where(which >= 0, np.char.add("impossible: ", np.array([*IMPOSSIBLE, ""])[which]), c.kind)
    return kind, missing, first, length


def _lists(curve: Floats, missing: Bools, first: Ints, length: Ints) -> pa.ListArray:
    column = np.arange(WIDTH)[None, :]
    kept = (column >= first[:, None]) & (column < length[:, None])
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    values = pa.array(curve[kept].astype(np.float32), mask=missing[kept])
    return pa.ListArray.from_arrays(pa.array(offsets), values)
