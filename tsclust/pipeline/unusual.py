"""What is unusual about single series, by the yardstick of the model that scored them, as the report words it."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tsclust.arrays import Int64s
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.reports.data import Unusual
from tsclust.stages.reports.groups.unusual import NormalReference, stands_out
from tsclust.wording.language import Language


def reference_of(model: ModelBundle) -> NormalReference:
    """What is normal, as the model holds it."""
    features = tuple(one for one in model.facts.feature_contract.catalogue if one.clustered)
    return NormalReference(features, model.scaler)


def in_words(
    model: ModelBundle, rows: FeatureRows, carried: pl.DataFrame, which: Int64s, language: Language
) -> Iterable[tuple[str, ...]]:
    """For each of these rows its sentences, the farthest from normal first; none where nothing stands out."""
    reference, keys = reference_of(model), model.yardstick.keys(carried, len(rows))
    for at in which:
        one = slice(at, at + 1)
        found: tuple[Unusual, ...] = stands_out(rows.x[one], keys[one], reference)
        yield tuple(language.sentence(each) for each in found)
