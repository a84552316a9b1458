"""What model/ remembers of its making, beside the classifier itself: all that scoring and the model page need."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tsclust import config
from tsclust.config import Settings
from tsclust.stages.features.catalogue import Feature
from tsclust.stages.features.facts import StoredRule
from tsclust.stages.model.abstention import Coverage
from tsclust.stages.model.quality import Quality
from tsclust.workspace.manifest import Facts, Manifest, Stage

ID_LENGTH = 12  # characters of a model's id


class ComparedBy(BaseModel):
    """What decides on what is normal: a model holds for series that are compared in the same way."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scaling: str
    baseline: tuple[str, ...]
    regimes: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> ComparedBy:
        asked = settings.cluster
        return cls(scaling=asked.scaling, baseline=asked.baseline_columns, regimes=asked.regimes)


class FeatureContract(BaseModel):
    """What has to be the same for series that are scored.

    catalogue    the features in their order; settings_digest: of [features] and the text of the user's own ones
    peak         max or min: which way the peak points
    rules        in their order, the one that always holds included
    typical      feature -> (median, robust deviation), which rules read
    compared_by  what a series is compared with
    carried      carried column that the model uses -> its Arrow type; None: made before it was kept, nothing is checked
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)

    catalogue: tuple[Feature, ...]
    peak: Literal["max", "min"]
    rules: tuple[StoredRule, ...] = Field(min_length=1)
    typical: dict[str, tuple[float, float]]
    compared_by: ComparedBy
    settings_digest: str = Field(validation_alias="made", serialization_alias="made")
    carried: dict[str, str] | None = None

    @property
    def sign(self) -> int:
        """1 where the peak is a maximum, -1 a minimum."""
        return 1 if self.peak == "max" else -1


class ModelFacts(Facts):
    """`version` is that of the bundle's format.

    kinds            in the order of the classifier's classes; verdicts: kind -> verdict
    counts           kind -> labelled series; too_few: kinds that have too few of them to be learned
    assumed          series taken for normal although nobody labelled them
    machine          the carried column that names a machine, "" for none; machines: how many there were
    rejected         the share of the series that the rules reject;  refused: that got no answer in training
    classifier       its name; losses: the weighted log loss of every candidate; temperature calibrates it
    coverage         the coverage-error curve; threshold: less confident answers become "don't know"
    confusion        (kinds, kinds) weighted: rows the label, columns the prediction out of fold; of labelled series
    reject_errors, answer   the settings that the threshold comes from
    features         the clustered ones; feature_contract: what must be the same for series that are scored
    folds            of the cross-validation;  limit: of the novelty detector
    feature_file     the name of the file with the user's own features, "" for none
    id               of the model, which its scores carry: a hash of all but its quality; "" before it has files
    quality          what is known of all that is called a malfunction, labelled or not
    labelled         kind -> (labelled series learned from, of them called so out of fold, all labelled ones called so):
                     what nobody has labelled does not count
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, serialize_by_alias=True)

    LONG: ClassVar[frozenset[str]] = frozenset({"coverage", "confusion", "feature_contract", "labelled"})

    kinds: tuple[str, ...] = Field(min_length=1)
    verdicts: dict[str, Literal["malfunction", "normal", "bad_recording"]]
    counts: dict[str, int]
    too_few: dict[str, int]
    assumed: int
    machine: str
    machines: int
    rejected: float
    classifier: str
    losses: dict[str, float]
    temperature: float = Field(gt=0, allow_inf_nan=False)
    coverage: Coverage
    confusion: tuple[tuple[float, ...], ...]
    threshold: float = Field(ge=0, le=1 + 1e-9)  # just above 1, nothing is answered
    reject_errors: str
    answer: str
    feature_contract: FeatureContract = Field(validation_alias="same", serialization_alias="same")
    features: tuple[str, ...] = Field(min_length=1)
    folds: int
    limit: float = Field(allow_inf_nan=False)
    refused: float
    feature_file: str = ""
    id: str = ""
    quality: Quality = Quality()
    labelled: dict[str, tuple[int, int, int]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_kind_has_a_verdict(self) -> Self:
        if set(self.verdicts) != set(self.kinds):
            raise ValueError("verdicts of other kinds than those that were learned")
        return self

    def identity(self) -> object:
        """The threshold is seen in no file."""
        return self.id or None

    def summary(self) -> dict[str, Any]:
        """What it learned, and how good it is: 95 % intervals of recall and precision, None before a check."""
        wrong = self.coverage.wrong[0] if self.coverage.wrong else None
        what = {"id": self.id, "kinds": len(self.kinds), "labelled": sum(self.counts.values()), "wrong": wrong}
        known = {"recall": self.quality.recall, "precision": self.quality.precision}
        return what | {name: list(one) if self.quality.made_at else None for name, one in known.items()}


MODEL = Stage("model", "train", ModelFacts)


def with_id(facts: ModelFacts, outputs: Mapping[str, str]) -> ModelFacts:
    """With the id of a model of these files (name -> sha256): the same for the same model, whenever it was trained."""
    known = (sorted(outputs.items()), facts.model_copy(update={"id": "", "quality": Quality()}).model_dump_json())
    return facts.model_copy(update={"id": hashlib.sha256(repr(known).encode()).hexdigest()[:ID_LENGTH]})


def settings_digest(settings: Settings) -> str:
    """A hash of all settings that decide on what is learned from labels; the k of a sweep is none of them."""
    compared_by = ComparedBy.from_settings(settings)
    return config.digest(settings.train, settings.labels, compared_by, str(settings.cluster.seed))


def is_made_by(manifest: Manifest[ModelFacts], settings: Settings) -> bool:
    """Whether a model was trained by these settings; earlier versions noted all of [cluster]."""
    earlier = config.digest(settings.train, settings.labels, settings.cluster)
    return manifest.settings in (settings_digest(settings), earlier)
