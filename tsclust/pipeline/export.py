"""export: model/ -> a file that another machine, or another language, can score by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tsclust.config import Settings
from tsclust.engine.base import Listener, silent
from tsclust.errors import SettingsError
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.settings import load
from tsclust.stages.model import bundle, bundle_file, onnx_facts, onnx_graph
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.facts import MODEL
from tsclust.stages.reports.measured import Measured
from tsclust.stages.reports.scoring.page import PageData, language_of, render
from tsclust.stages.reports.scoring.step import normal_bands
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.atomic import appearing, write_file
from tsclust.workspace.commands import command
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter
from tsclust.workspace.result import Result

Written = tuple[ModelBundle, str]  # what was exported, a line that says what the file is
ENDINGS = {"bundle": ".zip", "onnx": ".onnx", "page": ".html"}  # flag -> how the name of its file ends


def export(
    root: Path,
    bundle: Path | None = None,
    flags: Mapping[str, object] | None = None,
    listen: Listener = silent,
    *,
    onnx: Path | None = None,
    page: Path | None = None,
) -> Result:
    """Write the model of the workspace as one file; none has a series or a label in it.

    bundle  a zip: what `Scorer` and `tsclust serve` need
    page    an HTML file that scores recordings in a browser, offline, in the language of [report]; by the [engine]
    onnx    scaler and classifier as a graph for any ONNX runtime, and beside it a JSON file with what is normal

    Raises SettingsError where not one file is named, a package is missing or a page cannot do what the model does;
    StageMissingError where there is no model, DamagedError.
    """
    workspace, meter = Workspace.open(root), Meter()
    settings = load(workspace, flags)
    form, to = _asked({"bundle": bundle, "onnx": onnx, "page": page})
    workspace.manifest(MODEL)
    with workspace.locked():
        model, note = _FORMS[form](workspace, settings, to)
    facts = {"model": model.facts.id, "bytes": to.stat().st_size, "features": bool(model.feature_text)}
    return Result("export", to, *meter.read(), notes=(note,), then=command("status", root), facts=facts)


def _asked(files: Mapping[str, Path | None]) -> tuple[str, Path]:
    """The one form that is asked for, and its file."""
    given = [(form, path) for form, path in files.items() if path is not None]
    if len(given) != 1:
        named = "no file is named" if not given else f"{len(given)} files are named"
        raise SettingsError(f"export: {named}: expected one", "For example: tsclust export --bundle model.zip")
    form, path = given[0]
    if path.suffix.lower() != ENDINGS[form]:
        raise SettingsError(
            f"export: {path} does not end in {ENDINGS[form]}",
            f"For example: tsclust export --{form} model{ENDINGS[form]}",
        )
    return form, path


def _bundle(workspace: Workspace, _: Settings, to: Path) -> Written:
    model = bundle_file.write(workspace.stage(MODEL), to)
    own = " and Python code, which whoever loads it has to allow" if model.feature_text else ""
    return model, f"the model {model.facts.id} of {len(model.kinds)} kinds{own}: series and labels stay here"


def _onnx(workspace: Workspace, _: Settings, to: Path) -> Written:
    model = bundle.read(workspace.stage(MODEL))
    graph, beside = onnx_graph.build(model), to.with_suffix(".json")
    write_file(beside, json.dumps(onnx_facts.of(model), ensure_ascii=False, allow_nan=False) + "\n")
    with appearing(to) as new:
        new.write_bytes(graph)
    return model, (
        f"the model {model.facts.id} from features to answers; {beside.name} beside it has what is normal for each"
        " baseline, and the rules, which the graph does not apply"
    )


def _page(workspace: Workspace, settings: Settings, to: Path) -> Written:
    model, asked = bundle.read(workspace.stage(MODEL)), settings.report
    measured = Measured.of(asked, workspace.manifest(SERIES).facts.layout)
    data = PageData(model, {}, asked.title, measured.axis, workspace.manifest(MODEL).made_at)
    render(data, language := language_of(data, asked.lang, measured))  # what cannot be is refused before all is read
    with engine_of(workspace, settings):
        bands = normal_bands(workspace, model)
    write_file(to, render(replace(data, bands=bands), language))
    drawn, known = max(len(bands) - 1, 0), len(model.scaler.centers) - 1
    of_all = "" if drawn == known else f"the {known} "
    return model, (
        f"the model {model.facts.id} of {len(model.kinds)} kinds as a page that scores recordings offline, with what is"
        f" normal of {drawn} {of_all and 'of '}{of_all}baselines or regimes: labels stay here"
    )


_FORMS: Mapping[str, Callable[[Workspace, Settings, Path], Written]] = {
    "bundle": _bundle, "onnx": _onnx, "page": _page,
}  # fmt: skip
