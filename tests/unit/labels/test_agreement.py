"""How far labellers agree, for more series than the package could hold."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tsclust.stages.labels.agreement import alpha

SERIES = 100_000


def labels(kinds: int, agree: float) -> pl.DataFrame:
    """Two labellers say one of so many kinds of each series; the second says what the first does, or anything."""
    rng = np.random.default_rng(1)
    first, other = rng.integers(0, kinds, (2, SERIES))
    second = np.where(rng.random(SERIES) < agree, first, other)
    ids = np.tile(np.arange(SERIES), 2)
    kind = pl.Series(np.concatenate([first, second])).cast(pl.String)
    return pl.DataFrame({"series_id": ids, "kind": kind, "verdict": pl.repeat("malfunction", 2 * SERIES, eager=True)})


@pytest.mark.slow
@pytest.mark.parametrize(("kinds", "agree"), [(3, 0.9), (60, 0.9), (60, 0.0)])
def test_what_is_not_said_by_chance(kinds: int, agree: float) -> None:
    """The second labeller says the same in `agree` of the series, and by chance elsewhere: that is what alpha is."""
    assert alpha(labels(kinds, agree)) == pytest.approx(agree, abs=0.03)


def test_order_and_names_do_not_matter() -> None:
    found = labels(60, 0.5)
    shuffled = found.sample(fraction=1.0, shuffle=True, seed=2).with_columns(kind="x" + pl.col("kind"))
    assert alpha(found) == pytest.approx(alpha(shuffled), rel=1e-9)
