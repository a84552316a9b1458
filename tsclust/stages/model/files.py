"""What a model is made of, as the workspace has it: features/ with series/, labels/, and the sweep; looked up once."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tsclust.config import Cluster
from tsclust.errors import NoSeriesError, SettingsError
from tsclust.stages.clusters.facts import CLUSTERS, sweep_hash
from tsclust.stages.clusters.scope import fit_scaler
from tsclust.stages.features import rules
from tsclust.stages.features.files import FeatureFiles
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.model import carried_types
from tsclust.stages.model.deviations import Yardstick
from tsclust.stages.model.parts import DeviationReader
from tsclust.workspace.folder import Workspace


@dataclass(frozen=True)
class ModelInputs:
    """The stages that a model is made of.

    labels  the hash of labels/
    sweep   the hash of the sweep that knows which series are normal, "" where there is none of features/ as it is
    normal  the folder of that sweep
    """

    features: FeatureFiles
    labels: str
    sweep: str
    normal: Path | None

    @classmethod
    def of(cls, workspace: Workspace) -> ModelInputs:
        """Raises StageMissingError where there are no features or labels."""
        features, labels = FeatureFiles.of(workspace), workspace.manifest(LABELS)
        clusters = workspace.find_manifest(CLUSTERS)
        if clusters is None or clusters.inputs != {"features": features.manifest.output_hash}:
            return cls(features, labels.output_hash, "", None)
        return cls(features, labels.output_hash, sweep_hash(clusters), workspace.stage(CLUSTERS))

    def hashes(self, assume_normal: bool) -> dict[str, str]:
        """For the manifest; the sweep counts where it says what is normal."""
        of = {"features": self.features.manifest.output_hash, "labels": self.labels}
        return of | ({"clusters": self.sweep} if assume_normal and self.sweep else {})


@dataclass(frozen=True)
class LabelledSeries:
    """Where labelled series are found.

    root    of the workspace: messages name it
    parts   of features/;  reader: gives their deviations;  kept: series that the rules keep in all of them
    used    the labels in use: series_id, kind, ...
    normal  the folder of the sweep that knows which series are normal, None where there is none of features/ as it is
    carried carried column that the reader or a rule uses -> its type, see carried_types
    """

    root: Path
    reader: DeviationReader
    parts: tuple[Path, ...]
    kept: int
    used: pl.DataFrame
    normal: Path | None
    carried: dict[str, str]


def find_labelled(inputs: ModelInputs, used: pl.DataFrame, compared_by: Cluster, machine: str) -> LabelledSeries:
    """Where the series with the labels in use are found. machine: the column named in [train], "" for none.

    Raises NoSeriesError where the rules keep no series, SettingsError for a column that is not there.
    """
    files = inputs.features
    if not files.facts.kept:
        raise NoSeriesError(f"the rules reject all series of {files.root}", "See why: tsclust filter")
    baseline = compared_by.baseline_columns
    machine = _machine_column(files.series.carried, machine or next(iter(baseline), ""))
    yardstick = Yardstick(files.clustered, tuple(baseline), machine, fit_scaler(files, compared_by))
    of_rules = {*rules.columns_read(files.facts.rules), *files.typical.baseline}
    used_by_any = sorted({*yardstick.carried, *of_rules})
    carried = carried_types.names_of(files.series.schema, used_by_any)
    reader = DeviationReader(files.series.folder, yardstick)
    return LabelledSeries(files.root, reader, files.paths, files.facts.kept, used, inputs.normal, carried)


def _machine_column(carried: Sequence[str], named: str) -> str:
    """The carried column that names a machine, "" for none. Raises SettingsError for one that is not there."""
    if named and named not in carried:
        near = difflib.get_close_matches(named, carried, n=3) or carried or ["none"]
        raise SettingsError(
            f"[train] machine: no carried column {named!r} (there are: {', '.join(near)})", "Correct it"
        )
    return named
