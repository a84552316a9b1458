"""The stages on a real PostgreSQL: what they write is the contract, whatever the parts; what is up to date stays."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from adbc_driver_postgresql import dbapi
from psycopg.conninfo import make_conninfo

import tsclust
from tests.support.series import CLUSTERED
from tests.support.workspaces import SERIES_MADE, TOML, hashes, new_workspace
from tsclust.errors import ConnectError, NoSeriesError, SettingsError
from tsclust.simulation import recall
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.facts import FEATURES
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace
from tsclust.workspace.result import Result


def parquet(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / name)


# What is written


def test_series_hold_every_row_of_the_table(done: Path, cycles_dsn: str) -> None:
    series = parquet(done, "series/*.parquet")
    query = "SELECT series_id, machine_id, direction, recorded_at, values FROM machine.cycles ORDER BY series_id"
    with dbapi.connect(cycles_dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        wanted = pl.DataFrame(cursor.fetch_arrow_table())
    assert series.equals(wanted.cast(dict(series.schema)))
    assert [p.name for p in Workspace(done).parts(SERIES)] == [f"part-{i:05d}.parquet" for i in range(6)]


def test_the_files_have_the_columns_of_the_contract(done: Path) -> None:
    features = parquet(done, "features/*.parquet")
    assert features.columns == ["series_id", *NAMES, "rejected_by"]
    assert set(features.select(NAMES).dtypes) == {pl.Float64}
    ks = [f"k{k:02d}" for k in range(2, 13)]
    assert parquet(done, "clusters/assignments/*.parquet").columns == ["series_id", *ks]
    centers = parquet(done, "clusters/centers.parquet")
    assert centers.columns == ["k", "cluster", "size", "silhouette", "stability", "worth", *CLUSTERED]
    sweep = ["k", "inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "smallest"]
    sweep += ["silhouette_sampled", "stability"]
    assert parquet(done, "clusters/sweep.parquet").columns == sweep
    groups = parquet(done, "clusters/groups.parquet")
    contract = [
        "group",
        "k",
        "cluster",
        "size",
        "share",
        "first_k",
        "last_k",
        "parent",
        "within",
        "silhouette",
        "worth",
    ]
    assert groups.columns[: len(contract)] == contract
    assert parquet(done, "clusters/map.parquet").columns == ["series_id", "x", "y", "group"]


def test_kept_series_and_only_they_are_assigned(done: Path) -> None:
    kept = parquet(done, "features/*.parquet").filter(pl.col("rejected_by").is_null())["series_id"]
    assert parquet(done, "clusters/assignments/*.parquet")["series_id"].equals(kept)
    assert 0.8 < len(kept) / SERIES_MADE < 0.9


def test_members_and_centers_agree_with_the_assignments(done: Path) -> None:
    assigned = recall.assigned(done / "clusters")
    rows = assigned.join(parquet(done, "features/*.parquet"), on="series_id")
    for group in parquet(done, "clusters/groups.parquet").iter_rows(named=True):
        members = rows.filter(recall.members_of(group["k"], group["cluster"], group["within"]))
        assert len(members) == group["size"]
        assert group["share"] == pytest.approx(len(members) / len(rows))
    for center in parquet(done, "clusters/centers.parquet").filter(pl.col("size") > 0).iter_rows(named=True):
        members = rows.filter(pl.col(f"k{center['k']:02d}") == center["cluster"])
        means = members.select(CLUSTERED).mean().row(0, named=True)
        assert {name: center[name] for name in CLUSTERED} == pytest.approx(means, rel=1e-3, abs=1e-3)


def test_manifests_say_what_was_made_from_what_and_what_it_cost(done: Path) -> None:
    workspace = Workspace(done)
    series, features, clusters = (workspace.manifest(stage) for stage in (SERIES, FEATURES, CLUSTERS))
    assert features.inputs == {"series": series.output_hash}
    assert clusters.inputs == {"features": features.output_hash}
    for stage, manifest in (("series", series), ("features", features), ("clusters", clusters)):
        files = {str(Path(name).relative_to(stage)): digest for name, digest in hashes(done, stage).items()}
        assert manifest.outputs == files
        assert manifest.seconds > 0
        assert manifest.peak_mb > 50
        assert "numpy" in manifest.versions
    assert not list(done.glob(".*.new"))


def test_no_secret_is_written_down(own: Path, cycles_dsn: str) -> None:
    tsclust.extract(own, {"dsn": make_conninfo(cycles_dsn, password="s3cret")})
    for path in own.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes(), path


# The same bytes


@pytest.mark.parametrize(
    "source", ["part_rows = 1000\nworkers = 1", "part_rows = 777\nworkers = 3", "part_rows = 9999"]
)
def test_parts_and_workers_change_no_result(done: Path, cycles_dsn: str, tmp_path: Path, source: str) -> None:
    root = new_workspace(tmp_path / "ws", TOML.replace("part_rows = 1000", source))
    tsclust.extract(root, {"dsn": cycles_dsn})
    for stage in (tsclust.features, tsclust.filter, tsclust.cluster):
        stage(root)
    for name in ("sweep", "centers", "groups"):
        file = f"clusters/{name}.parquet"
        assert (root / file).read_bytes() == (done / file).read_bytes(), name
    for files in ("features/*.parquet", "clusters/assignments/*.parquet"):
        assert parquet(root, files).equals(parquet(done, files)), files
    if "part_rows = 1000" in source:
        for folder in ("series", "features", "clusters"):
            assert hashes(root, folder) == hashes(done, folder)


# What is up to date is not done again


def states(root: Path) -> dict[str, str]:
    facts = tsclust.status(root).facts
    return {name: stage["state"] for name, stage in facts["stages"].items()}


def without_a_server(root: Path) -> list[Result]:
    """What run does where no server answers: all that can be done without, then its error."""
    results = []
    with pytest.raises(ConnectError):
        results.extend(tsclust.run(root, {"dsn": "host=127.0.0.1 port=1"}))
    return results


def test_a_stage_is_skipped_when_nothing_changed_and_says_so(own: Path) -> None:
    results = without_a_server(own)
    assert [r.command for r in results] == ["extract", "features", "filter", "cluster", "report"]
    assert all(r.skipped for r in results)
    assert "goes on with the series that are here" in results[0].notes[0]
    assert all("up to date" in r.notes[0] for r in results[1:])
    assert set(states(own).values()) == {"up to date"}


def test_other_settings_make_what_depends_on_them_out_of_date(own: Path) -> None:
    (own / "tsclust.toml").write_text(TOML + "seed = 9\n", encoding="utf-8")
    assert states(own) == {"series": "up to date", "features": "up to date", "clusters": "out of date: other settings"}
    assert [r.skipped for r in without_a_server(own)] == [True, True, True, False, False]
    (own / "tsclust.toml").write_text(TOML + 'seed = 9\n[features]\npeak = "max"\n', encoding="utf-8")
    assert states(own)["features"] == "out of date: other settings"


RULE = """
[[rule]]
name = "far_away"
when = "direction = 'reverse' AND run_length > 20"
reason = "for the test"
"""


def test_filter_applies_the_users_rules_and_dry_run_writes_nothing(own: Path) -> None:
    before = hashes(own, "features")
    (own / "tsclust.toml").write_text(TOML + RULE, encoding="utf-8")
    dry = tsclust.filter(own, dry_run=True)
    assert dry.wrote is None
    assert hashes(own, "features") == before
    result = tsclust.filter(own)
    change = {name: (then, by) for name, _, then, by, _ in dry.table[1:]}
    would = {name: first for name, _, _, first, _ in result.table[1:]}
    assert {name: then for name, (then, _) in change.items() if name in would} == would
    assert change["gaps"][0] == "0"
    assert change["gaps"][1].startswith("-")
    assert change["far_away"][1].startswith("+")
    features, series = parquet(own, "features/*.parquet"), parquet(own, "series/*.parquet")
    rejected = (series["direction"] == "reverse") & (features["run_length"] > 20).fill_null(False)
    assert features["rejected_by"].eq_missing(pl.Series(["far_away"])).equals(rejected)
    assert [row[1:4] for row in result.table if row[0] == "far_away"] == [(f"{rejected.sum():,}",) * 3]
    assert states(own)["clusters"] == "out of date: features changed"
    assert tsclust.filter(own).skipped


# Errors lose nothing


def test_rules_that_leave_nothing(own: Path) -> None:
    (own / "tsclust.toml").write_text(TOML + RULE.replace("direction = 'reverse' AND run_length > 20", "n_values >= 0"))
    tsclust.filter(own)
    with pytest.raises(NoSeriesError, match="left by the rules: 0"):
        tsclust.cluster(own)


def test_a_baseline_that_is_no_carried_column(own: Path) -> None:
    with pytest.raises(SettingsError, match=r"no carried column 'machine' \(there are: machine_id"):
        tsclust.cluster(own, {"cluster": {"baseline": ["machine"]}})


def test_init_writes_over_nothing(own: Path) -> None:
    before = (own / "tsclust.toml").read_bytes()
    with pytest.raises(SettingsError, match="exists already"):
        tsclust.init(own)
    assert (own / "tsclust.toml").read_bytes() == before


def test_a_path_with_blanks_and_brackets_is_a_path(cycles_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "my [bold] *ws*")
    results = list(tsclust.run(root, {"dsn": cycles_dsn, "cluster": {"k": "2..4"}}))
    assert results[-1].wrote == root / "reports" / "report.html"
    assert results[0].then == f"tsclust features -w '{root}'"
