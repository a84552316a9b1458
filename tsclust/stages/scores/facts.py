"""What scores/ and scores_new/ remember of their making."""

from __future__ import annotations

from tsclust.stages.scores.drift import Drift
from tsclust.workspace.manifest import Facts, Stage


class ScoresFacts(Facts):
    """refuse     the share of series that was to get no answer, None for the threshold of training
    elsewhere  whether the series are those of another source;  origin: where they came from
    layout     how they are stored there
    threshold  less confident answers are "don't know"
    said       answer -> series, the most frequent first;  kept: series that the rules keep
    drift      what is not as it was in training
    """

    refuse: float | None
    elsewhere: bool
    threshold: float
    said: dict[str, int]
    drift: Drift
    origin: str
    kept: int
    layout: str = ""


SCORES = Stage("scores", "score", ScoresFacts)  # of the workspace's own series
SCORES_NEW = Stage("scores_new", "score", ScoresFacts)  # of those of another source
