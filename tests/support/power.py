"""A disk whose power is cut: an ext4 file system in an image, of which copies are made while it is written to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MB = 160


def _do(*words: object) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Image:
    """Mounted at `folder`; what reaches the disk is in the file `path`."""

    path: Path
    folder: Path

    @contextmanager
    def cut(self) -> Iterator[Path]:
        """What a cut at this moment would leave: the folder as it is mounted after the next start."""
        copy, folder = self.path.with_suffix(".cut"), self.folder.with_name("after")
        _do("cp", "--sparse=always", self.path, copy)
        folder.mkdir(exist_ok=True)
        _do("mount", "-o", "loop", copy, folder)
        try:
            yield folder
        finally:
            _do("umount", folder)
            copy.unlink()

    @contextmanager
    def cut_while(self, process: subprocess.Popen[str]) -> Iterator[Path]:
        """The same while a process is at work: it stands still meanwhile."""
        process.send_signal(signal.SIGSTOP)
        try:
            with self.cut() as after:
                yield after
        finally:
            process.send_signal(signal.SIGCONT)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Image]:
    """An empty disk; the test is skipped where nothing may be mounted."""
    if os.geteuid() != 0 or not (shutil.which("losetup") and shutil.which("mkfs.ext4")):
        pytest.skip("a power cut needs root, losetup and mkfs.ext4")
    found = Image(tmp_path / "disk.img", tmp_path / "disk")
    found.folder.mkdir()
    with found.path.open("wb") as file:
        file.truncate(MB * 2**20)
    try:
        _do("mkfs.ext4", "-q", "-F", found.path)
        _do("mount", "-o", "loop,noatime,commit=300", found.path, found.folder)  # the disk's own clock commits nothing
    except OSError as error:
        pytest.skip(f"a power cut needs a loop device that may be mounted: {error}")
    yield found
    _do("umount", found.folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of a disk of 64 MB in memory; the test is skipped where nothing may be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        _do("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder)
    except OSError as error:
        pytest.skip(f"a disk that is full needs a tmpfs that may be mounted: {error}")
    yield folder
    _do("umount", "-l", folder)


def fill(folder: Path, left: int) -> None:
    """Write to a disk until there are `left` bytes free."""
    with (folder / "filling").open("wb", buffering=0) as file:
        while (free := shutil.disk_usage(folder).free) > left:
            file.write(bytes(min(2**20, free - left)))
