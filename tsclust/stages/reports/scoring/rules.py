"""The rules of a model as nested lists that a page can follow: ["<", "p50", 0.5] is p50 < 0.5.

Only those that tsclust brings: they compare numbers. What else a rule of a user's may say is Polars' to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from tsclust.config import Rule
from tsclust.errors import SettingsError
from tsclust.stages.features import default_rules
from tsclust.stages.features.conditions import parse

INSTEAD = "Export a bundle for tsclust serve instead: tsclust export --bundle model.zip"
_OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.And: "and", exp.Or: "or", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.EQ: "=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*",
}  # fmt: skip


def plain(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """name, reason and condition of each. Raises SettingsError for a rule that is not one of tsclust's own."""
    own = {rule.name: rule.when for rule in (*default_rules.DEFAULT_RULES, default_rules.NOT_DESCRIBED)}
    for rule in rules:
        if own.get(rule.name) != rule.when:
            raise SettingsError(
                f"export --page: the rule {rule.name!r} is not one that tsclust brings: a page cannot apply it", INSTEAD
            )
    return [
        {"name": rule.name, "reason": rule.reason, "when": _nested(parse(rule.name, rule.when).tree)} for rule in rules
    ]


def _nested(node: exp.Expr) -> Any:
    if isinstance(node, exp.Paren):
        return _nested(node.this)
    if isinstance(node, exp.Not):
        return ["not", _nested(node.this)]
    if isinstance(node, exp.Is):
        return ["null", _nested(node.this)]
    if isinstance(node, exp.Literal):
        return float(node.name)
    if isinstance(node, exp.Column):
        return node.name
    return [_OPERATORS[type(node)], _nested(node.this), _nested(node.expression)]
