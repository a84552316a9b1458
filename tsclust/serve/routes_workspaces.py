"""/workspaces: their reports, labels and scores; answers of experts come here."""

from __future__ import annotations

import secrets
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse

from tsclust.serve import received, report_pages, workspaces
from tsclust.serve.openapi import ANSWERS, of_type, refusals
from tsclust.serve.problems import Refusal
from tsclust.serve.report_pages import POLICY
from tsclust.serve.state import address, service, set_cookie, wants_page

router = APIRouter(tags=["workspaces"])
WorkspaceName = Annotated[str, InPath(max_length=64, examples=["line-3"])]
MOST = 50_000_000  # bytes of an answers file
NO_COOKIE = "Allow cookies for this address and open the report again, or save the answers as a file and send that"
VARY = {"Vary": "Accept"}
BROWSER = "tsclust_browser"  # a cookie: a secret by which a browser replaces what it has sent itself


class OneWorkspace(BaseModel):
    name: str
    reports: list[str]
    model: bool


class AllWorkspaces(BaseModel):
    workspaces: list[OneWorkspace]


class OneFile(BaseModel):
    """mine: this browser has sent it; file: as docs/answers.md describes it."""

    labeller: str
    mine: bool
    file: dict[str, Any]


class Kept(BaseModel):
    """left_out: how many older files had no room."""

    answers: list[OneFile]
    left_out: int


class Taken(BaseModel):
    """imported: False for a draft, or where a job was at work: the file is kept, and imported with the next one."""

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
    "/workspaces/{name}/reports/{file:path}", response_class=Response,
    responses={**refusals(404), **of_type("text/html")},
)  # fmt: skip
def page(
    request: Request, name: WorkspaceName, file: Annotated[str, InPath(max_length=400, examples=["report.html"])],
    download: bool = False,
) -> Response:  # fmt: skip
    """A report, as it is on the disk. Where a page is asked for (Accept: text/html), as a browser does, one that asks
    something has a button that sends the answers here."""
    here = service(request)
    path = workspaces.report(workspaces.find(here.root, name), file)
    if download or not wants_page(request):
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name)}"} if download else {}
        return FileResponse(path, media_type="text/html", headers=headers | POLICY | VARY)
    may = here.access.may(request.headers, "answer")
    made = report_pages.served(path.read_bytes(), address(request, "workspaces", name, "answers"), may)
    response = HTMLResponse(made.content, headers={"Content-Security-Policy": made.policy, **VARY})
    if not request.cookies.get(BROWSER):
        set_cookie(request, response, BROWSER, secrets.token_urlsafe(24), days=400, from_links=True)
    return response


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


@router.get(
    "/workspaces/{name}/answers", response_class=Response,
    responses={**refusals(404), 304: {"description": "Nothing is new since If-None-Match."}, 200: {"model": Kept}},
)  # fmt: skip
def kept(
    request: Request, name: WorkspaceName, model: Annotated[str, Query(max_length=64)],
    if_none_match: Annotated[str, Header(max_length=100)] = "",
) -> Response:  # fmt: skip
    """The answers files that are kept about the sweep that a report shows, `report.model` in what it asks."""
    here = service(request)
    found = workspaces.find(here.root, name)
    version, text = here.experts.shown(found, model, request.cookies.get(BROWSER, ""))
    headers = {"ETag": version}
    if if_none_match == version:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


@router.post("/workspaces/{name}/answers", responses=refusals(404, 409, 412, 413, 422, 503), openapi_extra=ANSWERS)
async def answers(
    request: Request, response: Response, name: WorkspaceName, own: bool = False, draft: bool = False,
    if_match: Annotated[str, Header(max_length=100)] = "",
) -> Taken:  # fmt: skip
    """Import an answers file, as a report saves it. It is kept in answers/, and refused whole where it is none.

    own: in the place of what this browser has sent under the same name about the same report; draft: kept and shown to
    others, not imported yet; If-Match: the ETag of what the sender has seen of others, 412 where there is more.
    """
    here = service(request)
    workspace = workspaces.find(here.root, name)
    browser = request.cookies.get(BROWSER, "") if own else ""
    if (own or draft) and not browser:
        raise Refusal(409, f"own and draft need the cookie {BROWSER}, which a report sets", NO_COOKIE)
    async with received.whole(request, MOST) as content:
        taking = partial(here.experts.take, workspace, content, browser, draft=draft, seen=if_match)
        response.headers["ETag"], done = await run_in_threadpool(taking)
    return Taken(**done)
