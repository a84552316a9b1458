"""Verdicts in a table of PostgreSQL, one for each series: what comes again changes nothing there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tsclust.errors import BadSeriesError, QueryError, SettingsError
from tsclust.series import ID
from tsclust.sink.postgres.table import write_table
from tsclust.sink.postgres.target import names_of
from tsclust.stages.scores import parts
from tsclust.stream.judging import Verdict, table_of
from tsclust.stream.messages import Unreadable

SAME = ("model", parts.SAID)  # a row with these is the verdict that is there


class Table:
    """The table of --to-table."""

    name = "the database"

    def __init__(self, dsn: str, table: str) -> None:
        """Raises SettingsError for a name that is none."""
        names_of(table, [*parts.COLUMNS, parts.SCORED_AT])
        self._dsn, self._table = dsn, table

    def put(self, verdicts: Sequence[Verdict], scored_at: datetime) -> list[Unreadable]:
        """What the table does not take is found by halves: one series must not hold up the others."""
        try:
            write_table(self._dsn, self._table, table_of(verdicts, scored_at), key=[ID], same=SAME)
        except (QueryError, BadSeriesError, SettingsError) as error:
            if len(verdicts) == 1:
                one = verdicts[0].of
                return [Unreadable(one.source, one.key, one.raw, f"not in {self._table}: {error}"[:500])]
            middle = len(verdicts) // 2
            return self.put(verdicts[:middle], scored_at) + self.put(verdicts[middle:], scored_at)
        return []
