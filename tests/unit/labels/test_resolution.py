"""Which of several answers counts for a series: against the rule written down the obvious way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tsclust.stages.labels import resolution
from tsclust.stages.labels.kinds import DECIDED
from tsclust.stages.labels.resolution import WIDER
from tsclust.stages.labels.tables import ANSWERS, LABELS

START = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def tables(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Answers of two labellers in three files each about sets of 1 to 40 of 40 series, and the members."""
    rng, rows, members = np.random.default_rng(seed), [], []
    for n in range(40):
        file, who = int(rng.integers(3)), str(rng.choice(["A", "B"]))
        size = int(rng.choice([1, 2, 5, 9, 20, 40]))
        rows.append({
            "answer": n, "sha256": f"{who}{file}", "labeller": who, "size": size, "saved_at": START + timedelta(file),
            "verdict": str(rng.choice([*DECIDED, "mixed", "dont_know"])), "kind": f"kind {n}", "in_force": True,
            "labelled_at": START + timedelta(days=file, hours=int(rng.integers(20))),
        })  # fmt: skip
        members += [(n, int(i)) for i in rng.choice(40, size, replace=False)]
    schema = {"answer": pl.Int64, "series_id": pl.Int64}
    return pl.DataFrame(rows, dict(ANSWERS)), pl.DataFrame(members, schema, orient="row")


def says(row: Row) -> bool:
    return row["verdict"] in DECIDED or row["size"] == 1


def narrowest(rows: list[Row]) -> Row:
    return min(rows, key=lambda r: (not says(r), r["size"], -r["labelled_at"].timestamp(), -r["answer"]))


def obvious(rows: list[Row]) -> Row:
    """Of the answers of one labeller about one series."""
    rows = [row for row in rows if says(row)] or rows
    of_files = [narrowest([row for row in rows if row["sha256"] == file]) for file in {row["sha256"] for row in rows}]
    fewest = min(row["size"] for row in of_files)
    alike = [row for row in of_files if row["size"] <= WIDER * fewest]
    return max(alike, key=lambda r: (r["labelled_at"], r["saved_at"], r["answer"]))


@pytest.mark.parametrize("seed", range(8))
def test_the_answer_about_the_fewest_counts_and_of_the_same_set_the_later(seed: int) -> None:
    answers, members = tables(seed)
    rows = {row["answer"]: row for row in answers.to_dicts()}
    expected = {}
    for series_id in members["series_id"].unique():
        about = [rows[n] for n in members.filter(pl.col("series_id") == series_id)["answer"]]
        for who in {row["labeller"] for row in about}:
            expected[series_id, who] = obvious([row for row in about if row["labeller"] == who])["kind"]
    found = resolution.labels(answers, members.sample(fraction=1.0, shuffle=True, seed=seed))
    assert found.columns == ["series_id", *LABELS]
    assert {(i, who): kind for i, who, kind in found.select("series_id", "labeller", "kind").iter_rows()} == expected


def labelled(*rows: tuple[int, str, str, int]) -> pl.DataFrame:
    """LABELS of (series_id, labeller, kind, size of what was answered)."""
    given = [{"series_id": i, "labeller": who, "kind": kind, "size": size} for i, who, kind, size in rows]
    return pl.DataFrame(given).with_columns(
        verdict=pl.lit("malfunction"), sure=pl.lit(None, pl.String), labelled_at=pl.lit(START)
    )


def test_who_has_looked_at_the_series_itself_counts_more_than_a_group_s_name() -> None:
    found = labelled((1, "Anna", "clutch", 30), (1, "Boris", "grease", 30), (1, "Carl", "clutch", 1),
                     (2, "Anna", "clutch", 30), (2, "Boris", "grease", 30))  # fmt: skip
    assert resolution.conflicts(found).rows() == [("clutch (Anna); grease (Boris)", 1)]
    assert resolution.resolved(found, "").select("series_id", "kind").rows() == [(1, "clutch")]
    assert resolution.resolved(found, "newest").filter(pl.col("series_id") == 1)["labeller"].to_list() == ["Carl"]
    by_name = resolution.resolved(found, "Boris").select("series_id", "kind").rows()
    assert by_name == [(1, "grease"), (2, "grease")]  # who is asked for by name decides
