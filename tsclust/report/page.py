"""ReportData -> one HTML file that needs nothing else: no network, no other file. Texts from the data are escaped."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import jinja2
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tsclust.report.data import Band, Group, Rejected, ReportData
from tsclust.report.drawing import Drawing, Frame, draw
from tsclust.report.texts import STATIC, Language

MINUTES = 1  # it takes to look at a group
TOP = 24  # pixels above a figure's axes
NO_FIGURES: Mapping[str, go.Figure] = MappingProxyType({})


def render(data: ReportData, lang: str, figures: Mapping[str, go.Figure] = NO_FIGURES) -> str:
    """The page in the language `lang` (en or ru): the same bytes for the same data.

    Without `figures` (by name, for the overview) it has its table alone, and plotly.js is not in the page.
    """
    language = Language.load(lang)
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    plotly = get_plotlyjs() if figures else ""
    malfunctions = [g for g in data.groups if not g.normal]
    return (
        templates(language)
        .get_template("page.html")
        .render(
            data=data,
            malfunctions=malfunctions,
            normals=[g for g in data.groups if g.normal],
            drawings={g.number: _draw_group(g, data.normal, language) for g in data.groups},
            examples={r.rule: _draw_rejected(r, data.normal, language) for r in data.rejected},
            figures=[_figure(name, figure) for name, figure in figures.items()],
            takes=language.counted(max(1, len(malfunctions) * MINUTES), "minute"),
            advice=_advice(data, language),
            style=style,
            script=script,
            hashes=[hash_of(script), hash_of(plotly)],
            plotly=base64.b64encode(gzip.compress(plotly.encode(), 9, mtime=0)).decode(),
        )
    )


def templates(language: Language) -> jinja2.Environment:
    """Templates, their filters and texts in this language."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STATIC), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # Cyrillic in a third of the bytes
    environment.globals.update(t=language.texts["page"], language=language)
    environment.filters.update(
        plain=language.plain, share=language.share, count=lambda n: language.fixed(n, 0), number=language.number,
        month=language.month, reason=language.reason, sentence=language.sentence, counted=language.counted,
        time=lambda text: language.time(datetime.fromisoformat(text)), date=language.date,
    )  # fmt: skip
    return environment


def _draw_group(group: Group, normal: Band, language: Language) -> Drawing:
    return draw(Frame.around((normal, group.band), group.members), normal, group.band, group.members, language)


def _draw_rejected(rejected: Rejected, normal: Band, language: Language) -> Drawing:
    return draw(Frame.around((normal,), rejected.examples), normal, None, rejected.examples, language)


def _figure(name: str, figure: go.Figure) -> dict[str, Any]:
    """A figure for the page: title, menu and height become HTML; texts and axes get the colours of the page."""
    data, layout = (json.loads(figure.to_json())[part] for part in ("data", "layout"))
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


def hash_of(text: str) -> str:
    """As a Content-Security-Policy wants it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
