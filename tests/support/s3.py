"""A real S3 server, JuiceFS's gateway with the one bucket `plant`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import obstore
import pytest
from obstore.store import S3Store
from pyarrow.fs import S3FileSystem

from tests.support.commands import PLAIN
from tests.support.service import free_port

JUICEFS = Path(sys.executable).with_name("juicefs")
KEY, SECRET = "tsclust", "hidden-S3-secret"


@dataclass(frozen=True)
class Bucket:
    """s3://plant of a server at a port of this machine."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What points a process there."""
        return {
            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip

    def put(self, key: str, content: bytes) -> None:
        obstore.put(self._store, key, content)

    def mark(self, folder: str) -> None:
        """An empty object FOLDER/, as consoles make for a new folder."""
        S3FileSystem(
            access_key=KEY, secret_key=SECRET, scheme="http", endpoint_override=f"127.0.0.1:{self.port}"
        ).create_dir(f"plant/{folder}")  # fmt: skip

    def tag(self, key: str) -> str | None:
        """The ETag of an object; None where there is none."""
        try:
            return obstore.head(self._store, key)["e_tag"]
        except FileNotFoundError:
            return None

    @property
    def _store(self) -> S3Store:
        given = self.environment
        return S3Store(
            "plant", endpoint=given["AWS_ENDPOINT_URL"], access_key_id=KEY, secret_access_key=SECRET,
            region=given["AWS_REGION"], client_options={"allow_http": True},
        )  # fmt: skip


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with served(tmp_path_factory.mktemp("s3"), "--keep-etag") as found:
        yield found


@contextmanager
def served(folder: Path, *flags: str) -> Iterator[Bucket]:
    """A server of its own, with its objects in a folder."""
    with started(formatted(folder), folder, *flags) as found:
        yield found


def formatted(folder: Path) -> str:
    """A new database of a server's objects."""
    meta = f"sqlite3://{folder / 'meta.db'}"
    store = ["--storage", "file", "--bucket", f"{folder / 'objects'}/", "--trash-days", "0"]
    subprocess.run([JUICEFS, "format", *store, meta, "plant"], check=True, capture_output=True)
    return meta


@contextmanager
def started(meta: str, folder: Path, *flags: str) -> Iterator[Bucket]:
    """A server of the objects in a database."""
    port = free_port()
    command = [str(JUICEFS), "gateway", meta, f"127.0.0.1:{port}", "--no-banner", "--no-usage-report", "--metrics",
               f"127.0.0.1:{free_port()}", "--cache-dir", str(folder / "cache"), *flags]  # fmt: skip
    environment = PLAIN | {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(folder)}
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        _wait_until_it_answers(port)
        yield Bucket(port)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/minio/health/live"):
            return
        time.sleep(0.1)
    raise TimeoutError("the S3 server does not answer")
