"""/workspaces: their reports, labels and scores; answers of experts come here."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from tsclust.serve import received, workspaces
from tsclust.serve.openapi import ANSWERS, of_type, refusals
from tsclust.serve.state import service

router = APIRouter(tags=["workspaces"])
WorkspaceName = Annotated[str, InPath(max_length=64, examples=["line-3"])]
MOST = 50_000_000  # bytes of an answers file
# The page has a policy of its own, which is as strict: a header would only add to it.
PAGE = {"Content-Security-Policy": "frame-ancestors 'none'"}


class OneWorkspace(BaseModel):
    name: str
    reports: list[str]
    model: bool


class AllWorkspaces(BaseModel):
    workspaces: list[OneWorkspace]


class Taken(BaseModel):
    """imported: False where a job was at work, and the file is kept for the next one of kind run."""

    file: str
    imported: bool
    notes: list[str]
    facts: dict[str, Any] | None


@router.get("/workspaces")
def every(request: Request) -> AllWorkspaces:
    """All workspaces, with their reports, the newest first."""
    root = service(request).root
    found = [workspaces.find(root, name) for name in workspaces.names(root)]
    shown = [
        OneWorkspace(name=one.root.name, reports=workspaces.reports(one), model=workspaces.has_model(one))
        for one in found
    ]
    return AllWorkspaces(workspaces=shown)


@router.get(
    "/workspaces/{name}/reports/{file}", response_class=Response, responses={**refusals(404), **of_type("text/html")}
)
def page(request: Request, name: WorkspaceName, file: Annotated[str, InPath(max_length=200)]) -> Response:
    """A report."""
    path = workspaces.report(workspaces.find(service(request).root, name), file)
    return FileResponse(path, media_type="text/html", headers=PAGE)


@router.get(
    "/workspaces/{name}/{what}.{form}", response_class=Response,
    responses={**refusals(404, 409), **of_type("text/csv")},
)  # fmt: skip
def table(
    request: Request, name: WorkspaceName, what: Literal["labels", "scores"], form: Literal["csv", "parquet"]
) -> Response:
    """The labels, or the scores, as a file."""
    workspace, write = workspaces.find(service(request).root, name), getattr(workspaces, f"{what}_as")
    with tempfile.TemporaryDirectory(prefix="receiving-", dir=service(request).own) as folder:
        path = Path(folder) / f"{what}.{form}"
        write(workspace, path)
        content = path.read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{what}.{form}"'}
    return Response(content, media_type=workspaces.FORMS[form], headers=headers)


@router.post("/workspaces/{name}/answers", responses=refusals(404, 409, 413, 422), openapi_extra=ANSWERS)
async def answers(request: Request, name: WorkspaceName) -> Taken:
    """Import an answers file, as a report saves it. It is kept in answers/, and refused whole where it is none."""
    workspace = workspaces.find(service(request).root, name)
    content = await received.whole(request, MOST)
    return Taken(**await run_in_threadpool(workspaces.take_answers, workspace, content))
