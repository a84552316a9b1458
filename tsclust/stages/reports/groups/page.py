"""ReportData -> one HTML file that needs nothing else: no network, no other file. Texts from the data are escaped."""

from __future__ import annotations

import json
import math
import string
from collections.abc import Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tsclust.stages.reports.charts.drawing import Drawing, Frame, Glance, draw, line
from tsclust.stages.reports.data import FIRST, Band, Curve, Group, Part, Rejected, ReportData
from tsclust.stages.reports.groups.agreement import CLOSE, SOME
from tsclust.stages.reports.groups.parts import ALONE, INDEX, Book
from tsclust.stages.reports.html.form import form, members
from tsclust.stages.reports.html.packed_curves import Members, packed_curves
from tsclust.stages.reports.html.page import ANSWERS, SCRIPTS, hash_of, packed, static, templates, to_json
from tsclust.wording.language import Language

MINUTES = 0.5  # it takes to look at a group: bench/looks.py has 17 to 24 seconds


LARGEST = 3_000_000  # bytes of a page, where a mail still takes it: curves fill what is left
CURVES = '<script type="text/plain" id="curves">'  # no text from the data can be the same, as it is escaped


TOP = 24  # pixels above a figure's axes


DIGITS = string.digits + string.ascii_lowercase


NO_FIGURES: Mapping[str, go.Figure] = MappingProxyType({})


def render(
    data: ReportData,
    lang: str,
    figures: Mapping[str, go.Figure] = NO_FIGURES,
    name: str = "report",
    book: Book = ALONE,
) -> str:
    """The page of the report `name` in the language `lang` (en or ru): the same bytes for the same data.

    Without `figures` (by name, for the overview) it has its table alone, and plotly.js is not in the page.
    """
    language, script, plotly = (
        _language_of(data, lang),
        "".join(map(static, SCRIPTS)),
        get_plotlyjs() if figures else "",
    )
    beside = ThreadPoolExecutor(1)
    packed_plotly = beside.submit(packed, plotly)  # half a second without Python's lock
    beside.shutdown(wait=False)
    elsewhere = [g for g in (*book.groups, *book.index) if g not in data.groups]
    groups = (*data.groups, *elsewhere)
    drawings = {g.name: _draw_group(g, data.normal, language) for g in groups}
    text = (
        templates(language)
        .get_template("page.html")
        .render(
            data=data,
            book=book,
            elsewhere=[g.name for g in elsewhere],
            titles={g.name: _title(g, language) for g in groups},
            shorts={g.name: language["near_normal"].format(n=g.name) if g.normal else g.name for g in groups},
            drawings=drawings,
            glance=_draw_together(groups, data.normal),
            **_lists(data, book, name, language),
            **_drawn(data, language),
            **_unpacked_when_wanted(data, figures, language),
            plotly=packed_plotly.result(),
            style=static("page.css") + static("answers.css"),
            script=script,
            hashes=[hash_of(script), hash_of(plotly)],
        )
    )
    return _with_curves(text, data.groups, drawings, language)


def _language_of(data: ReportData, lang: str) -> Language:
    """With the names and units of what was measured."""
    language = data.measured.language(lang)
    return language.pointing_down() if data.peak == "min" else language


def _lists(data: ReportData, book: Book, name: str, language: Language) -> dict[str, Any]:
    """What the page goes through: the groups that get a card, how many are to be looked at, the form for answers."""
    malfunctions = [g for g in data.groups if not g.normal and g.family is None and g.name not in data.faint]
    in_book = [g for g in book.groups if g.family is None]
    every = len(in_book or malfunctions) if book.here == INDEX else len(malfunctions)
    return {
        "malfunctions": malfunctions,
        "in_book": in_book,
        "faint": [g for g in data.groups if g.name in data.faint],
        "families": _families(data),
        "normals": [g for g in data.groups if g.normal],
        "to_look_at": min(every, FIRST),
        "every": every,
        "takes": language.counted(max(1, math.ceil(min(every, FIRST) * MINUTES)), "minute"),
        "whose": partial(_whose, data.baseline, language),
        "href": partial(_href, book, {g.name for g in data.groups}),
        "form": form(data, name, {g.name for g in (in_book or malfunctions)[FIRST:]}, book.elsewhere, book.beside),
        "answers": ANSWERS,
        "advice": _advice(data, language),
        "first": FIRST,
        "close": CLOSE,
        "some": SOME,
    }


