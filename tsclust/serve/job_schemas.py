"""What requests about jobs take and give, as OpenAPI shows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tsclust.serve.job_record import State, Trouble
from tsclust.serve.schemas import Given, Name

Text = Annotated[str, Field(max_length=1_000)]
Kind = Literal["run", "drilldown", "report", "import", "train", "score"]


class JobAsked(Given):
    """A job on a workspace, or on a configured source that fills one.

    kind       run: from the source to the report; drilldown: inside a group; report; import: what is in
               answers/; train; score
    source     of [serve.sources], for `run`
    sweep      with `run`: look for groups anew, the next round
    within     the group of a drill-down
    columns: id, values, order, layout, baseline, where: as the flags of the command line
    """

    kind: Kind = "run"
    workspace: Name = ""
    source: Text = ""
    sweep: bool = False
    within: Annotated[int | None, Field(ge=1, le=100_000)] = None
    table: Text = ""
    id: Text = ""
    values: Text = ""
    order: Text = ""
    layout: Literal["", "auto", "array", "long", "wide"] = ""
    where: Text = ""
    baseline: list[Text] | None = None
    lang: Literal["", "en", "ru"] = ""
    k: Annotated[str, Field(max_length=100)] = ""
    title: Text = ""

    def options(self) -> dict[str, Any]:
        """flags as the commands take them, and what else the command of this kind takes."""
        source = {name: getattr(self, name) or None for name in ("table", "id", "values", "order", "layout", "where")}
        flags: dict[str, Any] = {
            "source": {name: value for name, value in source.items() if value},
            "cluster": {"baseline": self.baseline, "k": self.k or None},
            "report": {"lang": self.lang or None, "title": self.title or None},
        }
        more: dict[str, dict[str, Any]] = {"run": {"sweep": self.sweep}, "drilldown": {"within": self.within}}
        return {"flags": flags, "more": more.get(self.kind, {})}


class Job(BaseModel):
    """A job. done, total: of `unit`s, total is 0 where nobody knows; rate: a second; left: seconds.

    report: its address, once it is there; error: with the code, the error and the next step of the command line
    """

    id: str
    state: State
    kind: str
    workspace: str
    stage: str
    done: int
    total: int
    unit: str
    rate: float
    left: float | None
    error: Trouble | None
    report: str | None
    results: list[dict[str, Any]]
    created_at: str
    ended_at: str | None
    tries: int


class JobList(BaseModel):
    jobs: list[Job]
