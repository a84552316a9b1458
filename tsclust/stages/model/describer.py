"""The features of series as a model was trained on them, and which series the model's rules reject."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from tsclust.errors import SettingsError, StageMissingError
from tsclust.series import SeriesBlock
from tsclust.stages.features import custom, kernels
from tsclust.stages.features.catalogue import NAMES, clustered
from tsclust.stages.features.custom import Extra
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.features.rules import columns_read
from tsclust.stages.features.screening import Screen
from tsclust.stages.model.bundle import FEATURES_FILE, ModelBundle
from tsclust.stages.model.facts import FeatureContract


@dataclass(frozen=True)
class BundleDescriber:
    """What describes new series as the bundle of a model demands, and applies its rules; needs no workspace.

    sign: 1 where the peak is a maximum, -1 a minimum.

    clustered  places of the features that are compared; read: name -> place of those that rules read
    custom    (name, text) of the file with the user's own features, None where there are none
    """

    sign: int
    clustered: tuple[int, ...]
    read: dict[str, int]
    screen: Screen
    custom: tuple[str, str] | None

    @classmethod
    def of_model(cls, model: ModelBundle, *, allow_features: bool) -> BundleDescriber:
        """Raises SettingsError where the model brings features of its own, which are code, and they are not allowed;
        StageMissingError where it was trained on features that are not there."""
        contract = model.facts.feature_contract
        names = tuple(feature.name for feature in contract.catalogue)
        source = (model.facts.feature_file, model.feature_text) if names[len(NAMES) :] else None
        _check(contract, source, allow_features)
        compared = clustered(contract.catalogue)
        carried = columns_read(contract.rules) - {*names, *model.typical.columns}
        screen = Screen.prepare(contract.rules, model.typical, names, sorted(carried))
        places = {name: at for at, name in enumerate(names)}
        read = {name: places[name] for name in screen.reads(names)}
        return cls(contract.sign, tuple(places[name] for name in compared), read, screen, source)

    @property
    def carried(self) -> tuple[str, ...]:
        """The carried columns that rules need."""
        return self.screen.needs

    def describe(self, block: SeriesBlock, carried: pl.DataFrame) -> FeatureRows:
        """The features that are compared, and the first rule that rejects each series."""
        x = kernels.describe(block, self.sign)
        if self.custom:
            with _of_bundle(self.custom[0]):
                own = custom.describe_extra(block, self.sign, _loaded(*self.custom))
            x = np.hstack([x, own])
        rejected_by = self.screen.first({name: x[:, at] for name, at in self.read.items()}, len(x), carried)
        return FeatureRows(block.ids, np.ascontiguousarray(x[:, self.clustered]), rejected_by)


def _check(contract: FeatureContract, source: tuple[str, str] | None, allow_features: bool) -> None:
    names = [feature.name for feature in contract.catalogue]
    own = ", ".join(names[len(NAMES) :])[:200]
    other = "the model was trained on other features than this tsclust has"
    if tuple(names[: len(NAMES)]) != NAMES:
        raise StageMissingError(other, "Train it again with this version: tsclust features, then tsclust train")
    if source is None:
        return
    if not source[1]:
        raise StageMissingError(
            f"the model does not contain the source code of the user's own features ({own})",
            "Train it again: tsclust features, then tsclust train",
        )
    if not allow_features:
        raise SettingsError(
            f"the model contains features ({own}) that are Python code written by whoever trained it",
            "If you trust where it comes from: Scorer.open(..., allow_features=True)",
        )
    with _of_bundle(source[0]):
        there = [extra.feature.name for extra in _loaded(*source)]
    if there != names[len(NAMES) :]:
        raise StageMissingError(f"{other} ({own})", "Train it again: tsclust features, then tsclust train")


@contextmanager
def _of_bundle(name: str) -> Iterator[None]:
    """Who has only a bundle has its features.py, and cannot mend the file `name` that it was made from."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(
            f"{FEATURES_FILE} of the model: {error.problem}",
            f"Install what it imports, or correct {name or 'it'} where the model was trained and train it again there",
        ) from error


@lru_cache(maxsize=8)
def _loaded(name: str, text: str) -> tuple[Extra, ...]:
    """The functions of a text, compiled once: a process that gets a BundleDescriber compiles them itself."""
    return custom.load(Path(name), text)
