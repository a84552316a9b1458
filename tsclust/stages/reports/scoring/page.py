"""A model as one HTML file that scores recordings: nothing leaves the browser it is opened in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tsclust.errors import SettingsError
from tsclust.stages.features import kernels
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.reports.html.page import hash_of, packed, static, templates, to_json
from tsclust.stages.reports.measured import Measured
from tsclust.stages.reports.scoring import model as plain_model
from tsclust.stages.reports.scoring import words
from tsclust.stages.reports.scoring.model import Arrays
from tsclust.stages.reports.scoring.step import Band
from tsclust.wording.language import Language

KERNELS = Path(kernels.__file__).with_name("kernels.wasm")
SCRIPTS = (
    "base.js",
    "score_model.js",
    "score_words.js",
    "score_facts.js",
    "score_input.js",
    "score_chart.js",
    "score_page.js",
)
LARGEST, LARGEST_WITH_TREES = 2_000_000, 5_000_000  # bytes of a page
STEPS = 65_535  # from the lowest value of a band to its highest


@dataclass(frozen=True)
class PageData:
    """title: as given, or ""; quantity: what is recorded, or ""; bands: what is normal, see scoring.step."""

    model: ModelBundle
    bands: dict[int, Band]
    title: str
    quantity: str
    made_at: str


def language_of(data: PageData, lang: str, measured: Measured) -> Language:
    """The language `lang` (en or ru), for what is recorded and whichever way the peak points."""
    found = replace(Language.load(lang), unit=measured.unit, seconds=measured.seconds, names=measured.names)
    return found.pointing_down() if data.model.facts.feature_contract.peak == "min" else found


def render(data: PageData, language: Language) -> str:
    """The page. Raises SettingsError for a model that no page can score by, or that makes too large a page."""
    arrays = Arrays()
    about = plain_model.plain(data.model, arrays) | {"bands": _bands(data.bands, arrays)}
    said = language.texts["score_page"]
    texts = {
        "page": said, "kinds": {kind: language.called(kind) for kind in data.model.kinds}, "said": said["said"],
        "reasons": {rule["name"]: language.reason(rule["reason"]) for rule in about["rules"]},
        "columns": {name: language.column(name) for name in _columns(about)}, "quantity": data.quantity,
    }  # fmt: skip
    script = "".join(map(static, SCRIPTS))
    made = (
        templates(language)
        .get_template("score.html")
        .render(
            data=data,
            m=said,
            facts=data.model.facts,
            baseline=_columns(about),
            style=static("page.css") + static("score.css"),
            script=script,
            hashes=[hash_of(script), "'wasm-unsafe-eval'"],
            about=packed(
                to_json({"model": about, "arrays": arrays.places, "words": words.tables(language), "texts": texts})
            ),
            arrays=packed(bytes(arrays.content)),
            kernels=packed(KERNELS.read_bytes()),
        )
    )
    _refuse_large(len(made.encode()), data.model, about["classifier"]["form"] == "forest")
    return made


def _columns(about: dict[str, object]) -> list[str]:
    """The carried columns that a series is asked for."""
    both = [about[name]["columns"] for name in ("normal", "typical")]  # type: ignore[index]
    return list(dict.fromkeys(name for columns in both for name in columns))


def _bands(bands: dict[int, Band], arrays: Arrays) -> list[list[float]]:
    """row of the centers, points, lowest value and size of a step of each; places in 32 bits, edges in 16."""
    heads, places, edges = [], [np.zeros(0, np.int32)], [np.zeros(0, np.uint16)]
    for row, (at, values) in bands.items():
        if not len(at):
            continue
        low, high = float(values.min()), float(values.max())
        size = (high - low) / STEPS or 1.0
        heads.append([row, len(at), low, size])
        places.append(at.astype(np.int32))
        edges.append(np.rint((values - low) / size).astype(np.uint16).ravel())
    arrays.add("band_places", np.concatenate(places), "Int32")
    arrays.add("bands", np.concatenate(edges), "Uint16")
    return heads


def _refuse_large(size: int, model: ModelBundle, trees: bool) -> None:
    most = LARGEST_WITH_TREES if trees else LARGEST
    if size > most:
        raise SettingsError(
            f"export --page: the page of this model would have {size:,} bytes, expected at most {most:,}: it has"
            f" {len(model.scaler.keys):,} baselines and {len(model.novelty.reference):,} labelled series",
            "Export a bundle for tsclust serve instead: tsclust export --bundle model.zip",
        )
