"""What a rule may say: its condition is parsed by sqlglot, held against a list of what is allowed, and written anew.

Polars runs what was written anew, so nothing runs that was not checked. Both parsers must have understood the user's
text alike: where they do not, as with `a = b IS NULL`, the rule is refused instead of guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import polars as pl
from polars.exceptions import PolarsError
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from tsclust.errors import SettingsError
from tsclust.stages.features.rule_dialect import RuleSql
from tsclust.stages.features.rule_sql import CHAINS, NotAllowedError, written

# Not needed to keep them out, but to say why they are.
_OF_OTHER_ROWS = {
    *("ARRAY_AGG", "AVG", "CORR", "COUNT", "COVAR", "COVAR_POP", "COVAR_SAMP", "FIRST", "FIRST_VALUE", "LAG", "LAST"),
    *("LAST_VALUE", "LEAD", "MAX", "MEAN", "MEDIAN", "MIN", "MODE", "NTILE", "PERCENTILE_CONT", "PERCENTILE_DISC"),
    *("QUANTILE", "QUANTILE_CONT", "QUANTILE_DISC", "RANK", "DENSE_RANK", "ROW_NUMBER", "STDDEV", "STDDEV_POP"),
    *("STDDEV_SAMP", "STDEV", "SUM", "VAR", "VARIANCE", "VAR_POP", "VAR_SAMP", "OVER", "SELECT"),
}
_CLOCK = {
    *("NOW", "TODAY", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "GETDATE"),
    *("SYSDATE", "CLOCK_TIMESTAMP", "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP"),
}
_NESTED = 60  # levels of a tree: the parser needs up to nine calls for each, of the thousand that Python has
_MISSING = re.compile(r"Missing (\S+) from")
_SHOWN = 200  # characters of a rule in a message


@dataclass(frozen=True)
class Condition:
    """A condition that was checked. columns: the names that it reads."""

    tree: exp.Expr
    expression: pl.Expr
    columns: frozenset[str]


@lru_cache(maxsize=1_000)
def parse(rule: str, when: str) -> Condition:
    """The condition `when` of the rule of that name.

    Raises SettingsError where it is no SQL condition, holds what is not allowed, or needs more than its row.
    """
    try:
        tree = _tree(when)
        expression = expression_of(tree)
        if not _polars(when).meta.eq(expression):
            raise _ambiguous(written(tree))
    except NotAllowedError as error:
        shown = when if len(when) <= _SHOWN else f"{when[:_SHOWN]}..."
        raise SettingsError(f"rule {rule}: {shown!r} {error}", error.hint) from None
    return Condition(tree, expression, columns_of(tree))


def columns_of(tree: exp.Expr) -> frozenset[str]:
    """The names of the columns in a condition's tree, or in a part of it."""
    return frozenset(column.name for column in tree.find_all(exp.Column))


def expression_of(tree: exp.Expr) -> pl.Expr:
    """What Polars runs for a condition's tree, or for a part of it."""
    return _polars(written(tree))


def _tree(when: str) -> exp.Expr:
    try:
        trees = RuleSql().parse_into(exp.Condition, when)
    except RecursionError:
        raise _too_deep() from None
    except ParseError as error:
        raise _no_condition(_where(error)) from None
    except SqlglotError as error:  # of the tokenizer: something that nothing closes
        raise _open(str(error.__cause__)) from None
    except (AttributeError, LookupError, TypeError, ValueError):  # sqlglot trips over some texts, as over { : 1 }
        raise _no_condition("no parser can read it") from None
    if len(trees) != 1 or trees[0] is None:
        raise _no_condition("expected exactly one, without a semicolon")
    _refuse_deep(trees[0])
    _refuse_other_rows(trees[0])
    return trees[0]


def _where(error: ParseError) -> str:
    first = error.errors[0]
    if first["description"].startswith("Required keyword"):
        return f"incomplete after {first['highlight']}, character {first['col']}"
    return f"{str(first['description']).rstrip('.')} at {first['highlight']!r}, character {first['col']}"


def _polars(text: str) -> pl.Expr:
    try:
        return pl.sql_expr(text)
    except (PolarsError, pl.exceptions.PanicException) as error:
        raise _no_condition(error) from None


def _no_condition(error: object) -> NotAllowedError:
    first = str(error).partition("\n")[0][:_SHOWN]
    return NotAllowedError(f"is not an SQL condition: {first}", "Write it like: peak_height < 0.2 OR n_missing > 3")


def _open(cause: str) -> NotAllowedError:
    """For what sqlglot's tokenizer ran into: "Missing ' from 1:4", for a comment that it ran out of text."""
    found = _MISSING.match(cause)
    what, mark = (f"the quote {found[1]}", found[1]) if found else ("a comment /*", "*/")
    return NotAllowedError(f"is not an SQL condition: {what} is not closed", f"Write {mark} where it ends")


def _ambiguous(one: str) -> NotAllowedError:
    return NotAllowedError(
        f"can be read in two ways, one is {one[:_SHOWN]}", "Put parentheses around its parts, or write plainer SQL"
    )


def _too_deep() -> NotAllowedError:
    return NotAllowedError("is nested too deeply", "Make several rules of it")


def _refuse_deep(tree: exp.Expr) -> None:
    todo = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        if depth > _NESTED:
            raise _too_deep()
        chained = CHAINS.get(type(node), ())  # a sum of hundreds is one level
        todo += [(child, depth + (type(child) not in chained)) for child in node.iter_expressions()]


def _refuse_other_rows(tree: exp.Expr) -> None:
    names = {_called(node) for node in tree.walk()}
    if found := sorted(names & _CLOCK):
        raise NotAllowedError(
            f"depends on the current time ({', '.join(found)}): the same data would give different results later",
            "Compare with a date: recorded_at > DATE '2024-01-01'",
        )
    if found := sorted(names & _OF_OTHER_ROWS):
        raise NotAllowedError(
            f"refers to other rows ({', '.join(found)}): a rule judges each row alone",
            "For the median of series of its kind write typical_<feature>, for their robust deviation spread_<feature>",
        )


def _called(node: exp.Expr) -> str:
    """The name of a function, OVER, SELECT; "" for anything else."""
    if isinstance(node, exp.Anonymous):
        return str(node.name).upper()
    if isinstance(node, exp.Func):
        return node.sql_name()
    return "OVER" if isinstance(node, exp.Window) else "SELECT" if isinstance(node, exp.Query) else ""
