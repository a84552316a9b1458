"""Kernels are compiled anew when a file that they come from changes, and not when another does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import kernels

KERNEL = """
from numba import njit
@njit(cache=True)
def more(x):
    return x + 1
"""
TWO_WORKERS = """
import importlib, os
from pathlib import Path
from tests.support import kernels
first = Path(os.environ["NUMBA_CACHE_DIR"])
kernels.share(first)
import made
from numba.core import config
made.more(1.0)
config.CACHE_DIR = str(first.with_name("gw1"))
importlib.reload(made)
for asked in (1.0, 1):
    made.more(asked)
stats = made.more.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), len([*first.with_name("gw1").rglob("*.nbc")]))
"""


def test_files_with_kernels_and_the_constants_that_they_freeze_count() -> None:
    names = {str(path.relative_to(kernels.PACKAGE)) for path in kernels.sources()}
    assert {"stages/features/kernels.py", "stages/features/shape.py", "stages/clusters/kernels.py"} <= names
    assert "stages/features/catalogue.py" in names  # its NAMES
    assert not {name for name in names if name.startswith(("cli/", "pipeline/"))}


def test_a_worker_borrows_what_another_has_compiled(tmp_path: Path) -> None:
    for worker, name in (("gw0", "a"), ("gw0", "b"), ("gw1", "b")):
        (tmp_path / worker / "of").mkdir(parents=True, exist_ok=True)
        for end in ("nbi", "1.nbc"):
            (tmp_path / worker / "of" / f"{name}.{end}").write_text(worker)
    kernels.borrow(tmp_path / "gw1")
    found = {path.name: path.read_text() for path in (tmp_path / "gw1" / "of").iterdir()}
    assert found == {"a.nbi": "gw0", "a.1.nbc": "gw0", "b.nbi": "gw1", "b.1.nbc": "gw1"}


def test_a_worker_has_a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    kernels.use_cache(tmp_path)
    assert Path(os.environ["NUMBA_CACHE_DIR"]).name == "gw1"


def test_a_worker_compiles_only_what_no_other_has(tmp_path: Path) -> None:
    """Of two types the first was asked for by another worker."""
    (tmp_path / "made.py").write_text(KERNEL, encoding="utf-8")
    places = os.pathsep.join([str(tmp_path), str(kernels.PACKAGE.parent)])
    own = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "PYTEST_XDIST_WORKER": "gw0", "PYTHONPATH": places}
    done = subprocess.run([sys.executable, "-c", TWO_WORKERS], env=os.environ | own, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("1 1 2\n", "")
