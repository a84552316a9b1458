"""Kernels that were compiled ahead are all that a first run asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.endurance import LONG
from tsclust.pipeline.kernels_ahead import compile_all
from tsclust.stages.features.kernels import _describe_all


@pytest.mark.endurance
def test_a_first_demo_compiles_nothing_that_was_compiled_ahead(tmp_path: Path) -> None:
    if not LONG:  # half a minute; here, that both precisions are asked for
        compile_all()
        assert {"float32", "float64"} <= {str(one[0].dtype) for one in _describe_all.signatures}
        return
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}

    def compiled(*command: str) -> set[Path]:
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, env=env)
        return set((tmp_path / "kernels").rglob("*.nbc"))

    ahead = compiled("tsclust.pipeline.kernels_ahead")
    assert ahead
    assert compiled("tsclust", "demo", "-w", str(tmp_path / "demo"), "--series", "3000") == ahead
