"""Where a group occurs: only what is no chance, and when it began."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tsclust.config import Report
from tsclust.stages.reports.data import Month
from tsclust.stages.reports.groups.occurrence import began, places
from tsclust.stages.reports.measured import Measured, step_seconds
from tsclust.wording.language import Language


def tally(every: list[int], count: list[int], name: str = "W{}") -> pl.DataFrame:
    return pl.DataFrame({"value": [name.format(i) for i in range(len(every))], "all": every, "0": count})


def test_what_occurs_more_often_than_elsewhere_with_how_many_times() -> None:
    every, count = [100] * 50, [30, *[1] * 20, *[0] * 29]
    (place,) = places({"machine": tally(every, count)}, {}, 0, 50)
    (often,) = place.often
    assert (often.value, often.count, often.share) == ("W0", 30, 0.6)
    assert often.times == pytest.approx((30 / 50) / (70 / 4950))


def test_of_many_values_none_is_named_by_chance() -> None:
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(40):
        count = rng.multinomial(200, [1 / 400] * 400)
        (place,) = places({"machine": tally([250] * 400, count.tolist())}, {}, 0, 200)
        named += len(place.often)
    assert named <= 2


@pytest.mark.parametrize("column", [tally([1] * 40, [1] * 10 + [0] * 30), tally([20, 20], [10, 0], '{{"m": {}}}')])
def test_columns_that_name_series_or_hold_json_are_left_out(column: pl.DataFrame) -> None:
    assert places({"serial": column}, {}, 0, 10) == ()


def test_when_it_began_if_it_began() -> None:
    late = [Month(f"2024-{m:02d}", 5 * (m > 6), 100) for m in range(1, 13)]
    assert began(late, 30) == "2024-07"
    assert began([Month(m.month, 1, 100) for m in late], 12) is None
    assert began([Month("2024-01", 0, 10), Month("2024-02", 3, 100)], 3) is None  # few before: chance
    assert began([], 0) is None


@pytest.mark.parametrize(
    ("layout", "axis"),
    [("array layout (a row per series): id id, values Drehmoment [Nm], carried m", "Drehmoment, Nm"),
     ("long layout: id a, values force (kN)", "force, kN"), ("array layout: id id, values values", ""), ("", ""),
     ("long layout: id a, values Torque (raw)", ""), ("long layout: id a, values torque [filtered]", ""),
     ("long layout: id a, values Druck [°C]", "Druck, °C"), ("long layout: id a, values p (mbar)", "p, mbar"),
     ("long layout: id a, values Weg (mm)", "Weg, mm")],
)  # fmt: skip
def test_the_column_of_the_values_may_say_what_they_are(layout: str, axis: str) -> None:
    assert Measured.of(Report(), layout).axis == axis
    assert Measured.of(Report(quantity="Torque", unit="Nm"), layout).axis == "Torque, Nm"


def test_seconds_and_names_that_readers_know() -> None:
    known = Language("en", Language.load("en").texts, Language.load("en").locale, "Nm", 0.05, {"m": "Press"})
    assert (known.lasting(18), known.column("m"), known.column("loom")) == ("0.9\u00a0s", "Press", "loom")
    assert known.alike(["m"]) == "with the same Press"
    assert known.date(date(2024, 1, 2)) == "January 2, 2024"


def test_a_value_that_occurs_only_here_is_a_sign_and_what_nearly_all_have_is_none() -> None:
    lot, firmware = tally([5, 495, 500], [5, 0, 0], "L{}"), tally([950, 30, 10, 5, 5], [5, 0, 0, 0, 0], "F{}")
    only, common = (place.often[0] for place in places({"lot": lot, "firmware": firmware}, {}, 0, 5))
    assert (only.value, only.sign, only.times) == ("L0", True, None)
    assert (common.value, common.share, common.sign) == ("F0", 1.0, False)


@pytest.mark.parametrize(("rate", "whole", "seconds"), [(50.0, False, 0.02), (0.5, True, 2.0), (50.0, True, 0.0)])
def test_the_seconds_between_samples_are_those_of_the_times_of_series(rate: float, whole: bool, seconds: float) -> None:
    """Noted in whole seconds, the times of a short series say nothing."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(40, 60, 30)
    begins = datetime(2024, 3, 1) + np.array([timedelta(minutes=7 * n, milliseconds=130 * n) for n in range(30)])
    ends = [begin + timedelta(seconds=(int(n) - 1) / rate) for begin, n in zip(begins, lengths, strict=True)]
    times = [[t.replace(microsecond=0) if whole else t for t in each] for each in (begins, ends)]
    table = pa.table({"ts_first": times[0], "ts_last": times[1], "values": [[0.0] * int(n) for n in lengths]})
    assert Measured.of(Report(), "", table).seconds == pytest.approx(seconds, rel=0.01)
    assert Measured.of(Report(sample_seconds=0.5), "", table).seconds == 0.5
    assert step_seconds(table.drop_columns(["ts_last"])) == 0.0


def test_series_that_disagree_on_the_seconds_between_samples_have_none() -> None:
    begins = [datetime(2024, 3, 1, 0, n) for n in range(20)]
    ends = [begin + timedelta(seconds=1.5 + n) for n, begin in enumerate(begins)]
    table = pa.table({"ts_first": begins, "ts_last": ends, "values": [[0.0] * 50] * 20})
    assert step_seconds(table) == 0.0
