"""How far labellers agree: Krippendorff's alpha over the series that more than one of them has labelled."""

from __future__ import annotations

import krippendorff
import polars as pl

from tsclust.hashing import hash_ids
from tsclust.series import ID
from tsclust.stages.labels.resolution import named_or_not

CELLS = 20_000_000  # the package holds kinds x kinds numbers for every series
FEWEST = 1_000
SEED = 5


def alpha(found: pl.DataFrame) -> float | None:
    """1: they always agree; 0: as by chance. None where nobody else labelled the same, or all gave the same answer.

    found: labels, see tables.LABELS. Nominal data, any number of labellers, gaps allowed (Krippendorff 2011); of so
    many series that they would take gigabytes, those that their ids' hashes draw: 138,000 where there are 12 kinds.
    """
    said = named_or_not(found)
    both = said.filter(pl.len().over(ID) > 1)
    both = both.join(_drawn(both, max(FEWEST, CELLS // max(both["kind"].n_unique(), 1) ** 2)), on=ID)
    if both["kind"].n_unique() < 2:
        return None
    votes = both.group_by(ID, "kind").len().pivot("kind", index=ID, values="len", sort_columns=True)
    counts = votes.drop(ID).fill_null(0).to_numpy()
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def _drawn(both: pl.DataFrame, most: int) -> pl.DataFrame:
    """series_id: at most `most` of those in `both`."""
    ids = both.select(ID).unique()
    hashes = pl.Series(hash_ids(ids[ID].to_arrow(), SEED))
    return ids.with_columns(at=hashes).bottom_k(most, by="at").drop("at")
