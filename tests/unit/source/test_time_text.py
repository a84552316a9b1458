"""Times as text -> what orders them, held against datetime."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tsclust.source.time_text import candidates

AT = datetime(2024, 1, 31, 21, 58, 7, tzinfo=UTC)


def places(*texts: str | None, time_format: str = "") -> list[Any]:
    """What the one form that fits makes of them."""
    (form,) = candidates(pa.array(texts), time_format)
    found, fits = form.parse(pa.array(texts))
    assert fits.sum() == sum(text is not None for text in texts)
    parsed: list[Any] = found.to_pylist()
    return parsed


def nanoseconds(at: datetime | time | timedelta) -> int:
    if isinstance(at, datetime):
        at = at - datetime(1970, 1, 1, tzinfo=UTC)
    if isinstance(at, time):
        at = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
    return at // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d_%H:%M:%S", "%d.%m.%Y %H:%M:%S",
        "%d.%m.%Y, %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%y %H:%M:%S",
        "%m/%d/%y %H:%M:%S", "%Y%m%dT%H%M%S", "%Y%m%d %H%M%S", "%d %b %Y %H:%M:%S", "%d-%b-%y %H:%M:%S",
        "%B %d, %Y %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%H:%M:%S %d.%m.%Y",
        "%Y-%m-%d %H:%M:%S +0000", "%Y-%m-%d %H:%M:%S+00", "%Y-%m-%dT%H:%M:%S+00:00",
    ],
)  # fmt: skip
def test_dates_with_times(written: str) -> None:
    later = AT + timedelta(hours=2, seconds=1)
    assert places(AT.strftime(written), None, later.strftime(written)) == [nanoseconds(AT), None, nanoseconds(later)]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("31.01.2024", datetime(2024, 1, 31, tzinfo=UTC)),
        ("31.01.2024 9:58", datetime(2024, 1, 31, 9, 58, tzinfo=UTC)),
        ("2024-1-5 1:02:03", datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC)),
        ("2024-01-31 09:58:00 +0230", datetime(2024, 1, 31, 7, 28, tzinfo=UTC)),
        ("2024-01-31 09:58:00-05", datetime(2024, 1, 31, 14, 58, tzinfo=UTC)),
        ("31.12.1969", datetime(1969, 12, 31, tzinfo=UTC)),
        ("29.02.2024", datetime(2024, 2, 29, tzinfo=UTC)),
        ("9:58 AM", time(9, 58)),
        ("12:01 a.m.", time(0, 1)),
        ("12:01\u202fPM", time(12, 1)),
        ("09:58:07,125", time(9, 58, 7, 125000)),
        ("99:00:01", timedelta(hours=99, seconds=1)),
        ("-00:00:01", timedelta(seconds=-1)),
        ("1 day 02:03:04.5", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("-1 days +23:59:59", timedelta(seconds=-1)),
        ("5 days", timedelta(days=5)),
        ("PT1M1.5S", timedelta(seconds=61.5)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("20 ms", timedelta(milliseconds=20)),
        ("1.5s", timedelta(seconds=1.5)),
        ("75:00.5", timedelta(minutes=75, seconds=0.5)),
    ],
)
def test_other_forms(text: str, at: datetime | time | timedelta) -> None:
    assert places(text) == [nanoseconds(at)]


def test_nanoseconds_are_kept() -> None:
    at = nanoseconds(AT)
    assert places("2024-01-31 21:58:07.000000100", "2024-01-31 21:58:07.000000101") == [at + 100, at + 101]
    assert places("001", "1706745597.123456789") == [Decimal(1), Decimal("1706745597.123456789")]


def test_a_later_text_may_tell_the_day_from_the_month() -> None:
    assert [form.name for form in candidates(pa.array(["1/2/2024", "3/4/2024"]))] == ["%d/%m/%Y", "%m/%d/%Y"]
    assert [form.name for form in candidates(pa.array(["1/2/2024", "13/4/2024"]))] == ["%d/%m/%Y"]
    assert [form.name for form in candidates(pa.array(["24/01/31"]))] == ["%d/%m/%y", "%y/%m/%d"]


@pytest.mark.parametrize(
    ("time_format", "at"),
    [
        ("%d/%m/%Y", datetime(2024, 2, 1, tzinfo=UTC)),
        ("%m/%d/%Y", datetime(2024, 1, 2, tzinfo=UTC)),
        ("%m/%d/%Y %H:%M", datetime(2024, 1, 2, tzinfo=UTC)),
    ],
)
def test_the_setting_says_which(time_format: str, at: datetime) -> None:
    assert places("1/2/2024", time_format=time_format) == [nanoseconds(at)]
    assert places("1/2/2024 10:00", time_format=time_format) == [nanoseconds(at + timedelta(hours=10))]


def test_a_form_of_ones_own() -> None:
    assert places("at 07s of 58m, 21h 31#01#2024", time_format="at %Ss of %Mm, %Hh %d#%m#%Y") == [nanoseconds(AT)]
    assert places("12:00:00", time_format="duration") == [nanoseconds(timedelta(hours=12))]


@pytest.mark.parametrize(
    "texts",
    [
        ["tick"], ["30.02.2024"], ["2024-13-01 00:00"], ["13:00 PM"], ["9:58", "9:58:30"], ["2024-01-31 10:00:00 CET"],
        ["2024-01-31 10:00:00", "2024-01-31 10:00:00Z"], ["1 mon"], ["31.12.9999"], ["31.01.2024", "gestern"], [""],
    ],
)  # fmt: skip
def test_what_is_no_time_or_not_clear(texts: list[str]) -> None:
    assert candidates(pa.array(texts)) == []
