"""Drift, as plain arrays: what has shifted, where and since when; against plain ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsclust.stages.model import profile
from tsclust.stages.model.profile import ALL, EDGES, FeatureProfile
from tsclust.stages.scores import drift


def lying(z: np.ndarray, machine: str = "M") -> FeatureProfile:
    return FeatureProfile.from_deviations(z, np.full(len(z), machine), np.zeros(len(z), bool))


def test_the_index_agrees_with_the_obvious_formula() -> None:
    rng = np.random.default_rng(7)
    then, now = rng.normal(size=(5_000, 2)), rng.normal(size=(2_000, 2)) + np.array([0.0, 1.0])
    found = drift.index(lying(now).counts[0], lying(then).counts[0])
    for j in range(2):
        a, b = (np.histogram(z[:, j], np.concatenate([[-np.inf], EDGES, [np.inf]]))[0] + 0.5 for z in (now, then))
        a, b = a / a.sum(), b / b.sum()
        chance = drift.CHANCE * (1 / 2_000 + 1 / 5_000)
        assert found[j] == pytest.approx(max(((a - b) * np.log(a / b)).sum() - chance, 0.0))
    assert [s.feature for s in drift.shifts(lying(now).counts[0], lying(then).counts[0], ["same", "moved"])] == [
        "moved"
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(50, 400), st.sampled_from([1, 5, 20, 49, 50, 300, 20_000]))
def test_what_is_drawn_anew_has_not_shifted(seed: int, rows: int, before: int) -> None:
    rng = np.random.default_rng(seed)
    now, then = rng.normal(size=(rows, 28)), rng.normal(size=(before, 28))
    assert drift.shifts(lying(now).counts[0], lying(then).counts[0], [str(i) for i in range(28)]) == ()


def test_parts_add_up_in_any_order() -> None:
    rng = np.random.default_rng(8)
    z, machine, refused = rng.normal(size=(900, 3)), rng.choice(["A", "B", "Ω"], 900), rng.uniform(size=900) < 0.1
    out = np.array(["A", "dead", "dead"])
    whole = FeatureProfile.from_deviations(z, machine, refused, out)
    cuts = [slice(0, 100), slice(100, 500), slice(500, 900)]
    parts = [FeatureProfile.from_deviations(z[c], machine[c], refused[c], out[i : i + 1]) for i, c in enumerate(cuts)]
    for order in ((0, 1, 2), (2, 0, 1)):
        found = FeatureProfile.empty(3)
        for i in order:
            found = found + parts[i]
        assert found.machines.tolist() == whole.machines.tolist()
        np.testing.assert_array_equal(found.counts, whole.counts)
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


def months(of: list[tuple[int, float, int]]) -> FeatureProfile:
    """Series by month: (series, by how much they lie elsewhere, refused) of each."""
    rng, found = np.random.default_rng(9), FeatureProfile.empty(2)
    for month, (rows, shift, refused) in enumerate(of, start=1):
        named = np.full(rows, f"2024-{month:02}")
        found += FeatureProfile.from_deviations(rng.normal(size=(rows, 2)) + shift, named, np.arange(rows) < refused)
    return found


def test_since_when() -> None:
    then = lying(np.random.default_rng(1).normal(size=(9_000, 2))).counts[0]
    again = [(300, 0.0, 0), (300, 3.0, 0), (300, 0.0, 0), (300, 3.0, 0), (10, 0.0, 0), (300, 3.0, 0)]
    assert drift.since(months(again), then, 0.01, 0.01) == "2024-04"  # the ten of the fifth month tell nothing
    assert drift.since(months(again[:3]), then, 0.01, 0.01) is None
    refused = [(300, 0.0, 3), (300, 0.0, 90), (300, 0.0, 80)]
    assert drift.since(months(refused), then, 0.01, 0.01) == "2024-02"
    dead = FeatureProfile.from_deviations(
        np.zeros((0, 2)), np.zeros(0, "<U7"), np.zeros(0, bool), np.full(60, "2024-04")
    )
    assert drift.since(months(again[:3]) + dead, then, 0.01, 0.01) == "2024-04"


def test_machines_beyond_counting_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "MOST", 10)
    rng = np.random.default_rng(3)
    z, machine = rng.normal(size=(90, 2)), np.array([f"M{i % 15}" for i in range(90)])
    whole = FeatureProfile.from_deviations(z, machine, np.zeros(90, bool)).bounded()
    parts = [
        FeatureProfile.from_deviations(z[i : i + 6], machine[i : i + 6], np.zeros(6, bool)) for i in range(0, 90, 6)
    ]
    for order in (parts, parts[::-1]):
        found = FeatureProfile.empty(2)
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
