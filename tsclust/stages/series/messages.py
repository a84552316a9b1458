"""What people read of a reading."""

from __future__ import annotations

from tsclust.source.checks import REPEATED, WORDS
from tsclust.stages.series.facts import SeriesFacts
from tsclust.wording.english import counted
from tsclust.workspace.manifest import Manifest

FEW = 3  # snapshots that are named


def left_out(columns: tuple[str, ...]) -> tuple[str, ...]:
    """A line on columns that the source has since the first reading."""
    line = f"new columns of the source, not carried along: {', '.join(columns)}; extract reads all again"
    return (line,) if columns else ()


def notes(manifest: Manifest[SeriesFacts], new: int) -> tuple[str, ...]:
    """Where the series come from, how they are stored there, what it cost; `new` of them were added now."""
    facts = manifest.facts
    added = f"{new:,} new series, " if new < manifest.rows else ""
    speed = f"{new / max(manifest.seconds, 0.001):,.0f} series/s"
    size = facts.bytes / 2**20
    odd = ", ".join(f"{n:,} {WORDS[name]}" for name, n in facts.odd.items() if name in WORDS)
    repeated = counted(facts.odd.get(REPEATED, 0), "row")
    return (
        f"from {facts.origin}",
        f"{facts.layout}",
        f"{added}{counted(manifest.parts, 'part')}, {size:.0f} MB, {speed}, peak {manifest.peak_mb:.0f} MB of memory",
        _snapshots(tuple(facts.read)),
        *([f"{repeated} repeated another, place and values: kept once"] if REPEATED in facts.odd else []),
        *([f"unusual series, kept for the rules to decide: {odd}"] if odd else []),
    )


def _snapshots(read: tuple[str, ...]) -> str:
    """The newest of the snapshots that were read, by itself; a year has 365."""
    word = "snapshot" if " of " in read[-1] else "read at"
    if len(read) <= FEW:
        return f"{word} {', '.join(read)}" + (": each holds some of the series" if len(read) > 1 else "")
    return f"{word} {read[-1]}, and {counted(len(read) - 1, 'earlier one')}: each holds some of the series"
