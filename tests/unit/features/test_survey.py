"""The first look: who is in the sample, and which way the peak points."""

from __future__ import annotations

import numpy as np
import polars as pl

from tests.support.series import CYCLE, block
from tsclust.arrays import Int64s
from tsclust.series import SeriesBlock
from tsclust.stages.features import survey
from tsclust.stages.features.kernels import peak_votes
from tsclust.stages.features.survey import Baselines

NOTHING = pl.DataFrame()


def test_the_sample_and_the_votes_are_the_same_for_any_parts() -> None:
    up, down = [0.0, 0, 5, 1, 1, 1, 0, 0], [0.0, 0, -5, -1, -1, -1, 0, 0]
    whole = block(up, down, up)
    parts = [whole.take(np.array(rows)) for rows in ([0, 1], [2])]
    surveys = [survey.survey(part, 3, NOTHING, None) for part in parts]
    assert survey.survey(whole, 3, NOTHING, None).votes == (2, 1)
    assert [one.votes for one in surveys] == [(1, 1), (1, 0)]
    assert [one.series for one in surveys] == [2, 1]
    assert [i for one in surveys for i in one.drawn.block.ids.to_pylist()] == [0, 1, 2]


def machines_of(rows: Int64s) -> pl.DataFrame:
    """A large machine, and one of 40 series in 100,000."""
    return pl.DataFrame({"machine": [None if row % 2_500 == 0 else "large" for row in rows]})


def part_of(rows: Int64s) -> SeriesBlock:
    return SeriesBlock(pl.Series(rows).to_arrow(), np.arange(len(rows) + 1), np.zeros(len(rows)))


def test_each_baseline_has_enough_series_in_the_sample_for_any_parts() -> None:
    found = []
    for parts in (np.array_split(np.arange(100_000), 3), [np.arange(100_000)[::-1]]):
        baselines = Baselines.of_parts(["machine"], [survey.count(machines_of(rows)) for rows in parts])
        drawn = [survey.survey(part_of(rows), 100_000, machines_of(rows), baselines).drawn for rows in parts]
        sample = survey.sample(drawn, [pl.DataFrame({"id": one.block.ids}) for one in drawn])
        found.append(sample)
        assert np.count_nonzero(sample.keys == "") == 40
        assert 0.18 < sample.at_all.mean() * len(sample.keys) / 100_000 < 0.22
    assert found[0].frame.equals(found[1].frame)
    assert (found[0].keys == found[1].keys).all()


def test_what_begins_at_its_peak_votes_by_its_end() -> None:
    assert peak_votes(block(CYCLE, CYCLE[6:], -CYCLE[6:], [1.0] * 20))[:2] == (2, 1)
