"""How a score comes about, from a series to an answer. No files: what is needed is in the bundle of a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from tsclust.arrays import Bools, Floats, Int64s
from tsclust.series import ID, VALUES, SeriesBlock
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.model import bundle, carried_types
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.describer import BundleDescriber
from tsclust.stages.model.deviations import Deviations
from tsclust.stages.scores import input_table, parts


@dataclass(frozen=True)
class Scores:
    """The scores of a block of series; of the n that the rules keep:

    kind (n,) index into the model's kinds, probability (n,), novelty (n,), refused (n,): no answer by the model alone
    """

    deviations: Deviations
    kind: Int64s
    probability: Floats
    novelty: Floats
    refused: Bools

    def table(self, model: ModelBundle, threshold: float | None = None) -> pa.Table:
        """The columns of scores/; less confident than the threshold (default: that of training) is "don't know"."""
        rows, limit = self.deviations, model.facts.threshold if threshold is None else threshold
        return parts.table_of(
            rows.ids,
            rows.rejected_by,
            rows.keep,
            model.kinds,
            limit,
            self.kind,
            self.probability,
            self.novelty,
            model.facts.id,
        )


class Scorer:
    """Scores series by the bundle of a trained model, which needs no workspace.

    A series gets the same result to the bit alone, among others, and for any number of threads. Thread-safe.
    """

    def __init__(self, model: ModelBundle, *, allow_features: bool = False) -> None:
        """Raises SettingsError for a model with the user's own features, which are code, unless they are allowed."""
        self.model = model
        self._describer = BundleDescriber.of_model(model, allow_features=allow_features)

    @classmethod
    def open(cls, folder: Path | str, *, allow_features: bool = False) -> Scorer:
        """The scorer of the bundle in a folder: model/ of a workspace, or a copy of it.

        allow_features: run the user's own features that the bundle brings; allow it for a bundle that you trust.
        Raises StageMissingError, DamagedError or SettingsError for a folder that cannot be used; see the message.
        """
        return cls(bundle.read(Path(folder)), allow_features=allow_features)

    @property
    def carried(self) -> tuple[str, ...]:
        """The carried columns that series need."""
        return tuple(dict.fromkeys((*self.model.yardstick.carried, *self._describer.carried)))

    def score(self, table: pa.Table) -> pa.Table:
        """The scores of a table of series, row by row: series_id, said, kind, probability, novelty, rejected_by,
        model (the id of the model).

        table: series_id, values (a list of numbers each), and the carried columns that the model compares by.
        Raises SettingsError for a column that is missing or of another type than in training.
        """
        return self.score_block(input_table.block_of(table, self.carried), table).table(self.model)

    def warm(self) -> None:
        """Have kernels compiled, or read from numba's cache, now: not while a series waits."""
        ramp = [[0.0, 4.0, *[1.0, 1.1] * 20, 0.0]]
        for kind in (pa.float32(), pa.float64()):
            carried = {name: pa.nulls(1) for name in self.carried}
            self.score(pa.table({ID: [0], VALUES: pa.array(ramp, pa.list_(kind)), **carried}))

    def score_block(self, block: SeriesBlock, table: pa.Table) -> Scores:
        """The scores of a block of series; `table` has their carried columns. Raises SettingsError as `score` does."""
        return score_rows(self.model, *self.describe(block, table))

    def describe(self, block: SeriesBlock, table: pa.Table) -> tuple[FeatureRows, pl.DataFrame]:
        """What `score_rows` takes: the features of a block of series, and their carried columns as in training."""
        carried = self.as_trained(table)
        return self.features(block, carried), carried

    def as_trained(self, table: pa.Table) -> pl.DataFrame:
        """The carried columns of series as in training. Raises SettingsError as `score` does."""
        return carried_types.as_trained(table, self.carried, self.model.facts.feature_contract.carried or {})

    def features(self, block: SeriesBlock, carried: pl.DataFrame) -> FeatureRows:
        """The features of a block of series with these columns `as_trained`, and the rule that rejects each."""
        return self._describer.describe(block, carried)


def score_rows(model: ModelBundle, rows: FeatureRows, carried: pl.DataFrame) -> Scores:
    """The scores of series whose features are there already."""
    return scores_of(model, model.yardstick.measure(rows, carried))


def scores_of(model: ModelBundle, deviations: Deviations) -> Scores:
    """The scores of series that were held against what is normal for them."""
    kind, probability, novelty = model.predict(deviations.z)
    return Scores(deviations, kind, probability, novelty, model.refuses(probability, novelty))
