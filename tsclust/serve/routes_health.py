"""/healthz, /readyz, /metrics: for whoever watches over the service."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

import tsclust
from tsclust.serve import metrics, schemas
from tsclust.serve.openapi import refusals
from tsclust.serve.state import service

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> schemas.Health:  # not in a thread: all of them may be at work
    """Whether the process answers."""
    return schemas.Health(status="ok", version=tsclust.__version__)


@router.get("/readyz", responses=refusals(503))
async def readyz(request: Request) -> schemas.Ready:
    """Whether it can do its work."""
    here = service(request)
    return schemas.Ready(
        status="ok",
        version=tsclust.__version__,
        models=len(here.models.store.names()),
        jobs=len(await here.jobs.states()) if here.queue else 0,
    )


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def shown(request: Request) -> Response:
    """Series by verdict, requests, seconds, loaded models: for Prometheus."""
    here = service(request)
    here.metrics.waiting.set(here.models.waiting())
    states = list((await here.jobs.states()).values()) if here.queue else []
    for state in ("queued", "running"):
        here.metrics.jobs.labels(state).set(states.count(state))
    return Response(here.metrics.text(), media_type=metrics.MEDIA_TYPE)
