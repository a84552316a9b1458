"""Which workers a cluster's engine has do parts: only those made of the same as the process that asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tsclust.engine.dask_worker import Terms
from tsclust.errors import SettingsError


@pytest.fixture
def terms(tmp_path: Path) -> Terms:
    """Those of this process, which sees the folder."""
    token = tmp_path / "token"
    token.write_text(tmp_path.name, encoding="ascii")
    return Terms.here(tmp_path.name, token)


def test_one_like_the_driver_may_work(terms: Terms) -> None:
    terms.check()


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("numba", "Install the same numba there"),
        ("numpy", "Install the same numpy there"),
        ("python", "Install the same python there"),
        ("BLAS", "Set OPENBLAS_CORETYPE=Haswell and OPENBLAS_NUM_THREADS=1 for all of them"),
    ],
)
def test_one_that_is_made_of_something_else_is_refused_in_one_line(terms: Terms, name: str, advice: str) -> None:
    of_driver = replace(terms, made_of=terms.made_of | {name: "0.0.1"})
    with pytest.raises(SettingsError) as refused:
        of_driver.check()
    said = str(refused.value)
    assert f"has {name} {terms.made_of[name]}: expected 0.0.1, as here" in said
    assert advice in said
    assert "\n" not in said


def test_what_sums_depend_on_is_compared(terms: Terms) -> None:
    """BLAS by the kind of processor that it computes for, too."""
    assert terms.made_of.keys() >= {"tsclust", "python", "numba", "numpy", "scipy", "polars", "pyarrow", "BLAS"}
    assert " for " in terms.made_of["BLAS"]
