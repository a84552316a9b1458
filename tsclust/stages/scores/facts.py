"""What scores/ and scores_new/ remember of their making."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tsclust import config
from tsclust.config import Labels
from tsclust.stages.labels.kinds import DONT_KNOW, NONE_OF_THESE
from tsclust.stages.scores.drift import Drift
from tsclust.workspace.manifest import Facts, Manifest, Stage


class CheckFacts(BaseModel):
    """The sample that an expert is asked about, see check_sample.

    normal  series taken for normal, called: called a malfunction, but those that were looked at one by one before;
    known   malfunctions among the latter
    drawn   series_id, as text, of the sample, in the order in which it is shown; of_called: those of the called ones
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    normal: int
    called: int
    known: int
    drawn: tuple[str, ...]
    of_called: tuple[str, ...]


class ScoresFacts(Facts):
    """refuse     the share of series that was to get no answer, None for the threshold of training
    elsewhere  whether the series are those of another source;  origin: where they came from
    layout     how they are stored there;  model: the id of the model
    threshold  less confident answers are "don't know"
    said       answer -> series, the most frequent first;  kept: series that the rules keep
    drift      what is not as it was in training
    check      the sample that tells what the model misses; None for series of another source
    """

    INTERNAL: ClassVar[frozenset[str]] = frozenset({"check"})

    refuse: float | None
    elsewhere: bool
    threshold: float
    said: dict[str, int]
    drift: Drift
    origin: str
    kept: int
    layout: str = ""
    model: str = ""
    check: CheckFacts | None = None

    def summary(self) -> dict[str, Any]:
        """How many machines have drifted, how many series get no answer."""
        no_answer = sum(self.said.get(name, 0) for name in (DONT_KNOW, NONE_OF_THESE))
        changed = [one.machine for one in self.drift.changed]
        return {"model": self.model, "drift": changed, "no_answer": no_answer}


SCORES = Stage("scores", "score", ScoresFacts)  # of the workspace's own series
SCORES_NEW = Stage("scores_new", "score", ScoresFacts)  # of those of another source


def state_of_unlabelled(asked: Labels, *manifests: Manifest[Any] | None) -> str:
    """A hash of what decides which series have no name, see unlabelled: the settings, labels/ and, where they are about
    the features that there are, scores/."""
    return config.digest(asked, *(one.output_hash for one in manifests if one))
