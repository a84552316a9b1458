"""The engine of many machines: parts are done by the workers of a Dask cluster that see the workspace's folder.

Results come in the order of the parts, a few ahead of the one that is taken. What all parts need is sent once.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, KilledWorker
from distributed.security import Security

from tsclust.engine import dask_worker
from tsclust.engine.dask_worker import Failed, Terms, packed, unpacked
from tsclust.engine.place import Place
from tsclust.errors import ConnectError, SettingsError, SourceLostError, TsclustError, one_line

RETRIES = 2  # of a part that fails otherwise than by an error of ours: a folder of the network may be away
PATIENCE = 60.0  # seconds without any worker, or without an answer of the scheduler
AHEAD = 2  # tasks that are asked for at a time, for each thread of the workers
TASKS, TOGETHER = 6, 4  # for each thread at least, where parts are put together; parts of one task at most
_TOKEN, _STALE = ".tsclust.engine-", 7 * 86_400  # a file of each command; seconds until one counts as left behind
_LOOK = 1.0  # seconds between two looks at who is there
_QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB", "distributed.comm.timeouts.connect": "5s"}


class Cluster:
    """The engine; the protocol is `engine.base.Engine`."""

    def __init__(self, client: Any, place: Place, terms: Terms) -> None:
        self._client, self._place, self._terms = client, place, terms
        self._threads, self._looked, self._is_silent = 0, 0.0, False

    def __call__(
        self, function: Callable[[Any], Any], parts: Iterable[Any], workers: int, stop: Callable[[], object], /
    ) -> Iterator[Any]:
        known = self._client.submit(unpacked, packed(function), pure=False)
        threads, pending = dask_worker.threads_here(), deque[Any]()
        try:
            for few in self._few_at_a_time(parts):
                pending.append(self._submit(known, threads, few))
                while len(pending) > AHEAD * self._there():
                    yield from self._first(pending)
            while pending:
                yield from self._first(pending)
        finally:
            stop()
            self._end(known, pending)

    def _few_at_a_time(self, parts: Iterable[Any]) -> Iterator[list[Any]]:
        """Parts that are asked for together: a task costs some milliseconds, so of many parts no thread gets so many
        tasks."""
        many = len(parts) if isinstance(parts, Sized) else 0
        size, rest = min(max(many // (TASKS * self._there()), 1), TOGETHER), iter(parts)
        while few := list(islice(rest, size)):
            yield few

    def _submit(self, known: Any, threads: dict[str, int], few: list[Any]) -> Any:
        return self._client.submit(
            dask_worker.do, self._terms, threads, known, packed(few), pure=False, retries=RETRIES
        )

    def _first(self, pending: deque[Any]) -> Iterator[Any]:
        """The summaries of the first parts. They stay pending until they are here."""
        found = unpacked(self._waited_for(pending[0]))
        pending.popleft()
        for summary in found:
            if isinstance(summary, Failed):
                raise summary.error
            yield summary

    def _waited_for(self, future: Any) -> bytes:
        since = time.monotonic()
        while True:
            try:
                found: bytes = future.result(timeout=5)
                return found
            except TimeoutError:
                if future.status == "error":  # its own; it may be done or lost meanwhile, which the next look says
                    raise
                since = self._still_there(since)
            except KilledWorker as error:
                raise self._killed(error) from None
            except Exception as error:
                if future.status == "error":  # its own
                    raise
                raise self._lost(_reason(error)) from None

    def _still_there(self, since: float) -> float:
        """When a worker was seen last. Raises SourceLostError where there has been none for too long."""
        now = time.monotonic()
        if self._there(now=True):
            return now
        if now - since > PATIENCE:
            raise self._lost("no worker is left")
        return since

    def _there(self, now: bool = False) -> int:
        """How many threads the workers have, as of a second ago; at least one part is asked for."""
        if now or not self._threads or time.monotonic() - self._looked > _LOOK:
            try:
                there = self._client.sync(self._client.scheduler.ncores, callback_timeout=PATIENCE)
            except Exception as error:  # noqa: BLE001  whatever it is: the scheduler does not answer
                self._is_silent = True
                raise self._lost(_reason(error)) from None
            self._threads = sum(there.values())
            self._looked = time.monotonic()
        return self._threads if now else max(self._threads, 1)

    def _lost(self, why: str) -> SourceLostError:
        return SourceLostError(
            f"the cluster at {self._place.scheduler} was lost on the way ({why}): the stage that it worked on is as it"
            " was before",
            "Look at the log of its scheduler and workers, then run the same command again",
        )

    def _killed(self, error: Any) -> TsclustError:
        return SourceLostError(
            f"{error.allowed_failures + 1} workers died of the same part, the last one at {error.last_worker.address}",
            "Look at their logs; where memory ran out, give them more (dask worker --memory-limit), or fewer threads",
        )

    def _end(self, known: Any, pending: deque[Any]) -> None:
        """Nothing is asked for any more, and nobody is at work when this returns: parts are files of a folder that gets
        another name next."""
        if pending and not self._is_silent:  # nobody would take it back, or say who is at work
            with suppress(Exception):
                self._client.cancel([*pending, known], force=True)
            self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Until no worker does a part of this workspace: one that was asked for by a command that is gone would write
        into a folder of ours."""
        while True:
            try:
                at_work = self._client.run(dask_worker.busy, self._terms.folder, on_error="ignore")
            except Exception:  # noqa: BLE001  whatever it is: there is nobody to wait for
                return
            if not any(at_work.values()):
                return
            time.sleep(0.1)


