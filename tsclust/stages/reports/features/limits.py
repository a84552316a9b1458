"""Where a rule draws the line: comparisons of one feature with a number, taken from the rule as Polars parses it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

SIGNS = {"Gt": ">", "GtEq": ">=", "Lt": "<", "LtEq": "<=", "Eq": "=", "NotEq": "<>"}
MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}  # both sides times a negative number
OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "=": "<>", "<>": "="}
_PROBES = (0.0, 1.0, -1e6, 1e6)  # two of them give a straight line, the others tell whether it is one
_DIGITS = 12


@dataclass(frozen=True)
class Limit:
    """`feature` `sign` `value` stands in the rule's condition; joined: it rejects only together with others."""

    rule: str
    feature: str
    sign: str
    value: float
    joined: bool


@dataclass(frozen=True)
class Parsed:
    """What of a rule can be drawn, and the columns of each comparison that cannot: no one number is their limit."""

    limits: tuple[Limit, ...]
    undrawn: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class _Comparison:
    left: Any  # as Polars writes expressions down
    right: Any
    sign: str
    joined: bool


def parse(rule: str, when: str, features: Sequence[str], constants: Mapping[str, float]) -> Parsed:
    """The limits of a rule; `constants` are names that stand for one number, like typical_run_length."""
    expression = pl.sql_expr(when)
    try:
        return _parsed(rule, json.loads(_written(expression)), features, constants)
    except RecursionError:  # a sum of hundreds, say: nobody reads a limit out of it
        names = tuple(sorted(set(expression.meta.root_names()) - set(constants)))
        return Parsed((), (names,) if set(names) & set(features) else ())


def _parsed(rule: str, written: Any, features: Sequence[str], constants: Mapping[str, float]) -> Parsed:
    limits: list[Limit] = []
    undrawn: list[tuple[str, ...]] = []
    for one in _comparisons(written, joined=False, denied=False):
        names = sorted({n for side in (one.left, one.right) for n in _names(side)} - set(constants))
        if not set(names) & set(features):
            continue
        found = _solved(one, names[0], constants) if len(names) == 1 else []
        limits += [Limit(rule, names[0], sign, value, one.joined) for sign, value in found]
        if not found:
            undrawn.append(tuple(names))
    return Parsed(tuple(dict.fromkeys(limits)), tuple(dict.fromkeys(undrawn)))


def _written(expression: pl.Expr) -> str:
    return str(expression.meta.serialize(format="json"))


def _comparisons(node: Any, joined: bool, denied: bool) -> Iterator[_Comparison]:
    """All comparisons below a node. joined: below an AND; denied: below a NOT, where OR joins."""
    if isinstance(node, list):
        for child in node:
            yield from _comparisons(child, joined, denied)
    elif isinstance(node, dict):
        left, operator, right = _binary(node)
        if operator in SIGNS:
            yield _Comparison(left, right, OPPOSITE[SIGNS[operator]] if denied else SIGNS[operator], joined)
            return
        joined = joined or operator == ("Or" if denied else "And")
        denied ^= _is_not(node)
        for child in node.values():
            yield from _comparisons(child, joined, denied)


def _binary(node: Mapping[str, Any]) -> tuple[Any, str, Any]:
    """(left, operator, right), the operator "" where the node has none. Decimals have operators of their own kind."""
    if "BinaryExpr" in node:
        return node["BinaryExpr"]["left"], node["BinaryExpr"]["op"], node["BinaryExpr"]["right"]
    match node.get("Function"):
        case {"function": {"Sql": {"Binary": str(operator)}}, "input": [left, right]}:
            return left, operator, right
    return None, "", None


def _is_not(node: Mapping[str, Any]) -> bool:
    return bool(node.get("function") == {"Boolean": "Not"})


def _solved(one: _Comparison, name: str, constants: Mapping[str, float]) -> list[tuple[str, float]]:
    """[(sign, value)] that the comparison says of the column `name`; none where that is no straight line of it."""
    for side, other, sign in ((one.left, one.right, one.sign), (one.right, one.left, _mirrored(one.sign))):
        inner = _inside_abs(side)
        if inner is not None and not set(_names(other)) - set(constants):
            bounds = ((sign, 1), (_mirrored(sign), -1))  # |x| > 3: x > 3 or x < -3
            found = [_root(inner, other, s, factor, name, constants) for s, factor in bounds]
            return [root for root in found if root]
    root = _root(one.left, one.right, one.sign, 1, name, constants)
    return [root] if root else []


def _inside_abs(node: Any) -> Any | None:
    match node:
        case {"Function": {"function": "Abs", "input": [inner]}}:
            return inner
    return None


def _root(
    left: Any, right: Any, sign: str, factor: int, name: str, constants: Mapping[str, float]
) -> tuple[str, float] | None:
    """Where left = factor * right, and on which side of it `left sign factor * right` holds."""
    frame = pl.DataFrame({name: _PROBES}).with_columns(**{n: pl.lit(v) for n, v in constants.items()})
    try:
        gap = (_read(left) - factor * _read(right)).cast(pl.Float64)
        zero, one, *far = frame.select(gap=gap)["gap"].fill_null(math.nan).to_list()
    except (PolarsError, ValueError):  # text, times: nothing to draw
        return None
    slope = one - zero
    straight = (math.isclose(v - zero, at * slope, rel_tol=1e-6) for v, at in zip(far, _PROBES[2:], strict=True))
    if not slope or not math.isfinite(slope) or not all(straight):
        return None
    value = float(f"{-zero / slope:.{_DIGITS}g}") + 0.0
    return ((sign if slope > 0 else _mirrored(sign)), value) if math.isfinite(value) else None


def _mirrored(sign: str) -> str:
    return MIRRORED.get(sign, sign)


def _read(node: Any) -> pl.Expr:
    return pl.Expr.deserialize(io.StringIO(json.dumps(node)), format="json")


def _names(node: Any) -> list[str]:
    """The columns below a node."""
    if isinstance(node, list):
        return [name for child in node for name in _names(child)]
    if not isinstance(node, dict):
        return []
    own = [node["Column"]] if isinstance(node.get("Column"), str) else []
    return own + [name for child in node.values() for name in _names(child)]
