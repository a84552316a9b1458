"""The text of what is selected from, with psycopg and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsclust.config import Source
from tsclust.errors import SettingsError
from tsclust.source.postgres.relation import relation, text_of

SOURCES = [
    Source(table="cycles"), Source(table="machine.cycles"), Source(table='"My.Schema"."a ""b"" c".T'),
    Source(query="SELECT 1;"), Source(query="SELECT '%s {x}' -- end"),
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.table or source.query)
def test_both_give_the_same(source: Source, tmp_path: Path) -> None:
    assert text_of(source, tmp_path) == relation(source, tmp_path).text.as_string()


def test_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"source\.files are all empty"):
        text_of(Source(), tmp_path)
