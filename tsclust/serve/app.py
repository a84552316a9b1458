"""The application: what there is in a service, its routes, and the gate around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from tsclust.errors import TsclustError
from tsclust.serve import (
    openapi,
    routes_health,
    routes_jobs,
    routes_models,
    routes_pages,
    routes_scores,
    routes_workspaces,
)
from tsclust.serve.access import Access
from tsclust.serve.gate import Gate
from tsclust.serve.jobs import Jobs
from tsclust.serve.metrics import Metrics
from tsclust.serve.models import Models
from tsclust.serve.received import Room
from tsclust.serve.settings import ServeSettings
from tsclust.serve.state import Service
from tsclust.serve.store import Store

OWN = ".serve"  # the service's own folder among the workspaces
ABOUT = "Models that find the kinds of malfunction in short sensor series, and the jobs that make them."


@dataclass(frozen=True)
class Options:
    """What the command line says.

    access: who may ask; prefix: of paths, behind a proxy; allow_features: run Python code that bundles bring
    """

    access: Access = field(default_factory=lambda: Access(frozenset({"localhost", "127.0.0.1", "[::1]"}), {}))
    prefix: str = ""
    allow_features: bool = False


def create(root: Path, settings: ServeSettings, options: Options, queue: str = "") -> Gate:
    """The service for the workspaces in the folder `root`, for any ASGI server; one process at a time has it.

    queue: the DSN of the PostgreSQL that keeps its jobs, "" for models and scores alone.
    """
    own = root / OWN
    own.mkdir(parents=True, exist_ok=True)
    metrics = Metrics()
    store = Store.at(own / "models", settings.unpacked_mb * 1_000_000, options.allow_features)
    models = Models(store, settings.loaded, settings.waiting, metrics.loaded.set)
    app = FastAPI(title="tsclust", description=ABOUT, docs_url=None, redoc_url=None, lifespan=_life)
    jobs = Jobs(root, own, settings, metrics, partial(store.publish, root))
    room = Room(max(settings.held_mb, settings.request_mb) * 1_000_000)
    app.state.service = Service(root, own, settings, models, jobs, metrics, queue, options.access, room)
    for kind in (TsclustError, HTTPException, RequestValidationError, ValidationError, Exception):
        app.add_exception_handler(kind, routes_pages.handle)
    for routes in (routes_health, routes_models, routes_scores, routes_jobs, routes_workspaces, routes_pages):
        app.include_router(routes.router)
    app.__dict__["openapi"] = partial(openapi.describe, app)
    return Gate(app, options.access, metrics, options.prefix, jobs.announce_end)


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    here: Service = app.state.service
    try:
        async with here.jobs.working(here.queue) if here.queue else nullcontext():
            yield
    finally:
        here.models.close()
