"""/healthz, /readyz, /metrics: for whoever watches over the service."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

import tsclust
from tsclust.serve import metrics, schemas
from tsclust.serve.openapi import refusals
from tsclust.serve.state import service

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> schemas.Health:
    """Whether the process answers."""
    return schemas.Health(status="ok", version=tsclust.__version__)


@router.get("/readyz", responses=refusals(503))
def readyz(request: Request) -> schemas.Ready:
    """Whether it can do its work."""
    here = service(request)
    return schemas.Ready(status="ok", version=tsclust.__version__, models=len(here.models.store.names()))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def shown(request: Request) -> Response:
    """Series by verdict, requests, seconds, loaded models: for Prometheus."""
    here = service(request)
    here.metrics.waiting.set(here.models.waiting())
    return Response(here.metrics.text(), media_type=metrics.MEDIA_TYPE)
