"""Which sources numba's compiled kernels come from: where its cache is kept hangs on them alone."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock

PACKAGE = Path(__file__).parent.parent.parent / "tsclust"
DECORATED = re.compile(r"^ *@njit\b", re.MULTILINE)
CONSTANTS = re.compile(r"^from (tsclust[.\w]*) import [^\n]*\b[A-Z][A-Z_]+\b", re.MULTILINE)


def sources(package: Path = PACKAGE) -> list[Path]:
    """The files with kernels, and those whose constants they take: numba freezes these into what it compiles."""
    kernels = [path for path in sorted(package.rglob("*.py")) if DECORATED.search(path.read_text(encoding="utf-8"))]
    names = {name for path in kernels for name in CONSTANTS.findall(path.read_text(encoding="utf-8"))}
    return sorted({*kernels, *(package.parent.joinpath(*name.split(".")).with_suffix(".py") for name in names)})


def use_cache(folder: Path) -> None:
    """
    Has numba keep what it compiles in `folder`, and compile anew what a changed source has made stale: its own cache
    looks only at the file that a kernel stands in, not at the kernels and constants that it takes from others.

    A worker of pytest-xdist has a folder of its own, as numba numbers its files by an index that two processes would
    overwrite for each other.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources())).hexdigest()[:16]
    shared = Path(os.environ.setdefault("NUMBA_CACHE_DIR", str(folder / digest)))
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["NUMBA_CACHE_DIR"] = str(shared / worker)


def borrow(own: Path) -> None:
    """Links to what other workers have compiled of functions that this one has not. Who takes half of what another is
    just writing compiles the rest itself."""
    for index in own.parent.glob("gw*/*/*.nbi"):
        mine = own / index.parent.name / index.name
        if not mine.exists():
            mine.parent.mkdir(parents=True, exist_ok=True)
            for path in (*index.parent.glob(f"{index.stem}.*.nbc"), index):
                with suppress(OSError):
                    os.link(path, mine.with_name(path.name))


@pytest.fixture(scope="module", autouse=True)
def _compiled_once() -> None:
    """A worker compiles nothing that another has compiled; what all need first, the first one does."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    own = Path(os.environ["NUMBA_CACHE_DIR"])
    borrow(own)
    if not any(own.glob("features_*/*.nbi")):
        own.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(own.parent / "first.lock"):
            borrow(own)
            from tests.support.series import CYCLE, features_of  # numba reads where its cache is when it is imported

            features_of(CYCLE)


# When this is imported, which is before anything is compiled or the environment of other processes is put together.
use_cache(PACKAGE.parent / ".pytest_cache" / "kernels")