def _drawn(data: ReportData, language: Language) -> dict[str, Any]:
    """Curves beside those of the groups."""
    return {
        "examples": {r.rule: _draw_rejected(r, data.normal, language) for r in data.rejected},
        "ways": [_draw_single(way.typical, data.normal, language) for way in data.ways],
        "way_names": [_way_name(way, language) for way in data.ways],
        "sheet": [_draw_single(curve, data.normal, language) for curve in data.sheet],
        "members": _members(data, language),
    }


def _unpacked_when_wanted(data: ReportData, figures: Mapping[str, go.Figure], language: Language) -> dict[str, Any]:
    """What scripts draw, packed, and the figures of the overview."""
    drawn = [_figure(name, figure) for name, figure in figures.items()]
    return {
        "spreads": packed(to_json(_spreads(data, language))),
        "apart": packed(to_json(_apart(data.groups, language))) if any(g.apart for g in data.groups) else "",
        "figures": drawn,
        "packed_figures": packed(to_json([{n: f[n] for n in ("name", "menu", "data", "layout")} for f in drawn])),
    }


def _with_curves(text: str, groups: Sequence[Group], drawings: Mapping[str, Drawing], language: Language) -> str:
    """The page with as many curves as it has room for."""
    cards = {f"group-{g.name}": Members(g.size, g.members, g.sample, drawings[g.name].quantum) for g in groups}
    before, tag, after = text.partition(CURVES)
    return before + tag + packed_curves(cards, language, LARGEST - len(text.encode())) + after


def _families(data: ReportData) -> dict[str, list[Group]]:
    """Name of a card -> the groups in rows under it."""
    families: dict[str, list[Group]] = {}
    for group in data.groups:
        if group.family is not None:
            families.setdefault(group.family.group, []).append(group)
    return families


def _whose(baseline: Sequence[str], language: Language, curve: Curve) -> tuple[str, str]:
    """Of which machine a series is, and on which day it was recorded; "" where no carried column says so."""
    machines = (language.plain(value) for name, value in curve.carried if name in baseline and value is not None)
    days = (language.day(value) for _, value in curve.carried if isinstance(value, date))
    return next(machines, ""), next(days, "")


def _members(data: ReportData, language: Language) -> dict[str, Any]:
    groups, rules = {f"group-{g.name}": g.members for g in data.groups}, data.rejected
    sheet: dict[str, tuple[Curve, ...]] = {f"group-s{n}": (curve,) for n, curve in enumerate(data.sheet, start=1)}
    return members(groups | {f"rule-{r.rule}": r.examples for r in rules} | sheet, language, data.baseline)


def _spreads(data: ReportData, language: Language) -> dict[str, Any]:
    """What spreads.js draws: features with phase, meaning and unit; of each card a list in the order of the unusual.

    Heights are digits of base 36.
    """
    phases, units = language.texts["phases"], language.texts["units"]
    features = {
        f.name: [phases[f.phase], language.plain(language.meaning(f.meaning)), units[f.unit]] for f in data.features
    }
    cards = {
        f"group-{g.name}": [
            [s.feature, language.number(s.low), language.number(s.high), _digits(s.group), _digits(s.normal)]
            for s in g.spreads
        ]
        for g in data.groups
    }
    return {"features": features, "cards": cards}


