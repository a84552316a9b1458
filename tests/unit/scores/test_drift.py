"""Drift, as plain arrays: what has shifted, where and since when; against plain ways."""

from __future__ import annotations

from datetime import date
from functools import cache
from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsclust.stages.model import profile
from tsclust.stages.model.profile import ALL, Bins, FeatureProfile
from tsclust.stages.scores import drift, onset
from tsclust.stages.scores.drift import Changed
from tsclust.stages.scores.exact_tests import Shares, by_chance, by_the_fleet
from tsclust.stages.scores.machine_check import Machine, Yardsticks, judge
from tsclust.stages.scores.onset import Sign


@cache
def bins(d: int) -> Bins:
    """Of what is normally distributed."""
    return Bins.of(np.random.default_rng(0).normal(size=(20_000, d)))


def lying(z: np.ndarray, machine: str = "M") -> FeatureProfile:
    return FeatureProfile.from_deviations(bins(z.shape[1]), z, np.full(len(z), machine), np.zeros(len(z), bool))


def test_the_index_agrees_with_the_obvious_formula() -> None:
    rng = np.random.default_rng(7)
    then, now = rng.normal(size=(5_000, 2)), rng.normal(size=(2_000, 2)) + np.array([0.0, 1.0])
    found = drift.index(lying(now).counts[0], lying(then).counts[0])
    for j in range(2):
        a, b = (
            np.histogram(z[:, j], np.concatenate([[-np.inf], bins(2).edges[j], [np.inf]]))[0] + 0.5 for z in (now, then)
        )
        a, b = a / a.sum(), b / b.sum()
        assert found[j] == pytest.approx(((a - b) * np.log(a / b)).sum())


def judged(now: np.ndarray, then: np.ndarray, asked: int = 30) -> Changed | None:
    """One machine of several."""
    by = Yardsticks(tuple(f"f{j}" for j in range(now.shape[1])), asked, 0.0, 0.0)
    found = judge(by, Machine("M", lying(now), lying(then), None))
    return found[0] if found else None


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(5, 400), st.sampled_from([1, 5, 20, 99, 100, 300, 20_000]))
def test_what_is_drawn_anew_has_not_shifted(seed: int, rows: int, before: int) -> None:
    rng = np.random.default_rng(seed)
    assert judged(rng.normal(size=(rows, 28)), rng.normal(size=(before, 28))) is None


def test_what_has_shifted_is_named_and_by_how_much() -> None:
    rng = np.random.default_rng(7)
    then, now = rng.normal(size=(5_000, 2)), rng.normal(size=(200, 2)) + np.array([0.0, 1.5])
    found = judged(now, then)
    assert found is not None
    assert [(one.feature, one.above) for one in found.shifts] == [("f1", True)]
    assert found.shifts[0].moved == pytest.approx(np.median(now[:, 1]) - np.median(then[:, 1]), abs=0.15)
    below = judged(-now, then)
    assert below is not None
    assert [(one.feature, one.above) for one in below.shifts] == [("f1", False)]


def test_a_few_series_far_out_are_noticed_where_the_machine_never_had_such() -> None:
    rng = np.random.default_rng(5)
    then, now = rng.normal(size=(1_000, 20)), rng.normal(size=(200, 20))
    now[:10, :9] += 14.0
    found = judged(now, then)
    assert found is not None
    assert found.unlike_more
    assert found.unlike == pytest.approx(0.05, abs=0.02)
    assert {one.feature for one in found.shifts} <= {f"f{j}" for j in range(9)}
    often = rng.normal(size=(1_000, 20))
    often[:50, :9] += 14.0
    assert judged(now, often) is None


def test_by_chance_is_the_hypergeometric_distribution() -> None:
    of = Shares(*(np.array([[n]]) for n in (12, 100, 4, 300)))
    tail = sum(comb(100, k) * comb(300, 16 - k) for k in range(12, 17)) / comb(400, 16)
    assert by_chance(of)[0] == pytest.approx(tail, rel=1e-9)
    assert by_chance(of.fewer)[0] == 1.0
    several = Shares(*(np.array([[n], [n]]) for n in (12, 100, 4, 300)))
    assert tail**2 < by_chance(several)[0] < 1e-4  # of two machines: no less than what it bounds


def test_what_other_machines_do_counts_for_one_that_has_few_series() -> None:
    of = Shares(*(np.array([[n]]) for n in (10, 200, 0, 300)))
    rows = np.full(12, 300)
    steady, prone = np.zeros((12, 1), np.int64), np.where(np.arange(12) % 4 == 0, 15, 0)[:, None]
    assert by_the_fleet(of, steady, rows)[0] < 1e-8 < 1e-6 < by_the_fleet(of, prone, rows)[0]


