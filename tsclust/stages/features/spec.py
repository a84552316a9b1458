"""What `tsclust features` describes series by: the settings and the user's own features, read once and compiled."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tsclust import config
from tsclust.config import Features, Settings
from tsclust.errors import SettingsError
from tsclust.series import SeriesBlock
from tsclust.stages.features import catalogue
from tsclust.stages.features.catalogue import Feature

if TYPE_CHECKING:
    from tsclust.stages.features.custom import Extra


@dataclass(frozen=True)
class FeatureSpec:
    """The settings of [features], and the text of the user's file at `path`: None where none is named or there.

    baseline, regimes: by what rules tell kinds of series apart, as [cluster] has it.
    """

    settings: Features
    path: Path
    text: str | None
    baseline: tuple[str, ...] = ()
    regimes: bool = True

    @classmethod
    def read(cls, root: Path, settings: Settings) -> FeatureSpec:
        """The user's file lies in the folder `root`. Raises SettingsError where it is no text."""
        path = root / settings.features.extra
        there = bool(settings.features.extra) and path.is_file()
        try:
            text = path.read_text(encoding="utf-8") if there else None
        except UnicodeDecodeError:
            raise SettingsError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None
        return cls(settings.features, path, text, settings.cluster.baseline_columns, settings.cluster.regimes)

    @property
    def digest(self) -> str:
        """A hash of what decides on the features and on what is typical of them."""
        apart = ("by", *self.baseline) if self.baseline else ("regimes",) if self.regimes else ()
        measured = (f"{f.name}: {f.formula}" for f in catalogue.CATALOGUE)
        return config.digest(self.settings, self.text or "", *apart, *measured)

    def compile(self) -> Describer:
        """Raises SettingsError for a file that is not there or cannot be used, or a feature that is not there."""
        from tsclust.stages.features import custom  # numba, which who asks for the digest alone does without

        if self.settings.extra and self.text is None:
            raise SettingsError(f"[features] extra = {self.path}: there is no such Python file", "Correct the path")
        own = custom.load(self.path, self.text) if self.text is not None else ()
        return Describer(self, catalogue.in_force(self.settings.skip, [e.feature for e in own]), own)


@dataclass(frozen=True)
class Describer:
    """What describes the series of a workspace by its settings: the catalogue and the user's own features, compiled.

    A model describes new ones by what it holds itself: BundleDescriber.
    """

    spec: FeatureSpec
    features: tuple[Feature, ...]
    extra: tuple[Extra, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in their order."""
        return tuple(f.name for f in self.features)

    def __call__(self, block: SeriesBlock, sign: int) -> pl.DataFrame:
        """A column for each feature, a row for each series; null where a feature is not known."""
        from tsclust.stages.features import custom
        from tsclust.stages.features.kernels import describe

        x = describe(block, sign)
        if self.extra:
            x = np.hstack([x, custom.describe_extra(block, sign, self.extra)])
        return pl.DataFrame(x, schema=self.names).with_columns(pl.all().fill_nan(None))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process compiles the same text: what is compiled belongs to a module that only this one has."""
        return _compiled, (self.spec,)


@functools.lru_cache(maxsize=4)
def _compiled(spec: FeatureSpec) -> Describer:
    return spec.compile()
