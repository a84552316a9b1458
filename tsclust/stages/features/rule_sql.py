"""The SQL of rules: the list of what is allowed, which is what can be written again.

A node of the tree that no function below writes is not allowed, and no more are arguments of it that are not named.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlglot import exp

from tsclust.stages.features.rule_dialect import Moment, Plus

# Each judges a row by itself, and none makes a text much longer than it was. These are the names that Polars has.
FUNCTIONS = {
    *("ABS", "CEIL", "CEILING", "FLOOR", "ROUND", "TRUNC", "SIGN", "SQRT", "CBRT", "EXP", "LN", "LOG", "LOG2", "LOG10"),
    *("LOG1P", "POW", "POWER", "MOD", "PI", "DEGREES", "RADIANS", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "ATAN2"),
    *("GREATEST", "LEAST", "COALESCE", "IFNULL", "NULLIF", "IF", "DATE_PART", "YEAR", "MONTH", "DAY", "STRFTIME"),
    *("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH", "LOWER", "UPPER", "INITCAP", "REVERSE", "CONCAT"),
    *("TRIM", "LTRIM", "RTRIM", "LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "STARTS_WITH", "ENDS_WITH", "STRPOS"),
    *("SPLIT_PART", "REGEXP_LIKE", "POSITION", "HOUR", "MINUTE", "SECOND", "QUARTER", "WEEK", "DAYOFWEEK", "DATE"),
    *("SIND", "COSD", "TAND", "COT", "COTD", "ASIND", "ACOSD", "ATAND", "ATAN2D", "DIV"),
    *("DAYOFMONTH", "DAYOFYEAR", "TIMESTAMP", "DATETIME", "STRPTIME", "TRUNCATE", "BIT_LENGTH"),
    *("BIT_AND", "BIT_OR", "BIT_XOR", "BIT_NOT", "BIT_COUNT"),
}
_GUESSING = {"DATE", "TIMESTAMP", "DATETIME"}  # without a format Polars guesses it from all the rows
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.And: "AND", exp.Or: "OR", exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%", exp.DPipe: "||",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
_TYPE_NAMES: dict[exp.DType, str] = {
    exp.DType.BOOLEAN: "BOOLEAN", exp.DType.TINYINT: "TINYINT", exp.DType.SMALLINT: "SMALLINT",
    exp.DType.INT: "INTEGER", exp.DType.BIGINT: "BIGINT", exp.DType.INT128: "HUGEINT",
    exp.DType.FLOAT: "FLOAT", exp.DType.DOUBLE: "DOUBLE",
    exp.DType.DECIMAL: "DECIMAL", exp.DType.TEXT: "VARCHAR", exp.DType.VARCHAR: "VARCHAR", exp.DType.CHAR: "VARCHAR",
    exp.DType.DATE: "DATE", exp.DType.TIME: "TIME", exp.DType.TIMESTAMP: "TIMESTAMP",
}  # fmt: skip
_TYPES_OF_POLARS = {"REAL": "REAL", "FLOAT4": "REAL"}  # that sqlglot has no name for
TYPES = tuple(sorted({*_TYPE_NAMES.values(), *_TYPES_OF_POLARS.values()}))
ALLOWED = "comparisons, AND, OR, NOT, + - * / // %, ||, BETWEEN, IN, LIKE, IS NULL, CASE, CAST, EXTRACT and functions"
_ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE)
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_]+")

# a + b - c is a chain: its tree leans to the left and is as deep as it is long, its text needs no parentheses.
_TERMS, _FACTORS = (exp.Add, exp.Sub), (exp.Mul, exp.Div)
CHAINS: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.And: (exp.And,), exp.Or: (exp.Or,), exp.DPipe: (exp.DPipe,),
    exp.Add: _TERMS, exp.Sub: _TERMS, exp.Mul: _FACTORS, exp.Div: _FACTORS,
}  # fmt: skip

_Node: TypeAlias = Any  # of one kind, known by the table that names its writer: its arguments are sqlglot's


class NotAllowedError(Exception):
    """What stands in a rule and may not; the next step."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def written(node: exp.Expr) -> str:
    """The SQL of a tree, with all the parentheses it needs. Raises NotAllowedError for what is not on the list."""
    while isinstance(node, exp.Paren):
        node = node.this
    kind = _KINDS.get(type(node))
    given = {name for name, value in node.args.items() if value not in (None, False, [])}
    if kind is None or given - kind.arguments:
        raise _not_allowed(node, f"Allowed are {ALLOWED}")
    return kind.write(node)


