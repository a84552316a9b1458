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

from tsclust.errors import TsclustError
from tsclust.json_log import note
from tsclust.serve import job_process, uploads
from tsclust.serve.job_process import Process, Publish, StoppedError
from tsclust.serve.job_record import TRIES, Progress, Record, Records, State
from tsclust.serve.metrics import Metrics
from tsclust.serve.problems import Refusal, is_full
from tsclust.serve.settings import ServeSettings

QUEUE, TASK = "tsclust", "job"
SWEEP = 3_600.0  # seconds between two looks at uploads that are too old
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
        connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=4)
        app = self._app = procrastinate.App(connector=connector)
        app.task(queue=QUEUE, name=TASK, pass_context=True)(self._work)
        async with app.open_async():
            await self._take_up()
            sweeping = asyncio.create_task(self._sweep())
            worker = asyncio.create_task(app.run_worker_async(
                queues=[QUEUE], concurrency=self._settings.jobs, install_signal_handlers=False,
                fetch_job_polling_interval=2.0, update_heartbeat_interval=5.0, shutdown_graceful_timeout=10.0,
            ))  # fmt: skip
            try:
                yield
            finally:
                sweeping.cancel()
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

    def state(self, record: Record) -> State:
        """queued, running, done, failed or cancelled: nobody but this process works on jobs, so the queue need not be
        asked. Raises Refusal where there is none."""
        if (result := record.result()) is not None:
            return result.state
        self._opened()
        return "running" if record.id in self._running else "queued"

    async def states(self) -> Mapping[str, State]:
        """id -> state of all jobs that have not ended."""
        self._opened()
        left = await asyncio.to_thread(self._left)
        return {record.id: "running" if record.id in self._running else "queued" for record in left}

    def _left(self) -> list[Record]:
        return [one for one in self.records.all() if one.result() is None]

    def _in_use(self) -> set[Path]:
        """Uploads that jobs are still to read."""
        return {self._root / one.asked().workspace / one.asked().file for one in self._left() if one.asked().file}

    async def _sweep(self) -> None:
        """Now, and as long as the service runs."""
        while True:
            try:
                await asyncio.to_thread(lambda: uploads.sweep(self._root, self._settings, self._in_use()))
            except OSError as error:
                note("uploads cannot be swept", logging.ERROR, why=str(error))
            await asyncio.sleep(SWEEP)

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
        """Until there is something to say of it: an error of the system that is no full disk is its result."""
        while record.result() is None:
            try:
                if not await self._again(record):
                    return
            except Exception as error:  # noqa: BLE001  else it would be said to wait for ever
                if not is_full(error):
                    self._fail(record, error)
                    return
                note("job waits for space", logging.ERROR, job=record.id, why=str(error))
                await asyncio.sleep(job_process.SPACE)
                if self._stopping:
                    return

    async def _again(self, record: Record) -> bool:
        """Once more where its process was killed, at most TRIES times in all; whether there may be another time."""
        if record.tries() >= TRIES:
            error = {
                "code": 1, "error": f"its process was killed {TRIES} times, by a restart or for want of memory",
                "next": "See the log of the service and of the system, then start it again",
            }  # fmt: skip
            record.end("failed", error=error)
            note("job given up", logging.ERROR, job=record.id)
            return False
        record.count(1)
        try:
            return await self._try(record)
        except OSError:
            record.count(-1)  # it was not begun
            raise

    def _fail(self, record: Record, error: Exception) -> None:
        """What the service itself cannot do for a job is what came of it."""
        ours = not isinstance(error, OSError | TsclustError)
        why = (
            f"the service met an error of its own: {type(error).__name__}"
            if ours
            else f"the service could not do it: {error}"
        )
        note("job failed", logging.ERROR, error if ours else None, job=record.id, why=str(error))
        try:
            record.end("failed", error={"code": 1, "error": why, "next": "Mend that, then start the job again"})
        except (OSError, TsclustError):
            record.lose(why)

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
