"""Recall and precision from a check: the intervals hold the truth, and say what would narrow them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta, binom

from tsclust.stages.model import messages, quality
from tsclust.stages.model.quality import Check, Moves, Quality, Tally

NONE = np.zeros(0, np.uint64)
UNSCREWED = Check(Tally(1_054, 40, 3), Tally(154, 10, 9), 0, NONE, NONE, "2026-03-04T05:06:07Z")


def test_intervals_are_those_of_clopper_and_pearson() -> None:
    low, high = quality.clopper_pearson(3, 40, 0.95)
    assert (low, high) == pytest.approx((beta.ppf(0.025, 3, 38), beta.ppf(0.975, 4, 37)))
    assert quality.clopper_pearson(0, 0, 0.95) == (0.0, 1.0)
    assert Tally(20, 20, 3, 1).share(0.95) == (0.15, 0.2)  # all were looked at


def test_a_check_says_what_is_missed() -> None:
    found = quality.estimate(UNSCREWED, Moves())
    assert found.recall[0] < 154 * 0.9 / 228 < found.recall[1]
    assert found.likely_recall == pytest.approx(154 * 0.9 / (154 * 0.9 + 1_054 * 3 / 40), abs=1e-4)
    assert found.precision[0] < 0.9 == found.likely_precision < found.precision[1]
    assert (found.looked, found.missed, found.called_right) == (40, 3, 9)


def test_what_cannot_be_decided_counts_both_ways() -> None:
    open_ = replace(UNSCREWED, normal=Tally(1_054, 40, 3, 10))
    wide, narrow = quality.estimate(open_, Moves()).recall, quality.estimate(UNSCREWED, Moves()).recall
    assert wide[0] < narrow[0]
    assert wide[1] == narrow[1]


def test_what_is_called_otherwise_since_widens_the_interval() -> None:
    before, after = (quality.estimate(UNSCREWED, moves).recall for moves in (Moves(), Moves(20, 5)))
    assert after[0] < before[0]
    assert after[1] >= before[1]
    hashes = np.arange(10, dtype=np.uint64)
    check = replace(UNSCREWED, hashes=hashes[:4], cleared=hashes[3:4])
    called = np.isin(hashes, [1, 2, 5, 6, 7])
    assert quality.moves(check, hashes, called) == Moves(joined=3, left=1)  # 3 was looked at, and is none


def test_more_looks_are_named_that_would_be_enough() -> None:
    found = quality.estimate(UNSCREWED, Moves())
    assert found.more
    times = (50 + found.more) / 50
    grown = replace(UNSCREWED, normal=UNSCREWED.normal.grown(times), called=UNSCREWED.called.grown(times))
    assert quality.estimate(grown, Moves()).more is None
    assert quality.estimate(grown, Moves()).more is None


def recall(normal: int, hits: int, called: int, good: int) -> tuple[float, float]:
    check = Check(Tally(normal, 40, hits), Tally(called, 10, good), 0, NONE, NONE, "now")
    return quality.interval_of_recall(check, check.normal, check.called, Moves())


def test_the_interval_holds_the_truth_of_stratified_samples() -> None:
    """Of 2,000 samples at least 95 %, whatever lies in which stratum."""
    rng = np.random.default_rng(1)
    for shares in (np.array([0.0] * 9 + [0.6]), np.full(10, 0.06)):
        called, right = 300, 0.9
        truth = called * right / (called * right + 2_000 * shares.mean())
        hits = rng.binomial(4, shares, (2_000, 10)).sum(axis=1)
        found = np.column_stack([hits, binom.rvs(10, right, size=2_000, random_state=rng)])
        outcomes, times = np.unique(found, axis=0, return_counts=True)
        recalls = [recall(2_000, hits, called, good) for hits, good in outcomes.tolist()]
        assert sum(n for (low, high), n in zip(recalls, times, strict=True) if low <= truth <= high) >= 0.95 * 2_000


def test_what_people_read(tmp_path: Path) -> None:
    (nothing,) = messages.quality(Quality(taken=1_054, called=154), tmp_path)
    assert "not known (0% to 100%), as nobody has looked at the 1,054 series taken for normal" in nothing
    typed = [words.split(" -w")[0] for words in nothing.split("them: ")[1].split(", then ")]
    assert typed == ["tsclust score", "tsclust cluster", "tsclust report"]  # new series may have come since the sweep
    notes = [*messages.quality(quality.estimate(UNSCREWED, Moves()), tmp_path)]
    assert "from the check of 40 of 1,054 series taken for normal (3 were malfunctions)" in notes[0]
    assert "more looks would narrow it" in notes[1]
    assert "--sheet" in notes[1]
