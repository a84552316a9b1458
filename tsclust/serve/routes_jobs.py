"""/jobs: an upload or a source becomes a job; how far it is, by asking or by server-sent events; its report."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse

from tsclust.serve import names, received, uploads
from tsclust.serve.job_record import Progress, Record
from tsclust.serve.job_schemas import Job, JobAsked, JobList
from tsclust.serve.next_steps import over_http
from tsclust.serve.openapi import JOB, refusals
from tsclust.serve.problems import Refusal
from tsclust.serve.report_pages import POLICY
from tsclust.serve.settings import ServedSource
from tsclust.serve.state import Service, address, service, wants_page
from tsclust.workspace.folder import Workspace

router = APIRouter(tags=["jobs"])
JobId = Annotated[str, InPath(max_length=64, examples=["5f0c7d1e2b3a4f5e8d9c0b1a2f3e4d5c"])]
EVERY, QUIET = 0.3, 15.0  # seconds between two looks at a job, and between two signs of life


@router.post(
    "/jobs", status_code=202, responses=refusals(403, 404, 409, 413, 415, 422, 429, 503, 507), openapi_extra=JOB
)
async def submit(request: Request, response: Response) -> Job:
    """Start a job: a form with the file in the field `file` (Parquet, CSV, pg_dump, packed or not) and the other keys
    as fields, or JSON for a workspace that is there or a configured source.

    The file goes to `uploads/` of the workspace, which is made where there is none. One job at a time is at work in a
    workspace; while a command of the command line is at work there, jobs are refused (409).
    """
    here = service(request)
    with uploads.beside(here.own) as folder:
        asked, name = await _asked(here, request, folder / "file")
        await run_in_threadpool(_check, here, asked, name)
        if not await _is_busy(here, asked.workspace):
            await run_in_threadpool(_try_lock, here, asked.workspace)
        await here.jobs.check_room()
        file = await run_in_threadpool(uploads.keep, folder / "file", here.root / asked.workspace, name) if name else ""
    record = await here.jobs.submit(
        asked.kind, asked.workspace, options=asked.options(), file=file, source=asked.source
    )
    response.headers["Location"] = address(request, "jobs", record.id)
    return await run_in_threadpool(_shown, request, record)


@router.get("/jobs", responses=refusals(503))
async def jobs(request: Request, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> JobList:
    """The newest jobs, newest first; what their commands did is shown of each alone."""
    return await run_in_threadpool(_list, request, limit)


@router.get("/jobs/{job}", responses=refusals(404, 503))
async def shown(request: Request, job: JobId) -> Job:
    """State and progress of a job."""
    return await run_in_threadpool(_shown, request, service(request).jobs.records.find(job))


@router.get(
    "/jobs/{job}/events",
    response_class=Response,
    responses={**refusals(404, 503), 200: {"content": {"text/event-stream": {}}}},
)
async def events(request: Request, job: JobId) -> StreamingResponse:
    """The same, whenever it changes, as server-sent events `job`; the stream ends with the job."""
    record = service(request).jobs.records.find(job)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, record), media_type="text/event-stream", headers=headers)


@router.get(
    "/jobs/{job}/report", response_class=Response,
    responses={**refusals(404, 409), 200: {"content": {"text/html": {}}}, 303: {"description": "For a browser."}},
)  # fmt: skip
async def report(request: Request, job: JobId) -> Response:
    """The report that a job has written: the file. A browser is led to where it can be answered."""
    here = service(request)
    record = here.jobs.records.find(job)
    result, asked = record.result(), record.asked()
    if result is None or not result.report:
        raise Refusal(409, "the job has no report", "Wait until it is done; a job of kind `report` writes one")
    path = here.root / asked.workspace / "reports" / result.report
    if not path.is_file():
        raise Refusal(404, f"the report {result.report} is gone", "Make it again: a job of kind `report`")
    if wants_page(request):
        there = address(request, "workspaces", asked.workspace, "reports", *result.report.split("/"))
        return RedirectResponse(there, 303, headers={"Vary": "Accept"})
    return FileResponse(path, media_type="text/html", headers=POLICY | {"Vary": "Accept"})


@router.get("/jobs/{job}/log", response_class=PlainTextResponse, responses=refusals(404))
async def log(request: Request, job: JobId) -> PlainTextResponse:
    """What its processes have written, the last 100 kB."""
    path = service(request).jobs.records.find(job).log
    content = path.read_bytes()[-100_000:] if path.exists() else b""
    return PlainTextResponse(content.decode(errors="replace"))


@router.post("/jobs/{job}/cancel", responses=refusals(404, 409, 503))
async def cancel(request: Request, job: JobId) -> Job:
    """End it. What it has completed is kept."""
    here = service(request)
    record = here.jobs.records.find(job)
    await here.jobs.cancel(record)
    return await run_in_threadpool(_shown, request, record)


@router.delete("/jobs/{job}", status_code=204, responses=refusals(404, 409))
async def remove(request: Request, job: JobId) -> Response:
    """Forget a job that has ended. Its workspace stays."""
    here = service(request)
    await here.jobs.remove(here.jobs.records.find(job))
    return Response(status_code=204)


async def _asked(here: Service, request: Request, to: Path) -> tuple[JobAsked, str]:
    """(what is asked for, what the uploaded file is to be called, "" for none); the file itself is written to `to`."""
    if request.headers.get("content-type", "").startswith("application/json"):
        async with received.whole(request, received.SMALL) as body:
            return JobAsked.model_validate_json(body), ""
    fields, file = await uploads.receive(request, here.root, to, here.settings)
    given: dict[str, Any] = {name: value for name, value in fields.items() if value}
    if "baseline" in given:
        given["baseline"] = [one.strip() for one in given["baseline"].split(",") if one.strip()]
    return JobAsked.model_validate(given), file


def _check(here: Service, asked: JobAsked, file: str) -> None:
    """Raises Refusal, NotAWorkspaceError."""
    names.checked(asked.workspace, "workspace")
    if asked.source and (asked.source not in here.settings.sources or asked.kind != "run" or file):
        there = ", ".join(here.settings.sources) or "none"
        raise Refusal(422, f"{asked.source!r} is no source for this job (there are: {there})", "See [serve.sources]")
    if asked.source:
        _refuse_widening(asked, here.settings.sources[asked.source])
    if asked.kind == "drilldown" and asked.within is None:
        raise Refusal(422, "a drill-down needs a group: expected within", 'For example {"within": 7}')
    if file or asked.source:
        uploads.check(here.root / asked.workspace)
    else:
        Workspace.open(here.root / asked.workspace)


def _refuse_widening(asked: JobAsked, source: ServedSource) -> None:
    """What a source names is all that may be read of its server. Raises Refusal."""
    for name in ("table", "where"):
        if getattr(asked, name) and (name == "table" or source.where):
            raise Refusal(
                422, f"{name}: the source {asked.source!r} names its own", f"Leave {name} out, or name another source"
            )


async def _is_busy(here: Service, workspace: str) -> bool:
    """Whether a job of ours is at work there, or waits to be."""
    return any(here.jobs.records.find(job).asked().workspace == workspace for job in await here.jobs.states())


def _try_lock(here: Service, name: str) -> None:
    """Raises WorkspaceBusyError while a command is at work there."""
    if (here.root / name / "tsclust.toml").exists():
        with Workspace(here.root / name).locked():
            pass


def _list(request: Request, limit: int) -> JobList:
    records = itertools.islice(service(request).jobs.records.all(), limit)
    return JobList(jobs=[_shown(request, one).model_copy(update={"results": []}) for one in records])


def _shown(request: Request, record: Record) -> Job:
    """Reads from the disk what has not ended."""
    here = service(request)
    asked, state, result = record.asked(), here.jobs.state(record), record.result()
    error = result.error if result else None
    progress = here.jobs.progress(record) or Progress()
    return Job(
        id=record.id, state=state, kind=asked.kind, workspace=asked.workspace, **progress.model_dump(),
        error=error and error.model_copy(update={"next": over_http(error.next)}),
        results=list(result.results) if result else [],
        report=address(request, "jobs", record.id, "report") if result and result.report else None,
        created_at=asked.created_at, ended_at=result.ended_at if result else None, tries=record.tries(),
    )  # fmt: skip


async def _events(request: Request, record: Record) -> AsyncIterator[bytes]:
    here, before, quiet = service(request), "", 0.0
    while not here.jobs.stopping:
        now = (await run_in_threadpool(_shown, request, record)).model_dump_json()
        if now != before:
            yield f"event: job\ndata: {now}\n\n".encode()
            before, quiet = now, 0.0
        if json.loads(now)["ended_at"] is not None:
            return
        await asyncio.sleep(EVERY)
        quiet += EVERY
        if quiet >= QUIET:
            yield b": still there\n\n"
            quiet = 0.0
