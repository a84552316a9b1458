"""The stages on a real PostgreSQL: what they write is the contract, whatever the parts; nothing is ever half there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from psycopg.conninfo import make_conninfo

import tsclust
from tests.made import CLUSTERED
from tsclust.demo import load
from tsclust.demo.server import Server
from tsclust.errors import (
    DamagedError,
    DiskFullError,
    NoSeriesError,
    NotAWorkspaceError,
    SettingsError,
    StageMissingError,
    WorkspaceBusyError,
)
from tsclust.features.catalogue import NAMES
from tsclust.workspace import Workspace

SERIES = 6_000
TOML = """
[source]
table = "machine.cycles"
part_rows = 1000
[cluster]
k = "2..12"
baseline = ["machine_id"]
"""


@pytest.fixture(scope="module")
def cycles(server: Server) -> Iterator[str]:
    """The DSN of a database with made cycles."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cycles")
    dsn = make_conninfo(server.dsn, dbname="cycles")
    load.fill(dsn, SERIES, 3)
    yield dsn
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP DATABASE cycles WITH (FORCE)")


def made(root: Path, toml: str = TOML) -> Path:
    root.mkdir(parents=True)
    (root / "tsclust.toml").write_text(toml, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def done(cycles: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that ran through: for reading."""
    root = made(tmp_path_factory.mktemp("done") / "ws")
    list(tsclust.run(root, {"dsn": cycles}))
    return root


@pytest.fixture
def own(done: Path, tmp_path: Path) -> Path:
    """A copy of it, for changing."""
    return Path(shutil.copytree(done, tmp_path / "ws"))


def hashes(root: Path, stage: str) -> dict[str, str]:
    """Every file of a stage but the manifest, which holds the time it took."""
    files = sorted(p for p in (root / stage).rglob("*.parquet"))
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def parquet(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / name)


# What is written


def test_series_hold_every_row_of_the_table(done: Path, cycles: str) -> None:
    series = parquet(done, "series/*.parquet")
    query = "SELECT series_id, machine_id, direction, recorded_at, values FROM machine.cycles ORDER BY series_id"
    with dbapi.connect(cycles) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        wanted = pl.DataFrame(cursor.fetch_arrow_table())
    assert series.equals(wanted.cast(dict(series.schema)))
    assert [p.name for p in Workspace(done).parts("series")] == [f"part-{i:05d}.parquet" for i in range(6)]


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
    assert 0.8 < len(kept) / SERIES < 0.9


def test_members_and_centers_agree_with_the_assignments(done: Path) -> None:
    rows = parquet(done, "clusters/assignments/*.parquet").join(parquet(done, "features/*.parquet"), on="series_id")
    for group in parquet(done, "clusters/groups.parquet").iter_rows(named=True):
        members = rows.filter(pl.col(f"k{group['k']:02d}") == group["cluster"])
        assert len(members) == group["size"]
        assert group["share"] == pytest.approx(len(members) / len(rows))
    for center in parquet(done, "clusters/centers.parquet").filter(pl.col("size") > 0).iter_rows(named=True):
        members = rows.filter(pl.col(f"k{center['k']:02d}") == center["cluster"])
        means = members.select(CLUSTERED).mean().row(0, named=True)
        assert {name: center[name] for name in CLUSTERED} == pytest.approx(means, rel=1e-3, abs=1e-3)


def test_manifests_say_what_was_made_from_what_and_what_it_cost(done: Path) -> None:
    workspace = Workspace(done)
    series, features, clusters = (workspace.manifest(stage) for stage in ("series", "features", "clusters"))
    assert features.inputs == {"series": series.output_hash}
    assert clusters.inputs == {"features": features.output_hash}
    for stage, manifest in (("series", series), ("features", features), ("clusters", clusters)):
        files = {str(Path(name).relative_to(stage)): digest for name, digest in hashes(done, stage).items()}
        assert manifest.outputs == files
        assert manifest.seconds > 0
        assert manifest.peak_mb > 50
        assert "numpy" in manifest.versions
    assert not list(done.glob(".*.new"))


def test_no_secret_is_written_down(own: Path, cycles: str) -> None:
    tsclust.extract(own, {"dsn": make_conninfo(cycles, password="s3cret")})
    for path in own.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes(), path


# The same bytes


@pytest.mark.parametrize(
    "source", ["part_rows = 1000\nworkers = 1", "part_rows = 777\nworkers = 3", "part_rows = 9999"]
)
def test_parts_and_workers_change_no_result(done: Path, cycles: str, tmp_path: Path, source: str) -> None:
    root = made(tmp_path / "ws", TOML.replace("part_rows = 1000", source))
    list(tsclust.run(root, {"dsn": cycles}))
    for name in ("sweep", "centers", "groups"):
        file = f"clusters/{name}.parquet"
        assert (root / file).read_bytes() == (done / file).read_bytes(), name
    for stage in ("features/*.parquet", "clusters/assignments/*.parquet"):
        assert parquet(root, stage).equals(parquet(done, stage)), stage
    if "part_rows = 1000" in source:
        for stage in ("series", "features", "clusters"):
            assert hashes(root, stage) == hashes(done, stage)


# What is up to date is not done again


def states(root: Path) -> dict[str, str]:
    facts = tsclust.status(root).facts
    return {name: stage["state"] for name, stage in facts["stages"].items()}


def test_a_stage_is_skipped_when_nothing_changed_and_says_so(own: Path) -> None:
    results = list(tsclust.run(own))  # without a DSN: it needs no server
    assert [r.command for r in results] == ["extract", "features", "filter", "cluster", "report"]
    assert [r.skipped for r in results] == [True, True, True, True, False]
    assert all("up to date" in r.notes[0] for r in results if r.skipped)
    assert set(states(own).values()) == {"up to date"}


def test_other_settings_make_what_depends_on_them_out_of_date(own: Path) -> None:
    (own / "tsclust.toml").write_text(TOML + "seed = 9\n", encoding="utf-8")
    assert states(own) == {"series": "up to date", "features": "up to date", "clusters": "out of date: other settings"}
    assert [r.skipped for r in tsclust.run(own)] == [True, True, True, False, False]
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
    with pytest.raises(NoSeriesError, match="0 series are left by the rules"):
        tsclust.cluster(own)


def test_a_baseline_that_is_no_carried_column(own: Path) -> None:
    with pytest.raises(SettingsError, match=r"no carried column 'machine' \(there are: machine_id"):
        tsclust.cluster(own, {"cluster": {"baseline": ["machine"]}})


def test_stages_before_their_input(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspaceError, match="tsclust init -w"):
        tsclust.status(tmp_path)
    root = made(tmp_path / "ws")
    for command, made_by in (
        ("features", "extract"),
        ("filter", "features"),
        ("cluster", "features"),
        ("report", "cluster"),
    ):
        with pytest.raises(StageMissingError, match=f"Run: tsclust {made_by}"):
            getattr(tsclust, command)(root)


def test_only_one_tsclust_writes_to_a_workspace(own: Path) -> None:
    with Workspace(own).locked(), pytest.raises(WorkspaceBusyError, match="another tsclust is writing"):
        tsclust.cluster(own)
    assert tsclust.cluster(own).skipped


def test_init_writes_over_nothing(own: Path) -> None:
    before = (own / "tsclust.toml").read_bytes()
    with pytest.raises(SettingsError, match="exists already"):
        tsclust.init(own)
    assert (own / "tsclust.toml").read_bytes() == before


def test_a_damaged_file_is_named_and_a_lost_manifest_means_not_made(own: Path) -> None:
    (own / "features" / "part-00002.parquet").write_bytes(b"no Parquet")
    with pytest.raises(DamagedError, match=r"cannot be read.*Remove that stage's folder"):
        tsclust.cluster(own, {"cluster": {"seed": 5}})
    (own / "features" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(StageMissingError, match="Run: tsclust features"):
        tsclust.cluster(own)


def test_a_path_with_blanks_and_brackets_is_a_path(cycles: str, tmp_path: Path) -> None:
    root = made(tmp_path / "my [bold] *ws*")
    results = list(tsclust.run(root, {"dsn": cycles, "cluster": {"k": "2..4"}}))
    assert results[-1].wrote == root / "reports" / "report.html"
    assert results[0].then == f"tsclust features -w '{root}'"


COMMANDS = ("extract", "features", "cluster")
STAGE_OF = {"extract": "series", "features": "features", "cluster": "clusters"}


def started(root: Path, command: str, dsn: str, **how: object) -> subprocess.Popen[str]:
    """`tsclust COMMAND` in a process of its own, made to do its work again."""
    environment = {**os.environ, "TSCLUST_DSN": dsn, "TSCLUST_CLUSTER__SEED": "77", "TSCLUST_FEATURES__PEAK": "max"}
    return subprocess.Popen(
        [sys.executable, "-m", "tsclust", command, "-w", str(root)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how,  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_moment_the_last_good_stage_stays(own: Path, cycles: str, command: str) -> None:
    stage = STAGE_OF[command]
    before, rng = hashes(own, stage), random.Random(command)
    for _ in range(4):
        process = started(own, command, cycles)
        time.sleep(rng.uniform(0.3, 2.5))
        process.kill()
        process.communicate()
        manifest = json.loads((own / stage / "manifest.json").read_bytes())
        assert {f"{stage}/{name}": digest for name, digest in manifest["outputs"].items()} == hashes(own, stage)
        if hashes(own, stage) != before:
            break  # it was quick enough to finish: a whole new stage
    again = started(own, command, cycles)
    assert again.communicate()[1] == ""
    assert again.returncode == 0
    assert not list(own.glob(".*.new"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_system_that_takes_no_more_is_one_line_and_loses_nothing(own: Path, cycles: str, command: str) -> None:
    before = hashes(own, STAGE_OF[command])
    limit = 20_000  # bytes: no file may grow beyond it, the kernel refuses as on a full disk

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = started(own, command, cycles, preexec_fn=full)
    _, told = process.communicate()
    assert process.returncode == DiskFullError.exit_code, told
    assert told.count("\n") == 1
    assert "no space left" in told
    assert hashes(own, STAGE_OF[command]) == before
    assert not list(own.glob(".*.new"))


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_cleans_up(own: Path, cycles: str, how: signal.Signals, code: int) -> None:
    with psycopg.connect(cycles) as connection:  # a reader that has to wait: the moment of the signal is certain
        connection.execute("LOCK TABLE machine.cycles IN ACCESS EXCLUSIVE MODE")
        process = started(own, "extract", cycles)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while connection.execute(waiting).fetchone() == (0,):
            time.sleep(0.05)
        process.send_signal(how)
        time.sleep(0.3)
    _, told = process.communicate(timeout=30)
    assert process.returncode == code, told
    assert "Traceback" not in told
    assert not list(own.glob(".*.new"))
