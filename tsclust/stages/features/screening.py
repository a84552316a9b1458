"""Rules made ready to be applied to the series of a part, and to count what they reject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import polars.selectors as cs
import pyarrow as pa

from tsclust.arrays import Floats
from tsclust.config import Rule
from tsclust.stages.features.rules import columns_read, columns_used, first_rule, screen
from tsclust.stages.features.survey import as_columns
from tsclust.stages.features.tally import Tally

CLEAR = 0.9  # share of the series that must agree on the direction of the peak before the others count as upside down


@dataclass(frozen=True)
class Screen:
    """Rules, in their order.

    carried    the carried columns that they read
    constants  what is typical, as far as they read it: typical_<feature> and spread_<feature> -> value
    """

    rules: tuple[Rule, ...]
    carried: tuple[str, ...]
    constants: dict[str, float]

    @classmethod
    def prepare(
        cls,
        rules: tuple[Rule, ...],
        typical: Mapping[str, tuple[float, float]],
        features: Sequence[str],
        carried: Sequence[str],
    ) -> Screen:
        """For series with these features and carried columns: a feature comes before a carried column of its name.

        Raises SettingsError for a rule that reads what is not there.
        """
        constants = as_columns(typical)
        of_series = [name for name in carried if name not in features]
        used = columns_used(rules, (*features, *of_series, *constants))
        given = {name: value for name, value in constants.items() if name in used}
        return cls(rules, tuple(sorted(used & set(of_series))), given)

    def apply(self, features: pl.DataFrame, carried: pl.DataFrame) -> tuple[pl.Series, Tally]:
        """((n,) the first rule that rejects each series, null where none does; how many each rule rejects)."""
        # NaN is greater than all: missing, it rejects nothing.
        frame = features.hstack(carried.with_columns(cs.float().fill_nan(None)))
        constants = {name: pl.lit(value) for name, value in self.constants.items()}
        verdict = screen(frame.with_columns(**constants), self.rules)
        first = Counter(verdict.rejected_by.drop_nulls().to_list())
        return verdict.rejected_by, Tally(len(features), first, Counter(verdict.in_all), Counter(verdict.alone))

    def first(self, features: Mapping[str, Floats], rows: int, carried: pl.DataFrame) -> pa.Array:
        """(n,) text: the first rule that rejects each of n series, null where none does. Fast for few, counts nothing.

        features: those that the rules read, (n,) each; NaN where one is not known.
        """
        known = [pl.Series(name, values, nan_to_null=True) for name, values in features.items()]
        of_series = carried.select(self.carried).with_columns(cs.float().fill_nan(None)) if self.carried else ()
        given = [pl.Series(name, np.full(rows, value)) for name, value in self.constants.items()]
        return first_rule(pl.DataFrame([*known, *of_series, *given], height=rows), self.rules)


def features_used(rules: tuple[Rule, ...], names: Sequence[str]) -> list[str]:
    """Those of the features `names` that the rules read."""
    used = columns_read(rules)
    return [name for name in names if name in used]
