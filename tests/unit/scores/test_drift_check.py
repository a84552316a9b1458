"""Which machines are judged, and by what, as a whole: few series, new machines, machines nobody names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tsclust.stages.model.profile import ALL, Bins, FeatureProfile
from tsclust.stages.scores import messages, recent
from tsclust.stages.scores.drift import Changed, Drift, Shift
from tsclust.stages.scores.drift_check import CurrentProfile, detect_drift
from tsclust.stages.scores.facts import ScoresFacts

BINS = Bins.of(np.random.default_rng(0).normal(size=(20_000, 2)))


def profile(**series: tuple[int, int, int]) -> FeatureProfile:
    """machine -> (possible series, of them refused, impossible ones)."""
    rng, found = np.random.default_rng(1), FeatureProfile.empty(BINS)
    for machine, (rows, refused, rejected) in series.items():
        z, who = rng.normal(size=(rows, 2)), np.full(rows, machine)
        found += FeatureProfile.from_deviations(BINS, z, who, np.arange(rows) < refused, np.full(rejected, machine))
    return found


TRAINED = profile(A=(900, 3, 0), B=(900, 3, 0), **{f"M{i}": (100, 0, 0) for i in range(40)})


def judged(now: FeatureProfile, machine: str = "machine_id") -> Drift:
    facts = SimpleNamespace(machine=machine, features=("one", "two"), refused=0.002, rejected=0.0)
    model: Any = SimpleNamespace(profile=TRAINED, facts=facts)
    return detect_drift(CurrentProfile(now, {}), model, lambda signs: [None] * len(signs))


def changed(found: Drift) -> list[str | None]:
    return [one.machine for one in found.changed]


@pytest.mark.parametrize("dead", [5, 25, 49])
def test_few_dead_series_of_one_machine_are_noticed(dead: int) -> None:
    found = judged(profile(A=(0, 0, dead), B=(700, 2, 0)))
    assert found.found
    assert changed(found) == ["A"]
    assert found.changed[0].rejected_more
    assert (found.rates_only, found.unjudged) == (("A",), ())


def test_a_batch_of_dead_series_is_noticed_whatever_machines_they_are_of() -> None:
    found = judged(profile(**{f"M{i}": (0, 0, 1) for i in range(30)}))
    assert changed(found) == [None]
    assert found.rates_only == (None,)
    assert len(found.unjudged) == 30


@pytest.mark.parametrize("machine", ["machine_id", ""])
def test_too_few_to_judge_are_named(machine: str) -> None:
    found = judged(profile(A=(1, 0, 3)), machine)
    assert not found.found
    assert found.unjudged == ((None, "A") if machine else (None,))


@pytest.mark.parametrize("series", [(24, 0, 1), (25, 1, 0), (23, 0, 2), (5, 1, 0), (60, 2, 1), (900, 6, 5)])
def test_a_bad_recording_now_and_then_is_no_change(series: tuple[int, int, int]) -> None:
    assert not judged(profile(A=series, B=(700, 2, 0))).found


def test_a_new_machine_is_judged_by_what_all_had() -> None:
    found = judged(profile(A=(700, 2, 0), new=(0, 0, 25), other=(25, 0, 0)))
    assert (changed(found), found.unknown) == (["new"], ("new", "other"))
    assert (found.rates_only, found.unjudged) == ((), ())  # that they are new says as much


def test_what_people_read() -> None:
    now = profile(A=(0, 0, 25), B=(3, 0, 0), **{f"M{i}": (9, 0, 0) for i in range(12)})
    facts = ScoresFacts(
        refuse=None, elsewhere=False, threshold=0.5, said={}, drift=judged(now), origin="", kept=900
    )  # fmt: skip
    notes = messages.notes(facts, "")
    assert notes == (
        "changed: A (25 series): the rules reject 100.0%, far more than in training",
        "fewer than 5 possible series, or 100 in training, so only the shares of rejected and unanswered ones were "
        "checked for drift: A",
        "fewer than 5 series, so not checked for drift: B",
    )


def test_what_people_read_of_features() -> None:
    far = Shift("area", 0.3, 8.0, True, 0.002, 0.051, 0.02)
    one = Changed("W7", 192, 0.0, False, 0.0, False, (Shift("p50", 2.0, 0.0, False, 0.5, 0.9, -1.26), far), False,
                  "2024-03-12", 0.051, 0.004, True)  # fmt: skip
    facts = ScoresFacts(refuse=None, elsewhere=False, threshold=0.5, said={}, drift=Drift(True, (one,), ()), origin="",
                        kept=900)  # fmt: skip
    assert messages.notes(facts, "") == (
        "changed: W7, since March 12, 2024 (192 series): p50 is 1.3 deviations lower (median); area is above 8 "
        "deviations in 5.1% (0.2% in training); 5.1% are unlike normal (0.4% in training)",
    )


def test_machines_that_differ_are_no_change_of_all_together() -> None:
    """New series may come from other machines than those of training did for the most part."""
    rng = np.random.default_rng(2)
    rough, calm = rng.normal(size=(2_000, 2)) * 3, rng.normal(size=(2_000, 2))

    def of(a: int, b: int) -> FeatureProfile:
        z, who = np.concatenate([rough[:a], calm[:b]]), np.repeat(["rough", "calm"], [a, b])
        return FeatureProfile.from_deviations(BINS, z, who, np.zeros(len(z), bool))

    facts = SimpleNamespace(machine="machine_id", features=("one", "two"), refused=0.0, rejected=0.0)
    model: Any = SimpleNamespace(profile=of(100, 2_000), facts=facts)
    assert not detect_drift(CurrentProfile(of(1_000, 60), {}), model, lambda signs: [None] * len(signs)).found


def test_what_moves_on_all_machines_a_little_is_noticed_in_all_together() -> None:
    rng = np.random.default_rng(3)
    who, few = np.repeat([f"M{i}" for i in range(60)], 100), np.repeat([f"M{i}" for i in range(60)], 8)
    then = FeatureProfile.from_deviations(BINS, rng.normal(size=(6_000, 2)), who, np.zeros(6_000, bool))
    now = FeatureProfile.from_deviations(BINS, rng.normal(size=(480, 2)) + 0.6, few, np.zeros(480, bool))
    facts = SimpleNamespace(machine="machine_id", features=("one", "two"), refused=0.0, rejected=0.0)
    model: Any = SimpleNamespace(profile=then, facts=facts)
    found = detect_drift(CurrentProfile(now, {}), model, lambda signs: [None] * len(signs))
    assert changed(found) == [None]
    assert {one.feature for one in found.changed[0].shifts} == {"one", "two"}


def of_days(then: FeatureProfile, now: np.ndarray, today: np.ndarray) -> Drift:
    """What is found of a machine's series `now`, and those of `today`, (n, 2) each."""
    facts = SimpleNamespace(machine="machine_id", features=("one", "two"), refused=0.0, rejected=0.0)
    model: Any = SimpleNamespace(profile=then, facts=facts)
    last, whole = (
        FeatureProfile.from_deviations(BINS, z, np.full(len(z), "A"), np.zeros(len(z), bool))
        for z in (today, np.concatenate([now, today]))
    )
    return detect_drift(CurrentProfile(whole, {30: whole, 7: whole, 1: last}), model, lambda signs: [None] * len(signs))


