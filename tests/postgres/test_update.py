"""extract --update: what is new comes as new parts, however the source tells what is new; nothing is read twice."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from psycopg.conninfo import conninfo_to_dict

import tsclust
from tests.support.reading import run
from tests.support.servers import new_database
from tests.support.slow_table import SERIES, TABLE, TOML, ids, interrupt
from tests.support.workspaces import hashes, new_workspace
from tsclust.embedded_postgres.server import Server
from tsclust.errors import SettingsError

pytestmark = pytest.mark.both_servers(long=True)


def test_update_adds_new_series_as_new_parts_and_touches_no_old_one(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    extracted = tsclust.extract(root, {"dsn": slow_dsn}).facts
    before = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in (root / "series").glob("part-*")}
    nothing = tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    assert nothing.skipped
    assert "nothing new" in nothing.notes[0]
    assert nothing.facts.keys() == extracted.keys()  # as extract itself: no ranges
    run(
        slow_dsn,
        "INSERT INTO machine.cycles SELECT i, 'M1', now(), '{1,2}' FROM generate_series(9001, 9250) AS i",
        "UPDATE machine.cycles SET samples = '{0}' WHERE series_id = 7",
    )
    updated = tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    after = {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in (root / "series").glob("part-*")}
    assert before.items() <= after.items()
    assert len(after) > len(before)
    assert ids(root) == [*range(1, SERIES + 1), *range(9001, 9251)]
    assert updated.facts
    assert (updated.facts["rows"], updated.facts["new"]) == (SERIES + 250, 250)
    assert updated.facts["mark"] == "9250"


def test_after_an_update_only_the_new_parts_are_described(slow_dsn: str, tmp_path: Path) -> None:
    root, anew = new_workspace(tmp_path / "ws", TOML), new_workspace(tmp_path / "anew", TOML)
    tsclust.extract(root, {"dsn": slow_dsn})
    tsclust.features(root)
    before = {p.name: p.stat().st_ino for p in (root / "features").glob("part-*")}
    run(slow_dsn, "INSERT INTO machine.cycles SELECT i, 'M1', now(), '{1,2}' FROM generate_series(9001, 9250) AS i")
    tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    result = tsclust.features(root)
    after = {p.name: p.stat().st_ino for p in (root / "features").glob("part-*")}
    assert before.items() < after.items()
    assert f"{len(before)} of {len(after)} parts were complete already" in result.notes
    (anew / "series").symlink_to(root / "series")
    from_scratch = tsclust.features(anew)
    assert hashes(anew, "features") == hashes(root, "features")
    assert from_scratch.facts == result.facts
    assert from_scratch.table == result.table


def test_update_by_a_watermark_finds_ids_that_are_not_the_highest(slow_dsn: str, tmp_path: Path) -> None:
    toml = TOML.replace("SELECT series_id", "SELECT series_id, added") + 'watermark = "added"\n'
    root = new_workspace(tmp_path / "ws", toml)
    tsclust.extract(root, {"dsn": slow_dsn})
    run(
        slow_dsn,
        "INSERT INTO machine.cycles SELECT -i, 'M1', now(), '{1,2}' FROM generate_series(1, 250) AS i",
        "INSERT INTO machine.cycles SELECT 99999, 'M1', max(added), '{1,2}' FROM machine.cycles WHERE series_id > 0",
    )
    updated = tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    assert sorted(ids(root)) == [*range(-250, 0), *range(1, SERIES + 1), 99999]
    assert updated.facts
    assert updated.facts["new"] == 251


def test_update_of_a_source_without_an_order_leaves_out_what_is_known(slow_dsn: str, tmp_path: Path) -> None:
    run(slow_dsn, "CREATE TABLE loose AS SELECT md5(series_id::text)::uuid AS id, samples FROM machine.cycles")
    root = new_workspace(tmp_path / "ws", '[source]\ntable = "loose"\npart_rows = 500\n')
    tsclust.extract(root, {"dsn": slow_dsn})
    assert tsclust.extract(root, {"dsn": slow_dsn}, update=True).skipped
    run(slow_dsn, "INSERT INTO loose SELECT md5('new' || i)::uuid, '{1,2}' FROM generate_series(1, 30) AS i")
    updated = tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    assert updated.facts
    assert (updated.facts["rows"], updated.facts["new"]) == (SERIES + 30, 30)
    assert len(set(ids(root))) == SERIES + 30


def test_update_adds_nothing_to_series_that_were_read_otherwise(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    tsclust.extract(root, {"dsn": slow_dsn})
    with pytest.raises(SettingsError, match=r"other \[source\] settings"):
        tsclust.extract(root, {"dsn": slow_dsn, "source": {"where": "machine = 'M1'"}}, update=True)
    run(
        slow_dsn,
        "ALTER TABLE machine.cycles ALTER machine TYPE int USING 1",
        "UPDATE machine.cycles SET series_id = series_id + 9000",
    )
    with pytest.raises(SettingsError, match="no longer those of"):
        tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    assert len(ids(root)) == SERIES
    assert not (root / ".series.partial").exists()


def test_update_of_nothing_reads_all(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    assert tsclust.extract(root, {"dsn": slow_dsn}, update=True).facts
    assert len(ids(root)) == SERIES


@pytest.mark.parametrize("watermark", [True, False])
def test_what_came_while_a_reading_was_interrupted_is_new_the_next_time(
    slow_dsn: str, tmp_path: Path, watermark: bool
) -> None:
    toml = TOML.replace("SELECT series_id", "SELECT series_id, added")
    root = new_workspace(tmp_path / "ws", toml + ('watermark = "added"\n' if watermark else ""))
    interrupt(root, slow_dsn, parts=70)
    low = -1 if watermark else 10_001  # in a range that is read already; above all of them
    run(
        slow_dsn,
        f"INSERT INTO machine.cycles VALUES ({low}, 'M1', '2030-01-01Z', '{{1,2}}')",
        "INSERT INTO machine.cycles VALUES (99999, 'M1', '2031-01-01Z', '{1,2}')",
    )
    tsclust.extract(root, {"dsn": slow_dsn})
    tsclust.extract(root, {"dsn": slow_dsn}, update=True)
    assert sorted(ids(root)) == sorted([low, *range(1, SERIES + 1), 99_999])


def test_a_watermark_of_long_rows_brings_whole_series(database: str, tmp_path: Path) -> None:
    rows = "SELECT {0}, timestamp '2024-01-01 10:00' + ({1} + j) * interval '1 min', j FROM generate_series(0, 9) AS j"
    run(
        database,
        "CREATE TABLE samples (cycle int, at timestamp, value float8, PRIMARY KEY (cycle, at))",
        "INSERT INTO samples " + rows.format(1, 0),
    )
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 'samples'\nwatermark = 'at'\n")
    tsclust.extract(root, {"dsn": database})
    run(database, "INSERT INTO samples " + rows.format(2, 5))
    tsclust.extract(root, {"dsn": database}, update=True)
    assert pl.read_parquet(root / "series" / "*.parquet")["values"].to_list() == [[float(j) for j in range(10)]] * 2


def test_a_row_without_a_watermark_is_found_too(database: str, tmp_path: Path) -> None:
    run(database, "CREATE TABLE t (id int, w int, v float8[])", "INSERT INTO t VALUES (1, 5, '{1}'), (2, NULL, '{2}')")
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 't'\nwatermark = 'w'\n")
    tsclust.extract(root, {"dsn": database})
    run(database, "INSERT INTO t VALUES (3, NULL, '{3}'), (4, 6, '{4}')")
    tsclust.extract(root, {"dsn": database}, update=True)
    assert sorted(ids(root)) == [1, 2, 3, 4]
    with pytest.raises(SettingsError, match=r"source\.limit and source\.watermark"):
        tsclust.extract(root, {"dsn": database, "source": {"limit": 1}}, update=True)


def test_run_takes_in_what_is_new_where_more_is_gone(database: str, tmp_path: Path) -> None:
    rows = "INSERT INTO t SELECT {0}::uuid, {1}, '{{1,2}}' FROM generate_series({2}, {3}) AS i"
    run(database, "CREATE TABLE t (id uuid, w int, v float8[])", rows.format("md5(i::text)", "i", 1, 20))
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 't'\n")
    settings = {"dsn": database}
    tsclust.extract(root, settings)
    by_watermark = settings | {"source": {"watermark": "w"}}
    found = tsclust.status(root, by_watermark).facts
    assert found
    assert found["source"] | {"why": ""} == asked(None, 0, 0)  # an id is no mark of this column
    tsclust.extract(root, by_watermark)
    run(
        database, "DELETE FROM t WHERE w <= 5", "UPDATE t SET w = 30, v = '{3}' WHERE w = 6",
        rows.format("md5(i::text)", "i", 31, 33),
    )  # fmt: skip
    found = tsclust.status(root, settings).facts
    assert found
    assert found["source"] == asked(1, 3, 5)
    found = tsclust.extract(root, settings, update=True).facts
    assert found
    assert found["new"] == 3


def asked(changed: int | None, new: int, gone: int) -> dict[str, object]:
    return {
        "asked": True, "why": "", "new": new, "gone": gone, "changed": changed, "below": 0, "files_changed": None
    }  # fmt: skip


def test_moments_as_ids_do_not_depend_on_who_asks(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database, "CREATE TABLE t (at timestamptz, v float8[])", "INSERT INTO t VALUES ('2024-06-01 12:00Z', '{1}')")
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 't'\nid = 'at'\n")
    for zone in ("America/New_York", "Europe/Berlin"):
        monkeypatch.setenv("PGTZ", zone)
        tsclust.extract(root, {"dsn": database}, update=True)
    assert ids(root) == ["2024-06-01 12:00:00+00"]


def test_nothing_is_added_from_another_server(slow_dsn: str, server: Server, server16: Server, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    here = conninfo_to_dict(slow_dsn)
    other = server if conninfo_to_dict(server.dsn)["host"] != here["host"] else server16
    tsclust.extract(root, {"dsn": slow_dsn})
    before = hashes(root, "series")
    with new_database(other.dsn, str(here["dbname"])) as dsn:
        run(dsn, *TABLE, "INSERT INTO machine.cycles VALUES (99999, 'M1', now(), '{1}')")
        with pytest.raises(SettingsError, match=r"is not where .* came from"):
            tsclust.extract(root, {"dsn": dsn}, update=True)
    assert hashes(root, "series") == before


def test_moments_far_in_the_future_are_none(database: str, tmp_path: Path) -> None:
    run(database, "CREATE TABLE t AS SELECT 1 AS id, timestamptz '294276-12-31' AS until, '{1}'::float8[] AS v")
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 't'\n")
    tsclust.extract(root, {"dsn": database})
    assert pl.read_parquet(root / "series" / "*.parquet")["until"].to_list() == [None]
    assert json.loads((root / "series" / "manifest.json").read_text())["facts"]["new"] == 1
