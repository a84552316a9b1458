"""Rules: right for a recorder, wrong for no malfunction, and untrusted text."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.series import CYCLE, features_of, machine_features, of_kind, possible, with_typical
from tsclust.config import Rule
from tsclust.errors import SettingsError
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.default_rules import in_force
from tsclust.stages.features.rules import columns_used, screen

ALL = in_force(None, True)
FAST = np.interp(np.arange(0, len(CYCLE) - 1, 1 / 12), np.arange(len(CYCLE)), CYCLE)


def rejected(frame: pl.DataFrame, rules: tuple[Rule, ...] = ALL) -> pl.Series:
    return screen(frame, rules).rejected_by


def of(*series: object) -> pl.DataFrame:
    return with_typical(pl.DataFrame(features_of(*series)).fill_nan(None))


@pytest.mark.slow
def test_default_rules_catch_the_impossible_and_lose_no_malfunction() -> None:
    frame = machine_features(200_000, 1)
    frame = frame.with_columns(rejected(frame))
    by_kind = dict(frame.group_by("kind").agg(pl.col("rejected_by").is_not_null().mean()).iter_rows())
    caught = {kind: share for kind, share in by_kind.items() if kind.startswith("impossible")}
    assert all(share > 0.99 for share in caught.values()), caught
    assert all(share <= 0.02 for kind, share in by_kind.items() if kind not in caught), by_kind
    assert possible(frame)["rejected_by"].is_not_null().mean() < 0.005


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        ([], "empty"),
        ([None] * 30, "empty"),
        ([1.0, 2.0, 1.0], "too_short"),
        ([*np.tile(CYCLE[:-6], 12), *CYCLE[-6:]], "too_long"),
        ([0.3] * 60, "flat"),
        ([*CYCLE[:20], None, None, None, *CYCLE[23:]], "gaps"),
        (-CYCLE, "wrong_sign"),
        ([*CYCLE[:25], *[CYCLE[25]] * 35], "stuck"),
        ([*CYCLE[:46], *[CYCLE[45]] * 14], "stuck"),  # to its end, which is to be at rest
        (CYCLE[:40], "cut_end"),
        (CYCLE[14:], "cut_start"),
        (0.001 * CYCLE, "no_run"),
        ([*CYCLE[:30], 65_535.0, *CYCLE[31:]], "glitch"),
        ([*CYCLE[:30], -9_999.0, -9_999.0, *CYCLE[32:]], "glitch"),
        ([-9_999.0, *CYCLE[1:]], "glitch"),
        ([*CYCLE[:-2], 1e6, 1e6], "glitch"),
        (-CYCLE[6:], "wrong_sign"),
        (CYCLE[6:40], "cut_start"),  # and its end is missing, too
        ([*CYCLE[6:25], *[CYCLE[25]] * 35], "stuck"),
        (CYCLE, None),
        ([*CYCLE[:20], None, *CYCLE[21:]], None),  # one lost value is bridged
    ],
)
def test_each_rule_by_hand(series: object, rule: str | None) -> None:
    assert rejected(of(series)).to_list() == [rule]


@pytest.mark.parametrize(
    ("series", "typical"),
    [
        (CYCLE[:40], "return_time"),  # recorders that stop before the run does
        (CYCLE[14:], ""),  # and such that begin with it, and never see a peak
        ([*CYCLE[:20], None, None, None, *CYCLE[23:]], "n_lost"),  # and such that lose values all the time
        ([*CYCLE[:25], *[1.0] * 25, *CYCLE[50:]], "frozen_run"),  # and such with a coarse scale
        (0.001 * CYCLE, ""),  # and such in another unit
        (FAST, ""),  # and such that sample faster
        (-CYCLE[6:], ""),  # and such that begin at their peak
    ],
)
def test_what_is_the_recorders_way_rejects_nothing(series: Any, typical: str) -> None:
    usual = {"return_time": 0.0, "n_lost": 3.0, "frozen_run": 30.0}
    assert rejected(of(series)).drop_nulls().len() == 1
    assert rejected(of_kind(of(series), series)).to_list() == [None]
    if typical:
        alone = of(series).with_columns(pl.lit(usual[typical]).alias(f"typical_{typical}"))
        assert rejected(alone).to_list() == [None]


def put(at: int, *values: float | None) -> list[float | None]:
    """CYCLE with these values from `at` on."""
    return [*CYCLE[:at], *values, *CYCLE[at + len(values) :]]


RISING = np.linspace(0, 1, len(CYCLE))


@pytest.mark.parametrize(
    ("near", "series"),
    [
        ("too_short", CYCLE[::5]),
        ("too_long", np.interp(np.arange(0, len(CYCLE) - 1, 1 / 9), np.arange(len(CYCLE)), CYCLE)),
        ("gaps", put(20, None, None)),
        ("gaps", [*put(20, None), *[None] * 30]),  # padded
        ("gaps", [*[None] * 30, *CYCLE]),
        ("glitch", put(30, 40.0)),  # a spike of eight times the peak may be real
        ("glitch", np.where(CYCLE > 2.9, 60.0, CYCLE)),  # a peak, not a sample
        ("flat", np.minimum(CYCLE, 0.9)),  # at the limit of its sensor
        ("stuck", np.minimum(np.where(CYCLE > 0.9, 1.5 * CYCLE, CYCLE), 1.35)),
        ("stuck", np.round(2 * CYCLE) / 2),  # a coarse scale
        ("stuck", put(25, *[1.02] * 14)),  # too short to be it
        ("cut_start", CYCLE[5:]),  # in the rise
        ("cut_start", CYCLE[6:]),  # at the peak
        ("cut_start", np.where(CYCLE > 1.2, 0.6 * CYCLE, CYCLE)[5:]),  # at a weak peak
        ("cut_start", CYCLE - 1.5 * RISING),  # drift
        ("wrong_sign", put(30, -40.0)),
        ("wrong_sign", put(30, -40.0, -40.0)),
        ("wrong_sign", [*CYCLE[6:], -0.1, -0.2, -0.1]),  # begins at its peak and ends a little below rest
        ("cut_end", CYCLE + 1.5 * RISING),
        ("cut_end", put(51, *[1.0] * 9)),  # as long as ever, but it stays up: that is a malfunction
        ("no_run", 0.05 * CYCLE),
    ],
)
def test_the_nearest_innocent_curves_are_kept(near: str, series: Any) -> None:
    assert near in [rule.name for rule in ALL]
    assert rejected(of(series)).to_list() == [None]


def test_counts_alone_and_the_first_rule_that_rejects() -> None:
    rules = (Rule(name="a", when="peak_height > 4", reason="-"), Rule(name="b", when="peak_height > 9", reason="-"))
    verdict = screen(of(CYCLE, 2 * CYCLE, 0.1 * CYCLE), rules)
    assert verdict.rejected_by.to_list() == ["a", "a", None]
    assert verdict.in_all == {"a": 2, "b": 1}
    assert verdict.alone == {"a": 1, "b": 0}


def test_what_no_rule_knows_but_cannot_be_described_is_rejected() -> None:
    assert rejected(of([1.0, 2.0]), in_force((), True)).to_list() == ["not_described"]


def test_wrong_sign_is_not_judged_where_series_do_not_agree() -> None:
    assert "wrong_sign" not in [rule.name for rule in in_force(None, False)]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("peak_hight > 3", "unknown column 'peak_hight'.*did you mean peak_height"),
        (
            "PEAK_HEIGHT > 3",
            r"unknown column 'PEAK_HEIGHT' in 'PEAK_HEIGHT > 3' \(did you mean peak_height\?\)\. Correct",
        ),
        ("пик > 3", r"unknown column 'пик' in 'пик > 3'\. Correct"),
        ("peak_height >", "not an SQL condition"),
        ("peak_height > 1; DROP TABLE x", "not an SQL condition"),
        ("__import__('os').system('true') = 0", "has __IMPORT__.*, which is not allowed in rules"),
        ("read_csv('/etc/passwd') = 1", "calls READ_CSV, which is not allowed in rules. Allowed are ABS,"),
        ("n_values > 3 * median(n_values)", r"refers to other rows \(MEDIAN\)"),
        ("QUANTILE_CONT(n_values, 0.5) < n_values", r"refers to other rows \(QUANTILE_CONT\)"),
        ("CORR(n_values, n_missing) > 0", r"refers to other rows \(CORR\)"),
        ("CURRENT_DATE > DATE '2024-01-01'", "depends on the current time"),
        ("count(*) > 2", r"refers to other rows \(COUNT\)"),
        ("row_number() over () = 1", "refers to other rows"),
        ("sum(n_values) over (partition by start) > 3", r"refers to other rows \(OVER, SUM\)"),
        ("n_values > (SELECT 3)", r"refers to other rows \(SELECT\)"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why(when: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        columns_used([Rule(name="mine", when=when, reason="-")], NAMES)
    assert "rule mine" in str(error.value)


@pytest.mark.parametrize(
    "when", ["'text'", "machine_id", "(SELECT 1) = 1", "machine_id > 3", "1", "n_values", "n_values > 3 AND 'x'"]
)
def test_a_rule_that_is_no_condition_says_so(when: str) -> None:
    with pytest.raises(SettingsError):
        screen(of(CYCLE).with_columns(machine_id=pl.lit("W1")), [Rule(name="mine", when=when, reason="-")])


def test_words_of_polars_may_be_names_and_texts() -> None:
    rule = Rule(name="mine", when="\"Len\" = 'Sort' OR \"Agg\" IN ('Filter', 'x')", reason="-")
    frame = of(CYCLE, CYCLE).with_columns(Len=pl.Series(["Sort", "-"]), Agg=pl.Series(["-", "-"]))
    assert rejected(frame, (rule,)).to_list() == ["mine", None]


def test_pieces_of_text_may_be_asked_for() -> None:
    rule = Rule(name="mine", when="LEFT(machine_id, 1) = 'W' AND 'now' <> \"machine_id\"", reason="-")
    frame = of(CYCLE, CYCLE).with_columns(machine_id=pl.Series(["W1", "X1"]))
    assert rejected(frame, (rule,)).to_list() == ["mine", None]


def test_carried_columns_can_be_used() -> None:
    rules = (Rule(name="test_bench", when="machine_id = 'W1' AND peak_height > 1", reason="-"),)
    assert columns_used(rules, (*NAMES, "machine_id")) == {"machine_id", "peak_height"}
    assert rejected(of(CYCLE, CYCLE).with_columns(machine_id=pl.Series(["W1", None])), rules).to_list() == [
        "test_bench",
        None,
    ]
