"""What has changed since training -> one HTML file: the curves before and after, laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tsclust.stages.reports.charts.drawing import Drawing, Frame, draw
from tsclust.stages.reports.data import Curve, Line
from tsclust.stages.reports.drift.data import DriftData, MachineDrift, Reason
from tsclust.stages.reports.html.page import static, templates
from tsclust.stages.scores.drift import Changed, Shift
from tsclust.wording.language import TO_PEAK, Language


@dataclass(frozen=True)
class Told:
    """A reason in words, its curves, and their drawings: one for all in the card's frame, or one for each."""

    head: str
    feature: str
    note: str
    curves: tuple[Curve, ...]
    drawings: tuple[Drawing, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A machine as the page shows it. chart: bands, and the median of now and, as what is usual, of before."""

    of: MachineDrift
    name: str
    since: str
    chart: Drawing
    before: tuple[str, ...]
    after: tuple[str, ...]
    told: tuple[Told, ...]


def render(data: DriftData, lang: str) -> str:
    """The page in the language `lang` (en or ru): the same bytes for the same data."""
    language = data.measured.language(lang)
    texts = language.texts["drift_page"]
    named = [*(one.changed.machine for one in data.cards), *data.more]
    if all(machine is None for machine in named):  # there are no others
        texts = texts | {"all": texts["whole"]}
    cards = [_card(one, language, texts) for one in data.cards]
    more = [_name(one, texts) for one in data.more]
    return (
        templates(language)
        .get_template("drift.html")
        .render(data=data, d=texts, cards=cards, more=more, style=static("page.css") + static("drift.css"))
    )


def _card(one: MachineDrift, language: Language, texts: dict[str, Any]) -> Card:
    seen = [reason.members for reason in one.reasons if reason.what != "rejected"]
    members = (*one.before.members, *(curve for curves in seen for curve in curves))
    frame = Frame.around((one.before.band, one.after.band), members)
    chart = draw(frame, one.before.band, one.after.band, (_median(one.after.middle, one.before.middle),), language)
    told = tuple(_told(reason, one, frame, language, texts) for reason in one.reasons)
    first = next((reason.members for reason in one.reasons if reason.members), ())
    return Card(
        one, _name(one.changed.machine, texts), _since(one.changed, language, texts), chart,
        _lines(frame, one, one.before.members, language), _lines(frame, one, first, language), told,
    )  # fmt: skip


def _median(now: Line | None, then: Line | None) -> Curve:
    """The median of now; that of before is what is usual for it."""
    if now is None:
        return Curve("", 0, (), (), then)
    at = dict(zip(now.at, now.values, strict=True))
    whole = tuple(at.get(sample) for sample in range(now.at[0], now.at[-1] + 1))  # None where it has a gap
    return Curve("", -now.at[0], whole, (), then)


def _lines(frame: Frame, one: MachineDrift, curves: Sequence[Curve], language: Language) -> tuple[str, ...]:
    return draw(frame, one.before.band, None, curves, language).lines


def _told(reason: Reason, one: MachineDrift, frame: Frame, language: Language, texts: dict[str, Any]) -> Told:
    curves, normal = reason.members, one.before.band
    own = (draw(Frame.around((normal,), (curve,)), normal, None, (curve,), language) for curve in curves)
    drawings = tuple(own) if reason.what == "rejected" else ()
    lines = tuple(one.lines[0] for one in drawings) or _lines(frame, one, curves, language)
    head, note = _words(reason, language, texts)
    return Told(head, reason.shift.feature if reason.shift else "", note, curves, drawings, lines)


def _words(reason: Reason, language: Language, texts: dict[str, Any]) -> tuple[str, str]:
    """What has changed, and by how much."""
    shares = {"now": language.share(reason.now), "then": language.share(reason.then)}
    if reason.shift is None:
        return texts[reason.what], texts["shares"].format(**shares)
    shift, medians = reason.shift, ""
    if reason.medians:
        then, now = (language.number(value) for value in reason.medians)
        medians = " " + texts["medians"].format(then=then, now=now)
    return _feature(shift, language, texts), _amount(shift, shares, language, texts) + medians


def _amount(shift: Shift, shares: dict[str, str], language: Language, texts: dict[str, Any]) -> str:
    if shift.is_moved:
        return str(texts["moved"].format(n=language.fixed(abs(shift.moved), 1)))
    side = texts["above" if shift.above else "below"]
    return str(side.format(edge=language.number(shift.edge, 2), **shares))


def _feature(shift: Shift, language: Language, texts: dict[str, Any]) -> str:
    """`plateau: level higher`, `run shorter`."""
    up = shift.is_up
    if shift.feature in language.texts["worded"]:
        thing, more, less = language.texts["worded"][shift.feature]
        return f"{thing}: {more if up else less}"
    thing, measure, less = (*language.texts["features"].get(shift.feature, [shift.feature, ""]), "")[:3]
    if less:
        return f"{thing} {measure if up else less}"
    against = texts["against_peak"] if shift.feature in TO_PEAK else ""
    words = (f"{thing}:" if measure else thing, measure, texts["higher" if up else "lower"], against)
    return " ".join(filter(None, words))


def _name(machine: str | None, texts: dict[str, Any]) -> str:
    return str(texts["all"] if machine is None else machine or texts["no_name"])


def _since(one: Changed, language: Language, texts: dict[str, Any]) -> str:
    since = texts["since"].format(day=language.date(date.fromisoformat(one.since))) if one.since else ""
    return " ".join(filter(None, (since, texts["last"] if one.last else "")))
