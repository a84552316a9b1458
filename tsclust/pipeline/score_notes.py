"""What `tsclust score` says to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FEW = 10  # machines that are named
SHORT = 60  # characters of a text from outside


def notes(facts: Mapping[str, Any], to_table: str) -> tuple[str, ...]:
    return tuple(_notes(facts, to_table))


def _notes(facts: Mapping[str, Any], to_table: str) -> Iterator[str]:
    if facts["elsewhere"]:
        yield f"from {facts['origin']}"
    if to_table:
        yield f"also in the table {to_table}"
    drift = facts["drift"]
    for one in drift["changed"][:FEW]:
        yield f"changed: {_changed(one)}"
    if len(drift["changed"]) > FEW:
        yield f"... and {len(drift['changed']) - FEW} machines more: scores/manifest.json has all"
    if drift["unknown"]:
        some = ", ".join(name[:SHORT] for name in drift["unknown"][:FEW])
        yield f"{len(drift['unknown'])} machines were not there in training and are compared with the whole: {some}"


def _changed(one: Mapping[str, Any]) -> str:
    who = one["machine"][:SHORT] or "all machines together"
    since = f" since {one['since']}" if one["since"] else ""
    shifts = ", ".join(f"{shift['feature']} ({shift['index']:.2f})" for shift in one["shifts"][:3])
    refused = f"{one['refused']:.1%} get no answer" if one["more"] else ""
    return f"{who}, {one['rows']:,} series{since}: {'; '.join(filter(None, (shifts, refused)))}"


def table(facts: Mapping[str, Any], rows: int) -> tuple[tuple[str, ...], ...]:
    """What was said how often."""
    said = [(name[:SHORT], f"{count:,}", f"{count / max(rows, 1):.3%}") for name, count in facts["said"].items()]
    return (("said", "series", "share"), *said)
