"""score with series from PostgreSQL, and with a table there for the results."""

from __future__ import annotations

import psycopg

import tsclust
from tests.support.plant import Plant, scores
from tsclust.simulation import load
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
