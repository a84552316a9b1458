"""What becomes of an upload: nothing where the job is refused, and a name of its own where it is taken."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import tsclust
from tests.support.served import refused, serving
from tsclust.serve import uploads
from tsclust.serve.app import OWN
from tsclust.serve.jobs import Jobs
from tsclust.serve.settings import ServeSettings
from tsclust.workspace.folder import Workspace


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Of a service whose queue is empty, and takes no job."""

    async def none(_: Jobs) -> dict[str, str]:
        return {}

    monkeypatch.setattr(Jobs, "states", none)
    with serving(tmp_path / "served") as client:
        yield client


def upload(client: TestClient, name: str = "day.csv", **fields: str) -> Any:
    return client.post("/jobs", data=fields, files={"file": (name, b"other")})


def left(root: Path) -> list[str]:
    """All that is there, but for the service's own."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if OWN not in path.parts)


def test_a_refused_upload_leaves_nothing(client: TestClient, tmp_path: Path) -> None:
    root = tmp_path / "served"
    (root / "serve.toml").write_text("")
    (root / "photos").mkdir()
    (root / "photos" / "cat.png").touch()
    before = left(root)
    for status, fields in (
        (422, {"kind": "bogus"}), (422, {"workspace": "../x"}), (422, {"kind": "drilldown"}), (422, {"source": "erp"}),
        (422, {"workspace": "𝐀" * 64}), (409, {"workspace": "serve.toml"}), (409, {"workspace": "photos"}),
    ):  # fmt: skip
        refused(upload(client, **fields), status)
        assert left(root) == before, fields
    assert not list((root / OWN).glob("receiving-*"))


def test_what_is_too_much_says_what_would_help(client: TestClient, tmp_path: Path) -> None:
    many = refused(upload(client, **{f"field-{n}": "x" for n in range(200)}), 422)
    assert (many["error"], many["next"]) == ("the form has more than 100 fields", "Send fewer of them")
    assert refused(upload(client, note="x" * 20_000), 422)["error"] == "the field 'note' has more than 10,000 bytes"
    assert refused(client.post("/login", content="x" * 20_000), 413)["next"] == "Send less"
    with serving(tmp_path / "small", request_mb=1) as small:
        found = small.post("/models/none/score", content=b"x" * 1_100_000, headers={"Content-Type": "application/json"})
        assert "request_mb" in refused(found, 413)["next"]


def test_a_workspace_at_work_keeps_its_files_as_they_are(client: TestClient, tmp_path: Path) -> None:
    root = tmp_path / "served" / "line"
    tsclust.init(root)
    (root / "uploads").mkdir()
    (root / "uploads" / "day.csv").write_bytes(b"data")
    with Workspace(root).locked():
        assert refused(upload(client, workspace="line"), 409)["code"] == 5
    assert [path.read_bytes() for path in (root / "uploads").iterdir()] == [b"data"]


def test_no_upload_replaces_another(tmp_path: Path) -> None:
    names = []
    for content in (b"1", b"2", b"3"):
        (tmp_path / "file").write_bytes(content)
        names.append(uploads.keep(tmp_path / "file", tmp_path / "line", "day.csv.gz"))
    assert names == ["uploads/day.csv.gz", "uploads/day-2.csv.gz", "uploads/day-3.csv.gz"]
    assert [(tmp_path / "line" / name).read_bytes() for name in names] == [b"1", b"2", b"3"]


def test_names_are_as_long_as_file_systems_take_them(client: TestClient, tmp_path: Path) -> None:
    name = uploads.safe("漢" * 100 + ".csv")
    assert len(name.encode()) <= 100
    assert name.endswith("漢.csv")
    refused(client.get("/models/" + "𝐀" * 64), 404)
    refused(client.get("/workspaces/" + "𝐀" * 64), 404)


def test_uploads_go_that_are_too_old_or_too_many_but_not_those_that_jobs_read(tmp_path: Path) -> None:
    folder = tmp_path / "line" / "uploads"
    folder.mkdir(parents=True)
    for day, name in enumerate(("old", "waits", "second", "third", "new")):
        (folder / name).write_bytes(b"x" * 400_000)
        os.utime(folder / name, (time.time() - (9 - day) * 86_400,) * 2)
    settings = ServeSettings(upload_days=8.5, uploads_mb=1)
    gone = uploads.sweep(tmp_path, settings, {folder / "waits"})
    assert [path.name for path in gone] == ["old", "second", "third"]
    assert sorted(path.name for path in folder.iterdir()) == ["new", "waits"]


def test_what_is_being_received_counts_towards_the_quota(tmp_path: Path) -> None:
    (tmp_path / ".serve" / "receiving-x").mkdir(parents=True)
    (tmp_path / ".serve" / "receiving-x" / "file").write_bytes(b"x" * 1_200_000)
    left = uploads._most(tmp_path, tmp_path / ".serve", ServeSettings(uploads_mb=2))
    assert left == 800_000


def test_two_uploads_at_once_make_one_workspace_and_lose_nothing(tmp_path: Path) -> None:
    for n in range(8):
        (tmp_path / f"file-{n}").write_bytes(str(n).encode())
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: uploads.keep(tmp_path / f"file-{n}", tmp_path / "line", "day.csv"), range(8)))
    assert [(tmp_path / "line" / name).read_bytes() for name in kept] == [str(n).encode() for n in range(8)]
