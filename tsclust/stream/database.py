"""Verdicts in a table of PostgreSQL, one for each series: what comes again changes nothing there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import errors

from tsclust.errors import BadSeriesError, TsclustError
from tsclust.series import ID
from tsclust.sink.postgres.table import holds_text, write_table
from tsclust.sink.postgres.target import names_of
from tsclust.stages.scores import parts
from tsclust.stream.judging import Verdict, refused, table_of
from tsclust.stream.messages import Recording, Unreadable

SAME = ("model", parts.SAID)  # a row with these is the verdict that is there


class Table:
    """The table of --to-table."""

    name = "the database"

    def __init__(self, dsn: str, table: str) -> None:
        """Raises SettingsError for a name that is none."""
        names_of(table, [*parts.COLUMNS, parts.SCORED_AT])
        self._dsn, self._table = dsn, table
        self._text: bool | None = None  # ids are, in the table; None where that is not known

    def put(self, verdicts: Sequence[Verdict], scored_at: datetime) -> list[Unreadable]:
        """What the table does not take, found by halves: one series must not hold up the others.

        Raises what is of the whole table: a server that is read-only now, a right that is missing.
        """
        if self._text is None:
            self._text = holds_text(self._dsn, self._table, ID)
        text = any(isinstance(one.of.fields[ID], str) for one in verdicts) if self._text is None else self._text
        fit = [one for one in verdicts if text or not isinstance(one.of.fields[ID], str)]
        names = [one for one in verdicts if not text and isinstance(one.of.fields[ID], str)]
        unfit = [self._refused(one.of, f"{ID} is text, and its column there holds integers") for one in names]
        return unfit + (self._written(fit, scored_at, text) if fit else [])

    def _written(self, verdicts: Sequence[Verdict], scored_at: datetime, text: bool) -> list[Unreadable]:
        try:
            write_table(self._dsn, self._table, table_of(verdicts, scored_at, text=text), key=[ID], same=SAME)
        except TsclustError as error:
            if not _is_of_a_row(error):
                self._text = None  # it may be another table when it comes back
                raise
            if len(verdicts) == 1:
                return [self._refused(verdicts[0].of, str(error))]
            middle = len(verdicts) // 2
            halves = (verdicts[:middle], verdicts[middle:])
            return [one for half in halves for one in self._written(half, scored_at, text)]
        return []

    def _refused(self, one: Recording, why: str) -> Unreadable:
        return refused(one, f"not in {self._table}: {why}")


def _is_of_a_row(error: TsclustError) -> bool:
    """Whether other rows may be taken."""
    return isinstance(error, BadSeriesError) or isinstance(error.__cause__, errors.DataError | errors.IntegrityError)
