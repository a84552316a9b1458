"""train: labels/ and features/ -> model/, and a page that says how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from tsclust import config
from tsclust.atomic import write_file
from tsclust.config import Settings, parse_share
from tsclust.engine import Listener, Progress, map_parts, silent
from tsclust.features import catalogue
from tsclust.labels import doubt, learn, novel
from tsclust.labels.doubt import Coverage
from tsclust.labels.drift import ALL, Lying
from tsclust.labels.learn import Learned, in_one_order
from tsclust.pipeline import examples, labels_kept, screening, trained
from tsclust.pipeline.examples import Gathered
from tsclust.pipeline.result import Result, of_stage, up_to_date
from tsclust.pipeline.trained import Trained
from tsclust.report import model_page
from tsclust.report.model_page import ModelData
from tsclust.series import Floats
from tsclust.workspace import Manifest, Meter, Workspace, command, write_manifest

PAGE = "model"  # reports/model.html
WORKERS = 2


def train(root: Path, flags: Mapping[str, Any] | None = None, listen: Listener = silent) -> Result:
    """Learn the kinds from the labels: a classifier, when it does not know, and what is none of them."""
    workspace, meter = Workspace.open(root), Meter()
    settings = config.load(workspace.config, _alone(flags))
    then = command("score", root)
    with workspace.locked(), in_one_order():
        screening.refuse_stale(workspace)
        inputs, digest = _inputs(workspace, settings), labels_kept.digest_of_model(settings)
        manifest = workspace.find_manifest("model")
        if fresh := manifest is not None and (manifest.inputs, manifest.settings) == (inputs, digest):
            done = up_to_date("train", workspace.stage("model"), manifest, then)
        else:
            manifest = _train(workspace, settings, listen, meter, inputs, digest)
        page, data = workspace.reports / f"{PAGE}.html", model_page.of(manifest, settings.report.title)
        write_file(page, model_page.render(data, settings.report.lang))
    if fresh:
        return replace(done, notes=(f"how good it is: {page}",))
    return of_stage(
        "train", workspace.stage("model"), manifest, then, notes=_notes(data, settings, page), table=_table(data)
    )


def _alone(flags: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of two ways to choose the threshold one that is asked for by itself is not held back by the other's setting."""
    said = {name: value for name, value in (flags or {}).get("train", {}).items() if value is not None}
    ways = {"reject_errors", "answer"} & said.keys()
    other = {"reject_errors", "answer"} - ways if ways else set()
    return {**(flags or {}), "train": said | dict.fromkeys(other, "")}


def _inputs(workspace: Workspace, settings: Settings) -> dict[str, str]:
    """What a model is made of; the sweep, where it says what is normal."""
    of = {name: workspace.manifest(name).output_hash for name in ("features", "labels")}
    sweep = examples.sweep_of(workspace) if settings.train.assume_normal else ""
    return of | ({"clusters": sweep} if sweep else {})


def _train(
    workspace: Workspace, settings: Settings, listen: Listener, meter: Meter, inputs: dict[str, str], digest: str
) -> Manifest:
    """Write model/."""
    used = labels_kept.in_use(workspace, settings)
    listen(Progress("train: gathering labelled series", 0, 0, ""))
    gathered = examples.gather(workspace, settings, used)
    learned = learn.learn(gathered.examples, settings.cluster.seed, _heard(listen, settings.cluster.seed))
    known, novelty = novel.fit(gathered.examples, learned.folds, examples.NORMAL)
    facts = _facts(workspace.manifest("features"), used, gathered, learned, settings)
    model = Trained(facts, learned.estimator, learned.temperature, known, gathered.scaler, Lying.none(0))
    listen(Progress("train: how all series lie", 0, 0, ""))
    lying = _lying(workspace, settings, model)
    refused = max(_refused(gathered, learned, novelty, facts["threshold"]), round(lying.shares_of(ALL)[0], 9))
    facts |= {"limit": known.limit, "refused": refused}
    with workspace.writing("model") as writer:
        trained.write(writer, replace(model, lying=lying))
        writer.write_table("out_of_fold.parquet", _out_of_fold(gathered, learned))
        return write_manifest(
            writer, meter, stage="model", settings=digest, inputs=inputs, seed=settings.cluster.seed,
            rows=len(gathered.ids), parts=1, facts=facts,
        )  # fmt: skip


def _heard(listen: Listener, seed: int) -> Any:
    names = list(learn.candidates(seed))
    return lambda name: listen(Progress(f"train: {name}", names.index(name), len(names), "classifiers"))


def _out_of_fold(gathered: Gathered, learned: Learned) -> pa.Table:
    """What was said of each example by a classifier that had not seen its machine."""
    kind, sure = doubt.confidence(learned.probability)
    kinds = np.array(gathered.examples.kinds)
    frame = pl.DataFrame(
        {"series_id": gathered.ids, "kind": kinds[gathered.examples.kind], "said": kinds[kind], "probability": sure,
         "weight": gathered.examples.weight, "machine": gathered.examples.machine}
    )  # fmt: skip
    return frame.sort("series_id").to_arrow()


