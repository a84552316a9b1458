"""features: series/ -> features/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust.config import Settings
from tsclust.engine.base import Listener, silent
from tsclust.pipeline.ending import end
from tsclust.pipeline.engine import engine_of
from tsclust.pipeline.settings import chosen_baseline, keep, load_as_set, with_baseline
from tsclust.stages.features import freshness, messages
from tsclust.stages.features.default_rules import CLEAR
from tsclust.stages.features.explained import Explained
from tsclust.stages.features.facts import FEATURES, FeaturesFacts
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.spec import Describer, FeatureSpec
from tsclust.stages.features.step import Plan, choose_baseline, describe_parts, describer_of, plan_of
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Manifest, Meter, write_manifest
from tsclust.workspace.result import Result, of_stage, up_to_date


def features(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, save: bool = False
) -> Result:
    """Describe every series by the features of the catalogue and set aside what the rules say cannot be real.

    Parts whose series are the same as the last time are taken over as they are. save: write the settings of flags to
    tsclust.toml.
    """
    workspace, meter = Workspace.open(root), Meter()
    asked = load_as_set(workspace, flags)
    with workspace.locked(asked.history.keep), engine_of(workspace, asked):
        series, before = SeriesFiles.of(workspace), workspace.reusable(FEATURES)
        freshness.refuse_nothing(workspace)
        chosen = _chosen(workspace, series, before, asked, listen)
        settings = with_baseline(asked, chosen or ())
        spec = FeatureSpec.read(root, settings)
        if before and _is_fresh(before, series, spec):
            keep(workspace, FEATURES, settings)
            done = up_to_date("features", workspace.stage(FEATURES), before, "")
        else:
            done = _described(workspace, series, before, settings, spec, chosen, meter, listen)
    return end(done, workspace, settings, "features", save=save)


def _is_fresh(before: Manifest[FeaturesFacts], series: SeriesFiles, spec: FeatureSpec) -> bool:
    return (before.inputs, before.settings) == (_inputs(series), spec.digest)


def _inputs(series: SeriesFiles) -> dict[str, str]:
    return {"series": series.manifest.output_hash}


def _chosen(
    workspace: Workspace, series: SeriesFiles, before: Manifest[FeaturesFacts] | None, asked: Settings,
    listen: Listener,
) -> tuple[Explained, ...] | None:  # fmt: skip
    """The baseline that was chosen when nobody had, the same from day to day; None where somebody has."""
    if asked.cluster.baseline is not None:
        return None
    known = chosen_baseline(workspace)
    if known is not None and {one.column for one in known} <= {*series.carried}:
        return known
    spec = FeatureSpec.read(workspace.root, asked)
    if known is None and before and _is_fresh(before, series, spec):
        return None  # an earlier version made it, by no baseline
    return choose_baseline(series, describer_of(spec, series, listen), asked.features.peak, listen)


def _described(
    workspace: Workspace, series: SeriesFiles, before: Manifest[FeaturesFacts] | None, settings: Settings,
    spec: FeatureSpec, chosen: tuple[Explained, ...] | None, meter: Meter, listen: Listener,
) -> Result:  # fmt: skip
    describer = describer_of(spec, series, listen)
    same = before if before and before.settings == spec.digest else None
    plan = plan_of(series, settings, describer, FeatureFiles.of(workspace) if same else None, listen)
    with workspace.writing(FEATURES) as writer:
        for name in plan.known:
            writer.adopt(workspace.stage(FEATURES) / name, before.outputs[name] if before else "")
        facts = describe_parts(series, writer, describer, plan, listen, chosen)
        manifest = write_manifest(
            writer, meter, FEATURES, settings=spec.digest, inputs=_inputs(series), seed=0, rows=series.manifest.rows,
            parts=series.manifest.parts, facts=facts, made_with=settings.differences("features"),
        )  # fmt: skip
    notes, table = _notes(settings, describer, plan, series.manifest.parts), messages.rule_table(manifest)
    notes = (*notes, *messages.chosen_baseline(facts), *messages.lost_groups(workspace, facts))
    return of_stage("features", workspace.stage(FEATURES), manifest, "", notes=notes, table=table)


def _notes(settings: Settings, describer: Describer, plan: Plan, parts: int) -> tuple[str, ...]:
    notes = [f"{len(plan.known)} of {parts} parts were complete already"] if plan.known else []
    if describer.extra:
        notes.append(f"your own features: {', '.join(e.feature.name for e in describer.extra)}")
    for slow in (e for e in describer.extra if e.slow):
        notes.append(f"{slow.feature.name} runs as plain Python, numba cannot compile it: {slow.slow}")
    if plan.agreement < CLEAR and settings.rule is None:
        notes.append(
            f"only {plan.agreement:.0%} of the series agree on the direction of the peak: the rule wrong_sign is not"
            " applied; set [features] peak to max or min if you know it"
        )
    return tuple(notes)
