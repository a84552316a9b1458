"""Notes of `tsclust score` for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from tsclust.stages.labels.kinds import DONT_KNOW, NONE_OF_THESE
from tsclust.stages.scores.drift import ENOUGH, Changed, Drift, Shift
from tsclust.stages.scores.drift import FEW as AT_LEAST
from tsclust.stages.scores.facts import ScoresFacts
from tsclust.wording.english import counted
from tsclust.wording.language import Language

FEW = 10  # machines that are named
NO_NAME, EVERYTHING = "(no machine named)", "all machines together"
SHORT = 60  # characters of a text from outside


def notes(facts: ScoresFacts, to_table: str) -> tuple[str, ...]:
    return tuple(_notes(facts, to_table))


def _notes(facts: ScoresFacts, to_table: str) -> Iterator[str]:
    if facts.elsewhere:
        yield f"from {facts.origin}"
        yield facts.layout
    if to_table:
        yield f"also in the table {to_table}"
    yield from _refused(facts)
    yield from _of_drift(facts.drift)


def _of_drift(drift: Drift) -> Iterator[str]:
    if drift.compared is None and drift.unjudged:
        yield "not checked for drift: the model was trained by an earlier version; train it again: tsclust train"
        return
    if drift.compared == 0:
        yield "no series have come in since the model was trained: nothing to check for drift"
        return
    if drift.compared and not drift.found:
        yield f"no drift: {counted(drift.compared, 'series', 'series')} compared with those of training"
    for one in drift.changed[:FEW]:
        yield f"changed: {in_words(one)}"
    if len(drift.changed) > FEW:
        yield f"... and {counted(len(drift.changed) - FEW, 'more machine')}: manifest.json lists all"
    if drift.unknown:
        machines = counted(len(drift.unknown), "machine was", "machines were")
        yield f"{machines} not in the training data and compared with the overall baseline: {_listed(drift.unknown)}"
    if drift.rates_only:
        yield (
            f"fewer than {AT_LEAST} possible series, or {ENOUGH} in training, so only the shares of rejected and "
            f"unanswered ones were checked for drift: {_listed(drift.rates_only)}"
        )
    if drift.unjudged:
        yield f"fewer than {AT_LEAST} series, so not checked for drift: {_listed(drift.unjudged)}"


def _listed(machines: Sequence[str | None]) -> str:
    """The first of them."""
    some = ", ".join(_called(name) for name in machines[:FEW])
    return some + (f" and {counted(len(machines) - FEW, 'more machine')}" if len(machines) > FEW else "")


def _called(machine: str | None) -> str:
    return EVERYTHING if machine is None else machine[:SHORT] or NO_NAME


def _refused(facts: ScoresFacts) -> Iterator[str]:
    """Where confidence is tied, no threshold leaves exactly this share unanswered."""
    refused = (facts.said.get(DONT_KNOW, 0) + facts.said.get(NONE_OF_THESE, 0)) / max(facts.kept, 1)
    if facts.refuse is not None and abs(refused - facts.refuse) > 0.1 * facts.refuse:
        yield f"{refused:.1%} get no answer instead of {facts.refuse:.1%}: many series are tied in confidence"


def in_words(one: Changed) -> str:
    """`W7, since May 12, 2021 (192 series): side_fall is 1.8 deviations higher (median); ...`."""
    since = f", since {Language.load('en').date(date.fromisoformat(one.since))}" if one.since else ""
    last = f" of the last {f'{one.days} days' if one.days != 1 else 'day'}" if one.last else ""
    return f"{_called(one.machine)}{since} ({one.rows:,} series{last}): {'; '.join(_reasons(one))}"


def _reasons(one: Changed) -> Iterator[str]:
    if one.rejected_more:
        yield f"the rules reject {one.rejected:.1%}, far more than in training"
    for shift in one.shifts[:3]:
        yield _shifted(shift)
    if one.unlike_more:
        yield f"{one.unlike:.1%} are unlike normal ({one.unlike_then:.1%} in training)"
    if one.refused_more:
        yield f"{one.refused:.1%} get no answer"


def _shifted(shift: Shift) -> str:
    """By how much the median has moved, or, where it has not, how many lie far out."""
    if shift.is_moved:
        return (
            f"{shift.feature} is {abs(shift.moved):.1f} deviations {'higher' if shift.moved > 0 else 'lower'} (median)"
        )
    side = "above" if shift.above else "below"
    return f"{shift.feature} is {side} {shift.edge:g} deviations in {shift.now:.1%} ({shift.then:.1%} in training)"


def table(facts: ScoresFacts, rows: int) -> tuple[tuple[str, ...], ...]:
    """How often each kind was predicted."""
    said = [(name[:SHORT], f"{count:,}", f"{count / max(rows, 1):.3%}") for name, count in facts.said.items()]
    return (("answer", "series", "share"), *said)
