"""Drift is measured by the scores of the model that scores now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tsclust.stream.drifting import DriftWatch
from tsclust.stream.health import Health
from tsclust.stream.judging import Judged, Verdict
from tsclust.stream.messages import Recording


def model(name: str) -> Any:
    """With one feature, and one machine that it knows."""
    profile = SimpleNamespace(machines=["M"], bins=SimpleNamespace(edges=[0]))
    return SimpleNamespace(facts=SimpleNamespace(id=name, machine=None), profile=profile)


def judged(by: str) -> Judged:
    scores: Any = SimpleNamespace(deviations=SimpleNamespace(z=SimpleNamespace(shape=(1, 1))))
    return Judged([Verdict(Recording("t/0/0", None, {}, 0, b""), {"model": by})], [scores])


def test_scores_of_the_model_before_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, seen = DriftWatch("", Health()), []
    monkeypatch.setattr(watch, "_add", lambda scores, bins: seen.append(bins))
    first, second = model("1"), model("2")
    watch.model_is(first)
    watch.see(judged("1"))
    watch.model_is(second)
    watch.see(judged("1"))
    watch.see(judged("2"))
    assert seen == [first.profile.bins, second.profile.bins]
