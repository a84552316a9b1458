"""In what the shape of a group differs, in words."""

from __future__ import annotations

import math
from typing import Protocol

from tsclust.wording.language import Language


class ShapeTrait(Protocol):
    """A measure of the whole curve, or `of_stretch`, that is more than normal or less.

    first, last  where normal series have the stretch, in samples after the start; None where that is not known
    """

    @property
    def measure(self) -> str: ...
    @property
    def of_stretch(self) -> bool: ...
    @property
    def more(self) -> bool: ...
    @property
    def first(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...


def shape_in_words(language: Language, trait: ShapeTrait) -> str:
    """`samples 14–40: falls below normal for a moment`."""
    words = language.texts["shape"]
    how = str(words["stretch" if trait.of_stretch else "whole"][trait.measure][0 if trait.more else 1])
    if not trait.of_stretch:
        return how
    if trait.first is None or trait.last is None:
        return str(words["somewhere"].format(how=how))
    step, unit = (language.seconds, "seconds") if language.seconds else (1.0, "samples")
    decimals = max(0, -math.floor(math.log10(step)))
    first, last = (language.rounded(at * step, decimals) for at in (trait.first, trait.last))
    return str(words[unit].format(first=first, last=last, how=how))
