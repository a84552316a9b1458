"""What a page needs to say what is unusual of a series in the words that Python says it in: the tables of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tsclust.stages.reports.groups import facts, plateau, unusual
from tsclust.wording import language as wording
from tsclust.wording.language import Language

# By name: what facts.py, plateau.py and unusual.py decide by, and language.py.
_LIMITS = {
    "facts": (
        *("ALIKE", "RETURN", "STANDS_OUT", "SENTENCES", "VISIBLE", "EDGE", "FAR"),
        *("LIKELY_FROM", "TAIL", "EXPLAINED", "SAME"),
    ),
    "plateau": ("PLATEAU", "PEAK", "REACH", "NARROW", "TOWERS", "TURNS", "REGULAR", "MOST", "STEPWISE"),
    "unusual": ("NEAR_ZERO", "OFFSET"),
    "language": ("MOST_TIMES", "FROM_TIMES"),
}
_MODULES = {"facts": facts, "plateau": plateau, "unusual": unusual, "language": wording}
_TEXTS = ("numbers", "plurals", "sentences", "whole", "worded", "features")


def tables(language: Language) -> dict[str, Any]:
    """Limits, which fact brings about which, and the texts of the language."""
    limits = {name: getattr(_MODULES[where], name) for where, names in _LIMITS.items() for name in names}
    return {
        "limits": limits, "topics": facts.TOPICS, "certain": _lists(facts.CERTAIN), "likely": _lists(facts.LIKELY),
        "order": facts.ORDER, "signs": facts.SIGNS, "levels": facts.LEVELS, "to_peak": wording.TO_PEAK,
        "named_levels": sorted(wording.LEVELS), "texts": {name: language.texts[name] for name in _TEXTS},
        "unit": language.unit, "seconds": language.seconds,
    }  # fmt: skip


def _lists(sets: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {name: sorted(of) for name, of in sets.items()}
