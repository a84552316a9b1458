"""What is recorded, in what unit, how far apart samples are, and what columns are called: for axes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.arrays import Floats
from tsclust.config import Report
from tsclust.wording.language import Language

_VALUES = re.compile(r"(?:^|[:,] )values (?P<column>.+?)(?:, (?:carried|order|id) |$)")  # of the layout in series/
# Names of units that are small letters or words; others have a capital letter amid few, or a sign: Nm, kW, m/s, °C, %.
_WORDS = frozenset({
    "bar", "mbar", "psi", "rpm", "deg", "rad", "m", "mm", "cm", "s", "ms", "min", "h", "g", "kg", "t", "l", "Ohm",
    "Torr", "Ncm", "Nmm", "бар", "мм", "см", "м", "с", "мс", "г", "кг", "т", "л", "Ом",
})  # fmt: skip
_FIRST, _LAST = "_first", "_last"  # of an order that is a time
ALIKE, MOST = 0.02, 0.9  # so many series have a step so near to the middle one
ENOUGH = 50.0  # seconds of a series of which times are noted in whole seconds
_WITH_UNIT = re.compile(r"(?P<quantity>[^\[\](){}]{1,60}?)\s*[\[(](?P<unit>[^\[\](){}]{1,20})[\])]")


@dataclass(frozen=True)
class Measured:
    """quantity, unit: "" where not known; seconds: from one sample to the next, 0 where not known."""

    quantity: str = ""
    unit: str = ""
    seconds: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Report, layout: str, series: pa.Table | None = None) -> Measured:
        """As [report] has it; else what the column of the values says, such as `Drehmoment [Nm]`, and what the first
        and last times of series do, where these are carried."""
        column = _VALUES.search(layout)
        told = _WITH_UNIT.fullmatch(column["column"].strip()) if column else None
        quantity, unit = (told["quantity"], told["unit"]) if told and _is_unit(told["unit"]) else ("", "")
        return cls(
            settings.quantity or quantity,
            settings.unit or unit,
            settings.sample_seconds or (step_seconds(series) if series is not None else 0.0),
            settings.names,
        )

    @property
    def axis(self) -> str:
        """Torque, Nm; or one of the two."""
        return ", ".join(filter(None, (self.quantity, self.unit)))

    def language(self, lang: str) -> Language:
        """The language `lang` (en or ru) with these units and names."""
        return replace(Language.load(lang), unit=self.unit, seconds=self.seconds, names=self.names)


def times_in(columns: Sequence[str]) -> list[str]:
    """Those of the columns that may be the first and last times of series."""
    return [name for name in columns if name.endswith((_FIRST, _LAST))]


def step_seconds(series: pa.Table) -> float:
    """From one sample to the next, by columns like ts_first and ts_last; 0 where there are none, or series disagree."""
    steps = [_steps(series, name) for name in series.column_names if name.endswith(_FIRST)]
    agreed = [step for each in steps if len(each) for step in [float(np.median(each))] if _agree(each, step)]
    return float(f"{agreed[0]:.4g}") if agreed else 0.0


def _agree(steps: Floats, middle: float) -> bool:
    return bool(middle > 0 and (np.abs(steps / middle - 1) <= ALIKE).mean() >= MOST)


def _steps(series: pa.Table, first: str) -> Floats:
    """(n,) of each series that has both times, whose whole is not too short for how finely they are noted."""
    last = first.removesuffix(_FIRST) + _LAST
    if last not in series.column_names or not all(pa.types.is_timestamp(series[c].type) for c in (first, last)):
        return np.zeros(0)
    begins, ends = (pc.cast(series[c], pa.timestamp("us"), safe=False).cast(pa.int64()) for c in (first, last))
    known = pc.fill_null(pc.greater(ends, begins), False).to_numpy(zero_copy_only=False)
    span = (ends.to_numpy() - begins.to_numpy())[known] / 1e6
    count = pc.list_value_length(series["values"]).to_numpy()[known] - 1.0
    fine = (span >= ENOUGH) if (span == np.rint(span)).all() else np.ones(len(span), bool)
    steps: Floats = (span / np.maximum(count, 1.0))[fine & (count > 0)]
    return steps


def _is_unit(text: str) -> bool:
    """Whether what a column's name has in brackets is a unit, and no remark: Nm, not raw."""
    is_word = text.isalpha() and (text.islower() or (len(text) > 2 and (text.isupper() or text.istitle())))
    return text in _WORDS or (len(text) <= 8 and not is_word)


UNKNOWN = Measured()
