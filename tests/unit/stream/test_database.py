"""--to-table: what is of a row costs that row alone, what is of the whole table is waited for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from psycopg import errors

from tsclust.errors import QueryError
from tsclust.stream import database
from tsclust.stream.database import Table
from tsclust.stream.desk import PASSING
from tsclust.stream.judging import Verdict
from tsclust.stream.messages import Recording

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def verdict(name: int | str) -> Verdict:
    row = dict.fromkeys(("said", "kind", "probability", "novelty", "rejected_by", "model"))
    return Verdict(Recording(f"t/0/{name}", None, {"series_id": name}, 0, b""), row)


class Server:
    """A table that has what was written. refuses: an id that is no value for it;  error: of every attempt."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, text: bool | None = None) -> None:
        self.ids: list[object] = []
        self.refuses: object = None
        self.error: Exception | None = None
        self._text = text
        monkeypatch.setattr(database, "write_table", self._write)
        monkeypatch.setattr(database, "holds_text", lambda *_: self._text)

    def _write(self, _: str, __: str, table: pa.Table, **___: Any) -> None:
        ids = table["series_id"].to_pylist()
        error = errors.NumericValueOutOfRange() if self.refuses in ids else self.error
        if error is not None:
            raise QueryError("verdicts: refused", "Look") from error
        self.ids += ids
        self._text = pa.types.is_string(table["series_id"].type) if self._text is None else self._text


def put(*names: int | str) -> list[str]:
    return [one.source for one in Table("", "verdicts").put([verdict(name) for name in names], NOW)]


def test_a_value_that_the_table_does_not_hold_is_refused_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)
    server.refuses = 3
    assert put(1, 2, 3, 4) == ["t/0/3"]
    assert server.ids == [1, 2, 4]


@pytest.mark.parametrize("error", [errors.ReadOnlySqlTransaction(), errors.InsufficientPrivilege(), None])
def test_a_table_that_nothing_can_be_written_to_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    server, table = Server(monkeypatch), Table("", "verdicts")
    server.error = error or errors.UndefinedColumn()
    with pytest.raises(PASSING):
        table.put([verdict(1), verdict(2)], NOW)
    server.error = None
    assert table.put([verdict(1), verdict(2)], NOW) == []
    assert server.ids == [1, 2]


def test_ids_are_of_the_type_that_the_table_has(monkeypatch: pytest.MonkeyPatch) -> None:
    text, numbers = Server(monkeypatch, text=True), ("t/0/A7",)
    assert put(1, 2) == []
    assert text.ids == ["1", "2"]
    integers = Server(monkeypatch, text=False)
    assert put(1, "A7", 3) == list(numbers)
    assert integers.ids == [1, 3]
    new = Server(monkeypatch)
    assert put(1, "A7") == put(2) == []
    assert new.ids == ["1", "A7", "2"]
