"""What rules call typical_<feature> and spread_<feature>: of the series that a series is to be compared with.

A rule judges a series by its own kind: by the baseline that carried columns name or, where none does, by the regime of
the normal mass that it is nearest to. Nothing is known of a baseline with too few series: that of all holds for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from tsclust.arrays import Floats, Keys
from tsclust.stages.features import reference, regimes
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.reference import DECILES, MAD, Reference
from tsclust.stages.features.regimes import Regimes

FEWEST = 5  # series that a baseline needs: rules ask for orders of magnitude, and of five a median stands two outliers
FOR_REGIMES = 4_000  # series that show them: orders of magnitude apart, they need no more, and time grows by the square
LARGEST = 1e300  # a manifest, which is JSON, knows no infinity


class PlainRegimes(BaseModel):
    """Regimes as a manifest has them."""

    model_config = ConfigDict(frozen=True)

    center: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    places: tuple[tuple[float, ...], ...]


class Kinds(BaseModel):
    """By what series are told apart before they are judged: see Typical. too_few: see Reference."""

    model_config = ConfigDict(frozen=True)

    baseline: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    too_few: int = 0
    regimes: PlainRegimes | None = None


@dataclass(frozen=True)
class Typical:
    """What is typical of f features for g baselines.

    names     (f,) the features
    baseline  the carried columns that name a series' baseline
    compared  the features that regimes are told apart by
    normal    keys (g,), the first of them "", for all series; centers (g, f) medians, spreads (g, f) robust
              deviations, which may be 0
    """

    names: tuple[str, ...]
    baseline: tuple[str, ...]
    compared: tuple[str, ...]
    normal: Reference

    @classmethod
    def of_all(cls, typical: Mapping[str, tuple[float, float]]) -> Typical:
        """By one median and deviation of each feature, whatever the series."""
        both = np.array([*typical.values()], np.float64).reshape(-1, 2)
        normal = Reference(keys=np.array([""]), centers=both[None, :, 0], spreads=both[None, :, 1], too_few=0)
        return cls(tuple(typical), (), (), normal)

    @classmethod
    def restore(
        cls, names: Sequence[str], keys: Sequence[str], centers: Floats, spreads: Floats, kinds: Kinds
    ) -> Typical:
        """From what was kept of it."""
        plain = kinds.regimes
        regimes_kept = None if plain is None else Regimes(*(np.array(value) for _, value in plain))
        normal = Reference(
            keys=np.array(keys), centers=centers, spreads=spreads, too_few=kinds.too_few, regimes=regimes_kept
        )
        return cls(tuple(names), kinds.baseline, kinds.compared, normal)

    @property
    def kinds(self) -> Kinds:
        """What a manifest keeps of it."""
        found = self.normal.regimes
        plain = None if found is None else PlainRegimes(**{name: value.tolist() for name, value in vars(found).items()})
        return Kinds(baseline=self.baseline, compared=self.compared, too_few=self.normal.too_few, regimes=plain)

    @property
    def columns(self) -> tuple[str, ...]:
        """What rules may ask for."""
        return (*(f"typical_{name}" for name in self.names), *(f"spread_{name}" for name in self.names))

    @property
    def whole(self) -> dict[str, tuple[float, float]]:
        """Feature -> (median, robust deviation) of all series."""
        both = zip(self.normal.centers[0].tolist(), self.normal.spreads[0].tolist(), strict=True)
        return dict(zip(self.names, both, strict=True))

    @property
    def constants(self) -> dict[str, float]:
        """Column -> value where it is the same for all series; nothing where there are kinds of them."""
        if len(self.normal.keys) > 1:
            return {}
        at = np.zeros(1, np.intp)
        return {name: float(self.column(name, at)[0]) for name in self.columns}

    @property
    def needs(self) -> tuple[str, ...]:
        """The features that say which row of the reference a series is compared with."""
        return self.compared if self.normal.regimes is not None else ()

    def rows(self, features: Mapping[str, Floats], keys: Keys) -> npt.NDArray[np.intp]:
        """(n,) the row of the reference of each series, by what it `needs` (n,) each and its baseline's key (n,)."""
        if self.normal.regimes is None:
            return self.normal.rows(keys)
        return 1 + self.normal.regimes.nearest(np.column_stack([features[name] for name in self.compared]))

    def column(self, name: str, rows: npt.NDArray[np.intp]) -> Floats:
        """(n,) one of the `columns`, for series with these rows of the reference."""
        kind, _, feature = name.partition("_")
        of = self.normal.centers if kind == "typical" else self.normal.spreads
        column: Floats = of[rows, self.names.index(feature)]
        return column

    def only(self, columns: Sequence[str]) -> Typical:
        """With no more features than these columns ask for."""
        names = [name for name in self.names if {f"typical_{name}", f"spread_{name}"} & {*columns}]
        at = [self.names.index(name) for name in names]
        normal = self.normal
        fewer = Reference(
            keys=normal.keys, centers=normal.centers[:, at], spreads=normal.spreads[:, at], too_few=normal.too_few,
            regimes=normal.regimes,
        )  # fmt: skip
        return Typical(tuple(names), self.baseline, self.compared, fewer)


