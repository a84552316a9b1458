"""Folders of other users, disks that may only be read, two at once, a clock that goes back."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import filelock
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.report_workspace import four_kinds, lifelike, write
from tests.support.series import machine_cycles
from tsclust.errors import TsclustError, WorkspaceBusyError
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.series.facts import SERIES
from tsclust.workspace import folder
from tsclust.workspace.folder import Workspace


@pytest.mark.parametrize("how", [errno.EACCES, errno.EROFS])
def test_a_workspace_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int) -> None:
    workspace = write(tmp_path / "ws", lifelike(20))

    def acquire(*_: object, **__: object) -> None:
        raise OSError(how, os.strerror(how))

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with pytest.raises(TsclustError, match=r"cannot be written to \(.*\): expected a folder that you may change"):
        tsclust.report(workspace.root)
    assert tsclust.status(workspace.root)


def test_what_another_user_left_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = write(tmp_path / "ws", lifelike(20))
    monkeypatch.setattr(folder, "remove", lambda _: None)  # as it is where somebody else's file is in it
    (workspace.root / ".series.new").mkdir()
    with pytest.raises(TsclustError, match=r"has \.series\.new, which cannot be removed"), workspace.writing(SERIES):
        pass


def test_two_imports_at_once(tmp_path: Path) -> None:
    """Each is taken in whole or told to wait."""
    workspace = write(tmp_path / "ws", four_kinds())
    form = form_of(tsclust.report(workspace.root).wrote)
    together, done = threading.Barrier(3), list[str]()

    def one(who: str) -> None:
        file = put(tmp_path / f"{who}.json", answered(form, who, {"1": f"x{who}"}))
        together.wait()
        try:
            tsclust.labels_import(workspace.root, [file])
        except WorkspaceBusyError:
            return
        done.append(who)

    threads = [threading.Thread(target=one, args=(who,)) for who in ("Anna", "Boris", "Clara")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done
    assert sorted(pl.read_parquet(workspace.root / "labels" / "files.parquet")["labeller"]) == sorted(done)
    assert not list(workspace.root.glob(".*.new"))


def test_a_clock_that_goes_back_makes_nothing_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "ws"
    tsclust.init(root)
    pq.write_table(machine_cycles(300)[0], tmp_path / "a.parquet")
    flags: dict[str, Any] = {"source": {"files": str(tmp_path / "a.parquet")}}
    tsclust.extract(root, flags)
    monkeypatch.setattr(time, "gmtime", lambda *_: time.struct_time((1970, 1, 1, 0, 0, 9, 3, 1, 0)))
    tsclust.features(root)
    assert Workspace(root).manifest(SERIES).made_at > "2026"
    assert tsclust.features(root).skipped
    assert tsclust.extract(root, flags, strict=True).facts["rows"] == 300
    assert tsclust.features(root).skipped
    states = {row[0]: row[1] for row in tsclust.status(root).table}
    assert (states["series"], states["features"]) == ("up to date", "up to date")