@contextmanager
def connected(place: Place, folder: Path) -> Iterator[Cluster]:
    """The engine of the cluster at `place`, as long as this lasts. folder: the workspace, which workers have to see.

    Raises SettingsError for a place that may not be used, and for a worker that is another than this process;
    ConnectError where no scheduler or no worker is, or where one does not see the folder.
    """
    place.check()
    _hush()
    with dask.config.set(_QUIET), _client(place) as client, _token(folder) as token:
        place.check_reach(client.scheduler_info()["address"])
        terms = Terms.here(token.read_text(encoding="ascii"), token.absolute())
        with _introduced(client, terms, place):
            cluster = Cluster(client, place, terms)
            cluster.wait_until_idle()
            yield cluster


def _hush() -> None:
    """What goes wrong is ours to say: some of Dask's loggers have a level of their own."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _reason(error: Exception) -> str:
    """In words of ours where they are known."""
    if isinstance(error, TimeoutError):
        return f"its scheduler has not answered for {PATIENCE:.0f} seconds"
    gone = "connection-lost" in str(error) or isinstance(error, OSError)
    return "its scheduler is gone" if gone else one_line(str(error))[:100] or "no answer"


def _security(place: Place) -> Security:
    """Files that are not named here may stand in Dask's own settings. Raises SettingsError."""
    files = place.files
    of_dask = {name if name == "tls_ca_file" else name.replace("tls_", "tls_client_"): files[name] for name in files}
    found = Security(require_encryption=True, **of_dask)
    needed = "Give tsclust the files that scheduler and workers have: --tls-ca-file, --tls-cert and --tls-key"
    try:
        context = found.get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:
        raise SettingsError(f"a file of TLS cannot be used ({error}): expected PEM, key and certificate of one pair",
                            needed) from None  # fmt: skip
    if context is None:
        missing = " and ".join(
            f"--{name}" for name in ("tls-ca-file", "tls-cert") if name.replace("-", "_") not in files
        )
        raise SettingsError(f"--engine {place.scheduler}: TLS needs {missing}", needed)
    return found


@contextmanager
def _client(place: Place) -> Iterator[Any]:
    how = {"security": _security(place)} if place.is_encrypted else {}
    try:
        client = Client(place.address, set_as_default=False, name="tsclust", timeout=5, **how)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectError(
            f"no scheduler answers at {place.scheduler} ({error})",
            "Start one: dask scheduler --host 127.0.0.1, then workers: dask worker; or look whether TLS is the same",
        ) from None
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _token(folder: Path) -> Iterator[Path]:
    """A file by which workers show that they see the same folder."""
    session = uuid4().hex
    for old in folder.glob(f"{_TOKEN}*"):
        with suppress(FileNotFoundError):  # another command takes its own away
            if time.time() - old.stat().st_mtime > _STALE:
                old.unlink()
    path = folder / f"{_TOKEN}{session[:12]}"
    path.write_text(session, encoding="ascii")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _introduced(client: Any, terms: Terms, place: Place) -> Iterator[None]:
    """All workers are looked at; those that join later when they do."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE / 2)
    except TimeoutError:
        raise ConnectError(
            f"the scheduler at {place.scheduler} has no workers", f"Start some: dask worker {place.address}"
        ) from None
    name = f"tsclust-{terms.session}"
    try:
        _register(client, terms, name)
        yield
    finally:
        with suppress(Exception):
            client.unregister_worker_plugin(name)


def _register(client: Any, terms: Terms, name: str) -> None:
    """Raises SettingsError where scheduler or worker cannot read what they are sent, and what workers say of terms."""
    who = "the scheduler"
    try:
        client.run_on_scheduler(dask_worker.busy, terms.folder)  # it reads what it passes on
        who = "a worker"
        client.register_plugin(terms, name=name)
    except TsclustError:
        raise
    except Exception as error:  # noqa: BLE001  whatever is there in the place of this tsclust
        raise SettingsError(
            f"{who} has another tsclust than this one, or none ({one_line(str(error))[:100]}): expected"
            f" {terms.made_of['tsclust']}, as here",
            "Install the same one there, with the extra: pip install 'tsclust[dask]'",
        ) from None
