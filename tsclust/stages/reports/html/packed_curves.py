"""Curves of members, packed into the page: to be laid over each other, zoomed into, found, and shown on demand.

Each series, and each usual curve, is in it once: whole numbers of its quantum, as differences from value to value, all
first bytes, then all second ones, and so on, zipped. In front of them, in JSON, whose curves these are.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from tsclust.arrays import Floats, Int64s
from tsclust.stages.reports.charts.curves import thinned
from tsclust.stages.reports.charts.drawing import POINTS_PER_CURVE
from tsclust.stages.reports.data import Curve, Line, Plain
from tsclust.stages.reports.html.page import packed, to_json
from tsclust.wording.language import Language

FARTHEST = 2**29  # quanta from zero: what is farther is drawn there, far out of every frame
MISSING = 0xFFFF_FFFF
STEPS = (1.0, 0.75, 0.5, 0.35, 0.25, 0.15, 0.0)  # shares of the members that are tried, until they have room


@dataclass(frozen=True)
class Members:
    """Of one card: its size, the members that can be drawn, from the most to the least typical, how many of which are
    drawn already (the first ones of `shown`), and the value that a unit of its drawing stands for."""

    size: int
    shown: tuple[Curve, ...]
    sample: tuple[Curve, ...]
    quantum: float


def packed_curves(cards: Mapping[str, Members], language: Language, room: int) -> str:
    """As many members of each card as fit into `room` bytes, in equal shares; "" where not even those shown do."""
    if not any(card.sample for card in cards.values()):
        return ""
    whole = 0  # bytes for all: a share of the members takes more than that share of them, as those shown stay
    for share in (share for share in STEPS if share * whole <= room):
        text = packed(_bytes({name: _some(card, share) for name, card in cards.items()}, language))
        if len(text) <= room:
            return text
        whole = whole or len(text)
    return ""


def _some(card: Members, share: float) -> Members:
    """So many of those that are not shown yet, evenly over their order; those shown stay."""
    shown = {curve.series_id for curve in card.shown}
    others = [at for at, curve in enumerate(card.sample) if curve.series_id not in shown]
    kept = {others[at] for at in np.linspace(0, len(others), int(share * len(others)), endpoint=False).astype(int)}
    sample = [c for at, c in enumerate(card.sample) if at in kept or c.series_id in shown]
    return Members(card.size, card.shown, tuple(sample), card.quantum)


def _bytes(cards: Mapping[str, Members], language: Language) -> bytes:
    """The length of the JSON, the JSON, the planes of bytes."""
    series = {c.series_id: c for card in cards.values() for c in card.sample}
    index = {series_id: at for at, series_id in enumerate(series)}
    usual = dict.fromkeys(c.usual for c in series.values() if c.usual)
    lines = {line: len(series) + at for at, line in enumerate(usual)}
    drawn = [_points(c) for c in series.values()] + [_thin(np.array(one.at), np.array(one.values)) for one in lines]
    quanta = _quanta(cards, index, lines)
    head = {
        "ids": list(series),
        "texts": {at: shown for at, one in enumerate(series) if (shown := language.plain(one)) != one},
        "columns": _columns([c.carried for c in series.values()], language),
        "own": [lines[c.usual] if c.usual else -1 for c in series.values()],
        "first": [int(at[0]) if len(at) else 0 for at, _ in drawn],
        "lengths": [len(at) for at, _ in drawn],
        "quanta": quanta.tolist(),
        "at": {n: np.diff(at).tolist() for n, (at, _) in enumerate(drawn) if len(at) and np.ptp(at) >= len(at)},
        "cards": {name: [card.size, [index[c.series_id] for c in card.sample]] for name, card in cards.items()},
    }
    text = to_json(head).encode()
    return struct.pack("<I", len(text)) + text + _planes([values for _, values in drawn], quanta)


def _quanta(cards: Mapping[str, Members], index: Mapping[str, int], lines: Mapping[Line, int]) -> Floats:
    """(series and lines,) of each curve, the finest of the cards that it is in; three digits are enough."""
    quanta = np.full(len(index) + len(lines), np.inf)
    for card in cards.values():
        drawn = [index[c.series_id] for c in card.sample] + [lines[c.usual] for c in card.sample if c.usual]
        quanta[drawn] = np.minimum(quanta[drawn], card.quantum)
    return np.array([float(f"{quantum:.3g}") for quantum in quanta])


def _points(curve: Curve) -> tuple[Int64s, Floats]:
    values = np.array(curve.values, np.float64)  # None becomes NaN
    return _thin(np.arange(len(values)) - curve.start, values)


def _thin(at: Int64s, values: Floats) -> tuple[Int64s, Floats]:
    return thinned(at, values, POINTS_PER_CURVE)


def _planes(curves: Sequence[Floats], quanta: Floats) -> bytes:
    """Differences between neighbours in quanta, each curve's first from zero; twice as large, odd ones negative."""
    lengths = np.array([len(values) for values in curves])
    values = np.concatenate([*curves, np.zeros(0)]) / np.repeat(quanta, lengths)
    known = np.isfinite(values)
    whole = np.rint(np.clip(np.where(known, values, 0.0), -FARTHEST, FARTHEST)).astype(np.int64)
    before = _before(known, lengths)
    steps = whole - np.where(before >= 0, whole[before], 0)
    zigzag = np.where(known, (steps << 1) ^ (steps >> 63), MISSING).astype("<u4")
    return zigzag.view(np.uint8).reshape(-1, 4).T.tobytes()


def _before(known: npt.NDArray[np.bool_], lengths: Int64s) -> Int64s:
    """(n,) of each value the last known one before it in its curve, -1 where there is none."""
    last = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    before = np.concatenate([[-1], last[:-1]]).astype(np.int64)[: len(known)]
    return np.where(before >= np.repeat(np.cumsum(lengths) - lengths, lengths), before, -1)


def _columns(rows: Sequence[Sequence[tuple[str, Plain]]], language: Language) -> list[list[Any]]:
    """Carried columns; numbers and times as they are, so that they can be put in order."""
    return [[_cell(value, language) for _, value in column] for column in zip(*rows, strict=True)]


def _cell(value: Plain, language: Language) -> str | float | list[str] | None:
    """A time is a list: its text may look like that of another column."""
    if isinstance(value, datetime):
        zone = value.tzname() if value.tzinfo else ""
        return [value.replace(tzinfo=None).isoformat(" ", "seconds"), *([zone] if zone else [])]
    if isinstance(value, date):
        return [value.isoformat()]
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)):
        return value
    return language.plain(value)
