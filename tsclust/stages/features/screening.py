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
from tsclust.series import keys
from tsclust.stages.features.rules import columns_read, columns_used, first_rule, screen
from tsclust.stages.features.tally import Tally
from tsclust.stages.features.typical import Typical


@dataclass(frozen=True)
class Screen:
    """Rules, in their order.

    carried  the carried columns that they read
    typical  what is typical, as far as they read it;  asked: typical_<feature> and spread_<feature>
    """

    rules: tuple[Rule, ...]
    carried: tuple[str, ...]
    typical: Typical
    asked: tuple[str, ...]

    @classmethod
    def prepare(
        cls,
        rules: tuple[Rule, ...],
        typical: Typical,
        features: Sequence[str],
        carried: Sequence[str],
    ) -> Screen:
        """For series with these features and carried columns: a feature comes before a carried column of its name.

        Raises SettingsError for a rule that reads what is not there.
        """
        of_series = [name for name in carried if name not in features]
        used = columns_used(rules, (*features, *of_series, *typical.columns))
        asked = tuple(name for name in typical.columns if name in used)
        return cls(rules, tuple(sorted(used & set(of_series))), typical.only(asked), asked)

    @property
    def needs(self) -> tuple[str, ...]:
        """The carried columns that series need: those that rules read, and those that name a baseline."""
        return tuple(dict.fromkeys((*self.carried, *(self.typical.baseline if self.asked else ()))))

    def apply(self, features: pl.DataFrame, carried: pl.DataFrame) -> tuple[pl.Series, Tally]:
        """((n,) the first rule that rejects each series, null where none does; how many each rule rejects)."""
        known = {name: features[name].to_numpy() for name in self.typical.needs if self.asked}
        frame = features.hstack(self._of_series(carried)).hstack(self._typical_of(known, len(features), carried))
        verdict = screen(frame, self.rules)
        first = Counter(verdict.rejected_by.drop_nulls().to_list())
        return verdict.rejected_by, Tally(len(features), first, Counter(verdict.in_all), Counter(verdict.alone))

    def first(self, features: Mapping[str, Floats], rows: int, carried: pl.DataFrame) -> pa.Array:
        """(n,) text: the first rule that rejects each of n series, null where none does. Fast for few, counts nothing.

        features: those that it `reads`, (n,) each; NaN where one is not known.
        """
        known = [pl.Series(name, values, nan_to_null=True) for name, values in features.items()]
        given = self._typical_of(features, rows, carried)
        return first_rule(pl.DataFrame([*known, *self._of_series(carried), *given], height=rows), self.rules)

    def reads(self, names: Sequence[str]) -> list[str]:
        """Those of the features `names` that the rules need, and those that say which series are of a kind."""
        used = columns_read(self.rules) | ({*self.typical.needs} if self.asked else set())
        return [name for name in names if name in used]

    def _of_series(self, carried: pl.DataFrame) -> list[pl.Series]:
        """The carried columns that rules read. NaN is greater than all: missing, it rejects nothing."""
        return (
            carried.select(self.carried).with_columns(cs.float().fill_nan(None)).get_columns() if self.carried else []
        )

    def _typical_of(self, features: Mapping[str, Floats], rows: int, carried: pl.DataFrame) -> list[pl.Series]:
        """What is typical of the kind of each of n series, as far as rules ask for it."""
        if not self.asked:
            return []
        own = self.typical.baseline
        of_kind = self.typical.rows(features, keys(carried.select(own)) if own else np.full(rows, ""))
        return [pl.Series(name, self.typical.column(name, of_kind)) for name in self.asked]
