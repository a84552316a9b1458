"""score on a machine that has changed: it is named, and since when; what was learned from has not changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tests.support.plant import cycles_file, describe_file, kept, label
from tsclust.workspace.folder import Workspace


@dataclass(frozen=True)
class Six:
    """A trained workspace of six machines with some 60 series a month each, and what it was made of."""

    workspace: Workspace
    series: pl.DataFrame
    kinds: pl.DataFrame

    @property
    def machine(self) -> str:
        return str(self.series["machine_id"].unique().sort()[2])


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Six:
    folder = tmp_path_factory.mktemp("six")
    path, truth = cycles_file(folder, 4_500, of_machines=6)
    workspace = describe_file(folder, path)
    kinds = kept(workspace, truth).select("series_id", "kind")
    label(workspace, kinds)
    tsclust.train(workspace.root)
    return Six(workspace, pl.read_parquet(path), kinds)


def checked(workspace: Workspace, *more: str) -> tuple[int, list[dict[str, Any]], str]:
    """Of `tsclust score --check`: its exit code, what has changed, and what it says of it."""
    done = call_tsclust("score", "-w", workspace.root, "--check", "--json", *more)
    return done.returncode, json.loads(done.stdout)["facts"]["drift"]["changed"], done.stderr


def of(machine: str, month: int) -> pl.Expr:
    """What a machine recorded from that month on."""
    return (pl.col("machine_id") == machine) & (pl.col("recorded_at").dt.month() >= month)


def changed(six: Six, folder: Path, mine: pl.Expr, times: float) -> Path:
    """All series, those that are `mine` so many times as high."""
    higher = pl.when(mine).then(pl.col("values").list.eval(pl.element() * times)).otherwise("values")
    six.series.with_columns(values=higher).write_parquet(folder / "new.parquet")
    return folder / "new.parquet"


def page_of(six: Six) -> str:
    return (six.workspace.reports / "drift.html").read_text(encoding="utf-8")


def machines(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if one["machine"] is not None]


@pytest.mark.parametrize("month", [7, 12])
def test_a_machine_that_has_changed_is_named_and_since_when(six: Six, tmp_path: Path, month: int) -> None:
    """A change of the last month is not hidden by the eleven before it."""
    new = changed(six, tmp_path, of(six.machine, month), 1.5)
    code, found, told = checked(six.workspace, "--from", str(new))
    assert code == 17
    assert told.count("\n") == 1
    assert "have drifted since" in told
    (one,) = found
    assert one["machine"] == six.machine
    assert one["since"][4:8] == f"-{month:02}-"
    assert {"side_mean", "peak_height", "p50"} & {shift["feature"] for shift in one["shifts"]}
    assert "reports/drift.html" in told
    mine = six.series.filter(pl.col("machine_id") == six.machine)
    late = mine.filter(pl.col("recorded_at").dt.date() >= date.fromisoformat(one["since"])).height
    trained = mine.join(six.kinds, on="series_id").height
    page = page_of(six)
    assert (f"· {late:,}\u00a0series" in page, f"In training: {trained:,}\u00a0series" in page) == (True, True)
    assert page.count('<li class="mini">') >= 8


def test_a_machine_whose_sensor_has_died_is_named(six: Six, tmp_path: Path) -> None:
    code, found, _ = checked(six.workspace, "--from", str(changed(six, tmp_path, of(six.machine, 9), 0.0)))
    assert code == 17
    (one,) = machines(found)
    assert (one["machine"], one["rejected_more"], one["since"][4:8]) == (six.machine, True, "-09-")
    assert one["rows"] == six.series.filter(pl.col("machine_id") == six.machine).height
    shown = page_of(six)
    assert checked(six.workspace)[:2] == (0, [])
    assert "Nothing has changed" in page_of(six)
    assert shown in [path.read_text(encoding="utf-8") for path in six.workspace.reports.glob("drift-*.html")]


def test_what_was_learned_from_has_not_changed(six: Six, tmp_path: Path) -> None:
    """All labels or one answer: what nobody has labelled was refused in training, too."""
    assert checked(six.workspace)[:2] == (0, [])
    shutil.copytree(six.workspace.root, tmp_path / "ws")
    workspace = Workspace.open(tmp_path / "ws")
    label(workspace, six.kinds.filter(pl.col("kind") == "dry slide chairs"))
    tsclust.train(workspace.root)
    assert tsclust.score(workspace.root).facts["said"]["none of these"] > 0
    assert checked(workspace)[:2] == (0, [])