def _apart(groups: Sequence[Group], language: Language) -> dict[str, Any]:
    """What views.js draws of the differences from each series' own normal, by card."""
    found = {}
    for group in groups:
        if one := group.apart:
            frame = Frame.around((one.normal, one.band), (one.typical,))
            drawing = draw(frame, one.normal, one.band, (one.typical,), language)
            paths = {"grid": drawing.grid, "normal": drawing.normal, "band": drawing.band, "knee": drawing.knees}
            paths |= {"own": drawing.usual[0], "typical": drawing.lines[0]}
            ticks = [[side, *tick] for side in ("down", "across") for tick in getattr(drawing, side)]
            found[f"group-{group.name}"] = {"box": drawing.box, "stops": drawing.stops, "paths": paths, "ticks": ticks}
    return found


def _digits(heights: Sequence[int]) -> str:
    return "".join(DIGITS[height] for height in heights)


def _title(group: Group, language: Language) -> str:
    which = "cluster" if group.number is None else "normal_group" if group.normal else "group"
    return str(language[which].format(n=group.name, k=group.k, cluster=group.cluster))


def _href(book: Book, here: Set[str], group: str | int | None) -> str | None:
    """Where the card of a group is, None where it has none."""
    return f"#group-{group}" if str(group) in here else book.href(str(group))


def _way_name(way: Part, language: Language) -> str:
    """What a way of being normal is of: machine W7; "" for a regime."""
    value = dict(way.typical.carried).get(way.name)
    return f"{language.column(way.name)} {language.plain(value)}" if way.name else ""


def _draw_group(group: Group, everywhere: Band, language: Language) -> Drawing:
    """The members, and after them what is typical of its parts."""
    normal, curves = group.around or everywhere, (*group.members, *(part.typical for part in group.parts))
    return draw(Frame.around((normal, group.band), curves), normal, group.band, curves, language)


def _draw_together(groups: Sequence[Group], normal: Band) -> Glance:
    """The typical curves of all groups in one frame, each over what is normal for its own machine or regime."""
    frame = Frame.around((normal,), [replace(group.members[0], usual=None) for group in groups])
    return Glance(
        frame.box,
        frame.area(normal),
        {g.name: line(frame.curve(g.members[0])) for g in groups},
        {g.name: frame.area(g.around) for g in groups if g.around},
    )


def _draw_rejected(rejected: Rejected, normal: Band, language: Language) -> Drawing:
    return draw(Frame.around((normal,), rejected.examples), normal, None, rejected.examples, language)


def _draw_single(curve: Curve, normal: Band, language: Language) -> Drawing:
    return draw(Frame.around((normal,), (curve,)), normal, None, (curve,), language)


def _figure(name: str, figure: go.Figure) -> dict[str, Any]:
    """A figure for the page: title, menu and height become HTML; texts and axes get the colours of the page."""
    plain = json.loads(figure.to_json())
    data, layout = plain["data"], plain["layout"]
    title, height, (menu,) = layout.pop("title"), layout.pop("height"), layout.pop("updatemenus", [{}])
    layout.pop("template")
    layout["margin"]["t"] = TOP
    return {
        "name": name, "title": title["text"], "note": title["subtitle"]["text"], "height": height,
        "menu": [_choice(button) for button in menu.get("buttons", ())], "chosen": menu.get("active"),
        "data": data, "layout": layout,
    }  # fmt: skip


def _choice(button: dict[str, Any]) -> dict[str, Any]:
    data, layout = (*button["args"], {})[:2]
    return {"label": button["label"], "height": layout.pop("height", None), "data": data, "layout": layout}


def _advice(data: ReportData, language: Language) -> str:
    """What elbow and silhouette say, and whether they agree."""
    if data.best_silhouette is None:
        return str(language["overview_advice_none"])
    which = "overview_advice_silhouette" if data.elbow is None else "overview_advice_both"
    text = str(language[which].format(elbow=data.elbow, silhouette=data.best_silhouette))
    agree = data.elbow is not None and abs(data.elbow - data.best_silhouette) <= 1
    return text if agree else f"{text} {language['overview_differ']}"
