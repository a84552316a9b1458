"""Real recordings through every command: unscrewing cycles, whose peaks are negative, and wafer process traces."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg

import tsclust
from tsclust.simulation import recall
from tsclust.simulation.expert import answered, form_of, put, said_of
from tsclust.stages.scores.facts import SCORES, SCORES_NEW
from tsclust.workspace.folder import Workspace


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


def the_way_back(root: Path, dsn: str, table: str, truth: pl.DataFrame) -> pl.DataFrame:
    """An expert who knows the truth answers the whole report; what is learned says this of all series."""
    workspace, flags = Workspace.open(root), {"dsn": dsn, "source": {"table": table}}
    form = form_of(root / "reports" / "report.html")
    file = put(root / "answers.json", answered(form, "Anna", said_of(workspace, form["groups"], truth)))
    tsclust.labels_import(root, [file])
    tsclust.train(root)
    tsclust.score(root, refuse="2%")
    tsclust.labels_review(root, limit=5)
    tsclust.labels_export(root, root / "labels.csv")
    tsclust.labels_export(root, flags=flags, to_table="labels")
    tsclust.cluster(root, {"cluster": {"k": "2..5"}}, unlabelled=True)
    tsclust.report(root, name="round-2")
    own = pl.concat([pl.read_parquet(path) for path in workspace.parts(SCORES)])
    tsclust.score(root, flags, refuse="2%", to_table="scores")
    new = pl.concat([pl.read_parquet(path) for path in workspace.parts(SCORES_NEW)])
    names = ["series_id", "said", "probability"]
    assert new.select(names).sort("series_id").equals(own.select(names).sort("series_id"))
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (len(own),)
    assert tsclust.status(root).facts["stages"]["model"]["state"] == "up to date"
    return own.join(truth, on="series_id", suffix="_true")


def looked_at(root: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """A row per (look, kind), in the order of the groups proposed."""
    groups = pl.read_parquet(root / "clusters/groups.parquet").filter("proposed")
    return recall.count_members(recall.assigned(root / "clusters"), groups, truth)


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
    found = recall.score(members, {"non_releasable": len(faults)}).found
    print(f"unscrewing: {len(faults)} faults kept; one group holds {best}; found after {found} looks")  # pytest -s
    assert best["share"] > 0.25  # the sweep divides the kind
    assert found["non_releasable"] <= 12
    kinds = real.select(
        "series_id", kind=pl.when(pl.col("label") == "non_releasable").then("label").otherwise(pl.lit("normal"))
    )
    told = the_way_back(workspace_dir, database, "cycles", kinds).filter(pl.col("rejected_by").is_null())
    named = told.filter(pl.col("said").is_in(["normal", "non_releasable"]))
    right = len(named.filter(pl.col("said") == pl.col("kind_true"))) / len(named)
    print(f"unscrewing: {len(named) / len(told):.1%} answered, {right:.2%} rightly")
    assert right > 0.98
    assert len(named) > 0.85 * len(told)


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
    assert found["look"].n_unique() >= 5  # k = 2..12, and of so few series groups that share none
    told = the_way_back(workspace_dir, database, "wafer", real.select("series_id", kind="label"))
    named = told.filter(pl.col("said") == pl.col("kind"))
    right = len(named.filter(pl.col("said") == pl.col("kind_true"))) / len(named)
    print(f"wafer: {len(named) / len(told):.1%} answered, {right:.2%} rightly")
    assert len(named) > 0.8 * len(told)
