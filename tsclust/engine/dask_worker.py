"""What is done where a worker of Dask is: it is looked at before it gets work, then it does parts."""

from __future__ import annotations

import functools
import hashlib
import importlib
import io
import logging
import os
import platform
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

import cloudpickle
from distributed import Reschedule, WorkerPlugin, get_worker

from tsclust.errors import ConnectError, SettingsError, TsclustError
from tsclust.memory import return_large_blocks

_PACKAGES = ("numba", "numpy", "polars", "pyarrow", "scikit-learn", "scipy")  # their results are in what is written
_at_work: Counter[Path] = Counter()  # workspace -> how many parts of it this process does at the moment
_welcome: set[str] = set()  # sessions that have looked at this process
_lock = threading.Lock()
_TO_GO = 0.2  # seconds until the scheduler knows that a worker goes


@dataclass(frozen=True)
class Failed:
    """An error of ours in the place of a summary: to do the part again would not help."""

    error: TsclustError


@dataclass(frozen=True)
class Terms(WorkerPlugin):  # type: ignore[misc]
    """What a worker has to be to do parts for a command: one as the process that asks, and with the same folder.

    session  one for each command; token: a file in the workspace that holds it
    made_of  name -> version of all that results depend on
    pool     the name of Arrow's memory pool; kernels: the folder of compiled kernels, "" for the usual one
    """

    session: str
    token: Path
    made_of: dict[str, str]
    pool: str
    kernels: str

    @classmethod
    def here(cls, session: str, token: Path) -> Terms:
        """The terms of this process."""
        import pyarrow as pa

        pool = pa.default_memory_pool().backend_name
        return cls(session, token, made_of(), pool, os.environ.get("NUMBA_CACHE_DIR", ""))

    @property
    def folder(self) -> Path:
        """The workspace, under the path that all share."""
        return self.token.parent

    def setup(self, worker: Any) -> None:
        """Dask calls it for every worker, and for those that join later. See `check`."""
        self.check()

    def check(self) -> None:
        """Set this process up. Raises SettingsError where it is another than the one that asks, or sees another
        folder."""
        if self.session in _welcome:
            return
        _check_folder(self.token, self.session)
        _check_versions(self.made_of)
        self._adopt()
        with _lock:
            _welcome.add(self.session)

    def _adopt(self) -> None:
        import pyarrow as pa

        return_large_blocks()  # as the command line does
        pa.set_memory_pool({"system": pa.system_memory_pool}.get(self.pool, pa.default_memory_pool)())
        if self.kernels:
            from numba.core import config

            os.environ["NUMBA_CACHE_DIR"] = self.kernels
            vars(config)["CACHE_DIR"] = self.kernels  # it may have read the other one


@functools.cache
def made_of() -> dict[str, str]:
    """name -> version of all that results depend on, tsclust's own sources included."""
    libraries = (one for one in _pools().info() if one["user_api"] == "blas")
    blas = {f"{one['internal_api']} {one['version']} for {one.get('architecture')}" for one in libraries}
    return {
        "tsclust": f"{version('tsclust')} ({_sources()})",
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in _PACKAGES},
        "BLAS": ", ".join(sorted(blas)),
    }


def unpacked(what: bytes) -> Any:
    """What was packed, by a process that is ours. Of what the driver knows it is a task of its own: once a worker."""
    return cloudpickle.loads(what)


def do(terms: Terms, threads: dict[str, int], function: Callable[[Any], Any], parts: bytes) -> bytes:
    """A few parts as bytes -> their summaries as bytes, to the first that is Failed.

    threads: user API -> how many (BLAS, OpenMP)
    """
    _leave_unless_welcome(terms)
    with _lock:
        _at_work[terms.folder] += 1
    try:
        _limit(threads)
        return packed(_summaries(function, unpacked(parts)))
    finally:
        with _lock:
            _at_work[terms.folder] -= 1


def _summaries(function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    try:
        for part in parts:
            found.append(function(part))
    except TsclustError as error:
        found.append(Failed(error))
    return found


def _leave_unless_welcome(terms: Terms) -> None:
    """A worker that joined on the way and may do nothing goes, and others do its parts."""
    try:
        terms.check()
    except TsclustError as error:
        worker = get_worker()
        logging.getLogger("distributed.worker").error("tsclust: %s", error)
        worker.loop.add_callback(worker.close_gracefully, reason="tsclust-refused")
        time.sleep(_TO_GO)
        raise Reschedule from None


def packed(what: Any) -> bytes:
    """As bytes, for a process with another folder of its own: paths in it are whole."""
    into = io.BytesIO()
    _Pickler(into).dump(what)
    return into.getvalue()


def busy(folder: Path) -> int:
    """How many parts of a workspace this process does."""
    return _at_work[folder]


def threads_here() -> dict[str, int]:
    """How many threads BLAS and OpenMP take here: sums may come out otherwise with another number."""
    return {one["user_api"]: one["num_threads"] for one in _pools().info()}


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, PurePath) and not obj.is_absolute():
            return type(obj), (str(Path(obj).absolute()),)
        return super().reducer_override(obj)


@functools.cache
def _pools() -> Any:
    from threadpoolctl import ThreadpoolController

    for name in ("scipy.linalg", "sklearn.ensemble"):  # they bring a BLAS and an OpenMP of their own
        importlib.import_module(name)
    return ThreadpoolController()


def _limit(threads: dict[str, int]) -> None:
    _pools().limit(limits=threads)  # for good: every part is told how many


def _check_folder(token: Path, session: str) -> None:
    try:
        there = token.read_text(encoding="ascii")
    except OSError:
        there = ""
    if there != session:
        raise ConnectError(
            f"the worker on {platform.node()} (process {os.getpid()}) does not see {token.parent}: expected a folder"
            " that all machines share under one path",
            "Mount it there, or start workers where it is",
        )


def _check_versions(wanted: dict[str, str]) -> None:
    found = made_of()
    name = next((name for name in wanted if found.get(name) != wanted[name]), None)
    if name is not None:
        raise SettingsError(
            f"the worker on {platform.node()} (process {os.getpid()}) has {name} {found.get(name)}: expected"
            f" {wanted[name]}, as here",
            f"Install the same {name} there ({sys.executable})" if name != "BLAS" else
            "Set OPENBLAS_CORETYPE=Haswell and OPENBLAS_NUM_THREADS=1 for all of them, or use machines that are alike",
        )  # fmt: skip


def _sources() -> str:
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:8]
