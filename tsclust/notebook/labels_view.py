"""What a notebook gets of a workspace from the answers of experts on: labels, the model, scores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import plotly.graph_objects as go
import polars as pl

import tsclust
from tsclust.config import Settings
from tsclust.notebook import model_figures
from tsclust.pipeline import labels_review
from tsclust.stages.clusters import freshness as clusters_freshness
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import read_groups
from tsclust.stages.features import freshness
from tsclust.stages.labels import files, resolution
from tsclust.stages.labels.facts import LABELS
from tsclust.stages.labels.group_state import GroupState
from tsclust.stages.labels.step import group_states
from tsclust.stages.model.facts import MODEL
from tsclust.stages.reports import model_page
from tsclust.stages.reports.model_page import ModelData
from tsclust.stages.scores import parts as score_parts
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.workspace.folder import Workspace

CALLED = {
    "group": pl.Int64(), "state": pl.String(), "labelled": pl.Int64(),
    "called": pl.List(pl.Struct({"kind": pl.String(), "series": pl.Int64()})),
}  # fmt: skip
TOLD = {"kind": pl.String(), "labelled": pl.Int64(), "precision": pl.Float64(), "recall": pl.Float64()}
DRIFT = {
    "machine": pl.String(), "rows": pl.Int64(), "refused": pl.Float64(), "rejected": pl.Float64(),
    "feature": pl.String(), "index": pl.Float64(), "since": pl.String(),
}  # fmt: skip
SAID = {"said": pl.String(), "series": pl.Int64()}


@dataclass(frozen=True)
class LabelsView:
    """The part of an opened workspace that knows what series are called. Its words are those of `WorkspaceView`."""

    workspace: Workspace
    settings: Settings = field(repr=False)

    @property
    def answers(self) -> pl.DataFrame:
        """Every answer ever imported. Of a labeller's files about one report the one saved last is `in_force`."""
        self.workspace.manifest(LABELS)
        return files.read(self.workspace).answers

    @property
    def labels(self) -> pl.DataFrame:
        """A row for each series and labeller: series_id, labeller, verdict, kind, sure, comment, ..."""
        return files.labels(self.workspace)

    @property
    def labels_in_use(self) -> pl.DataFrame:
        """One label a series, as [labels] resolve decides: series_id, kind, verdict, sure, labeller, labelled_at.

        Raises SettingsError where it names a labeller who has labelled nothing.
        """
        return files.in_use(self.workspace, self.settings.labels.resolve)

    @property
    def conflicts(self) -> pl.DataFrame:
        """Contradictory labels of the same series: said, series (how many), most frequent first."""
        return resolution.conflicts(self.labels)

    @property
    def called(self) -> pl.DataFrame:
        """The groups that a report would show, and what their members were called before.

        group, size, normal; state: new, changed (since it was answered), contradicted or named; labelled: how many of
        the members are; called: a list of kind and series (members called so), most of them first.
        """
        self._refuse_stale()
        self.workspace.manifest(LABELS)
        labelled = files.read_index(self.workspace)
        found = group_states(self.workspace, labelled) if labelled else {}
        rows = [{"group": number, "called": _called(one)} | asdict(one) for number, one in found.items()]
        groups = read_groups(self.workspace.stage(CLUSTERS))
        called = pl.DataFrame(rows, CALLED).join(groups, on="group", maintain_order="left")
        return called.select("group", "size", "normal", "state", "labelled", "called")

    @property
    def model(self) -> pl.DataFrame:
        """How well each kind is recognised, on machines not seen in training: kind, labelled, precision, recall.

        Of labelled series alone: precision is the share of those called so that are labelled so, null where none is
        called so; recall the share of those labelled so that are called so. What nobody has labelled does not count.
        """
        return pl.DataFrame([{name: getattr(one, name) for name in TOLD} for one in self._learned().kinds], TOLD)

    @property
    def confusion(self) -> go.Figure:
        """Which kinds are confused: a row for what experts answered, a column for what the classifier answered."""
        return model_figures.confusion_of(self._learned(), self.settings.report.lang)

    @property
    def coverage(self) -> go.Figure:
        """What it costs to say "don't know": over the threshold, the series that are answered and the errors left."""
        return model_figures.coverage_of(self._learned(), self.settings.report.lang)

    @property
    def scores(self) -> pl.LazyFrame:
        """The predictions of `score`: series_id, said, kind (the likeliest), probability, novelty, rejected_by.

        said is a kind, "don't know", "none of these", or "impossible" for what the rules reject.
        """
        return score_parts.scan(self.workspace.parts(SCORES))

    @property
    def scores_new(self) -> pl.LazyFrame:
        """The same of the series of another source that were scored last."""
        return score_parts.scan(self.workspace.parts(SCORES_NEW))

    @property
    def drift(self) -> pl.DataFrame:
        """What lay otherwise in the series scored last, the workspace's or new ones, than when the model was trained: a
        row for each such feature.

        machine: null for all together; rows: its series; rejected: the share that is impossible, refused: of the
        others that without an answer; feature, and its index; since: the day, like 2024-03-12, null
        where that is unknown. A machine of which only more are refused or rejected has one row without a feature.
        Machines unknown in training are named in its manifest.json.
        """
        found = [one for stage in (SCORES, SCORES_NEW) if (one := self.workspace.find_manifest(stage))]
        last = max(found, key=lambda one: one.made_at, default=None) or self.workspace.manifest(SCORES)
        changed = [asdict(one) for one in last.facts.drift.changed]
        rows = [one | shift for one in changed for shift in one["shifts"] or [{}]]
        return pl.DataFrame(rows, DRIFT)

    def suspects(self, count: int = 20) -> pl.DataFrame:
        """The `count` most suspicious of the labels in use: series_id, kind, suggested, probability, margin.

        probability is that of the label; with a margin above 0 the kind suggested is more likely.
        Raises StageMissingError where too few are labelled to learn from.
        """
        self.workspace.manifest(LABELS)
        freshness.refuse_stale(self.workspace)
        return labels_review.rank(self.workspace.root).head(count)

    def train(self, **settings: Any) -> pl.DataFrame:
        """Learn the kinds from the labels, as `tsclust train` does. How well each is recognised, as in `model`.

        settings: of [train], like answer="99%". Raises what `tsclust.train` raises.
        """
        tsclust.train(self.workspace.root, {"train": settings})
        return self.model

    def score(self, refuse: str = "", **source: Any) -> pl.DataFrame:
        """Predict the kind of each series, as `tsclust score` does. How often each was predicted: said, series, share.

        refuse: the share of series that get no answer, in place of the threshold of training. source: of [source],
        like files="new.parquet", for other series than those of the workspace; a place takes that of the settings'.
        Raises what `tsclust.score` raises.
        """
        tsclust.score(self.workspace.root, {"source": source}, refuse=refuse)
        scores = self.workspace.manifest(SCORES_NEW if source else SCORES)
        said = pl.DataFrame(list(scores.facts.said.items()), SAID, orient="row")
        return said.with_columns(share=pl.col("series") / max(scores.rows, 1))

    def _learned(self) -> ModelData:
        return model_page.of(self.workspace.manifest(MODEL))

    def _refuse_stale(self) -> None:
        """Raises StageMissingError where rows of series/, features/ and clusters/ are not about the same series."""
        freshness.refuse_stale(self.workspace)
        clusters_freshness.refuse_other_features(self.workspace)


def _called(one: GroupState) -> list[dict[str, Any]]:
    return [{"kind": kind, "series": series} for kind, series in one.kinds]