def _not_allowed(node: exp.Expr, hint: str) -> NotAllowedError:
    return NotAllowedError(f"has {_named(node)}, which is not allowed in rules", hint)


def _named(node: exp.Expr) -> str:
    """A piece of SQL that may not be written, for a message."""
    try:
        text = str(node.sql(comments=False))
    except (ValueError, RecursionError):
        text = type(node).__name__
    return text if len(text) <= 60 else f"{text[:60]}..."


def _operand(node: exp.Expr) -> str:
    while isinstance(node, exp.Paren):
        node = node.this
    return written(node) if isinstance(node, _ATOMS) else f"({written(node)})"


def _binary(node: _Node) -> str:
    parts: list[str] = []
    while True:
        parts += [_operand(node.expression), _OPERATORS[type(node)]]
        if type(node.this) not in CHAINS.get(type(node), ()):
            return " ".join([_operand(node.this), *reversed(parts)])
        node = node.this


def _ordered(node: _Node) -> str:
    if isinstance(node.this, _ORDERED):
        raise NotAllowedError(
            f"compares the result of {_named(node.this)} (true or false) with a value", "Write 1 < a AND a < 3"
        )
    return _binary(node)


def _not(node: _Node) -> str:
    inner = node.this
    if isinstance(inner, exp.Paren):
        return f"NOT {_operand(inner)}"
    if type(inner) not in _RANGES:
        raise _not_allowed(node, "Write NOT before parentheses: NOT (a = 1)")
    written(inner)
    return _RANGES[type(inner)](inner, "NOT ")


def _range(node: _Node) -> str:
    return _RANGES[type(node)](node, "NOT " if node.args.get("negate") else "")


def _in(node: _Node, negated: str) -> str:
    return f"{_operand(node.this)} {negated}IN ({', '.join(map(written, node.expressions))})"


def _between(node: _Node, negated: str) -> str:
    low, high = _operand(node.args["low"]), _operand(node.args["high"])
    return f"{_operand(node.this)} {negated}BETWEEN {low} AND {high}"


def _is(node: _Node, negated: str) -> str:
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        raise _not_allowed(node, "After IS write NULL, TRUE or FALSE")
    return f"{_operand(node.this)} IS {negated}{written(node.expression)}"


def _like(node: _Node, negated: str) -> str:
    word, negation = _LIKE[type(node)]
    return f"{_operand(node.this)} {negation if negated else word} {_operand(node.expression)}"


def _function(node: _Node) -> str:
    name = str(node.name).upper()
    if name not in FUNCTIONS or not isinstance(node.this, str):
        near = difflib.get_close_matches(name, FUNCTIONS, n=3, cutoff=0.7)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Allowed are {', '.join(sorted(FUNCTIONS))}"
        raise NotAllowedError(f"calls {name[:60]}, which is not allowed in rules", hint)
    if not node.expressions and name != "PI":  # Polars panics over some of these
        raise NotAllowedError(f"calls {name} without an argument", f"Write it like: {name}(peak_height)")
    if name in _GUESSING and len(node.expressions) == 1 and not isinstance(node.expressions[0], exp.Literal):
        kind = "DATE" if name == "DATE" else "TIMESTAMP"
        raise _not_allowed(node, f"Write CAST(a AS {kind}) for a time, {name}(a, '%Y-%m-%d') for a text")
    return f"{name}({', '.join(map(written, node.expressions))})"


def _trim(node: _Node) -> str:
    side, of = node.args.get("position") or "", node.expression
    return f"TRIM({f'{side} {written(of)} FROM ' if of else ''}{written(node.this)})"


def _case(node: _Node) -> str:
    of = f" {written(node.this)}" if node.this else ""
    whens = "".join(f" WHEN {written(i.this)} THEN {written(i.args['true'])}" for i in node.args["ifs"])
    default = node.args.get("default")
    return f"CASE{of}{whens}{f' ELSE {written(default)}' if default else ''} END"


def _cast(node: _Node) -> str:
    word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    return f"{word}({written(node.this)} AS {_type(node.args['to'])})"


