"""Labels that are probably wrong -> one HTML file: each series beside the nearest of both kinds, and a form to say."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from tsclust.stages.labels.answers import FORMAT, SURE, VERDICTS, VERSION, ReportAsked
from tsclust.stages.reports.charts.drawing import Drawing, Frame, draw
from tsclust.stages.reports.data import Band, Curve
from tsclust.stages.reports.html.form import members
from tsclust.stages.reports.html.page import ANSWERS, SCRIPTS, hash_of, static, templates
from tsclust.stages.reports.measured import UNKNOWN, Measured
from tsclust.wording.language import Language


@dataclass(frozen=True)
class Item:
    """One card: the series, some of the nearest of its kind and of the suggested one, and where all the nearest lie."""

    curve: Curve
    kind: str
    suggested: str
    of_kind: tuple[Curve, ...]
    of_suggested: tuple[Curve, ...]
    band_kind: Band
    band_suggested: Band

    @property
    def curves(self) -> tuple[Curve, ...]:
        return (self.curve, *self.of_kind, *self.of_suggested)


@dataclass(frozen=True)
class ReviewData:
    """Everything the page says. verdicts: of each kind; model: hash of the labels that are doubted; measured: what is
    recorded, for axes and names."""

    title: str
    items: tuple[Item, ...]
    verdicts: dict[str, str]
    model: str
    measured: Measured = UNKNOWN


def render(data: ReviewData, lang: str, name: str) -> str:
    """The page of the report `name` in the language `lang` (en or ru): the same bytes for the same data."""
    language = data.measured.language(lang)
    script = "".join(map(static, SCRIPTS))
    return (
        templates(language)
        .get_template("review.html")
        .render(
            data=data,
            r=language.texts["review"],
            drawings=[_draw(item, language) for item in data.items],
            members=members({f"group-{n}": item.curves for n, item in enumerate(data.items, start=1)}, language),
            form=form(data, name),
            answers=ANSWERS,
            style=static("page.css") + static("answers.css"),
            script=script,
            hashes=[hash_of(script)],
        )
    )


def _draw(item: Item, language: Language) -> Drawing:
    """The bands of the kind it has, in grey, and of the suggested one; the series on top, then those near it."""
    bands = (item.band_kind, item.band_suggested)
    return draw(Frame.around(bands, item.curves), *bands, item.curves, language)


def form(data: ReviewData, name: str) -> dict[str, Any]:
    """What the page asks: about single series."""
    ids = [item.curve.series_id for item in data.items]
    asks = hashlib.sha256(json.dumps([data.model, ids]).encode()).hexdigest()[:16]
    about = {"normal": False, "shown": []}
    groups = [{"name": str(n), "series_id": series_id} | about for n, series_id in enumerate(ids, start=1)]
    kinds = [kind for kind, verdict in data.verdicts.items() if verdict == "malfunction"]
    report = ReportAsked(id=asks, name=name, model=data.model).model_dump()
    what = {"format": FORMAT, "version": VERSION, "verdicts": VERDICTS, "sure": SURE, "report": report}
    return what | {"groups": groups, "rules": [], "kinds": sorted(kinds)}
