"""What the service takes and gives, as OpenAPI shows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(examples=["plant"])]


class Given(BaseModel):
    """A body: a key that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong: problem+json (RFC 9457). code, error and next are those of the command line's --json."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: int
    error: str
    next: str
    request_id: str


class Kind(BaseModel):
    kind: str
    verdict: str
    labelled: int


class Quality(BaseModel):
    """95 % intervals, as `tsclust train` states them; null where nothing has been checked.

    wrong: the share of labelled series that would get a wrong name, out of fold.
    """

    wrong: float | None
    recall: list[Any] | None
    precision: list[Any] | None


class Column(BaseModel):
    name: str
    type: str
    needed: str = Field(description="what it is for")


class Input(BaseModel):
    """What series have to bring. fewest: values of which at least so many are needed to say anything.

    run: (usual length of a run in samples, how far from it is usual), null where the model does not compare by it.
    """

    columns: list[Column]
    fewest: int
    peak: str
    run: tuple[float, float] | None


class Version(BaseModel):
    id: str
    added_at: str
    current: bool


class Model(BaseModel):
    """A model, by its current version."""

    name: Name
    current: str
    loaded: bool
    versions: list[Version]


class ModelShown(Model):
    """input and what follows are of the current version."""

    kinds: list[Kind]
    threshold: float = Field(description='less probable answers become "don\'t know"')
    classifier: str
    input: Input
    quality: Quality


class Models(BaseModel):
    models: list[Model]


class Choice(Given):
    """Which version is to be the current one."""

    version: str = Field(max_length=64, examples=["6d4c0a1f2b3e"])


class FromWorkspace(Given):
    """The model of a workspace becomes one of the service, by the name of the workspace."""

    workspace: Name


class Score(BaseModel):
    """The answer for one series.

    said       the kind, or "don't know", "none of these", "impossible"; null with an error
    kind       the likeliest one, and its probability;  novelty: above 1 it is none of the kinds
    rejected_by, reason  the rule that makes it impossible
    unusual    in words, the farthest from normal first; null where it was not asked for
    error      why this series has no answer, with the next step
    """

    series_id: int | str | None
    said: str | None
    kind: str | None
    probability: float | None
    novelty: float | None
    rejected_by: str | None
    reason: str | None = None
    unusual: list[str] | None = None
    error: str | None = None


class Scores(BaseModel):
    """One score for each series of the request, in its order."""

    model: str
    version: str
    scores: list[Score]


class Health(BaseModel):
    status: str
    version: str


class Ready(Health):
    models: int
    jobs: int = Field(description="queued or running")
