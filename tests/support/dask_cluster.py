"""A Dask cluster as people start one: `dask scheduler`, and `dask worker` as often as asked, each a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from distributed import Client
from distributed.security import Security
from numba.core import config

from tests.support.commands import PLAIN
from tests.support.service import free_port
from tsclust.engine import dask_worker

DASK = Path(sys.executable).with_name("dask")
PACKAGE = Path(dask_worker.__file__).parent.parent.parent


# A process that imports it first does more when it has written a file of a part and not yet given it its name.
WRITING = """
import os, signal, time
usual = os.fsync
def fsync(number):
    name = os.readlink(f"/proc/self/fd/{{number}}")
    if ".beside-" in name:
        with open({log!r}, "a") as log:
            print(name, file=log)
        {act}
    usual(number)
os.fsync = fsync
"""


def settings() -> dict[str, object]:
    """What a process was set up with: threads of BLAS, Arrow's pool, the folder of compiled kernels."""
    threads, pool = dask_worker.threads_here()["blas"], pa.default_memory_pool().backend_name
    return {"threads": threads, "pool": pool, "kernels": vars(config)["CACHE_DIR"]}


class DaskCluster:
    """A scheduler, and workers of one thread each. flags, for all of them: those of TLS, the CA's file first, then
    certificate and key."""

    def __init__(self, folder: Path, flags: Sequence[str] = (), scheme: str = "tcp", **environment: str) -> None:
        self._folder, self._flags, self._environment = folder, flags, environment
        self._address = f"{scheme}://127.0.0.1:{free_port()}"
        self._workers: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        port = self._address.rpartition(":")[2]
        self.scheduler = self._run("scheduler", "--host", f"{scheme}://127.0.0.1", "--port", port)
        self._client: Any = None

    @property
    def url(self) -> str:
        """What --engine takes."""
        return self._address.replace("tcp:", "dask:")

    def __enter__(self) -> DaskCluster:
        files = dict(zip(("tls_ca_file", "tls_client_cert", "tls_client_key"), self._flags[1::2], strict=False))
        how = {"security": Security(require_encryption=True, **files)} if files else {}
        self._client = Client(self._address, set_as_default=False, timeout=60, **how)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()
        for process in self._all:
            process.kill()
            process.wait()

    def have(self, workers: int) -> list[subprocess.Popen[bytes]]:
        """So many that are at the scheduler's service, as they are at the moment or new ones."""
        self._workers = [one for one in self._workers if one.poll() is None]
        while len(self._workers) > workers:
            self._workers[-1].kill()
            self._workers.pop().wait()
        for _ in range(workers - len(self._workers)):
            self._workers.append(self.start())
        self.wait_for(lambda: len(self._client.nthreads()) == workers)
        return self._workers

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """One more, that `have` does not count; there when this returns."""
        log = self._folder / f"worker-{len(self._all)}.log"
        process = self._run(
            "worker", self._address, "--no-nanny", "--nthreads", "1", "--local-directory", str(self._folder),
            **environment,
        )  # fmt: skip
        self.wait_for(lambda: b"Registered to" in log.read_bytes())
        return process

    def start_that(self, act: str, folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
        """One more that does this whenever it writes a part; a file that names what it has written until then."""
        folder.mkdir()
        log = folder / "written"
        (folder / "sitecustomize.py").write_text(WRITING.format(log=str(log), act=act), encoding="utf-8")
        return self.start(PYTHONPATH=os.pathsep.join(map(str, (folder, PACKAGE)))), log

    def settings(self) -> list[dict[str, object]]:
        """Those of each worker."""
        return list(self._client.run(settings).values())

    def at_work(self, root: Path) -> int:
        """How many parts of a workspace are being done."""
        found = self._client.run(dask_worker.busy, root, on_error="ignore")
        return sum(found.values())

    def _run(self, what: str, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{what}-{len(self._all)}.log").open("wb") as log:
            process = subprocess.Popen(
                [DASK, what, *words, "--no-dashboard", *self._flags], stdout=log, stderr=log,
                env=PLAIN | {"PYTHONPATH": str(PACKAGE)} | self._environment | environment, cwd=self._folder,
            )  # fmt: skip
        self._all.append(process)
        return process

    def tasks(self) -> int:
        """How many the scheduler knows of."""
        found: int = self._client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        return found

    def wait_for(self, there: Callable[[], bool]) -> None:
        """Until it is so. Raises TimeoutError after a minute."""
        for _ in range(600):
            if there():
                return
            time.sleep(0.1)
        raise TimeoutError(f"see the logs in {self._folder}")