def test_a_twentieth_of_the_last_day_does_not_drown_in_months() -> None:
    rng, far = np.random.default_rng(4), np.zeros((200, 1))
    far[::20] = 30
    now, today = rng.normal(size=(9_000, 2)), rng.normal(size=(200, 2))
    assert not of_days(profile(A=(2_400, 0, 0)), now, today).found
    (one,) = of_days(profile(A=(2_400, 0, 0)), now, today + far).changed
    assert (one.machine, one.last, one.days, one.rows) == ("A", True, 1, 200)
    assert "A (200 series of the last day)" in messages.in_words(one)


def test_a_day_that_is_unlike_the_mean_of_many_is_no_alarm() -> None:
    """As far as training knows the like: a cold day is no fault."""
    rng = np.random.default_rng(5)
    assert not of_days(profile(A=(2_400, 0, 0)), rng.normal(size=(9_000, 2)), rng.normal(1.0, 0.3, (200, 2))).found


def test_the_last_days_are_windows_of_thirty_seven_and_one() -> None:
    day = 86_400_000_000
    ends = [np.array([0.0, 9.0]) * day, np.array([9.0, 10.0]) * day]
    assert [(one.start // day, one.days) for one in recent.last_days(ends)] == [(3, 7), (9, 1)]
    assert recent.last_days([np.array([np.nan, np.nan])]) == ()


def test_a_model_of_an_earlier_version_is_not_compared() -> None:
    model: Any = SimpleNamespace(profile=FeatureProfile.empty(BINS), facts=None)
    found = detect_drift(CurrentProfile(profile(A=(900, 3, 0)), {}), model, lambda _: [])
    facts = ScoresFacts(refuse=None, elsewhere=False, threshold=0.5, said={}, drift=found, origin="", kept=900)
    assert "trained by an earlier version" in messages.notes(facts, "")[0]


def test_facts_of_an_earlier_version_are_read() -> None:
    old = {"refuse": None, "elsewhere": False, "threshold": 0.5, "said": {}, "origin": "", "kept": 1,
           "drift": {"found": False, "changed": [], "unknown": []}}  # fmt: skip
    assert ScoresFacts.model_validate(old).drift == Drift(False, (), ())
    assert ALL not in TRAINED.machines.tolist()
