"""Where a rule draws the line: comparisons of one feature with a number, taken from the tree of its condition."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from polars.exceptions import PolarsError
from sqlglot import exp

from tsclust.stages.features.conditions import columns_of, expression_of
from tsclust.stages.features.conditions import parse as condition

SIGNS: dict[type[exp.Expr], str] = {
    exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.EQ: "=", exp.NEQ: "<>"
}  # fmt: skip
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
    left: exp.Expr
    right: exp.Expr
    sign: str
    joined: bool


def parse(rule: str, when: str, features: Sequence[str], constants: Mapping[str, float]) -> Parsed:
    """The limits of a rule; `constants` are names that stand for one number, like typical_run_length.

    Raises SettingsError where rules may not say that.
    """
    limits: list[Limit] = []
    undrawn: list[tuple[str, ...]] = []
    for one in _comparisons(condition(rule, when).tree, joined=False, denied=False):
        names = sorted((columns_of(one.left) | columns_of(one.right)) - set(constants))
        if not set(names) & set(features):
            continue
        found = _solved(one, names[0], constants) if len(names) == 1 else []
        limits += [Limit(rule, names[0], sign, value, one.joined) for sign, value in found]
        if not found:
            undrawn.append(tuple(names))
    return Parsed(tuple(dict.fromkeys(limits)), tuple(dict.fromkeys(undrawn)))


def _comparisons(tree: exp.Expr, joined: bool, denied: bool) -> Iterator[_Comparison]:
    """All comparisons below a node, in their order. joined: below an AND; denied: below a NOT, where OR joins."""
    todo = [(tree, joined, denied)]
    while todo:
        node, joined, denied = todo.pop()
        if found := _compared(node):
            joined = joined or (len(found) > 1 and not denied)
            yield from (_Comparison(a, b, OPPOSITE[sign] if denied else sign, joined) for a, sign, b in found)
            continue
        joined = joined or isinstance(node, exp.Or if denied else exp.And)
        denied ^= _denies(node)
        todo += [(child, joined, denied) for child in reversed(list(node.iter_expressions()))]


def _compared(node: exp.Expr) -> list[tuple[exp.Expr, str, exp.Expr]]:
    """[(left, sign, right)] of a comparison, [] of anything else. BETWEEN is two, both of which must hold."""
    if isinstance(node, exp.Between):
        return [(node.this, ">=", node.args["low"]), (node.this, "<=", node.args["high"])]
    return [(node.this, SIGNS[type(node)], node.expression)] if type(node) in SIGNS else []


def _denies(node: exp.Expr) -> bool:
    return isinstance(node, exp.Not) or (isinstance(node, exp.Is) and node.expression == exp.false())


def _solved(one: _Comparison, name: str, constants: Mapping[str, float]) -> list[tuple[str, float]]:
    """[(sign, value)] that the comparison says of the column `name`; none where that is no straight line of it."""
    for side, other, sign in ((one.left, one.right, one.sign), (one.right, one.left, _mirrored(one.sign))):
        inner = _inside_abs(side)
        if inner is not None and not columns_of(other) - set(constants):
            bounds = ((sign, 1), (_mirrored(sign), -1))  # |x| > 3: x > 3 or x < -3
            found = [_root(inner, other, s, factor, name, constants) for s, factor in bounds]
            return [root for root in found if root]
    root = _root(one.left, one.right, one.sign, 1, name, constants)
    return [root] if root else []


def _inside_abs(node: exp.Expr) -> exp.Expr | None:
    node = node.unnest()
    return node.expressions[0] if isinstance(node, exp.Anonymous) and node.name.upper() == "ABS" else None


def _root(
    left: exp.Expr, right: exp.Expr, sign: str, factor: int, name: str, constants: Mapping[str, float]
) -> tuple[str, float] | None:
    """Where left = factor * right, and on which side of it `left sign factor * right` holds."""
    frame = pl.DataFrame({name: _PROBES}).with_columns(**{n: pl.lit(v) for n, v in constants.items()})
    try:
        gap = (expression_of(left) - factor * expression_of(right)).cast(pl.Float64)
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
