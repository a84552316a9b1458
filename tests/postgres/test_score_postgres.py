"""score with series from PostgreSQL, and with a table there for the results."""

from __future__ import annotations

from datetime import datetime

import psycopg

import tsclust
from tests.support.plant import Plant, scores
from tsclust.simulation import load
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.facts import SCORES_NEW
from tsclust.workspace.folder import Workspace


def test_from_postgresql_and_into_it(plant: Plant, plant_copy: Workspace, database: str) -> None:
    load.fill(database, 2_000, 1)
    flags = {"dsn": database, "source": {"table": "machine.cycles"}}
    tsclust.score(plant_copy.root, flags, to_table="machine.scores")
    tsclust.score(
        plant_copy.root,
        flags | {"source": {"table": "machine.cycles", "where": "series_id <= 100"}},
        to_table="machine.scores",
    )
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT count(*), count(DISTINCT series_id), max(probability) FROM machine.scores"
        ).fetchone()
    assert rows is not None
    assert rows[:2] == (2_000, 2_000)
    assert len(scores(plant_copy, SCORES_NEW)) == 100
    manifest, model = plant_copy.manifest(SCORES_NEW), plant_copy.manifest(MODEL).facts.id
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT model, series_id <= 100, max(scored_at) FROM machine.scores GROUP BY 1, 2 ORDER BY 2"
        ).fetchall()
    assert [(id_, second) for id_, second, _ in found] == [(model, False), (model, True)]
    assert found[1][2] == datetime.fromisoformat(manifest.made_at)
    _a_table_of_an_earlier_version_gets_the_new_columns(database, plant_copy)


def _a_table_of_an_earlier_version_gets_the_new_columns(database: str, workspace: Workspace) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE machine.scores DROP COLUMN model, DROP COLUMN scored_at")
    flags = {"dsn": database, "source": {"table": "machine.cycles", "where": "series_id <= 10"}}
    tsclust.score(workspace.root, flags, to_table="machine.scores")
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT count(*), count(model), count(scored_at) FROM machine.scores").fetchone()
    assert rows == (2_000, 10, 10)
