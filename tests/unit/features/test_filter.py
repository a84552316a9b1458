"""Rules applied again: on the series that were described, with what rows carry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import machine_cycles
from tsclust.errors import SettingsError, StageMissingError, WorkspaceBusyError
from tsclust.stages.features import step
from tsclust.workspace.folder import Workspace

RULE = '[[rule]]\nname = "{}"\nwhen = "{}"\nreason = "for the test"\n'


def extracted(root: Path, table: pa.Table, part_rows: int) -> Path:
    file = root.with_suffix(".parquet")
    pq.write_table(table, file)
    tsclust.extract(root, {"source": {"files": str(file), "part_rows": part_rows}})
    return root


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    """A workspace of 2,000 described cycles."""
    root = tmp_path / "ws"
    tsclust.init(root)
    tsclust.features(extracted(root, machine_cycles()[0].slice(0, 2_000), 700))
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("first", "part_rows"), [(5_000, 700), (0, 900)])
def test_other_series_are_not_judged_by_old_features(ws: Path, first: int, part_rows: int) -> None:
    extracted(ws, machine_cycles()[0].slice(first, 2_000), part_rows)
    (ws / "tsclust.toml").write_text(RULE.format("some", "machine_id LIKE '%1'"))
    told = re.escape(f"{ws / 'features'} does not describe the series that are now in {ws / 'series'}")
    with pytest.raises(StageMissingError, match=told):
        tsclust.filter(ws)
    with pytest.raises(StageMissingError, match=told):
        tsclust.filter(ws, dry_run=True)
    with pytest.raises(StageMissingError, match=told):
        tsclust.cluster(ws, {"cluster": {"k": "2..3", "baseline": ["machine_id"]}})
    with pytest.raises(StageMissingError, match=told):
        tsclust.report(ws, kind="features")
    tsclust.features(ws)
    assert tsclust.filter(ws).skipped


@pytest.mark.slow
def test_a_carried_nan_is_missing_and_rejects_nothing(ws: Path) -> None:
    temperature = pa.array([float("nan"), 5.0, None, 1.0] * 500)
    table = machine_cycles()[0].slice(0, 2_000).add_column(1, "temperature", temperature)
    (ws / "tsclust.toml").write_text(RULE.format("hot", "temperature > 3"))
    tsclust.features(extracted(ws, table, 700))
    frame = pl.read_parquet(ws / "features/*.parquet")
    assert (frame["rejected_by"] == "hot").sum() == 500


@pytest.mark.parametrize("names", [("same", "same"), ("not_described", "other")])
def test_each_rule_has_a_name_of_its_own(ws: Path, names: tuple[str, str]) -> None:
    (ws / "tsclust.toml").write_text("".join(RULE.format(name, "n_values > 3") for name in names))
    with pytest.raises(SettingsError, match=f"the name {names[0]} is taken"):
        tsclust.filter(ws)


def test_a_rule_may_hold_for_all(ws: Path) -> None:
    (ws / "tsclust.toml").write_text(RULE.format("all", "true"))
    assert tsclust.filter(ws).facts["kept"] == 0


def test_a_dry_run_waits_for_nobody_and_writes_nothing(ws: Path) -> None:
    (ws / "tsclust.toml").write_text(RULE.format("some", "machine_id LIKE '%1'"))
    with Workspace.open(ws).locked():
        with pytest.raises(WorkspaceBusyError):
            tsclust.filter(ws)
        before = {path: path.stat().st_mtime_ns for path in ws.rglob("*")}
        tried = tsclust.filter(ws, dry_run=True)
        assert {path: path.stat().st_mtime_ns for path in ws.rglob("*")} == before
    done = tsclust.filter(ws)
    assert tried.facts is not None
    assert done.facts is not None
    assert {name: tried.facts[name] for name in ("rejected", "kept")} == {
        name: done.facts[name] for name in ("rejected", "kept")
    }
    with Workspace.open(ws).locked():
        assert tsclust.filter(ws, dry_run=True).skipped  # the same rules: nothing would change


def test_a_dry_run_leaves_alone_what_another_run_has_in_the_making(ws: Path) -> None:
    (ws / "tsclust.toml").write_text(RULE.format("some", "machine_id LIKE '%1'"))
    (ws / ".features.new").mkdir()
    tsclust.filter(ws, dry_run=True)
    assert (ws / ".features.new").exists()


def test_features_made_again_during_a_dry_run_are_refused(ws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ws / "tsclust.toml").write_text(RULE.format("some", "machine_id LIKE '%1'"))
    screen = step.screen_parts

    def slowly(files: Any, writer: Any, *others: Any) -> Any:
        if writer is None:
            tsclust.filter(ws)
        return screen(files, writer, *others)

    monkeypatch.setattr(step, "screen_parts", slowly)
    with pytest.raises(WorkspaceBusyError, match="rewritten while it was read"):
        tsclust.filter(ws, dry_run=True)
