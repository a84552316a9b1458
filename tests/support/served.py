"""A service in this process, with models, for tests of what it answers; no socket, no server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from starlette.testclient import TestClient

from tests.support.bundles import Trained
from tests.support.plant import folder_once
from tsclust.serve import bodies
from tsclust.serve.access import Access
from tsclust.serve.app import Options, create
from tsclust.serve.settings import ServeSettings
from tsclust.stages.model import bundle_file

ADDRESS = "http://127.0.0.1:8765"


@contextmanager
def serving(root: Path, options: Options | None = None, **settings: Any) -> Iterator[TestClient]:
    """A client of a service for the workspaces in `root`."""
    app = create(root, ServeSettings(**settings), options or Options())
    with TestClient(app, ADDRESS, raise_server_exceptions=True) as client:
        yield client


def with_tokens(**rights: str) -> Options:
    """right -> token."""
    return Options(Access(None, {token: right for right, token in rights.items()}))


@pytest.fixture(scope="session")
def zips(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundles logistic.zip, trees.zip, features.zip."""

    def pack(folder: Path) -> None:
        for name in ("logistic", "trees", "features"):
            bundle_file.write(trained.bundles / name, folder / f"{name}.zip")

    return folder_once(tmp_path_factory, "zips", pack)


@pytest.fixture(scope="module")
def client(zips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a service with the model `plant`: for reading."""
    with serving(tmp_path_factory.mktemp("served")) as client:
        assert add(client, zips / "logistic.zip").status_code == 201
        yield client


def add(client: TestClient, file: Path, name: str = "plant", **headers: str) -> Any:
    """The response to a bundle."""
    with file.open("rb") as content:
        return client.post("/models", data={"name": name}, files={"file": content}, headers=headers)


def post(client: TestClient, content: bytes, kind: str, query: str = "", **headers: str) -> Any:
    """The response to a request for scores by the model `plant`."""
    return client.post(f"/models/plant/score{query}", content=content, headers={"Content-Type": kind, **headers})


def arrow(table: pa.Table) -> bytes:
    return bodies.arrow_of(table)


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def refused(response: Any, status: int) -> dict[str, Any]:
    """The problem+json of a refusal."""
    found: dict[str, Any] = response.json()
    assert (response.status_code, found["status"]) == (status, status), found
    assert response.headers["content-type"] == "application/problem+json"
    assert found["detail"].startswith(found["error"])
    assert found["detail"].endswith(found["next"])
    assert "\n" not in found["detail"]
    assert found["request_id"] == response.headers["x-request-id"]
    return found


def hold(client: httpx2.Client, cases: Any, address: str, examples: int) -> None:
    """No request of these is an error of the service; what is refused is refused as documented."""

    @hypothesis.given(case=cases)
    @hypothesis.settings(
        max_examples=examples, suppress_health_check=list(hypothesis.HealthCheck), database=None, derandomize=True
    )
    def holds(case: Any) -> None:
        asked = requests.Request(**case.as_transport_kwargs(base_url=address)).prepare()
        body = asked.body if isinstance(asked.body, str | bytes) else None
        headers = {name: str(value) for name, value in asked.headers.items()}
        answer = client.request(str(asked.method), str(asked.url), content=body, headers=headers)
        assert answer.status_code != 500, answer.text
        if answer.status_code >= 400:
            refused(answer, answer.status_code)
            assert str(answer.status_code) in case.operation.definition.raw["responses"], answer.text

    holds()
