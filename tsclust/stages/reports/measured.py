"""What is recorded, in what unit, how far apart samples are, and what columns are called: for axes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tsclust.config import Report

_VALUES = re.compile(r"(?:^|[:,] )values (?P<column>.+?)(?:, (?:carried|order|id) |$)")  # of the layout in series/
_WITH_UNIT = re.compile(r"(?P<quantity>[^\[\](){}]{2,60}?)\s*[\[(](?P<unit>[^\[\](){}]{1,20})[\])]")


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
        quantity, unit = (told["quantity"], told["unit"]) if told else ("", "")
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


UNKNOWN = Measured()
