"""What is recorded, in what unit, how far apart samples are, and what columns are called: for axes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tsclust.config import Report

_VALUES = re.compile(r"(?:^|[:,] )values (?P<column>.+?)(?:, (?:carried|order|id) |$)")  # of the layout in series/
# Names of units that are small letters or words; others have a capital letter amid few, or a sign: Nm, kW, m/s, °C, %.
_WORDS = frozenset({
    "bar", "mbar", "psi", "rpm", "deg", "rad", "m", "mm", "cm", "s", "ms", "min", "h", "g", "kg", "t", "l", "Ohm",
    "Torr", "Ncm", "Nmm", "бар", "мм", "см", "м", "с", "мс", "г", "кг", "т", "л", "Ом",
})  # fmt: skip
_WITH_UNIT = re.compile(r"(?P<quantity>[^\[\](){}]{1,60}?)\s*[\[(](?P<unit>[^\[\](){}]{1,20})[\])]")


@dataclass(frozen=True)
class Measured:
    """quantity, unit: "" where not known; seconds: from one sample to the next, 0 where not known."""

    quantity: str = ""
    unit: str = ""
    seconds: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Report, layout: str) -> Measured:
        """As [report] has it; else what the column of the values says, such as `Drehmoment [Nm]`."""
        column = _VALUES.search(layout)
        told = _WITH_UNIT.fullmatch(column["column"].strip()) if column else None
        quantity, unit = (told["quantity"], told["unit"]) if told and _is_unit(told["unit"]) else ("", "")
        return cls(
            settings.quantity or quantity,
            settings.unit or unit,
            settings.sample_seconds,
            settings.names,
        )

    @property
    def axis(self) -> str:
        """Torque, Nm; or one of the two."""
        return ", ".join(filter(None, (self.quantity, self.unit)))


def _is_unit(text: str) -> bool:
    """Whether what a column's name has in brackets is a unit, and no remark: Nm, not raw."""
    is_word = text.isalpha() and (text.islower() or (len(text) > 2 and (text.isupper() or text.istitle())))
    return text in _WORDS or (len(text) <= 8 and not is_word)


UNKNOWN = Measured()
