"""Real recordings through every command: unscrewing cycles, whose peaks are negative, and wafer process traces."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg

import tsclust
from tsclust.demo import score


def loaded(dsn: str, name: str, frame: pl.DataFrame, carried: str) -> None:
    """Put real series into a table; their label stays outside: it is the truth."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE TABLE {name} (series_id bigint PRIMARY KEY, {carried} text, values float8[])")
        with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "text", "float8[]"])
            for row in frame.select("series_id", carried, "values").iter_rows():
                copy.write_row(row)


def every_command(root: Path, dsn: str, table: str, **cluster: object) -> None:
    tsclust.init(root)
    flags = {"dsn": dsn, "source": {"table": table}, "cluster": cluster}
    tsclust.extract(root, flags)
    for command in ("features", "filter", "cluster", "report"):
        getattr(tsclust, command)(root, flags)
    assert tsclust.status(root, flags).facts["stages"]["clusters"]["state"] == "up to date"


def looked_at(root: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """A row per (look, kind), in the order of the groups proposed."""
    groups = pl.read_parquet(root / "clusters/groups.parquet").filter("proposed")
    assignments = pl.read_parquet(root / "clusters/assignments/*.parquet")
    return score.count_members(assignments, groups, truth)


def test_screws_that_do_not_come_loose_get_a_group_of_their_own(
    database: str, shared_data: Path, workspace_dir: Path
) -> None:
    real = pl.read_parquet(shared_data / "unscrewing_torque" / "series_rare_faults.parquet")
    loaded(database, "cycles", real, "prg_name")
    every_command(workspace_dir, database, "cycles")
    features = pl.read_parquet(workspace_dir / "features/*.parquet")
    assert tsclust.status(workspace_dir).facts["stages"]["features"]["facts"]["peak"] == "min"
    members = looked_at(workspace_dir, real.select("series_id", kind="label"))
    faults = features.join(real, on="series_id").filter(
        pl.col("rejected_by").is_null() & (pl.col("label") == "non_releasable")
    )
    sizes = members.group_by("look").agg(size=pl.col("count").sum())
    own = members.filter(pl.col("kind") == "non_releasable").join(sizes, on="look")
    own = own.with_columns(purity=pl.col("count") / pl.col("size"), share=pl.col("count") / len(faults))
    best = own.filter(pl.col("purity") > 0.9).sort("share").row(-1, named=True)
    found = score.score(members, {"non_releasable": len(faults)}).found
    print(f"unscrewing: {len(faults)} faults kept; one group holds {best}; found after {found} looks")  # pytest -s
    assert best["share"] > 0.8
    assert found["non_releasable"] <= 40


def test_traces_without_a_clear_direction_go_through_every_command(
    database: str, shared_data: Path, workspace_dir: Path
) -> None:
    real = pl.read_parquet(shared_data / "wafer" / "series_76.parquet")
    loaded(database, "wafer", real, "split")
    every_command(workspace_dir, database, "wafer", k="2..12")
    facts = tsclust.status(workspace_dir).facts["stages"]["features"]["facts"]
    assert "wrong_sign" not in facts["rejected"]  # the series do not agree which way is up
    assert facts["kept"] > 0.99 * len(real)
    found = looked_at(workspace_dir, real.select("series_id", kind="label"))
    assert found["look"].n_unique() >= 10
