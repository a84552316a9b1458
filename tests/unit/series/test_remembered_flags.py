"""What the command line said of where series are is remembered: status, run, extract and --update work without it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.series import machine_cycles
from tsclust.config import save
from tsclust.errors import DamagedError, DiskFullError, SettingsError
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.atomic import disk_full_explained
from tsclust.workspace.folder import Workspace


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files of 200 cycles each."""
    paths = [tmp_path / "in.parquet", tmp_path / "other.parquet"]
    for n, path in enumerate(paths):
        pq.write_table(machine_cycles()[0].slice(200 * n, 200), path)
    return paths


@pytest.fixture
def extracted(files: list[Path], tmp_path: Path) -> Path:
    tsclust.init(tmp_path / "ws")
    tsclust.extract(tmp_path / "ws", {"source": {"files": str(files[0])}})
    return tmp_path / "ws"


def state(root: Path) -> tuple[str, str]:
    """(of series/, what status says is next)."""
    done = tsclust.status(root)
    assert done.facts is not None
    return done.facts["stages"]["series"]["state"], done.then


def set_in_toml(root: Path, old: str, new: str) -> None:
    text = (root / "tsclust.toml").read_text(encoding="utf-8")
    assert old in text
    (root / "tsclust.toml").write_text(text.replace(old, new), encoding="utf-8")


def rows(done: Any) -> int:
    assert done.facts is not None
    return int(done.facts["rows"])


@pytest.mark.slow
def test_what_status_says_is_next_works(extracted: Path) -> None:
    assert state(extracted) == ("up to date", f"tsclust features -w {extracted}")
    assert call_tsclust(*state(extracted)[1].split()[1:]).returncode == 0
    assert call_tsclust("extract", "-w", extracted).returncode == 0
    assert call_tsclust("extract", "--update", "-w", extracted).returncode == 0
    done = {one.command: one for one in tsclust.run(extracted, {"cluster": {"k": "2..3"}, "report": {"charts": False}})}
    assert done["extract"].skipped
    assert done["report"].wrote
    assert "flags" not in (tsclust.status(extracted).facts or {})["stages"]["series"]["facts"]


def test_a_change_in_the_settings_is_seen_and_applied_to_the_same_files(extracted: Path) -> None:
    set_in_toml(extracted, "\nlimit = 0", "\nlimit = 50")
    assert state(extracted) == ("out of date: other settings", f"tsclust extract -w {extracted}")
    assert rows(tsclust.extract(extracted)) == 50
    assert state(extracted)[0] == "up to date"


@pytest.mark.slow
def test_other_flags_come_on_top_and_another_place_takes_over(extracted: Path, files: list[Path]) -> None:
    assert rows(tsclust.extract(extracted, {"source": {"limit": 20, "id": None}})) == 20
    assert rows(tsclust.extract(extracted)) == 20  # as it was read last
    tsclust.extract(extracted, {"source": {"files": str(files[1])}})
    assert rows(tsclust.extract(extracted)) == 200
    assert "other.parquet" in Workspace.open(extracted).manifest(SERIES).facts.origin


def test_a_place_in_the_settings_is_the_one(extracted: Path, files: list[Path]) -> None:
    set_in_toml(extracted, '\nfiles = ""', f'\nfiles = "{files[1]}"')
    assert state(extracted) == ("out of date: other settings", f"tsclust extract -w {extracted}")
    tsclust.extract(extracted)
    assert "other.parquet" in Workspace.open(extracted).manifest(SERIES).facts.origin


def test_save_writes_what_is_remembered(extracted: Path, files: list[Path]) -> None:
    tsclust.extract(extracted, save=True)
    assert f'files = "{files[0]}"' in (extracted / "tsclust.toml").read_text(encoding="utf-8")


def test_a_full_disk_leaves_the_settings_and_says_that_the_series_are_there(
    extracted: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: str) -> None:
        with disk_full_explained(path.parent):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(save, "write_file", full)
    before = (extracted / "tsclust.toml").read_bytes()
    with pytest.raises(
        DiskFullError, match=r"series/ was written, but not its settings.*tsclust\.toml, which is unchanged"
    ):
        tsclust.extract(extracted, {"source": {"files": str(files[1])}}, save=True)
    assert (extracted / "tsclust.toml").read_bytes() == before
    assert "other.parquet" in Workspace.open(extracted).manifest(SERIES).facts.origin


def test_a_damaged_manifest_of_series_is_made_again(extracted: Path, files: list[Path]) -> None:
    """What it remembered is gone: where the series are has to be given once more."""
    manifest = extracted / "series" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:100])
    with pytest.raises(DamagedError, match=r"manifest\.json cannot be read.*Make it again: tsclust extract"):
        tsclust.status(extracted)
    assert rows(tsclust.extract(extracted, {"source": {"files": str(files[0])}})) == 200
    assert state(extracted)[0] == "up to date"


def test_a_new_workspace_is_told_where_to_say_it(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    tsclust.init(root)
    assert state(root) == (
        "not there yet", f"tsclust extract -w {root} --from FILES  (or set [source] in tsclust.toml)"
    )  # fmt: skip
    with pytest.raises(SettingsError, match=r"source\.files are all empty.*--from FILES"):
        tsclust.extract(root)
