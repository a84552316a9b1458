"""The pages: made on the server, with a little JavaScript of our own; nothing in them is from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import jinja2
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from tsclust.serve import problems, received, routes_jobs, workspaces
from tsclust.serve.access import COOKIE
from tsclust.serve.page_texts import HERE, texts
from tsclust.serve.problems import Refusal
from tsclust.serve.routes_jobs import JobId
from tsclust.serve.routes_workspaces import WorkspaceName
from tsclust.serve.state import service, set_cookie, wants_page

router = APIRouter(include_in_schema=False)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
LANGUAGE = "tsclust_lang"  # a cookie
FILES = {"serve.css": "text/css", "serve.js": "text/javascript", "problems.js": "text/javascript"}
Lang = Annotated[Literal["en", "ru"] | None, Query()]


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE / "static")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)


@router.get("/static/{file}")
def static(file: str) -> FileResponse:
    """What the pages are made with."""
    if file not in FILES:
        raise Refusal(404, "there is nothing at this address", "See /openapi.json for what there is")
    return FileResponse(HERE / "static" / file, media_type=FILES[file], headers={"Cache-Control": "max-age=300"})


@router.get("/")
async def start(request: Request, lang: Lang = None) -> Response:
    """Drop a file or pick a source; workspaces and jobs."""
    here = service(request)
    jobs = (await routes_jobs.jobs(request, 30)).jobs if here.queue else []
    names, sources = workspaces.names(here.root), sorted(here.settings.sources)
    return _page(request, "start.html", lang, jobs=jobs, names=names, sources=sources)


@router.get("/pages/jobs/{job}")
async def job_page(request: Request, job: JobId, lang: Lang = None) -> Response:
    """A job as it goes on."""
    return _page(request, "job.html", lang, job=await routes_jobs.shown(request, job))


@router.get("/pages/workspaces/{name}")
def workspace_page(request: Request, name: WorkspaceName, lang: Lang = None) -> Response:
    """A workspace: its reports, answers, what may be done next."""
    found = workspaces.find(service(request).root, name)
    return _page(request, "workspace.html", lang, name=name, reports=workspaces.reports(found))


@router.get("/login")
def login(request: Request, lang: Lang = None) -> Response:
    """Where a token becomes a session."""
    return _page(request, "login.html", lang, wrong=False)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """A cookie for this browser: server-sent events carry no header."""
    async with received.whole(request, received.FIELD) as body:
        given = parse_qs(body.decode(errors="replace"))
    cookie = service(request).access.log_in(given.get("token", [""])[0].strip())
    if cookie is None:
        return _page(request, "login.html", None, wrong=True, status=401)
    home = RedirectResponse(f"{request.scope['root_path']}/", 303)
    set_cookie(request, home, COOKIE, cookie)
    return home


async def handle(request: Request, error: Exception) -> Response:
    """For FastAPI: the handler of errors. Who opens an address in a browser gets a page, a program problem+json."""
    if request.method != "GET" or not wants_page(request):
        return await problems.handle(request, error)
    found = problems.of_error(error)
    said = problems.body(found, request.scope.get("request_id", ""))
    return _page(request, "problem.html", None, found.status_code, problem=said, headers=found.headers)


def _page(
    request: Request, template: str, lang: str | None, status: int = 200, *, headers: Any = None, **more: Any
) -> Response:
    chosen = lang or _language(request)
    root = request.scope["root_path"]
    content = _templates().get_template(template).render(t=texts(chosen), lang=chosen, root=root, **more)
    response = HTMLResponse(content, status, {**(headers or {}), "Content-Security-Policy": POLICY})
    if lang:
        set_cookie(request, response, LANGUAGE, lang)
    return response


def _language(request: Request) -> str:
    """As the browser was told to have it, or prefers it."""
    kept = request.cookies.get(LANGUAGE, "")
    first = request.headers.get("accept-language", "")[:2].lower()
    return next((one for one in (kept, first) if one in ("en", "ru")), "en")
