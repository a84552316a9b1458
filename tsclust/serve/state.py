"""What one service has, for its routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from tsclust.serve.access import Access
from tsclust.serve.answers import Experts
from tsclust.serve.jobs import Jobs
from tsclust.serve.metrics import Metrics
from tsclust.serve.models import Models
from tsclust.serve.received import Room
from tsclust.serve.settings import ServeSettings
from tsclust.wording.language import Language


@dataclass(frozen=True)
class Service:
    """root: the folder of workspaces; own: a folder in it that is the service's alone.

    queue: the DSN of the PostgreSQL that keeps the jobs, "" for none
    """

    root: Path
    own: Path
    settings: ServeSettings
    models: Models
    jobs: Jobs
    metrics: Metrics
    queue: str
    access: Access
    room: Room
    experts: Experts = field(default_factory=Experts)


def service(request: Request) -> Service:
    """That of a request."""
    return cast(Service, cast(Any, request.app).state.service)


def address(request: Request, *parts: str) -> str:
    """The path of something, behind a proxy too, whose host and scheme we do not know."""
    return "/".join((request.scope.get("root_path", ""), *(quote(part, safe="") for part in parts)))


def wants_page(request: Request) -> bool:
    """Whether somebody opens it in a browser: a program asks for anything."""
    return "text/html" in request.headers.get("accept", "")


def set_cookie(
    request: Request, response: Response, name: str, value: str, days: int | None = None, *, from_links: bool = False
) -> None:
    """For our own pages alone. days: how long it is kept, None: until the browser ends; from_links: it also comes
    where a link elsewhere, as in a mail, opens a page: for what gives no right."""
    secure, path = request.url.scheme == "https", request.scope["root_path"] or "/"
    age = None if days is None else days * 86_400
    site: Literal["lax", "strict"] = "lax" if from_links else "strict"
    response.set_cookie(name, value, age, path=path, secure=secure, httponly=True, samesite=site)


@cache
def language(code: str) -> Language:
    """en or ru, read once."""
    return Language.load(code)
