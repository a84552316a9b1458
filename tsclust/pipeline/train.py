"""train: labels/ and features/ -> model/, and a page about its quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tsclust import config
from tsclust.config import Settings, parse_share
from tsclust.engine.base import Listener, silent
from tsclust.pipeline.ending import end
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.settings import keep, load
from tsclust.stages.features import freshness
from tsclust.stages.features.spec import FeatureSpec
from tsclust.stages.labels import files
from tsclust.stages.model import archive, messages
from tsclust.stages.model.classifier import single_threaded_blas
from tsclust.stages.model.facts import MODEL, ModelFacts, is_made_by
from tsclust.stages.model.files import ModelInputs, find_labelled
from tsclust.stages.model.step import train_model, write_model
from tsclust.stages.reports import model_page
from tsclust.stages.reports.model_page import ModelData
from tsclust.stages.scores import check_files
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter
from tsclust.workspace.pages import write_page
from tsclust.workspace.result import Result, of_stage, up_to_date

PAGE = "model"  # reports/model.html


def train(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, save: bool = False
) -> Result:
    """Learn the kinds from the labels: a classifier, when it does not know, and what is none of them.

    save: write the settings of flags to tsclust.toml.
    """
    workspace = Workspace.open(root)
    settings = load(workspace, _alone(flags), page=MODEL)
    return end(_train(workspace, settings, listen), workspace, settings, "model", save=save)


def _train(workspace: Workspace, settings: Settings, listen: Listener) -> Result:
    meter = Meter()
    with workspace.locked(settings.history.keep), engine_of(workspace, settings), single_threaded_blas():
        freshness.refuse_stale(workspace)
        inputs = ModelInputs.of(workspace)
        manifest = workspace.reusable(MODEL)
        now = inputs.hashes(settings.train.assume_normal)
        if fresh := manifest is not None and manifest.inputs == now and is_made_by(manifest, settings):
            keep(workspace, MODEL, settings)
            done = up_to_date("train", workspace.stage(MODEL), manifest, "")
        else:
            manifest = _trained(workspace, inputs, settings, listen, meter)
        page, data = workspace.reports / f"{PAGE}.html", model_page.of(manifest, settings.report.title)
        write_page(workspace.root, "train", page, model_page.render(data, settings.report.lang))
    if fresh:
        return replace(done, notes=(*messages.quality(data.quality, workspace.root), f"how good the model is: {page}"))
    return of_stage(
        "train",
        workspace.stage(MODEL),
        manifest,
        "",
        notes=_notes(data, settings, page, workspace.root),
        table=_table(data),
    )


def _trained(
    workspace: Workspace, inputs: ModelInputs, settings: Settings, listen: Listener, meter: Meter
) -> Manifest[ModelFacts]:
    used, spec = files.in_use(workspace, settings.labels.resolve), FeatureSpec.read(workspace.root, settings)
    source = find_labelled(inputs, used, settings.cluster, settings.train.machine)
    check = check_files.answered(workspace, settings.labels.resolve)
    training = train_model(source, inputs.features, spec, settings, listen, check)
    archive.keep(workspace)
    with workspace.writing(MODEL) as writer:
        manifest = write_model(writer, meter, training, settings, inputs.hashes(settings.train.assume_normal))
    archive.keep(workspace)
    return manifest


def _alone(flags: Mapping[str, object] | None) -> dict[str, object]:
    """Of two ways to choose the threshold one that is given alone is not held back by the other's setting."""
    said = {name: value for name, value in config.section(flags, "train").items() if value is not None}
    ways = {"reject_errors", "answer"} & said.keys()
    other = {"reject_errors", "answer"} - ways if ways else set()
    return {**(flags or {}), "train": said | dict.fromkeys(other, "")}


def _notes(data: ModelData, settings: Settings, page: Path, root: Path) -> tuple[str, ...]:
    chosen = data.chosen
    notes = [
        *messages.quality(data.quality, root),
        f"{data.classifier}: {data.wrong:.3%} of labelled series, and those taken for normal, would get a wrong name",
        f'answers below {chosen.threshold:.3f} confidence become "don\'t know": {chosen.answered:.1%} answered, '
        f"{chosen.left:.0%} of the errors remain",
    ]
    reject = settings.train.reject_errors
    if reject and chosen.left > 1 - parse_share(reject) + 1e-9:
        notes.append(
            f"avoiding {reject} of the errors would leave more series unanswered; "
            f"to accept that: --reject-errors {reject}"
        )
    if not data.apart:
        notes.append("no column identifies machines ([train] machine): one machine may be on both sides of the test")
    if data.assumed:
        notes.append(
            f"{data.assumed:,} series without a label were taken as normal to learn from; no recall counts them"
        )
    if data.too_few:
        few = ", ".join(f"{kind[:60]} ({n})" for kind, n in data.too_few)
        notes.append(f"too few series to learn from: {few}")
    return (*notes, f"how good the model is: {page}")


def _table(data: ModelData) -> tuple[tuple[str, ...], ...]:
    """Of labelled series alone, out of fold: what nobody has labelled is no part of it."""
    rows = (
        (one.kind[:60], f"{one.labelled:,}", messages.share(one.precision, one.precision_interval),
         messages.share(one.recall, one.recall_interval)) for one in data.kinds
    )  # fmt: skip
    return (("kind", "labelled", "right, of labelled ones called so", "recognised, of those labelled so"), *rows)
