"""How far labellers agree: Krippendorff's alpha over the series that more than one of them has labelled."""

from __future__ import annotations

import polars as pl

from tsclust.labels.store import SAID


def alpha(found: pl.DataFrame) -> float | None:
    """1: they always agree; 0: as by chance. None where nobody else labelled the same, or all said one and the same.

    found: labels as of store.LABELS. Nominal data, any number of labellers, gaps allowed (Krippendorff 2011): 1 less
    the disagreement observed over that expected. The krippendorff package is the oracle of the tests; it holds a
    matrix of kinds x kinds for every series, gigabytes for a million of them.
    """
    said = found.filter(pl.col("verdict").is_in(SAID))
    votes = said.group_by("series_id", "kind").len("votes")
    votes = votes.with_columns(all=pl.col("votes").sum().over("series_id")).filter(pl.col("all") > 1)
    differ = pl.col("votes") * (pl.col("all") - pl.col("votes")) / (pl.col("all") - 1)
    observed = votes.select(differ.sum()).item()
    of_kind = votes.group_by("kind").agg(pl.col("votes").sum())["votes"].to_numpy().astype(float)
    expected = (of_kind.sum() ** 2 - (of_kind**2).sum()) / max(of_kind.sum() - 1, 1.0)
    return None if expected == 0 else float(1 - observed / expected)
