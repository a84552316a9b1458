"""Models over HTTP: bundles that come from anywhere, versions, and what is in memory."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

import tsclust
from tests.support.bundles import Trained
from tests.support.served import add, arrow, post, refused, serving
from tsclust.serve.app import Options
from tsclust.serve.bodies import ARROW
from tsclust.workspace.integrity import sealed


def test_export_writes_the_bundle_that_the_service_takes(trained: Trained, zips: Path, tmp_path: Path) -> None:
    done = tsclust.export(trained.workspace.root, tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as packed:
        assert set(packed.namelist()) == {"manifest.json", "model.skops", "features.py"}
    assert done.facts == {
        "model": done.facts["model"],
        "bytes": (tmp_path / "own.zip").stat().st_size,
        "features": True,
    }
    tsclust.export(trained.workspace.root, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "own.zip").read_bytes()


def test_a_model_is_added_shown_rolled_back_and_chosen(trained: Trained, zips: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        first = add(client, zips / "logistic.zip")
        assert first.headers["location"].endswith("/models/plant")
        second = add(client, zips / "trees.zip").json()
        assert [one["current"] for one in second["versions"]] == [False, True]
        body = arrow(trained.new)
        old, new = (version["id"] for version in second["versions"])
        assert scored_by(post(client, body, ARROW)) == new
        assert client.post("/models/plant/rollback").json()["current"] == old
        assert scored_by(post(client, body, ARROW)) == old
        refused(client.post("/models/plant/rollback"), 409)
        assert client.post("/models/plant/current", json={"version": new}).json()["current"] == new
        assert add(client, zips / "trees.zip").json()["versions"] == second["versions"]
        shown = client.get("/models/plant").json()
        assert shown["classifier"].startswith("extremely")
        assert [one["name"] for one in shown["input"]["columns"]] == ["series_id", "values", "machine_id", "direction"]
        assert {one["verdict"] for one in shown["kinds"]} == {"normal", "malfunction"}
        refused(client.post("/models/plant/current", json={"version": "000000000000"}), 404)
        refused(client.post("/models/plant/current", json={"version": 1}), 422)
    with serving(tmp_path) as client:  # another process
        assert client.get("/models").json()["models"][0]["current"] == new


def scored_by(response: Any) -> str:
    return str(pa.ipc.open_stream(response.content).read_all()["model"][0].as_py())


def test_as_many_are_in_memory_as_may_be(trained: Trained, zips: Path, tmp_path: Path) -> None:
    with serving(tmp_path, loaded=2) as client:
        for name in ("a", "b", "c"):
            add(client, zips / "logistic.zip", name)
            assert client.post(f"/models/{name}/load").json()["loaded"]
        assert loaded(client) == ["b", "c"]
        client.post("/models/b/score", content=arrow(trained.new), headers={"Content-Type": ARROW})
        assert client.get("/models/a").status_code == 200
        assert loaded(client) == ["a", "b"]
        assert not client.post("/models/b/unload").json()["loaded"]
        assert loaded(client) == ["a"]
        client.post("/models/b/score", content=arrow(trained.new), headers={"Content-Type": ARROW})
        assert loaded(client) == ["a", "b"]


def loaded(client: TestClient) -> list[str]:
    return [one["name"] for one in client.get("/models").json()["models"] if one["loaded"]]


def test_features_of_a_bundle_are_code_and_run_where_that_is_allowed(
    trained: Trained, zips: Path, tmp_path: Path
) -> None:
    with serving(tmp_path / "a") as client:
        problem = refused(add(client, zips / "features.zip"), 422)
        assert "--allow-features" in problem["next"]
        assert client.get("/models").json() == {"models": []}
    with serving(tmp_path / "b", Options(allow_features=True)) as client:
        added = add(client, zips / "features.zip")
        assert (added.status_code, added.json()["current"]) == (201, trained.scorer("features").model.facts.id)


Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def with_facts(files: dict[str, bytes], **facts: Any) -> dict[str, bytes]:
    manifest = json.loads(files["manifest.json"])
    manifest.pop("sha256", None)
    manifest["facts"] |= facts
    return files | {"manifest.json": sealed(json.dumps(manifest, indent=2)).encode()}


def kinds(files: dict[str, bytes]) -> list[str]:
    found: list[str] = json.loads(files["manifest.json"])["facts"]["kinds"]
    return found


def repacked(bundle: Path, change: Change, to: Path) -> Path:
    with zipfile.ZipFile(bundle) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in change(files).items():
            packed.writestr(name, content)
    return to


def test_a_version_is_one_content(zips: Path, tmp_path: Path) -> None:
    """Another model under its id is refused, not dropped in silence; the same one is taken again."""
    with serving(tmp_path / "served") as client:
        first = add(client, zips / "logistic.zip").json()
        other = repacked(zips / "logistic.zip", lambda files: with_facts(files, threshold=0.987), tmp_path / "o.zip")
        assert first["current"] in refused(add(client, other), 409)["error"]
        assert client.get("/models/plant").json()["threshold"] != 0.987
        assert add(client, zips / "logistic.zip").json()["versions"] == first["versions"]


SPOILT: dict[str, Change] = {
    "a file more": lambda files: files | {"more.txt": b""},
    "a way out": lambda files: files | {"../../manifest.json": b""},
    "an absolute way": lambda files: files | {"/tmp/x": b""},
    "no manifest": lambda files: {"model.skops": files["model.skops"]},
    "no model": lambda files: {"manifest.json": files["manifest.json"]},
    "nothing": lambda files: {},
    "another model": lambda files: files | {"model.skops": files["model.skops"][:-10] + b"0123456789"},
    "no JSON": lambda files: files | {"manifest.json": b"{"},
    "an id that is a path": lambda files: with_facts(files, id="../../../x"),
    "an id that is long": lambda files: with_facts(files, id="a" * 5_000),
    "a threshold that is no number": lambda files: with_facts(files, threshold=float("nan")),
    "a threshold that is text": lambda files: with_facts(files, threshold="high"),
    "a threshold below all": lambda files: with_facts(files, threshold=-1),
    "a threshold above all": lambda files: with_facts(files, threshold=7),
    "a limit that is no number": lambda files: with_facts(files, limit=float("inf")),
    "no verdicts": lambda files: with_facts(files, verdicts={}),
    "a verdict that is none": lambda files: with_facts(files, verdicts=dict.fromkeys(kinds(files), "haha")),
    "a manifest of 30 MB": lambda files: files | {"manifest.json": b" " * 30_000_000},
    "a model of 60 MB": lambda files: files | {"model.skops": b"\0" * 60_000_000},
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_bundle_that_is_none_is_refused_and_nothing_stays(zips: Path, tmp_path: Path, how: str) -> None:
    repacked(zips / "logistic.zip", SPOILT[how], tmp_path / "spoilt.zip")
    with serving(tmp_path / "served", unpacked_mb=50) as client:
        refused(add(client, tmp_path / "spoilt.zip"), 422)
        assert client.get("/models").json() == {"models": []}
        own = tmp_path / "served" / ".serve"
        assert not [path for path in own.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert not (tmp_path / "manifest.json").exists()


def test_what_is_no_zip_or_no_form_is_refused(zips: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with serving(tmp_path / "served", bundle_mb=1) as client:
        refused(add(client, tmp_path / "no.zip"), 422)
        refused(client.post("/models", content=b"x", headers={"Content-Type": "application/zip"}), 415)
        refused(client.post("/models", content=b"x", headers={"Content-Type": "multipart/form-data"}), 415)
        broken = {"Content-Type": "multipart/form-data; boundary=b"}
        refused(client.post("/models", content=b"--b\r\nContent-", headers=broken), 422)
        refused(client.post("/models", data={"name": "plant"}, files={"other": io.BytesIO(b"x")}), 422)
        refused(client.post("/models", data={"name": "x" * 20_000}, files={"file": io.BytesIO(b"x")}), 422)
        refused(client.post("/models", data={"name": "p"}, files={"file": io.BytesIO(b"x" * 3_000_000)}), 413)
        refused(client.post("/models", json={"workspace": "none"}), 404)
        refused(client.post("/models", json={"workspace": "../x"}), 422)
        refused(client.post("/models", json={"work": "x"}), 422)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".serve", "a..b", "x" * 65, "a\0b", "a b", "-a", "a."])
def test_a_name_that_leads_elsewhere_is_none(zips: Path, client: TestClient, name: str) -> None:
    refused(add(client, zips / "logistic.zip", name), 422)


@pytest.mark.parametrize("name", ["Линия-3", "a.b_c-d", "7"])
def test_names_of_any_script_are_taken(zips: Path, tmp_path: Path, name: str) -> None:
    with serving(tmp_path) as client:
        added = add(client, zips / "logistic.zip", name)
        assert added.status_code == 201
        assert client.get(added.headers["location"]).json()["name"] == name
        assert client.post(f"/models/{name}/load").json()["loaded"]


def test_the_model_of_a_workspace_becomes_one_of_the_service(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.workspace.root, tmp_path / "line")
    with serving(tmp_path, Options(allow_features=True)) as client:
        added = client.post("/models", json={"workspace": "line"})
        assert (added.status_code, added.json()["name"]) == (201, "line")
        shutil.rmtree(tmp_path / "line" / "model")
        assert refused(client.post("/models", json={"workspace": "line"}), 409)["code"] == 6
