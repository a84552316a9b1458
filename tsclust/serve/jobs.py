"""Jobs: a queue that survives, a bounded number of child processes, and what each of them says of itself.

Every job is a folder on disk (job_record.py) and an entry in the queue. The service alone has the folder of workspaces:
when it starts, whatever is said to be running is not, and is taken up again, at most three times.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import procrastinate
from procrastinate import JobContext

from tsclust.json_log import note
from tsclust.serve import uploads
from tsclust.serve.job_process import Process, Publish, StoppedError
from tsclust.serve.job_record import TRIES, Progress, Record, Records, State
from tsclust.serve.metrics import Metrics
from tsclust.serve.problems import Refusal
from tsclust.serve.settings import ServeSettings

QUEUE, TASK = "tsclust", "job"
WAITING = 100  # jobs in the queue
_OF_JOBS = "FROM procrastinate_jobs WHERE task_name = %(task)s"
_FIND = f"SELECT id, status::text AS status {_OF_JOBS} AND args->>'job' = %(job)s ORDER BY id DESC LIMIT 1"
_ALL = f"""SELECT DISTINCT ON (args->>'job') args->>'job' AS job, id, status::text AS status {_OF_JOBS}
ORDER BY args->>'job', id DESC"""


class Jobs:
    """The jobs of a service, in one event loop."""

    def __init__(self, root: Path, own: Path, settings: ServeSettings, metrics: Metrics, publish: Publish) -> None:
        self.records = Records(own / "jobs")
        self._of = (settings, metrics, publish)
        self._root, self._settings = root, settings
        self._running: dict[str, Process] = {}
        self._stopping = False
        self.records.sweep_up()
        self._app: procrastinate.App | None = None

    @property
    def stopping(self) -> bool:
        """Whether the service ends."""
        return self._stopping

    def announce_end(self) -> None:
        """The service ends soon: nothing is begun any more, and nobody is kept waiting for the end of a job."""
        self._stopping = True

    @asynccontextmanager
    async def working(self, dsn: str) -> AsyncIterator[None]:
        """The queue is worked on, as long as it takes."""
        await asyncio.to_thread(uploads.sweep, self._root, self._settings)
        connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=4)
        app = self._app = procrastinate.App(connector=connector)
        app.task(queue=QUEUE, name=TASK, pass_context=True)(self._work)
        async with app.open_async():
            await self._take_up()
            worker = asyncio.create_task(app.run_worker_async(
                queues=[QUEUE], concurrency=self._settings.jobs, install_signal_handlers=False,
                fetch_job_polling_interval=2.0, update_heartbeat_interval=5.0, shutdown_graceful_timeout=10.0,
            ))  # fmt: skip
            try:
                yield
            finally:
                await self._stop(worker)
                self._app = None

    async def check_room(self) -> None:
        """Raises Refusal where too many wait."""
        waiting = sum(state == "queued" for state in (await self.states()).values())
        if waiting >= WAITING:
            raise Refusal(429, f"{waiting} jobs wait", "Try again later", headers={"Retry-After": "60"})

    async def submit(self, kind: str, workspace: str, **more: Any) -> Record:
        """Queue a job."""
        record = self.records.make(kind, workspace, **more)
        await self._defer(record)
        note("job queued", job=record.id, kind=kind, workspace=workspace)
        return record

    async def state(self, record: Record) -> State:
        """queued, running, done, failed or cancelled."""
        if (result := record.result()) is not None:
            return result.state
        row = await self._row(record)
        return "running" if row and row["status"] == "doing" else "queued"

    async def states(self) -> Mapping[str, State]:
        """id -> state of all jobs that have not ended."""
        rows = await self._connector().execute_query_all_async(_ALL, task=TASK)
        doing = {row["job"] for row in rows if row["status"] == "doing"}
        left = [one.id for one in self.records.all() if one.result() is None]
        return {job: "running" if job in doing else "queued" for job in left}

    def progress(self, record: Record) -> Progress | None:
        """How far a running one is."""
        running = self._running.get(record.id)
        return running.progress if running else None

    async def cancel(self, record: Record) -> None:
        """End it; what it has completed is kept. Raises Refusal where it has ended."""
        if (result := record.result()) is not None:
            raise Refusal(409, f"the job has ended: it is {result.state}", "Start another one")
        row = await self._row(record)
        if row:
            with contextlib.suppress(procrastinate.exceptions.ProcrastinateException):
                await self._jobs().cancel_job_by_id_async(row["id"])
        if running := self._running.get(record.id):
            await running.stop()
        record.end("cancelled")
        note("job cancelled", job=record.id)

    async def remove(self, record: Record) -> None:
        """Forget it. Raises Refusal while it has not ended."""
        if record.result() is None:
            raise Refusal(409, "the job has not ended", "Cancel it first: POST cancel")
        while record.id in self._running:  # its process has said the last word, and is about to end
            await asyncio.sleep(0.05)
        self.records.remove(record)

    async def _work(self, context: JobContext, job: str) -> None:
        """The task of the queue. It has ended when its result is on the disk; else it is taken up at the next start."""
        with contextlib.suppress(Refusal):  # removed meanwhile
            record = self.records.find(job)
            if record.result() is None and not self._stopping:
                await self._do(record)

    async def _do(self, record: Record) -> None:
        """Again and again while its process is killed; at most TRIES times in all."""
        while record.result() is None:
            if record.tries() >= TRIES:
                error = {
                    "code": 1, "error": f"its process was killed {TRIES} times, by a restart or for want of memory",
                    "next": "See the log of the service and of the system, then start it again",
                }  # fmt: skip
                record.end("failed", error=error)
                note("job given up", logging.ERROR, job=record.id)
                return
            record.count(1)
            if not await self._try(record):
                return

    async def _try(self, record: Record) -> bool:
        """Whether to try once more, should there be no result."""
        process = self._running[record.id] = Process(self._root, record, *self._of)
        note("job started", job=record.id, tries=record.tries())
        try:
            await process.run()
        except StoppedError:
            if self._stopping:
                record.count(-1)  # handed back: no fault of its own
            return False
        finally:
            del self._running[record.id]
        if (result := record.result()) is not None:
            note("job ended", job=record.id, state=result.state)
        return not self._stopping

    async def _take_up(self) -> None:
        """What was running, or got lost between the folder and the queue, is queued again."""
        rows = {row["job"]: row for row in await self._connector().execute_query_all_async(_ALL, task=TASK)}
        for record in self.records.all():
            row = rows.get(record.id)
            if row and row["status"] == "doing":
                await self._jobs().retry_job_by_id_async(row["id"], retry_at=datetime.now(UTC))
            elif record.result() is None and (row is None or row["status"] != "todo"):
                await self._defer(record)

    async def _stop(self, worker: asyncio.Task[None]) -> None:
        self._stopping = True
        await asyncio.gather(*(one.stop() for one in list(self._running.values())))
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await worker

    async def _defer(self, record: Record) -> None:
        """One at a time in a workspace."""
        if self._app is not None:
            task = self._app.configure_task(TASK, queue=QUEUE, lock=record.asked().workspace)
            await task.defer_async(job=record.id)

    async def _row(self, record: Record) -> Mapping[str, Any] | None:
        rows = await self._connector().execute_query_all_async(_FIND, task=TASK, job=record.id)
        return rows[0] if rows else None

    def _jobs(self) -> Any:
        return self._opened().job_manager

    def _connector(self) -> Any:
        return self._opened().connector

    def _opened(self) -> procrastinate.App:
        if self._app is None:
            raise Refusal(503, "the queue of jobs is not open", "Try again", headers={"Retry-After": "5"})
        return self._app