@dataclass(frozen=True)
class Sample:
    """Series to learn from, in an order of chance.

    frame   (n, f) their features, null where one is not known;  keys (n,) their baselines, "" without one
    at_all  (n,) whether they were drawn from all series; the others were drawn so that each baseline has enough
    """

    frame: pl.DataFrame
    keys: Keys
    at_all: npt.NDArray[np.bool_]


def fit(
    sample: Sample, baseline: Sequence[str], compared: Sequence[str], least: Mapping[str, float], *, look: bool
) -> Typical:
    """`look` for regimes where there is no baseline, by the features `compared`, which have these `least` spreads."""
    names, x = tuple(sample.frame.columns), sample.frame.to_numpy().astype(np.float64)
    described = np.isfinite(x[:, [names.index(name) for name in NAMES if name in names]]).all(axis=1)
    described |= not described.any()
    x, keys, of_all = x[described], sample.keys[described], sample.at_all[described]
    whole = _center_and_spread(x[of_all])
    found = _regimes(x[of_all], names, compared, least) if look and not baseline else None
    if found is not None:
        at = [names.index(name) for name in compared]
        keys = np.char.add("regime ", np.char.zfill((1 + found.nearest(x[:, at])).astype(str), 3))
    own, row = np.unique(keys, return_inverse=True)
    members = np.split(np.argsort(row, kind="stable"), np.cumsum(np.bincount(row, minlength=len(own)))[:-1])
    enough = [(name, m) for name, m in zip(own.tolist(), members, strict=True) if name and len(m) >= FEWEST]
    fitted = [whole, *(_center_and_spread(x[m]) for _, m in enough)]
    centers, spreads = (np.stack(part) for part in zip(*fitted, strict=True))
    too_few = sum(1 for name in own if name) - len(enough)
    normal = Reference(
        keys=np.array(["", *(name for name, _ in enough)]), centers=centers, spreads=spreads, too_few=too_few,
        regimes=found,
    )  # fmt: skip
    return Typical(names, tuple(baseline), tuple(compared), normal)


def _regimes(x: Floats, names: tuple[str, ...], compared: Sequence[str], least: Mapping[str, float]) -> Regimes | None:
    at = [names.index(name) for name in compared]
    described = x[np.isfinite(x[:, at]).all(axis=1)][:FOR_REGIMES, at]
    if not at or len(described) < FEWEST:
        return None
    of_compared = np.array([least[name] for name in compared])
    return regimes.find_by_all(described, *reference.center_and_spread(described, of_compared))


def _center_and_spread(x: Floats) -> tuple[Floats, Floats]:
    """((f,), (f,)) the median and the robust deviation of x (n, f), without what is NaN; 0 where nothing is known.

    The deviation is the larger of the MAD and of what the middle eight tenths span, as the sweep's.
    """
    if len(x) and np.isfinite(x).all():
        low, center, high = np.quantile(x, (0.1, 0.5, 0.9), axis=0)
        spread = np.maximum(MAD * np.median(np.abs(x - center), axis=0), (high - low) / DECILES)
        return np.clip(center, -LARGEST, LARGEST), np.clip(spread, 0, LARGEST)
    known = [column[np.isfinite(column)][:, None] for column in x.T]
    found = [_center_and_spread(one) if len(one) else (np.zeros(1), np.zeros(1)) for one in known]
    return np.concatenate([center for center, _ in found]), np.concatenate([spread for _, spread in found])
