"""What keeps the rows of an id from being one series, looked up on the server for the error that names it."""

from __future__ import annotations

import pyarrow as pa
from psycopg import sql

from tsclust.errors import BadSeriesError
from tsclust.source import pauses
from tsclust.source.long_rows import Sameness, two_names, two_values
from tsclust.source.postgres.select import Selection, of_q
from tsclust.source.postgres.session import Connection

_ROWS, _IDS = 10_000, 200  # the first rows, and how many of their ids are looked at

_TWO = """SELECT {0}::text, array_agg(DISTINCT {1}) FROM {2} GROUP BY {0}
    HAVING count(DISTINCT {1}) + (count(*) > count({1}))::int > 1 ORDER BY {0} LIMIT 1"""
_PAUSES = """
    WITH few AS (SELECT DISTINCT id FROM (SELECT {0} AS id FROM {1} LIMIT {2}) AS s LIMIT {3}),
    steps AS (SELECT {0} AS id, {4} - lag({4}) OVER (PARTITION BY {0} ORDER BY {4}) AS step FROM {5}),
    usual AS (SELECT id, max(step) AS longest, percentile_cont(0.5) WITHIN GROUP (ORDER BY step) AS usual,
        count(*) AS rows FROM steps GROUP BY id),
    found AS (SELECT id::text, longest / usual AS times FROM usual
        WHERE rows >= {6} AND usual > 0 AND longest < 'infinity' AND longest > {7} * usual)
    SELECT (SELECT count(*) FROM usual), count(*), min(id), max(times) FROM found"""


def seen(connection: Connection, selection: Selection, id_: pa.Scalar, column: str) -> BadSeriesError:
    """The error for a series with two values at one place, or of a `column`, with the place and both."""
    same = selection.same or Sameness((), "", {})
    its = selection.where(sql.SQL("{} = {}").format(selection.key, sql.Literal(str(id_)))).source
    if column:
        query = sql.SQL("SELECT min({0}::text), max({0}::text) FROM {1}").format(of_q(column), its)
        row = connection.execute(query, binary=True).fetchone()
        return two_names(id_, column, row, same.apart(column)) if row else unseen(selection, id_, column)
    values = selection.outputs[-1].expression
    two = sql.SQL(_TWO).format(of_q(selection.layout.order), values, its)
    if (row := connection.execute(two, binary=True).fetchone()) is None:
        return unseen(selection, id_, column)
    return two_values(id_, same.order, row[0], (row[1][0], row[1][1]), same.apart(*same.others))


def unseen(selection: Selection, id_: pa.Scalar, column: str) -> BadSeriesError:
    """The same where nobody can look."""
    same = selection.same or Sameness((), "", {})
    what = f"two values of {column}" if column else f"two values at one place of {same.order}"
    return BadSeriesError(f"series {id_} has {what}: expected one", same.apart(*([column] if column else same.others)))


def refuse_pauses(holder: Connection, selection: Selection) -> None:
    """Raises BadSeriesError where most series, by those of the first rows, pause as if their ids had started again."""
    assert selection.order is not None
    assert selection.same is not None
    place = sql.SQL("({})::float8").format(selection.order.expression)
    its = selection.where(sql.SQL("{} IN (SELECT id FROM few)").format(selection.key)).source
    query = sql.SQL(_PAUSES).format(
        selection.key, selection.source, _ROWS, _IDS, place, its, pauses.FEWEST, pauses.FAR
    )  # fmt: skip
    row = holder.execute(query, binary=True).fetchone()
    if row and row[1] >= 2 and 2 * row[1] > row[0]:
        how_many = f"{row[1]:,} of the first {row[0]:,} series"
        raise pauses.pausing(how_many, selection.layout.order, row[2], row[3], selection.same.apart())
