"""The pictures of a classifier: what of them a reader relies on, as plain values."""

from __future__ import annotations

import pytest

from tests.support.figures import traces
from tests.support.models import COVERAGE, learned
from tsclust.notebook.model_figures import confusion_of, coverage_of


def test_a_row_of_the_confusion_for_what_experts_say() -> None:
    figure = confusion_of(learned())
    assert traces(figure, "z", "text") == [{"z": [[0.97, 0.03], [0.1, 0.9]], "text": [["1,067", "33"], ["1", "9"]]}]
    assert figure.layout.yaxis.autorange == "reversed"
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert (axis.tickvals, axis.ticktext) == ((0, 1), ("normal", "obstacle"))
    assert figure.layout.title.text == "Which kinds are confused"


def test_own_kinds_are_said_in_the_language_and_names_are_only_text() -> None:
    long = ["x" * 60 + end for end in "ab"]
    kinds = ["normal", "<b>&", *long]
    verdicts, counts = dict.fromkeys(kinds, "malfunction"), dict.fromkeys(kinds, 9)
    figure = confusion_of(learned(kinds=kinds, verdicts=verdicts, counts=counts, confusion=[[9.0] * 4] * 4), "ru")
    assert figure.layout.xaxis.ticktext[:2] == ("норма", "&lt;b&gt;&amp;")
    assert figure.layout.xaxis.ticktext[2] == figure.layout.xaxis.ticktext[3]  # cut short; still two rows
    assert len(figure.layout.yaxis.tickvals) == 4


def test_cells_without_series_stay_empty_and_a_kind_without_any_is_no_error() -> None:
    figure = confusion_of(learned(confusion=[[0.0, 0.4], [0.0, 10.0]]))
    assert traces(figure, "z", "text") == [{"z": [[0.0, 1.0], [0.0, 1.0]], "text": [["", ""], ["", "10"]]}]


def test_the_coverage_marks_the_threshold_in_force() -> None:
    answered, left, *rings = traces(coverage_of(learned()), "x", "y", "name", "text")
    assert answered == {"x": COVERAGE["threshold"], "y": COVERAGE["answered"], "name": "Answered"}
    assert left == {"x": COVERAGE["threshold"], "y": COVERAGE["left"], "name": "errors remaining"}
    assert rings == [{"x": [0.9], "y": [0.9], "text": ["90%"]}, {"x": [0.9], "y": [0.125], "text": ["12%"]}]


@pytest.mark.parametrize(("lang", "title", "text"), [
    ("en", "The value of “don’t know”", "99.7%"), ("ru", "Что даёт «не знаю»", "99,7\u00a0%"),
])  # fmt: skip
def test_the_coverage_in_two_languages(lang: str, title: str, text: str) -> None:
    figure = coverage_of(learned(threshold=0.5), lang)
    assert figure.layout.title.text == title
    assert traces(figure, "text")[2] == {"text": [text]}
