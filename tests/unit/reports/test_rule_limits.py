"""The limits on the page of features: read from rules of any form."""

from __future__ import annotations

from typing import Any

import pytest

from tsclust.stages.reports.features.limits import Parsed, parse

C = {"typical_a": 56.0, "spread_a": 10.0}


@pytest.mark.parametrize(
    ("when", "limits", "undrawn"),
    [
        ("a < 0.1", [("a", "<", 0.1, False)], []),
        ("0.1 > a", [("a", "<", 0.1, False)], []),
        ("a >= 3", [("a", ">=", 3.0, False)], []),
        ("a = 0 AND b > 0.5 * c", [("a", "=", 0.0, True)], [("b", "c")]),
        ("a > typical_a + 3 * spread_a", [("a", ">", 86.0, False)], []),
        ("10 * a < typical_a", [("a", "<", 5.6, False)], []),
        ("-2 * a < 3", [("a", ">", -1.5, False)], []),
        ("ABS(a - typical_a) > 2.5 * spread_a", [("a", ">", 81.0, False), ("a", "<", 31.0, False)], []),
        ("a BETWEEN 1 AND 2.5", [("a", ">=", 1.0, True), ("a", "<=", 2.5, True)], []),
        ("NOT (a > 0.5 AND b < 1)", [("a", "<=", 0.5, False), ("b", ">=", 1.0, False)], []),
        ("NOT (a > 3 OR b <> 1)", [("a", "<=", 3.0, True), ("b", "=", 1.0, True)], []),
        ("a > 1 OR a > 1", [("a", ">", 1.0, False)], []),
        ("a / 2 >= 10", [("a", ">=", 20.0, False)], []),
        ("a > other AND b * b > 4", [], [("a", "other"), ("b",)]),
        ("LEAST(a, 3) > 2", [], [("a",)]),
        ("a IS NULL", [], []),
        ("machine = 'a > 3'", [], []),
        ("other > 3 AND at > '2024-01-01'", [], []),
        ("a > 1e400", [], [("a",)]),
        ("1e-310 * a > 5", [], [("a",)]),
        ("a = 'x'", [], [("a",)]),
        ("a NOT BETWEEN 1 AND 2", [("a", "<", 1.0, False), ("a", ">", 2.0, False)], []),
        ("(a > 3) IS TRUE", [("a", ">", 3.0, False)], []),
        ("(a > 3) IS FALSE OR (b > 1) IS NOT TRUE", [("a", "<=", 3.0, False), ("b", "<=", 1.0, False)], []),
        ("CASE WHEN a > 3 THEN b < 1 ELSE FALSE END", [("a", ">", 3.0, False), ("b", "<", 1.0, False)], []),
    ],
)
def test_limits_come_from_the_parsed_rule(when: str, limits: list[Any], undrawn: list[Any]) -> None:
    parsed = parse("r", when, ["a", "b", "c"], C)
    assert [(x.feature, x.sign, x.value, x.joined) for x in parsed.limits] == limits
    assert list(parsed.undrawn) == undrawn


@pytest.mark.parametrize("terms", [400, 1_500])
def test_a_rule_too_deep_to_read_is_named_by_its_columns(terms: int) -> None:
    deep = "+".join(["a", "typical_a", "other"] * (terms // 3)) + " > 1"
    assert parse("r", deep, ["a", "b"], C) == Parsed((), (("a", "other"),))
    assert parse("r", deep, ["b"], C) == Parsed((), ())