def test_parts_add_up_in_any_order() -> None:
    rng = np.random.default_rng(8)
    z, machine, refused = rng.normal(size=(900, 3)), rng.choice(["A", "B", "Ω"], 900), rng.uniform(size=900) < 0.1
    out = np.array(["A", "dead", "dead"])
    whole = FeatureProfile.from_deviations(bins(z.shape[1]), z, machine, refused, out)
    cuts = [slice(0, 100), slice(100, 500), slice(500, 900)]
    parts = [
        FeatureProfile.from_deviations(bins(z.shape[1]), z[c], machine[c], refused[c], out[i : i + 1])
        for i, c in enumerate(cuts)
    ]
    for order in ((0, 1, 2), (2, 0, 1)):
        found = FeatureProfile.empty(bins(3))
        for i in order:
            found = found + parts[i]
        assert found.machines.tolist() == whole.machines.tolist()
        np.testing.assert_array_equal(found.counts, whole.counts)
        np.testing.assert_array_equal(found.unlike, whole.unlike)
        np.testing.assert_array_equal(found.refused, whole.refused)
        np.testing.assert_array_equal(found.rejected, whole.rejected)
    assert dict(zip(whole.machines.tolist(), whole.rejected.tolist(), strict=True)) == {
        "A": 1,
        "B": 0,
        "dead": 2,
        "Ω": 0,
    }
    assert whole.shares_of("dead") == (0.0, 1.0)
    assert whole.shares_of(ALL) == (refused.sum() / 900, 3 / 903)
    assert whole.whole().rows.tolist() == [900]


def since(*of: tuple[int, int], then: float = 0.01) -> str | None:
    """Of (series, those that show it) on each day of a month."""
    days = pl.DataFrame({"sign": 0, "day": [date(2024, 3, 1 + n) for n in range(len(of))],
                         "rows": [rows for rows, _ in of], "hits": [hits for _, hits in of]})  # fmt: skip
    return onset.since(days, [Sign("M", "refused", then=then)])[0]


def test_since_when() -> None:
    assert since((300, 3), (300, 200), (300, 3), (300, 200), (10, 0), (300, 200)) == "2024-03-02"
    assert since((300, 3), (300, 3), (300, 4), (300, 90), (10, 0), (300, 80)) == "2024-03-04"  # ten tell nothing
    assert since((300, 0), (300, 1), (300, 20), then=0.0) == "2024-03-03"
    assert since((60, 60), then=0.0) == "2024-03-01"
    assert onset.since(pl.DataFrame(schema=onset.DAYS), [Sign("M", "refused")]) == [None]


def test_machines_beyond_counting_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "MOST", 10)
    rng = np.random.default_rng(3)
    z, machine = rng.normal(size=(90, 2)), np.array([f"M{i % 15}" for i in range(90)])
    whole = FeatureProfile.from_deviations(bins(z.shape[1]), z, machine, np.zeros(90, bool)).bounded()
    parts = [
        FeatureProfile.from_deviations(bins(z.shape[1]), z[i : i + 6], machine[i : i + 6], np.zeros(6, bool))
        for i in range(0, 90, 6)
    ]
    for order in (parts, parts[::-1]):
        found = FeatureProfile.empty(bins(2))
        for part in order:
            found = (found + part).bounded()
        assert found.machines.tolist() == whole.machines.tolist() == [ALL]
        np.testing.assert_array_equal(found.counts, whole.counts)


def test_a_machine_is_compared_with_itself() -> None:
    rng = np.random.default_rng(10)
    both = lying(rng.normal(size=(500, 2)), "many") + lying(rng.normal(size=(20, 2)), "few")
    np.testing.assert_array_equal(both.counts_of("few"), both.counts[0])
    np.testing.assert_array_equal(both.counts_of("many"), both.counts[1])
    np.testing.assert_array_equal(both.counts_of(ALL), both.counts.sum(axis=0))


@pytest.mark.parametrize(
    ("refused", "rows", "share", "many"),
    [
        (4, 4, 0.001, False),  # too few series
        (5, 5, 0.001, True),
        (25, 25, 0.0, True),
        (1, 5, 0.0, False),  # the first bad recording
        (2, 25, 0.0, False),
        (20, 40, 0.45, False),
        (40, 40, 0.001, True),
        (9, 100, 0.001, False),
        (12, 100, 0.001, True),
        (90, 1_000, 0.001, False),
        (110, 1_000, 0.001, True),
        (190, 1_000, 0.1, False),
        (210, 1_000, 0.1, True),
    ],
)
def test_too_many_are_refused(refused: int, rows: int, share: float, many: bool) -> None:
    assert drift.too_many(refused, rows, share) == many
