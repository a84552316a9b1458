"""Kernels that were compiled ahead are all that a first run asks for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.support.endurance import LONG
from tests.support.series import CYCLE, features_of
from tsclust.pipeline.kernels_ahead import main
from tsclust.stages.features.kernels import _describe_all

OF_A_USER = {"TSCLUST_SOURCE__TABLE": "machine.cycles", "TSCLUST_ENGINE__SCHEDULER": "tcp://127.0.0.1:1"}
NO_FOLDER = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": "/dev/null/kernels"}


@pytest.mark.endurance
def test_a_first_demo_compiles_nothing_that_was_compiled_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not LONG:  # half a minute; here, that one compiled kernel is for both precisions
        given = {name: value for name, value in os.environ.items() if name.startswith("TSCLUST_")}
        for name, value in (given | OF_A_USER).items():
            monkeypatch.setenv(name, value)  # and puts it back, as main() drops them
        main()
        for dtype in (np.float32, np.float64):
            features_of(CYCLE, dtype=dtype)
        assert len(_describe_all.signatures) == 1
        return

    def compiled(*command: str, env: Mapping[str, str]) -> set[Path]:
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, env=env)
        return set((tmp_path / "kernels").rglob("*.nbc"))

    plain = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    ahead = compiled("tsclust.pipeline.kernels_ahead", env=plain | OF_A_USER)
    assert ahead
    assert compiled("tsclust", "demo", "-w", str(tmp_path / "demo"), "--series", "3000", env=plain) == ahead


@pytest.mark.parametrize("command", [["tsclust.pipeline.kernels_ahead"], ["tsclust", "features", "-w"]], ids=" ".join)
def test_no_folder_for_kernels_is_one_line(initialised: Path, command: list[str]) -> None:
    words = [*command, str(initialised)] if command[-1] == "-w" else command
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, env=os.environ | NO_FOLDER)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Set NUMBA_CACHE_DIR to a folder that can" in done.stderr