def _facts(
    features: Manifest, used: pl.DataFrame, gathered: Gathered, learned: Learned, settings: Settings
) -> dict[str, Any]:
    """All that scoring and the page need but the classifier itself."""
    curve = doubt.coverage(learned.probability, gathered.examples)
    kind, _ = doubt.confidence(learned.probability)
    k, threshold = len(gathered.examples.kinds), _threshold(curve, gathered, learned, settings)
    confusion = np.zeros((k, k))
    np.add.at(confusion, (gathered.examples.kind, kind), gathered.examples.weight)
    verdicts = dict(used.select("kind", "verdict").unique("kind", keep="first").iter_rows())
    return {
        "kinds": list(gathered.examples.kinds),
        "verdicts": {kind: verdicts.get(kind, examples.NORMAL) for kind in gathered.examples.kinds},
        "counts": gathered.counts, "too_few": gathered.too_few, "assumed": gathered.assumed,
        "machine": gathered.machine, "machines": len(np.unique(gathered.examples.machine)),
        "rejected": round(1 - features.facts["kept"] / max(features.rows, 1), 9),
        "classifier": learned.name, "losses": learned.losses, "temperature": learned.temperature,
        "coverage": asdict(curve), "confusion": confusion.round(3).tolist(),
        "threshold": threshold, "reject_errors": settings.train.reject_errors,
        "answer": settings.train.answer,
        "same": _same(features, settings), "features": catalogue.clustered(catalogue.of(features.facts)),
        "folds": len(learned.folds),
    }  # fmt: skip


def _same(features: Manifest, settings: Settings) -> dict[str, Any]:
    """What has to be the same for series that are scored: features, direction, rules, what they are compared with."""
    names = ("catalogue", "peak", "rules", "typical")
    same = {name: features.facts[name] for name in names}
    return same | {"compared_by": examples.compared_by(settings), "made": features.settings}


def _lying(workspace: Workspace, settings: Settings, model: Trained) -> Lying:
    """How the series of each machine lie, those too that nobody has labelled, and how many the model refuses."""

    def one_part(path: Path) -> Lying:
        part = examples.read(workspace, settings, model.scaler, model.facts["machine"], path)
        _, sure, novelty = model.ask(model.scaler.of_deviations(part.z))
        return Lying.of(part.z, part.machine, model.refuses(sure, novelty), part.rejected)

    found = Lying.none(len(model.facts["features"]))
    for of_part in map_parts(one_part, workspace.parts("features"), WORKERS):
        found = (found + of_part).bounded()
    return found


def _refused(gathered: Gathered, learned: Learned, novelty: Floats, threshold: float) -> float:
    """The share of series that got no answer in training: not sure enough, or far from all others."""
    _, sure = doubt.confidence(learned.probability)
    return round(float(np.average((sure < threshold) | (novelty > 1), weights=gathered.examples.weight)), 9)


def _threshold(curve: Coverage, gathered: Gathered, learned: Learned, settings: Settings) -> float:
    """That of [train], whichever of the two withholds less."""
    reject, answer = settings.train.reject_errors, settings.train.answer
    found = [doubt.to_reject(curve, parse_share(reject))] if reject else []
    found += [doubt.to_answer(curve, parse_share(answer))] if answer else []
    x = gathered.examples.x
    plain = learned.probability[~x.any(axis=1)][:1]
    now = learn.predict(learned.estimator, np.zeros((1, x.shape[1])), len(gathered.examples.kinds))
    (before, now) = (doubt.confidence(one)[1] for one in (plain, learn.calibrated(now, learned.temperature)))
    return doubt.not_parting(min(found, default=0.0), *before, *now) if len(plain) else min(found, default=0.0)


def _notes(data: ModelData, settings: Settings, page: Path) -> tuple[str, ...]:
    chosen = data.chosen
    notes = [
        f"{data.classifier}: {data.wrong:.3%} of the series would be called by a wrong name",
        f"don't know, if less sure than {chosen.threshold:.3f}: {chosen.answered:.1%} are answered, "
        f"{chosen.left:.0%} of the errors are left",
    ]
    reject = settings.train.reject_errors
    if reject and chosen.left > 1 - parse_share(reject) + 1e-9:
        notes.append(f"rejecting {reject} of the errors would leave fewer answered: --reject-errors {reject} does it")
    if not data.apart:
        notes.append("no column tells machines apart ([train] machine): series of one may be on both sides of the test")
    if data.assumed:
        notes.append(
            f"{data.assumed:,} series that nobody has labelled are taken for normal: nothing is strange in them"
        )
    if data.too_few:
        few = ", ".join(f"{kind[:60]} ({n})" for kind, n in data.too_few)
        notes.append(f"too few series to be learned: {few}")
    return (*notes, f"how good it is: {page}")


def _table(data: ModelData) -> tuple[tuple[str, ...], ...]:
    rows = [(one.kind[:60], f"{one.labelled:,}", _share(one.precision), _share(one.recall)) for one in data.kinds]
    return (("kind", "labelled", "precision", "recall"), *rows)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
