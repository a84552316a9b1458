"""/models: what there is, bundles that come and versions that are chosen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from tsclust.serve import names, received, schemas, shown
from tsclust.serve.openapi import BUNDLE, refusals
from tsclust.serve.state import Service, address, service

router = APIRouter(tags=["models"])
ModelName = Annotated[str, InPath(max_length=64, examples=["plant"])]


@router.get("/models")
def models(request: Request) -> schemas.Models:
    """All models, by name."""
    here = service(request)
    return schemas.Models(models=[_brief(here, name) for name in here.models.store.names()])


@router.post(
    "/models", status_code=201, responses=refusals(403, 404, 409, 413, 415, 422, 503, 507), openapi_extra=BUNDLE
)
async def add(request: Request, response: Response) -> schemas.Model:
    """Add a model, or a version of it, which becomes the current one.

    A form with `name` and `file`, a bundle of `tsclust export --bundle FILE.zip`; or {"workspace": NAME} for the model
    that was trained in a workspace of this service. A bundle is never executed; one with features of its own, which are
    Python code, is refused unless the service was started with --allow-features.
    """
    here = service(request)
    if request.headers.get("content-type", "").startswith("application/json"):
        async with received.whole(request, received.SMALL) as body:
            given = schemas.FromWorkspace.model_validate_json(body)
        name = await run_in_threadpool(here.models.store.publish, here.root, given.workspace)
    else:
        name = await _received(here, request)
    response.headers["Location"] = address(request, "models", name)
    return _brief(here, name)


@router.get("/models/{name}", responses=refusals(404))
def model(request: Request, name: ModelName) -> schemas.ModelShown:
    """What a model needs of series, which kinds it knows, and how good it is."""
    here = service(request)
    loaded = here.models.load(name)
    return shown.whole(_brief(here, name), loaded.model, loaded.scorer.carried)


@router.get(
    "/models/{name}/bundle", response_class=Response,
    responses={200: {"content": {"application/zip": {}}}, 304: {"description": "It is as If-None-Match has it."},
               **refusals(404, 422)},
)  # fmt: skip
def packed(request: Request, name: ModelName) -> Response:
    """The current version as one file, as `tsclust export --bundle` writes it, for another machine. ETag: its id."""
    here = service(request)
    version = here.models.store.versions(name).current
    tag = {"ETag": f'"{version}"'}
    if request.headers.get("if-none-match") == tag["ETag"]:
        return Response(status_code=304, headers=tag)
    with _beside(here) as folder:
        here.models.store.pack(name, version, folder / "bundle.zip")
        return Response((folder / "bundle.zip").read_bytes(), media_type="application/zip", headers=tag)


@router.post("/models/{name}/load", responses=refusals(404, 409, 422))
def load(request: Request, name: ModelName) -> schemas.Model:
    """Have it in memory. Scores load a model that is not."""
    service(request).models.load(name)
    return _brief(service(request), name)


@router.post("/models/{name}/unload", responses=refusals(404))
def unload(request: Request, name: ModelName) -> schemas.Model:
    """Free its memory. The next request for scores loads it again."""
    service(request).models.unload(name)
    return _brief(service(request), name)


@router.post("/models/{name}/current", responses=refusals(404, 422))
def choose(request: Request, name: ModelName, choice: schemas.Choice) -> schemas.Model:
    """Score by this version from now on."""
    service(request).models.store.choose(name, choice.version)
    return _brief(service(request), name)


@router.post("/models/{name}/rollback", responses=refusals(404, 409))
def roll_back(request: Request, name: ModelName) -> schemas.Model:
    """Score by the version again that was current before."""
    service(request).models.store.roll_back(name)
    return _brief(service(request), name)


async def _received(here: Service, request: Request) -> str:
    with _beside(here) as folder:
        fields = await received.form(request, folder / "bundle.zip", here.settings.bundle_mb * 1_000_000, "bundle_mb")
        name = names.checked(fields.get("name", ""), "model")
        await run_in_threadpool(here.models.store.add_file, name, folder / "bundle.zip")
    return name


@contextmanager
def _beside(here: Service) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="receiving-", dir=here.own) as folder:
        yield Path(folder)


def _brief(here: Service, name: str) -> schemas.Model:
    return shown.brief(name, here.models.store.versions(name), here.models.loaded(name) is not None)
