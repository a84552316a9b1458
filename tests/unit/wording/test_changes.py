"""What became of a model, in words: how good it is with its intervals, or that nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.models import manifest
from tsclust.stages.model.quality import Quality
from tsclust.wording import changes

UNCHECKED: dict[str, Any] = {"id": "a", "recall": None, "precision": None, "wrong": 0.04}
CHECKED = UNCHECKED | {"recall": [0.4242, 0.9001], "precision": [0.9, 1.0]}
OLD = {"id": "a", "wrong": 0.04}


@pytest.mark.parametrize(("was", "now", "said"), [
    (None, UNCHECKED, "recall of malfunctions not known; precision of malfunctions not known"),
    (UNCHECKED, CHECKED, "recall of malfunctions not known -> 42% to 91%; precision of malfunctions not known -> 90% to"
     " 100%"),
    (OLD, CHECKED, "recall of malfunctions 42% to 91%; precision of malfunctions 90% to 100%"),
    (CHECKED, OLD, "the same figures"),
])  # fmt: skip
def test_how_good_a_model_is_has_an_interval(was: Any, now: Any, said: str) -> None:
    assert said in changes.of_stage("model", was, now)


SWEPT: dict[str, Any] = {"groups": 62, "highest": 62, "new": [61, 62], "gone": [3], "within": []}


@pytest.mark.parametrize(("now", "said"), [
    (SWEPT | {"highest": 70, "within": ["5"]}, "the same figures; groups 63 to 70 within"),
    (SWEPT | {"within": ["5"]}, "the same figures"),  # none that had no number yet
    (SWEPT, "the same figures; 2 groups new (61, 62); 1 group gone (3)"),
])  # fmt: skip
def test_a_sweep_inside_a_group_changes_nothing_of_the_main_one(now: Any, said: str) -> None:
    assert changes.of_stage("clusters", SWEPT, now) == said


@pytest.mark.parametrize(("made_at", "recall"), [("", None), ("2026-03-04T05:06:07Z", [0.4, 0.9])])
def test_a_model_remembers_it_in_short(made_at: str, recall: list[float] | None) -> None:
    found = manifest(quality=Quality(recall=(0.4, 0.9), made_at=made_at).model_dump()).summary()
    assert found["recall"] == recall
