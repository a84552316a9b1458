"""Files against the hashes in a manifest, and a manifest against its own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import tsclust
from tests.support.commands import call_tsclust
from tsclust.errors import DamagedError, NotAWorkspaceError, StageMissingError
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.reports import newest_file
from tsclust.stages.reports.newest_file import NewestReport
from tsclust.workspace import integrity
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import MANIFEST, damaged_files, is_intact, parts_in, sealed, whole


def stage(folder: Path, **files: bytes) -> Path:
    """A stage with these files; `__` in a name is a slash."""
    outputs = {}
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        outputs[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    (folder / MANIFEST).write_text(sealed(json.dumps({"stage": "x", "outputs": outputs}, indent=2)), encoding="utf-8")
    return folder


def test_a_seal_is_json_and_holds_every_byte() -> None:
    text = sealed(json.dumps({"a": "\u044f", "facts": {"sha256": "no seal"}}, indent=2, ensure_ascii=False))
    content = text.encode()
    assert json.loads(content)["a"] == "\u044f"
    assert is_intact(content)
    body = content.index(b',\n  "sha256": "')
    for at in range(body):
        assert not is_intact(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert not any(is_intact(content[:end]) for end in range(len(content) - 1))
    assert is_intact(b'{"outputs": {}}')  # of an earlier version
    assert not is_intact(b"")
    assert not is_intact(b"[" * 100_000)


def test_a_file_deep_in_a_stage_is_found_in_its_manifest(tmp_path: Path) -> None:
    folder = stage(tmp_path / "ws" / "clusters", within__assignments__part=b"1")
    path = folder / "within/assignments/part"
    assert whole(path) == path
    path.write_bytes(b"22")
    with pytest.raises(DamagedError, match=r"part cannot be read.*tsclust verify -w .*/ws"):
        whole(path)


def test_a_manifest_above_the_workspace_is_no_stage(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("no JSON at all", encoding="utf-8")
    beside = tmp_path / "ws" / ".series.partial" / "part-00000.parquet"
    beside.parent.mkdir(parents=True)
    beside.touch()
    (tmp_path / "ws" / "tsclust.toml").touch()
    assert whole(beside) == beside


def test_parts_are_those_that_are_listed(tmp_path: Path) -> None:
    folder = stage(tmp_path / "series", **{"part-2.parquet": b"2", "part-1.parquet": b"1"})
    (folder / "part-3.parquet").write_bytes(b"stray")
    assert [path.name for path in parts_in(folder)] == ["part-1.parquet", "part-2.parquet"]
    (folder / "part-1.parquet").unlink()
    with pytest.raises(DamagedError, match=r"part-1\.parquet cannot be read: it is missing"):
        parts_in(folder)
    (folder / MANIFEST).unlink()  # a stage in the making
    assert [path.name for path in parts_in(folder)] == ["part-2.parquet", "part-3.parquet"]


def test_a_stage_that_is_replaced_meanwhile_is_not_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = stage(tmp_path / "ws" / "series", part=b"old"), stage(tmp_path / "new", part=b"newer")
    look = integrity._is_as_written

    def replaced(path: Path, sha256: str) -> bool:
        if new.exists():
            old.rename(tmp_path / "gone")
            new.rename(old)
        return look(path, sha256)

    monkeypatch.setattr(integrity, "_is_as_written", replaced)
    assert whole(old / "part").read_bytes() == b"newer"


@pytest.mark.parametrize("name", [MANIFEST, "part-00000.parquet"])
@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path.name)])
def test_what_is_no_file_is_damage_and_keeps_nobody_waiting(
    tmp_path: Path, name: str, put: Callable[[Path], None]
) -> None:
    folder = stage(tmp_path / "ws" / "features", **{"part-00000.parquet": b"1"})
    (folder / name).unlink()
    put(folder / name)
    with pytest.raises(DamagedError, match=rf"{name} cannot be read"):
        parts_in(folder)
    with pytest.raises(DamagedError, match=rf"{name} cannot be read"):
        whole(folder / "part-00000.parquet")
    if name == MANIFEST:
        with pytest.raises(DamagedError, match=rf"{name} cannot be read"):
            Workspace(tmp_path / "ws").find_manifest(FEATURES)
        return
    assert damaged_files(folder, {name: "0" * 64}) == [name]


@pytest.mark.parametrize("put", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path.name), lambda path: None])
def test_verify_names_what_is_no_file(tmp_path: Path, put: Callable[[Path], None]) -> None:
    (tmp_path / "tsclust.toml").touch()
    folder = stage(tmp_path / "features", a=b"1")
    (folder / MANIFEST).unlink()
    put(folder / MANIFEST)
    assert tsclust.verify(tmp_path).facts["damaged"] == {"features": [MANIFEST]}


def test_a_manifest_without_a_seal_that_no_version_wrote_is_damage(tmp_path: Path) -> None:
    (tmp_path / "tsclust.toml").touch()
    folder, workspace = stage(tmp_path / "features", a=b"1"), Workspace(tmp_path)
    for text in ("{}", '{"stage": "features", "outputs": {}}'):
        (folder / MANIFEST).write_text(text, encoding="utf-8")
        with pytest.raises(DamagedError, match=r"manifest\.json cannot be read.*Make it again: tsclust features"):
            workspace.manifest(FEATURES)
        assert tsclust.verify(tmp_path).facts["damaged"] == {"features": [MANIFEST]}
        assert workspace.reusable(FEATURES) is None


def test_a_sealed_manifest_that_cannot_be_read_is_an_earlier_version_s(tmp_path: Path) -> None:
    folder = stage(tmp_path / "features", a=b"1")
    (folder / MANIFEST).write_text(sealed(json.dumps({"stage": "features"}, indent=2)), encoding="utf-8")
    with pytest.raises(StageMissingError, match="was made by an earlier tsclust with another form of manifest"):
        Workspace(tmp_path).manifest(FEATURES)


def test_a_manifest_of_another_stage_is_damage(tmp_path: Path) -> None:
    (tmp_path / "tsclust.toml").touch()
    folder = stage(tmp_path / "features", a=b"1")
    about = {"stage": "clusters", "outputs": {}}
    (folder / MANIFEST).write_text(sealed(json.dumps(about, indent=2)), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"is of clusters/, not of features/"):
        Workspace(tmp_path).find_manifest(FEATURES)
    assert tsclust.verify(tmp_path).facts["damaged"] == {"features": [MANIFEST]}


@pytest.mark.parametrize("put", [Path.touch, os.mkfifo, lambda path: path.symlink_to(path.name)])
def test_what_is_no_folder_is_named_and_stays(tmp_path: Path, put: Callable[[Path], None]) -> None:
    (tmp_path / "tsclust.toml").touch()
    workspace = Workspace(tmp_path)
    for name in ("features", "history"):
        put(tmp_path / name)
    with pytest.raises(DamagedError, match=r"features is not a folder.*Move it away"):
        workspace.find_manifest(FEATURES)
    with pytest.raises(DamagedError, match="features is not a folder"), workspace.writing(FEATURES):
        pass
    assert os.path.lexists(tmp_path / "features")
    assert tsclust.verify(tmp_path).facts["damaged"].keys() == {"features", "history"}


def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.reports.mkdir()
    os.mkfifo(workspace.reports / newest_file.NAME)
    assert newest_file.read(workspace) == NewestReport()
    os.mkfifo(tmp_path / "tsclust.toml")
    assert call_tsclust("status", "-w", tmp_path).returncode == NotAWorkspaceError.exit_code
