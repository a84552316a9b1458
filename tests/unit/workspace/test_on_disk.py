"""A power cut leaves the last good files: content is on the disk before its name, the name before the old one goes."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.disk import Disk
from tests.support.endurance import LONG, times
from tests.support.plant import label
from tests.support.report_workspace import lifelike, write
from tests.support.series import machine_cycles
from tsclust.errors import WorkspaceBusyError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.features.freshness import one_state
from tsclust.stages.series.facts import SERIES
from tsclust.workspace import atomic
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import sealed


@pytest.mark.slow
@pytest.mark.endurance
def test_every_command(tmp_path: Path, disk: Disk) -> None:
    """What a power cut would take is looked for at every rename and removal, by the fixture."""
    root, cycles = tmp_path / "new" / "ws", machine_cycles(600)[0]
    tsclust.init(root)
    pq.write_table(cycles, tmp_path / "a.parquet")
    source = {"files": str(tmp_path / "a.parquet"), "part_rows": 200}
    tsclust.extract(root, {"source": source}, save=True)
    tsclust.extract(root, {"source": source}, strict=True)
    tsclust.features(root, {"features": {"peak": "max"}})
    tsclust.features(root)
    tsclust.filter(root)
    tsclust.cluster(root, {"cluster": {"k": "2..4", "restarts": 1}})
    form = form_of(tsclust.report(root, name="one").wrote)
    tsclust.report(root, {"report": {"split": 1}}, name="one")
    tsclust.report(root, kind="features")
    tsclust.labels_import(root, [put(tmp_path / "a.json", answered(form, "Anna", {form["groups"][0]["name"]: "x"}))])
    _label_all(Workspace(root))
    tsclust.labels_export(root, tmp_path / "labels.csv")
    if LONG:
        tsclust.labels_review(root)
        tsclust.train(root)
        tsclust.score(root)
        tsclust.score(root, {"source": source})
        assert "appears new/ws/model" in disk.order
    assert {"appears new/ws/tsclust.toml", "appears new/ws/labels", "appears labels.csv"} <= set(disk.order)


def _label_all(workspace: Workspace) -> None:
    ids = pl.concat([pl.read_parquet(path, columns=["series_id"]) for path in workspace.parts(FEATURES)])
    kind = pl.when(pl.col("series_id") % 3 == 0).then(pl.lit("x")).otherwise(pl.lit("normal"))
    label(workspace, ids.with_columns(kind=kind))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A new folder and an old one."""
    for name in (".x.new", "x"):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "file").write_text(name)
    return tmp_path / ".x.new", tmp_path / "x"


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_is_exchanged_between_two_syncs(
    two: tuple[Path, Path], disk: Disk, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchange:
        monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    atomic.replace_folder(*two)
    synced = ["fsync .x.new/below/file", "fsync .x.new/below", "fsync .x.new"]
    goes = "removes .x.new" if exchange else "removes .x.old"
    assert disk.order == [*synced, "appears x", "fsync .", goes]
    assert [path.name for path in two[1].parent.iterdir()] == ["x"]
    assert (two[1] / "below" / "file").read_text() == ".x.new"


def test_a_file_takes_its_name_between_two_syncs(tmp_path: Path, disk: Disk) -> None:
    atomic.write_file(tmp_path / "made" / "x.toml", "text")
    assert disk.order == ["fsync .", "fsync made/.x.toml.new", "appears made/x.toml", "fsync made"]


def test_the_recorder_sees_what_was_not_synced(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    """Or else all this would prove nothing."""
    monkeypatch.setattr(atomic, "sync", lambda _: None)
    atomic.replace_folder(*two)
    atomic.write_file(tmp_path / "y", "text")
    told = " ".join(disk.at_the_end())
    for part in ("below/file is not on the disk", ".x.new goes before", "y appeared, which is not on the disk"):
        assert part in told
    disk.wrong.clear()
    disk._pending.clear()


def failing(how: int, of: Callable[[int], bool]) -> Callable[[int], None]:
    def fsync(number: int) -> None:
        if of(os.fstat(number).st_mode):
            raise OSError(how, os.strerror(how))

    return fsync


@pytest.mark.parametrize("how", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_file_systems_that_sync_no_folder_do(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(how, stat.S_ISDIR))
    atomic.replace_folder(*two)
    atomic.write_file(tmp_path / "y", "text")
    assert (tmp_path / "y").read_text() == "text"


@pytest.mark.parametrize(("how", "what"), [(errno.EIO, "y.new"), (errno.ENOSPC, "no space left")])
def test_a_disk_that_fails_as_it_syncs_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int, what: str
) -> None:
    (tmp_path / "y").write_text("old")
    monkeypatch.setattr(os, "fsync", failing(how, stat.S_ISREG))
    with pytest.raises((OSError, tsclust.errors.TsclustError), match=what):
        atomic.write_file(tmp_path / "y", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("y", "old")]


def test_a_stage_that_was_moved_to_another_disk_by_a_link_is_replaced(tmp_path: Path, two: tuple[Path, Path]) -> None:
    new, old = two
    old.rename(tmp_path / "elsewhere")
    old.symlink_to("elsewhere")
    atomic.replace_folder(new, old)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "x"]
    assert (old / "below" / "file").read_text() == ".x.new"


def test_where_folders_cannot_be_exchanged_a_reader_waits_for_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on NFS: for a moment neither of the two has the name."""
    monkeypatch.setattr(atomic, "_exchange", lambda *_: False)
    workspace = write(tmp_path / "ws", lifelike(20))
    text, found = (workspace.stage(SERIES) / "manifest.json").read_text(), list[object]()
    reader = threading.Thread(target=lambda: found.extend(workspace.find_manifest(SERIES) for _ in range(20)))
    reader.start()
    while reader.is_alive():
        with workspace.writing(SERIES) as writer:
            writer.write_bytes("manifest.json", text.encode())
    assert len(found) == 20
    assert None not in found


def test_a_folder_that_went_stale_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, real, stale = write(tmp_path / "ws", lifelike(20)), Path.read_bytes, [1, 2]

    def read_bytes(path: Path) -> bytes:
        if stale:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE) + str(stale.pop()), str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert workspace.find_manifest(SERIES) is not None


def _write_version(workspace: Workspace, about: dict[str, Any], version: int) -> None:
    with workspace.writing(FEATURES) as writer:
        for number in range(6):
            writer.write_table(f"part-{number:05d}.parquet", pa.table({"version": [version] * 50}))
        text = json.dumps(about | {"outputs": writer.outputs}, indent=1)
        writer.write_bytes("manifest.json", sealed(text).encode())


def _read_version(workspace: Workspace) -> set[int]:
    """The versions that all parts are of, without a lock, as `filter --dry-run` reads."""
    before = workspace.manifest(FEATURES)
    with one_state(workspace, before):
        return {version for path in workspace.parts(FEATURES) for version in pq.read_table(path)["version"].to_pylist()}


@pytest.mark.slow
@pytest.mark.endurance
def test_who_reads_all_parts_while_folders_are_exchanged_never_gets_half(tmp_path: Path) -> None:
    """All of one version, or the error that it was rewritten."""
    workspace, stop = write(tmp_path / "ws", lifelike(20)), threading.Event()
    about = json.loads((workspace.stage(FEATURES) / "manifest.json").read_bytes())
    about.pop("sha256", None)
    _write_version(workspace, about, 0)

    def exchange() -> None:
        version = 0
        while not stop.is_set():
            _write_version(workspace, about, version := version + 1)

    writer = threading.Thread(target=exchange)
    writer.start()
    ends = Counter[str]()
    try:
        for _ in range(times(10, 2_000)):
            try:
                ends["half" if len(_read_version(workspace)) > 1 else "whole"] += 1
            except WorkspaceBusyError:
                ends["rewritten"] += 1
    finally:
        stop.set()
        writer.join()
    assert "half" not in ends
    assert ends["rewritten"] or not LONG
    assert _read_version(workspace)
