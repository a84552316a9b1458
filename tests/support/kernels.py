"""Which sources numba's compiled kernels come from: where its cache is kept hangs on them alone."""

from __future__ import annotations

import copy
import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

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
    """Links to what other workers have compiled of functions that this one has not: for its commands, which are
    processes of their own. Who takes half of what another is just writing compiles the rest itself."""
    for index in own.parent.glob("gw*/*/*.nbi"):
        mine = own / index.parent.name / index.name
        if not mine.exists():
            mine.parent.mkdir(parents=True, exist_ok=True)
            for path in (*index.parent.glob(f"{index.stem}.*.nbc"), index):
                with suppress(OSError):
                    os.link(path, mine.with_name(path.name))


def share(own: Path) -> None:
    """
    Has this worker look among what others have compiled before it compiles itself, and wait for who is just compiling
    the same function.

    Locks are taken in the order of calls, each below numba's own: nobody waits for whom he keeps waiting.
    """
    from numba.core import caching, dispatcher  # numba reads where its cache is when it is imported
    from numba.core.compiler_lock import global_compiler_lock

    file, kernel = cast(Any, caching.IndexDataCacheFile), cast(Any, dispatcher.Dispatcher)
    load, compile_one = file.load, kernel.compile

    def load_of_any(self: Any, key: Any) -> Any:
        found = load(self, key)
        for index in own.parent.glob(f"gw*/{Path(self._cache_path).name}/{self._index_name}") if found is None else ():
            found = load(_beside(self, index.parent), key)
            if found is not None:
                self.save(key, found)
                break
        return found

    def compile_alone(self: Any, signature: Any) -> Any:
        if isinstance(self._cache, caching.NullCache):
            return compile_one(self, signature)
        name = f"{self.py_func.__module__}.{self.py_func.__qualname__}.lock"
        with global_compiler_lock, FileLock(own.parent / name, is_singleton=True):
            return compile_one(self, signature)

    file.load, kernel.compile = load_of_any, compile_alone


def _beside(file: Any, folder: Path) -> Any:
    """The same file of a cache in another worker's folder."""
    other = copy.copy(file)
    other._cache_path, other._index_path = str(folder), str(folder / file._index_name)
    return other


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> None:
    """A worker compiles nothing that another has compiled, or is about to."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        share(Path(os.environ["NUMBA_CACHE_DIR"]))


@pytest.fixture(scope="module", autouse=True)
def _borrowed() -> None:
    """What other workers have compiled is there for the commands of a file."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        borrow(Path(os.environ["NUMBA_CACHE_DIR"]))


# When this is imported, which is before anything is compiled or the environment of other processes is put together.
use_cache(PACKAGE.parent / ".pytest_cache" / "kernels")

if __name__ == "__main__":
    from tsclust.pipeline.kernels_ahead import main

    main()
