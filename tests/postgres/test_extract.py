"""A reading that is killed or interrupted goes on: nothing is lost, doubled or half there. What is found is said."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

import tsclust
from tests.support.endurance import times
from tests.support.reading import run
from tests.support.slow_table import SERIES, TOML, facts, ids, interrupt, parts_done, slow, started, wait_for
from tests.support.workspaces import hashes, new_workspace
from tsclust.errors import QueryError

pytestmark = pytest.mark.both_servers(long=True)

# Going on


@pytest.mark.endurance
def test_killed_at_random_moments_it_goes_on_and_ends_like_one_that_was_not(slow_dsn: str, tmp_path: Path) -> None:
    rng, whole, killed = (
        random.Random(1),
        new_workspace(tmp_path / "whole", TOML),
        new_workspace(tmp_path / "killed", TOML),
    )
    tsclust.extract(whole, {"dsn": slow_dsn})
    kept, kills = [], times(4, 20)
    with slow(slow_dsn):
        for _ in range(kills):
            process, before = started(killed, slow_dsn), parts_done(killed)
            if rng.random() < 0.7:  # else somewhere in its first second
                wait_for(lambda before=before: parts_done(killed) > before, process)
                time.sleep(rng.uniform(0, 0.02))
            else:
                time.sleep(rng.uniform(0.1, 1))
            process.kill()
            process.communicate()
            kept.append(parts_done(killed))
    tsclust.extract(killed, {"dsn": slow_dsn})
    assert kept == sorted(kept)
    assert hashes(killed, "series") == hashes(whole, "series")
    assert len(facts(killed)["read"]) > kills / 2
    assert sum(facts(killed)["read"].values()) == SERIES
    assert not (killed / ".series.partial").exists()


def test_strict_starts_over(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    interrupt(root, slow_dsn, parts=3)
    assert "interrupted" in str(tsclust.status(root).notes)
    tsclust.extract(root, {"dsn": slow_dsn}, strict=True)
    assert len(facts(root)["read"]) == 1
    assert ids(root) == list(range(1, SERIES + 1))


def test_other_settings_do_not_go_on_with_an_old_plan(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    interrupt(root, slow_dsn, parts=3)
    tsclust.extract(root, {"dsn": slow_dsn, "source": {"where": "machine = 'M3'"}})
    assert sorted(ids(root)) == [i for i in range(1, SERIES + 1) if i % 7 == 3]
    assert len(facts(root)["read"]) == 1


def test_a_part_that_was_damaged_meanwhile_is_read_again(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    interrupt(root, slow_dsn, parts=3)
    part = root / ".series.partial" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    with (root / ".series.partial" / "done.jsonl").open("a") as file:
        file.write('{"part": 7, "file": "part-0')  # a line that the kill broke off
    tsclust.extract(root, {"dsn": slow_dsn})
    assert ids(root) == list(range(1, SERIES + 1))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_at_once_and_keeps_what_is_whole(slow_dsn: str, tmp_path: Path, how: signal.Signals) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    with slow(slow_dsn):
        process = started(root, slow_dsn)
        wait_for(lambda: parts_done(root) > 3, process)
        process.send_signal(how)
        _, told = process.communicate(timeout=10)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[how], told
    assert "Traceback" not in told
    assert parts_done(root) > 3
    tsclust.extract(root, {"dsn": slow_dsn})
    assert ids(root) == list(range(1, SERIES + 1))


def test_the_table_may_change_between_two_snapshots_and_no_id_is_there_twice(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    interrupt(root, slow_dsn, parts=10)
    run(
        slow_dsn,
        "DELETE FROM machine.cycles WHERE series_id % 10 = 0",
        "UPDATE machine.cycles SET series_id = series_id + 100000 WHERE series_id % 10 = 1",
        "INSERT INTO machine.cycles SELECT -i, 'new', now(), '{1}' FROM generate_series(1, 500) AS i",
    )
    tsclust.extract(root, {"dsn": slow_dsn})
    assert len(ids(root)) == len(set(ids(root)))
    assert {i for i in range(1, SERIES + 1) if i % 10 > 1} <= set(ids(root))


# What is found is said, and written down


def test_save_writes_what_was_found_and_keeps_the_comments(slow_dsn: str, tmp_path: Path) -> None:
    run(slow_dsn, "ALTER TABLE machine.cycles RENAME series_id TO cycle")
    root = tmp_path / "ws"
    tsclust.init(root)
    flags = {"dsn": slow_dsn, "source": {"table": "machine.cycles", "limit": 50}}
    result = tsclust.extract(root, flags, save=True)
    assert any("id cycle" in note and "values samples" in note for note in result.notes)
    text = (root / "tsclust.toml").read_text()
    assert '\nid = "cycle"\n' in text
    assert '\nlayout = "array"\n' in text
    assert "\nlimit = 0\n" in text
    assert (
        text.count("#") == (tmp_path / "again" / "tsclust.toml").read_text().count("#")
        if tsclust.init(tmp_path / "again")
        else False
    )
    assert tsclust.extract(root, {"dsn": slow_dsn}).facts
    assert len(ids(root)) == SERIES


def test_dsn_with_password_is_nowhere(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    tsclust.extract(root, {"dsn": make_conninfo(slow_dsn, password="s3cret-word")})
    written = "".join(p.read_text(errors="replace") for p in root.rglob("*") if p.is_file())
    assert "s3cret-word" not in written
    assert "s3cret-word" not in json.dumps(tsclust.status(root).as_json(), default=str)


def test_a_mistyped_table_does_not_cost_an_unfinished_reading(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    interrupt(root, slow_dsn, parts=3)
    with pytest.raises(QueryError):
        tsclust.extract(root, {"dsn": slow_dsn, "source": {"table": "machine.cyclse", "query": ""}})
    assert parts_done(root) > 3


def test_ranges_in_which_nothing_lies_leave_no_trace(slow_dsn: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "ws", TOML)
    tsclust.extract(root, {"dsn": slow_dsn, "source": {"where": "series_id % 1000 <= 150"}})
    manifest = json.loads((root / "series" / "manifest.json").read_text())
    assert set(manifest["outputs"]) == {p.name for p in (root / "series").glob("*.parquet")}
    assert manifest["parts"] == len(manifest["outputs"]) < 20
    assert ids(root) == [i for i in range(1, SERIES + 1) if i % 1000 <= 150]


@pytest.mark.endurance
@pytest.mark.parametrize("key", ["ADD PRIMARY KEY (series_id)", "ALTER series_id SET NOT NULL"])
def test_few_long_series_take_no_more_memory_than_many_short_ones(database: str, tmp_path: Path, key: str) -> None:
    rows = times(600, 1200)
    run(
        database,
        f"""CREATE TABLE long AS SELECT i AS series_id, array_fill(i::float8, ARRAY[100000]) AS values
            FROM generate_series(1, {rows}) AS i""",
        f"ALTER TABLE long {key}",
    )
    root = new_workspace(tmp_path / "ws", "[source]\ntable = 'long'\n")
    process = started(root, database, "--json")
    told, wrong = process.communicate()
    assert process.returncode == 0, wrong
    result = json.loads(told)
    assert (result["facts"]["rows"], result["facts"]["odd"]) == (rows, {"very_long": rows})
    assert result["facts"]["parts"] > 3
    assert result["peak_mb"] < 800  # 1,200 are 960 MB, which took several times as much when a part held them