def _type(node: _Node) -> str:
    name = _TYPE_NAMES.get(node.this) or _TYPES_OF_POLARS.get(str(node.args.get("kind")).upper())
    sizes = [size.name for size in node.expressions]
    if not name or (sizes and name != "DECIMAL") or not all(size.isdigit() for size in sizes):
        hint = f"Cast to one of {', '.join(TYPES)}"
        raise NotAllowedError(f"casts to {_named(node)}, which is not allowed in rules", hint)
    return f"{name}({', '.join(sizes)})" if sizes else name


def _extract(node: _Node) -> str:
    if not _WORD.fullmatch(node.this.name):
        raise _not_allowed(node, "Write it like: EXTRACT(HOUR FROM recorded_at)")
    return f"EXTRACT({node.this.name} FROM {written(node.expression)})"


def _interval(node: _Node) -> str:
    unit = node.args.get("unit")
    if not isinstance(node.this, exp.Literal) or not isinstance(unit, exp.Var | None):
        raise _not_allowed(node, "Write it like: INTERVAL '2 hours'")
    return f"INTERVAL {_text(f'{node.this.name} {unit.name}' if unit else node.this.name)}"


def _literal(node: _Node) -> str:
    if node.is_string:
        return _text(node.name)
    if not _NUMBER.fullmatch(node.name):
        raise NotAllowedError(f"has the number {node.name[:60]}", "Write it like: 0.25 or 2.5e-3")
    return str(node.name)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(node: _Node) -> str:
    if not isinstance(node.this, exp.Identifier):
        raise _not_allowed(node, "Name a feature or a carried column")
    return '"' + str(node.name).replace('"', '""') + '"'


@dataclass(frozen=True)
class _Kind:
    """How a node is written, and the arguments of it that may be there."""

    write: Callable[[_Node], str]
    arguments: frozenset[str]


def _kind(write: Callable[[_Node], str], *arguments: str) -> _Kind:
    return _Kind(write, frozenset(arguments))


_LIKE: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Like: ("LIKE", "NOT LIKE"), exp.ILike: ("ILIKE", "NOT ILIKE"), exp.RegexpLike: ("RLIKE", "NOT RLIKE"),
    exp.RegexpILike: ("~*", "!~*"), exp.StartsWith: ("^@", "NOT ^@"),
}  # fmt: skip
_RANGES: dict[type[exp.Expr], Callable[[_Node, str], str]] = {
    exp.In: _in, exp.Between: _between, exp.Is: _is, **dict.fromkeys(_LIKE, _like)
}  # fmt: skip
_ATOMS = (
    *(exp.Literal, exp.Boolean, exp.Null, exp.Column, Moment, exp.Interval),
    *(exp.Anonymous, exp.Case, exp.Cast, exp.Extract, exp.Trim, exp.StrPosition),
)
_KINDS: dict[type[exp.Expr], _Kind] = {
    **dict.fromkeys(_OPERATORS, _kind(_binary, "this", "expression", "typed", "safe")),
    **dict.fromkeys(_ORDERED, _kind(_ordered, "this", "expression")),
    **dict.fromkeys(_RANGES, _kind(_range, "this", "expression", "expressions", "low", "high", "negate")),
    **dict.fromkeys((exp.Cast, exp.TryCast), _kind(_cast, "this", "to", "safe")),
    exp.Not: _kind(_not, "this"),
    exp.Neg: _kind(lambda node: f"-{_operand(node.this)}", "this"),
    Plus: _kind(lambda node: f"+{_operand(node.this)}", "this"),
    exp.Anonymous: _kind(_function, "this", "expressions"),
    exp.Trim: _kind(_trim, "this", "expression", "position"),
    exp.StrPosition: _kind(
        lambda node: f"POSITION({_operand(node.args['substr'])} IN {_operand(node.this)})", "this", "substr"
    ),
    exp.Case: _kind(_case, "this", "ifs", "default"),
    exp.Extract: _kind(_extract, "this", "expression"),
    exp.Interval: _kind(_interval, "this", "unit", "fraction_in_string"),
    exp.Literal: _kind(_literal, "this", "is_string"),
    exp.Column: _kind(_column, "this"),
    exp.Null: _kind(lambda _: "NULL"),
    exp.Boolean: _kind(lambda node: "TRUE" if node.this else "FALSE", "this"),
    Moment: _kind(lambda node: f"{node.args['kind']} {_text(node.this.name)}", "this", "kind"),
}
