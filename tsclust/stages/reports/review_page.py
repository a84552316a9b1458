"""Labels that are probably wrong -> one HTML file: each series beside the nearest of both kinds, and a form to say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tsclust.config import Report
from tsclust.stages.labels.answers import FORMAT, SURE, VERDICTS, VERSION, ReportAsked
from tsclust.stages.model.label_errors import Suspect
from tsclust.stages.reports import rejected_page
from tsclust.stages.reports.charts.drawing import Drawing, Frame, draw
from tsclust.stages.reports.groups.data import Band, Curve
from tsclust.stages.reports.html.form import members
from tsclust.stages.reports.html.page import ANSWERS, SCRIPTS, hash_of, static, templates
from tsclust.wording.language import Language
from tsclust.workspace.folder import Workspace

SHOWN = 4  # curves of each kind


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
    """Everything the page says. verdicts: of each kind; model: hash of the labels that are doubted."""

    title: str
    items: tuple[Item, ...]
    verdicts: dict[str, str]
    model: str


def collect(
    workspace: Workspace, settings: Report, suspects: Sequence[Suspect], verdicts: Mapping[str, str], model: str
) -> ReviewData:
    """Read the curves of the suspects and of what is near them."""
    ids = {one for s in suspects for one in (s.series_id, *s.near_kind, *s.near_suggested)}
    found = rejected_page.find(workspace, sorted(ids, key=str)) if ids else pl.DataFrame()
    items = tuple(_item(workspace, suspect, found) for suspect in suspects)
    named = {kind: verdicts[kind] for s in suspects for kind in (s.kind, s.suggested)}
    return ReviewData(settings.title, items, named, model)


def _item(workspace: Workspace, suspect: Suspect, found: pl.DataFrame) -> Item:
    def rows(ids: Sequence[Any]) -> pl.DataFrame:
        wanted = pl.DataFrame({"series_id": pl.Series(list(ids), dtype=found["series_id"].dtype)})
        return wanted.join(found, on="series_id", maintain_order="left")

    near_kind, near_suggested = rows(suspect.near_kind), rows(suspect.near_suggested)
    (curve,) = rejected_page.read_curves(workspace, rows([suspect.series_id]))
    of_kind, of_suggested = (
        rejected_page.read_curves(workspace, near.head(SHOWN)) for near in (near_kind, near_suggested)
    )
    bands = [rejected_page.normal_band(workspace, near) for near in (near_kind, near_suggested)]
    return Item(curve, suspect.kind, suspect.suggested, of_kind, of_suggested, *bands)


def render(data: ReviewData, lang: str, name: str) -> str:
    """The page of the report `name` in the language `lang` (en or ru): the same bytes for the same data."""
    language = Language.load(lang)
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
