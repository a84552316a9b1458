"""A bundle as one file, to be sent to another machine: a zip of what scoring needs, the same bytes for the same model.

What comes back from elsewhere may be anything: its names are held against those of a bundle, what it unpacks to is
counted while it is unpacked, and `bundle.read` then looks at it as at any other folder.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

from tsclust.errors import DamagedError
from tsclust.stages.model.bundle import FEATURES_FILE, FILE, ModelBundle, read
from tsclust.stages.model.skops_file import LARGEST, WRONG
from tsclust.workspace.atomic import appearing
from tsclust.workspace.integrity import MANIFEST

# The files of a bundle that scoring needs, and the most bytes of each.
MOST: Mapping[str, int] = MappingProxyType({MANIFEST: 20_000_000, FILE: LARGEST, FEATURES_FILE: 1_000_000})
NEEDED = (MANIFEST, FILE)
AT_A_TIME = 1 << 20
EXPORT = "Make it again where the model was trained: tsclust export --bundle FILE.zip"


def write(folder: Path, to: Path) -> ModelBundle:
    """The bundle in a folder as the file `to`. Raises what `bundle.read` raises: what is damaged does not travel."""
    found = read(folder)
    with appearing(to) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in MOST:
            if name in NEEDED or (name == FEATURES_FILE and found.feature_text):
                packed.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return found


def unpack(file: Path, folder: Path, largest: int = LARGEST) -> None:
    """Put the files of a bundle that nobody has looked at into an empty folder.

    largest: bytes, at most, of all that it unpacks to. Raises DamagedError for anything but the files of a bundle.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            _check(packed.infolist())
            left = largest
            for info in packed.infolist():
                with packed.open(info) as source, (folder / info.filename).open("xb") as target:
                    left -= _copy(source, target, min(left, MOST[info.filename]), info.filename)
    except WRONG as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        raise _refused(f"{type(error).__name__}: {error}") from None


def _check(there: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in there]
    if stranger := next((name for name in names if name not in MOST), None):
        raise _refused(f"it has {stranger[:100]!r}: expected {', '.join(MOST)}")
    if len(set(names)) < len(names):
        raise _refused("it has a file twice")
    if missing := next((name for name in NEEDED if name not in names), None):
        raise _refused(f"it has no {missing}")
    if any(stat.S_ISLNK(info.external_attr >> 16) for info in there):
        raise _refused("it has a link")


def _copy(source: IO[bytes], target: IO[bytes], most: int, name: str) -> int:
    """How many bytes there were: what a zip says of its sizes is no authority."""
    copied = 0
    while chunk := source.read(AT_A_TIME):
        copied += len(chunk)
        if copied > most:
            raise _refused(f"{name} unpacks to more than {most:,} bytes")
        target.write(chunk)
    return copied


def _refused(why: str) -> DamagedError:
    return DamagedError(f"this is not a bundle of a model: {why}"[:500], EXPORT)
