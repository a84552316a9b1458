"""Which machines are judged, and by what, as a whole: few series, new machines, machines nobody names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tsclust.stages.model.profile import ALL, FeatureProfile
from tsclust.stages.scores import messages
from tsclust.stages.scores.drift import Drift
from tsclust.stages.scores.drift_check import CurrentProfile, detect_drift
from tsclust.stages.scores.facts import ScoresFacts


def profile(**series: tuple[int, int, int]) -> FeatureProfile:
    """machine -> (possible series, of them refused, impossible ones)."""
    rng, found = np.random.default_rng(1), FeatureProfile.empty(2)
    for machine, (rows, refused, rejected) in series.items():
        z, who = rng.normal(size=(rows, 2)), np.full(rows, machine)
        found += FeatureProfile.from_deviations(z, who, np.arange(rows) < refused, np.full(rejected, machine))
    return found


TRAINED = profile(A=(900, 3, 0), B=(900, 3, 0), **{f"M{i}": (50, 0, 0) for i in range(40)})


def judged(now: FeatureProfile, machine: str = "machine_id") -> Drift:
    facts = SimpleNamespace(machine=machine, features=("one", "two"), refused=0.002, rejected=0.0)
    model: Any = SimpleNamespace(profile=TRAINED, facts=facts)
    return detect_drift(CurrentProfile(now, None), model, lambda _: None)


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
    assert notes[0] == "changed: all machines together (136 series): the rules reject 18.4%, far more than in training"
    assert notes[1] == "changed: A (25 series): the rules reject 100.0%, far more than in training"
    assert notes[2] == (
        "fewer than 50 series, so only the shares of rejected and unanswered ones were checked for drift: "
        "A, M0, M1, M10, M11, M2, M3, M4, M5, M6 and 3 more machines"
    )
    assert notes[3] == "fewer than 5 series, so not checked for drift: B"


def test_facts_of_an_earlier_version_are_read() -> None:
    old = {"refuse": None, "elsewhere": False, "threshold": 0.5, "said": {}, "origin": "", "kept": 1,
           "drift": {"found": False, "changed": [], "unknown": []}}  # fmt: skip
    assert ScoresFacts.model_validate(old).drift == Drift(False, (), ())
    assert ALL not in TRAINED.machines.tolist()
