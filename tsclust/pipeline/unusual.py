"""What a model says of single series, and what is unusual about them by its yardstick, as the report words it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.arrays import Int64s
from tsclust.errors import TsclustError
from tsclust.series import SeriesBlock
from tsclust.stages.features.parts import FeatureRows
from tsclust.stages.labels.kinds import NORMAL
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.reports.groups.unusual import NormalReference, each_stands_out
from tsclust.stages.scores import input_table, parts
from tsclust.stages.scores.scorer import Scorer, Scores, score_rows
from tsclust.wording.language import Language

UNUSUAL = "unusual"


def reference_of(model: ModelBundle) -> NormalReference:
    """What is normal, as the model holds it."""
    features = tuple(one for one in model.facts.feature_contract.catalogue if one.clustered)
    return NormalReference(features, model.scaler)


def in_words(
    model: ModelBundle, rows: FeatureRows, carried: pl.DataFrame, which: Int64s, language: Language
) -> Iterable[tuple[str, ...]]:
    """For each of these rows its sentences, the farthest from normal first; none where nothing stands out."""
    keys = model.yardstick.keys(carried, len(rows))
    for found in each_stands_out(rows.x[which], keys[which], reference_of(model)):
        yield tuple(language.sentence(each) for each in found)


def what_can_be_scored(scorer: Scorer, table: pa.Table, words: Language | None) -> pa.Table:
    """As `scores_of`; a series that meets an error of ours has nulls. What is wrong with all of them is raised."""
    try:
        return scores_of(scorer, table.combine_chunks(), words)
    except (TsclustError, OSError, MemoryError):
        raise
    except Exception:  # noqa: BLE001  whatever it is, it is of one series
        if len(table) == 1:
            return scores_of(scorer, table.slice(0, 0), words).take(pa.array([None], pa.int64()))
        middle = len(table) // 2
        return pa.concat_tables(what_can_be_scored(scorer, half, words) for half in (table[:middle], table[middle:]))


def scores_of(scorer: Scorer, table: pa.Table, words: Language | None) -> pa.Table:
    """The columns of scores/ for series, with `unusual` where words are wanted: null where the answer is "normal"."""
    return judged(scorer, table, words)[1]


def judged(scorer: Scorer, table: pa.Table, words: Language | None) -> tuple[Scores, pa.Table]:
    """The scores of series, and what `scores_of` makes of them."""
    block = input_table.block_of(table, scorer.carried)
    rows, carried = scorer.describe(block, table)
    scores = score_rows(scorer.model, rows, carried)
    said = scores.table(scorer.model)
    if words is None:
        return scores, said
    return scores, said.append_column(UNUSUAL, _unusual(scorer, block, rows, carried, said, words))


def _unusual(
    scorer: Scorer, block: SeriesBlock, rows: FeatureRows, carried: pl.DataFrame, scores: pa.Table, words: Language
) -> pa.Array:
    """(n,) lists of sentences: none for what is normal, or impossible, which has a reason."""
    odd = rows.kept & (scores[parts.SAID].to_numpy(zero_copy_only=False) != NORMAL)
    which: Int64s = np.flatnonzero(odd)
    said: list[list[str]] = [[] for _ in range(len(block))]
    for at, sentences in zip(which, in_words(scorer.model, rows, carried, which, words), strict=True):
        said[at] = list(sentences)
    return pa.array(said, pa.list_(pa.string()))
