"""The sample that an expert is asked about: as much of every tenth by unlikeness, in any order of the parts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust.stages.scores import check_sample
from tsclust.stages.scores.check_sample import OF_CALLED, OF_STRATUM, STRATA, Candidates, Looked

NOBODY = pl.Series([], dtype=pl.Int64)


def of(ids: np.ndarray, z: np.ndarray, said: np.ndarray, rows: int = 0, **labels: list[int]) -> Candidates:
    of = {name: pl.Series(labels.get(name, []), dtype=pl.Int64) for name in ("called", "alone", "faulty", "cleared")}
    return check_sample.candidates(pa.array(ids), z, said, Looked(**of), rows)


def test_every_block_has_as_much_of_every_tenth() -> None:
    rng = np.random.default_rng(1)
    ids, z = np.arange(5_000), rng.normal(size=(5_000, 3)) * rng.uniform(0.5, 4, (5_000, 1))
    said = rng.random(5_000) < 0.1
    whole = of(ids, z, said)
    drawn, called = check_sample.draw(whole)
    assert len(set(drawn.tolist())) == len(drawn) == 25 * (STRATA * OF_STRATUM + OF_CALLED)
    order = np.argsort(np.lexsort((whole.hashes, whole.far)))
    tenth = dict(zip(whole.hashes.tolist(), (order * STRATA // len(order)).tolist(), strict=True))
    block = drawn[: STRATA * OF_STRATUM + OF_CALLED]
    counts = np.bincount([tenth[one] for one in block.tolist() if one in tenth], minlength=STRATA)
    assert counts.tolist() == [OF_STRATUM] * STRATA
    assert np.isin(block, called).sum() == OF_CALLED
    parts = [of(ids[rows], z[rows], said[rows]) for rows in np.array_split(rng.permutation(5_000), 3)]
    again, _ = check_sample.draw(Candidates.joined(parts))
    np.testing.assert_array_equal(again, drawn)


def test_of_very_many_those_are_kept_that_are_drawn_first() -> None:
    ids, z = np.arange(20_000), 10 * np.random.default_rng(2).normal(size=(20_000, 3))
    whole, some = (of(ids, z, np.zeros(20_000, bool), rows) for rows in (20_000, 2 * check_sample.CONSIDERED))
    assert whole.normal == some.normal == len(whole.hashes) == 20_000
    assert 9_500 < len(some.hashes) < 10_500
    drawn = [set(check_sample.draw(one)[0].tolist()) for one in (whole, some)]
    assert len(drawn[0] & drawn[1]) > 0.9 * len(drawn[0])  # where the tenths are is nearly the same


def test_what_was_looked_at_is_not_asked_again() -> None:
    z, said = np.zeros((9, 2)), np.arange(9) < 2
    found = of(np.arange(9), z, said, called=[2, 8], alone=[0, 7, 8], faulty=[8], cleared=[0, 7])
    assert (len(found.hashes), len(found.called), len(found.faulty)) == (4, 2, 1)  # 3-6; 1 and 2; 8
    drawn, called = check_sample.draw(found)
    assert (len(drawn), len(called)) == (6, 2)


def test_of_nothing_nothing_is_drawn() -> None:
    drawn, called = check_sample.draw(Candidates.none())
    assert (len(drawn), len(called)) == (0, 0)
