"""features: series/ -> features/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust.config import Settings
from tsclust.engine.base import Listener, silent
from tsclust.pipeline.ending import end
from tsclust.pipeline.settings import keep, load
from tsclust.stages.features import freshness, messages
from tsclust.stages.features.default_rules import CLEAR
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.features.spec import Describer, FeatureSpec
from tsclust.stages.features.step import Plan, describe_parts, describer_of, plan_of
from tsclust.stages.series.parts import SeriesFiles
from tsclust.workspace.folder import Workspace
from tsclust.workspace.manifest import Meter, write_manifest
from tsclust.workspace.result import Result, of_stage, up_to_date


def features(
    root: Path, flags: Mapping[str, object] | None = None, listen: Listener = silent, *, save: bool = False
) -> Result:
    """Describe every series by the features of the catalogue and set aside what the rules say cannot be real.

    Parts whose series are the same as the last time are taken over as they are. save: write the settings of flags to
    tsclust.toml.
    """
    workspace = Workspace.open(root)
    settings = load(workspace, flags)
    return end(_features(workspace, settings, listen), workspace, settings, "features", save=save)


def _features(workspace: Workspace, settings: Settings, listen: Listener) -> Result:
    meter = Meter()
    with workspace.locked(settings.history.keep):
        series, before = SeriesFiles.of(workspace), workspace.reusable(FEATURES)
        inputs, spec = {"series": series.manifest.output_hash}, FeatureSpec.read(workspace.root, settings)
        if before and (before.inputs, before.settings) == (inputs, spec.digest):
            keep(workspace, FEATURES, settings)
            return up_to_date("features", workspace.stage(FEATURES), before, "")
        freshness.refuse_nothing(workspace)
        describer = describer_of(spec, series, listen)
        same = before if before and before.settings == spec.digest else None
        plan = plan_of(series, settings, describer, FeatureFiles.of(workspace) if same else None, listen)
        with workspace.writing(FEATURES) as writer:
            for name in plan.known:
                writer.adopt(workspace.stage(FEATURES) / name, before.outputs[name] if before else "")
            facts = describe_parts(series, writer, describer, plan, listen)
            manifest = write_manifest(
                writer, meter, FEATURES, settings=spec.digest, inputs=inputs, seed=0, rows=series.manifest.rows,
                parts=series.manifest.parts, facts=facts, made_with=settings.differences("features"),
            )  # fmt: skip
    notes, table = _notes(settings, describer, plan, series.manifest.parts), messages.rule_table(manifest)
    notes = (*notes, *messages.lost_groups(workspace, manifest.facts))
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
