"""A workspace, answers, a model and a tsclust.toml of commit 06990e9: what still opens, and what to do again.

tests/data/workspace-06990e9.tar.xz: 200 synthetic cycles of four machines with three kinds of malfunction, swept,
reported, answered by Anna (imported) and Boris (not yet), trained and scored by that version.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

import tsclust
from tests.support.commands import call_tsclust
from tsclust.errors import StageMissingError
from tsclust.simulation.expert import form_of
from tsclust.stages.clusters import parts

OLD = Path(__file__).parents[1] / "data" / "workspace-06990e9.tar.xz"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("upgrade") / "ws"
    shutil.unpack_archive(OLD, root, filter="data")
    return root


@pytest.fixture
def old(unpacked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unpacked, tmp_path / "ws"))


def members(clusters: Path) -> dict[int, set[int]]:
    """Number of a group -> its series."""
    rows = parts.scan_assignments(clusters).collect()
    return {one.group: set(rows.filter(one.ref.members)["series_id"]) for one in parts.read_group_rows(clusters)}


def test_the_old_settings_and_stages_are_read_and_status_names_what_to_make_again(old: Path) -> None:
    done = tsclust.status(old)
    states = {name: stage["state"] for name, stage in done.facts["stages"].items()}
    assert states["series"] == "up to date"
    assert states["features"].startswith("out of date")
    assert done.then.startswith("tsclust features")
    assert done.facts["labels"]["series"] == 196
    assert done.facts["labels"]["kinds"] == {
        "normal": 170, "weak inrush": 15, "dry slide chairs": 6, "stiff drive": 5,
    }  # fmt: skip


def test_old_answers_are_imported_and_the_report_asks_under_the_old_numbers(old: Path) -> None:
    before = {group["group"]: group["members_hash"] for group in form_of(old / "reports" / "report.html")["groups"]}
    done = tsclust.labels_import(old, [old / "answers-report-Boris.json"])
    assert done.facts["labellers"] == ["Anna", "Boris"]
    page = tsclust.report(old, everything=True, name="again").wrote
    after = {group["group"]: group["members_hash"] for group in form_of(page)["groups"]}
    assert after == before


def test_the_old_model_is_refused_in_one_line_and_a_new_one_learns_from_the_old_labels(old: Path) -> None:
    refused = call_tsclust("score", "-w", old)
    assert refused.returncode == StageMissingError.exit_code
    assert refused.stderr == (
        f"tsclust: the model in {old / 'model'} was made by an earlier tsclust, for features and rules that have "
        "changed since. Train it again in its workspace, the labels are kept: tsclust features, then tsclust train.\n"
    )
    with pytest.raises(StageMissingError, match="tsclust train"):  # at the end, when all else is done
        list(tsclust.run(old))
    tsclust.train(old)
    tsclust.score(old)
    scores = pl.concat([pl.read_parquet(path) for path in sorted((old / "scores").glob("part-*.parquet"))])
    labels = pl.read_parquet(old / "labels" / "labels.parquet")
    both = scores.join(labels, on="series_id").filter(pl.col("said") == pl.col("kind_right"))
    assert len(both) > 0.9 * len(labels)


def test_groups_keep_their_numbers_when_the_features_are_made_again(old: Path) -> None:
    before = members(old / "clusters")
    tsclust.features(old)
    done = tsclust.cluster(old)
    after = members(old / "clusters")
    kept = before.keys() & after.keys()
    assert len(kept) == done.facts["kept_groups"] >= 7
    assert all(len(before[n] & after[n]) > 0.5 * len(before[n] | after[n]) for n in kept)
    assert all(number > max(before) for number in after.keys() - kept)  # no number ever means another group
    tsclust.labels_import(old, [old / "answers-report-Boris.json"], older=True)
