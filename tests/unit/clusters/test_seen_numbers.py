"""What an expert has seen under a number keeps it, and a look at another sweep changes nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.swept import extracted, groups
from tests.support.workspaces import hashes


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of a few cycles, described."""
    return extracted(tmp_path_factory.mktemp("seen") / "ws", series=1_000)


def numbers(root: Path) -> dict[int, int]:
    """The groups of the main sweep and their sizes."""
    return dict(groups(root).filter(pl.col("within").is_null()).select("group", "size").iter_rows())


@pytest.mark.slow
def test_another_k_and_back_leaves_the_numbers_of_the_report(root: Path) -> None:
    flags = {"cluster": {"k": "2..6", "restarts": 1, "coreset": 500}}
    tsclust.cluster(root, flags)
    tsclust.report(root, {"report": {"charts": False}})
    seen, files = numbers(root), hashes(root, "clusters")
    tried = call_tsclust("cluster", "-w", root, "--k", "3", "--try")
    assert tried.returncode == 0, tried.stderr
    assert "trial: nothing was written" in tried.stdout
    assert tried.stdout.rstrip().endswith(f"next: tsclust cluster -w {root} --k 3")
    assert hashes(root, "clusters") == files
    assert not list(root.glob(".clusters*"))
    tsclust.cluster(root, {"cluster": {"k": "3", "restarts": 1}})
    assert len(numbers(root)) < len(seen)
    again = tsclust.cluster(root, flags)
    assert numbers(root) == seen
    assert again.facts
    assert again.facts["new"] == []
    assert again.facts["kept_groups"] == len(seen)
