"""How far labellers agree: Krippendorff's alpha over the series that more than one of them has labelled."""

from __future__ import annotations

import krippendorff
import polars as pl

from tsclust.labels.store import SAID


def alpha(found: pl.DataFrame) -> float | None:
    """1: they always agree; 0: as by chance. None where nobody else labelled the same, or all said one and the same.

    found: labels as of store.LABELS. Nominal data, any number of labellers, gaps allowed (Krippendorff 2011).
    """
    said = found.filter(pl.col("verdict").is_in(SAID))
    both = said.filter(pl.len().over("series_id") > 1)
    if both["kind"].n_unique() < 2:
        return None
    votes = both.group_by("series_id", "kind").len().pivot("kind", index="series_id", values="len", sort_columns=True)
    counts = votes.drop("series_id").fill_null(0).to_numpy()
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
