"""Kernels are compiled anew when a file that they come from changes, and not when another does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import kernels


def test_files_with_kernels_and_the_constants_that_they_freeze_count() -> None:
    names = {str(path.relative_to(kernels.PACKAGE)) for path in kernels.sources()}
    assert {"stages/features/kernels.py", "stages/features/shape.py", "stages/clusters/kernels.py"} <= names
    assert "stages/features/catalogue.py" in names  # its NAMES
    assert not {name for name in names if name.startswith(("cli/", "pipeline/"))}


def test_a_worker_has_a_cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    kernels.use_cache(tmp_path)
    assert Path(os.environ["NUMBA_CACHE_DIR"]).name == "gw1"
