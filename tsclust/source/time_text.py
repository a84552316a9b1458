"""Times written as text -> nanoseconds that order them: dates, times of day, durations and plain numbers.

A form fits a column where every text of it fits; where a date fits two (1/2/2024), `candidates` has both, and it is for
the caller to look further or to ask. What comes out is for comparing only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.arrays import Bools, Int64s

NUMBER = pa.decimal128(38, 15)  # every float64 that may count something, and whole numbers of 23 digits
DAY = 86_400 * 10**9
_BLANK = r"[ \x{A0}\x{202F}]"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
_NAME = rf"(?P<b>{'|'.join(_MONTHS)})[a-z]*\.?"
_HOURS = r"(?P<H>\d{1,2}):(?P<M>\d{2})"
_SECONDS = r":(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?"
_HALF = rf"{_BLANK}?(?P<p>[ap])\.?m\.?"
_CLOCK = rf"{_HOURS}(?:{_SECONDS})?(?:{_HALF})?"
_COMPACT = r"(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?"
_ZONE = rf"{_BLANK}?(?P<z>z|utc|gmt|(?:utc|gmt)?[+-]\d{{2}}(?::?\d{{2}}(?::\d{{2}})?)?)"
_ZONES = ("", _ZONE)  # all texts of a column have one, or none has
_BETWEEN = rf"(?:t|_|, ?|{_BLANK}+)"
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "sec": 10**9, "min": 60 * 10**9,
          "h": 3600 * 10**9}  # fmt: skip
_SPAN = (
    r"(?P<n>[-+]?)(?:(?P<D>\d{1,6}) ?d(?:ays?)?,?(?: |$))? ?"
    r"(?P<m2>[-+]?)(?:(?P<H>\d{1,6}):(?P<M>\d{2}):(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
)
_ISO_SPAN = (
    r"(?P<n>[-+]?)p(?:(?P<D>\d{1,6})d)?(?:t(?:(?P<H>\d{1,6})h)?(?:(?P<M>\d{1,6})m)?"
    r"(?:(?P<S>\d{1,9})(?:[.,](?P<f>\d{1,9}))?s)?)?"
)
_STRPTIME = {"d": r"(?P<d>\d{1,2})", "m": r"(?P<m>\d{1,2})", "Y": r"(?P<y>\d{4})", "y": r"(?P<y>\d{2})", "b": _NAME,
             "B": _NAME, "H": r"(?P<H>\d{1,2})", "I": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})",
             "f": r"(?P<f>\d{1,9})", "p": r"(?P<p>[ap])\.?m\.?", "z": _ZONE, "%": "%"}  # fmt: skip


@dataclass(frozen=True)
class TimeForm:
    """One way to write a time.

    name     as time_format says it ("%d/%m/%Y"), or in words
    pattern  of RE2; its groups: d m y b, H M S f, p (AM or PM), z (zone), n m2 D (of durations), v w u (number, unit)
    of_day   does it tell the time of day and no date?
    """

    name: str
    pattern: str
    of_day: bool = False

    def fits(self, texts: pa.Array) -> Bools:
        """(n,) which texts are written so and are a time that there is; null ones are not."""
        if not self.pattern:
            return _numbers(_trimmed(texts))[0]
        parts, written = self._written(texts)
        return _valid(parts, written) if written.any() else written  # most forms are not the one, and many are tried

    def parse(self, texts: pa.Array) -> tuple[pa.Array, Bools]:
        """The times in nanoseconds (int64), or numbers as NUMBER; null where a text is null; and which `fits`."""
        if not self.pattern:
            fits, values = _numbers(_trimmed(texts))
            return values, fits
        parts, written = self._written(texts)
        fits = _valid(parts, written)
        return pa.array(_moment(parts, fits), pa.int64(), mask=~fits), fits

    def _written(self, texts: pa.Array) -> tuple[_Parts, Bools]:
        """The parts of the texts, and (n,) which are written so."""
        texts = _trimmed(texts)
        groups = pc.extract_regex(texts, f"(?i)^(?:{self.pattern})$")
        written: Bools = groups.is_valid().to_numpy(zero_copy_only=False)
        return _Parts(groups), written & (pc.fill_null(pc.utf8_length(texts), 0).to_numpy() > 0)


def _trimmed(texts: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(texts.cast(pa.string()))


class _Parts:
    """The groups of a pattern as numbers, 0 where a text has none."""

    def __init__(self, groups: pa.StructArray) -> None:
        self._groups, self.names = groups, {f.name for f in groups.type}

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def text(self, name: str) -> pa.Array:
        return pc.utf8_lower(pc.fill_null(pc.struct_field(self._groups, name), ""))

    def number(self, name: str, default: int = 0) -> Int64s:
        if name not in self.names:
            return np.full(len(self._groups), default, np.int64)
        return _whole(self.text(name), default)


def candidates(texts: pa.Array, time_format: str = "") -> list[TimeForm]:
    """The forms that every text (null ones apart) fits; [] where none does, or there is no text."""
    texts = texts.drop_null()
    if not len(texts):
        return []
    first = [form for form in forms(time_format) if form.fits(texts[:1])[0]]
    found = [form for form in first if form.fits(texts).all()]
    return found[:1] if time_format else found if {"%" in form.name for form in found} == {True} else found[:1]


def forms(time_format: str = "") -> tuple[TimeForm, ...]:
    """The forms to try: those that the setting leaves, its own before the common ones."""
    if not time_format.strip():
        return _common()
    if time_format.strip().casefold() == "duration":
        return _durations()
    own = TimeForm(time_format, _from_strptime(time_format), of_day=not re.search("%[dYymbB]", time_format))
    order = "".join(dict.fromkeys(c.casefold() for c in re.findall(r"%([dmYy])", time_format)))
    return (own, *(form for form in _common() if "%" in form.name and _order_of(form) == order))


def _order_of(form: TimeForm) -> str:
    return "".join(c.casefold() for c in re.findall(r"%([dmYy])", form.name.split(" ")[0]))


@cache
def _common() -> tuple[TimeForm, ...]:
    return (TimeForm("a number", ""), *_dates(), *_times_of_day(), *_durations())


def _dates() -> Iterator[TimeForm]:
    for name, date in _date_patterns().items():
        for zone in _ZONES:
            yield TimeForm(name, f"{_WEEKDAY}{date}{_BETWEEN}{_CLOCK}{zone}")
        yield TimeForm(name, f"{_WEEKDAY}{date}")
        yield TimeForm(name, f"{_CLOCK}{_BETWEEN}{date}")
    for clock in ("", *(f"(?:t|_|{_BLANK})?{_COMPACT}{zone}" for zone in _ZONES)):
        yield TimeForm("%Y%m%d", rf"(?P<y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}}){clock}")
    yield TimeForm(
        "%b %d %H:%M:%S %Y", rf"{_WEEKDAY}{_NAME} +(?P<d>\d{{1,2}}) {_CLOCK}(?: (?:utc|gmt))? (?P<y>\d{{4}})"
    )


def _date_patterns() -> Mapping[str, str]:
    d, m, y, short = r"(?P<d>\d{1,2})", r"(?P<m>\d{1,2})", r"(?P<y>\d{4})", r"(?P<y>\d{2})"
    found = {f"%d.%m.%{c}": rf"{d}\.{m}\.{year}" for c, year in (("Y", y), ("y", short))}
    for s in ("-", "/", r"\."):
        sign = s[-1]
        found[f"%Y{sign}%m{sign}%d"] = f"{y}{s}{m}{s}{d}"
        if sign != ".":
            found[f"%d{sign}%m{sign}%Y"], found[f"%m{sign}%d{sign}%Y"] = f"{d}{s}{m}{s}{y}", f"{m}{s}{d}{s}{y}"
            found[f"%d{sign}%m{sign}%y"], found[f"%m{sign}%d{sign}%y"] = f"{d}{s}{m}{s}{short}", f"{m}{s}{d}{s}{short}"
            found[f"%y{sign}%m{sign}%d"] = f"{short}{s}{m}{s}{d}"
    for c, year in (("Y", y), ("y", short)):
        found[f"%d %b %{c}"] = rf"{d}\.?[ -]{_NAME}[ -]{year}"
    found["%b %d %Y"] = rf"{_NAME} {d},? {y}"
    return found


def _times_of_day() -> Iterator[TimeForm]:
    """9:58 may be minutes and seconds where others have three parts, so a column has two or three; with AM either."""
    for clock in (_HOURS, _HOURS + _SECONDS, f"{_HOURS}(?:{_SECONDS})?{_HALF}"):
        for zone in _ZONES:
            yield TimeForm("time of day", clock + zone, of_day=True)


@cache
def _durations() -> tuple[TimeForm, ...]:
    units = "|".join(sorted(_UNITS, key=len, reverse=True))
    return (
        TimeForm("duration", _SPAN),
        TimeForm("duration", _ISO_SPAN),
        TimeForm("duration", rf"(?P<n>[-+]?)(?P<v>\d{{1,15}})(?:[.,](?P<w>\d{{1,9}}))? ?(?P<u>{units})"),
        TimeForm("duration", r"(?P<n>[-+]?)(?P<M>\d{1,6}):(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?"),
    )


def _from_strptime(text: str) -> str:
    pieces = re.findall(r"%.|[^%]+|%", text.strip())
    return "".join(_STRPTIME.get(p[1:], re.escape(p)) if p.startswith("%") else re.escape(p) for p in pieces)


def _valid(parts: _Parts, fits: Bools) -> Bools:
    """Is it a time that there is: no 31st of February, no 13 PM?"""
    if "y" in parts:
        day, month, year = _day(parts), _month(parts), _year(parts)
        with np.errstate(all="ignore"):
            real = _days(year, month, 1) + day - 1 < _days(year + (month == 12), month % 12 + 1, 1)
        fits = fits & (month >= 1) & (month <= 12) & (day >= 1) & real & (year >= 1678) & (year <= 2261)
    if "H" in parts and "D" not in parts:
        half = parts.text("p").to_numpy(zero_copy_only=False) != "" if "p" in parts else np.zeros(len(fits), bool)
        hour = parts.number("H")
        fits = fits & np.where(half, (hour >= 1) & (hour <= 12), hour <= 23)
    for name in ("M", "S"):
        if name in parts and not ("H" not in parts and name == "M"):
            fits = fits & (parts.number(name) <= 60)
    return fits


def _moment(parts: _Parts, fits: Bools) -> Int64s:
    """Nanoseconds since 1970, midnight, or the beginning. What does not fit gets any number."""
    hours = parts.number("H")
    if "p" in parts:
        half = parts.text("p").to_numpy(zero_copy_only=False)
        hours = np.where(half == "", hours, hours % 12 + 12 * (half == "p"))
    seconds = hours * 3600 + parts.number("M") * 60 + parts.number("S")
    time = seconds * 10**9 + _fraction(parts, "f")
    if "u" in parts:
        time = _with_unit(parts)
    signs = _signs(parts)
    if "y" in parts:
        day, month, year = _day(parts), _month(parts), _year(parts)
        ok = fits & (year >= 1678) & (year <= 2261) & (month >= 1) & (month <= 12)
        time = time + _days(np.where(ok, year, 1970), np.where(ok, month, 1), np.where(ok, day, 1)) * DAY
    else:
        time = signs[0] * parts.number("D") * DAY + signs[1] * time
    return time - _offset(parts)


def _signs(parts: _Parts) -> tuple[Int64s, Int64s]:
    """The sign of the days, and that of what follows: its own, or that of a text without days."""
    one = np.ones(len(parts.number("H")), np.int64)
    if "n" not in parts:
        return one, one
    days = np.where(parts.text("n").to_numpy(zero_copy_only=False) == "-", -1, 1)
    if "m2" not in parts:
        return days, days
    own, has_days = (
        parts.text("m2").to_numpy(zero_copy_only=False),
        parts.text("D").to_numpy(zero_copy_only=False) != "",
    )
    return days, np.where(own == "-", -1, np.where((own == "") & ~has_days, days, 1))


def _with_unit(parts: _Parts) -> Int64s:
    factor = np.array([_UNITS.get(u, 0) for u in parts.text("u").to_pylist()], np.int64)
    return parts.number("v") * factor + _fraction(parts, "w") * factor // 10**9


def _offset(parts: _Parts) -> Int64s:
    """Nanoseconds east of Greenwich."""
    if "z" not in parts:
        return np.zeros(len(parts.number("H")), np.int64)
    groups = pc.extract_regex(parts.text("z"), r"(?P<s>[+-])(?P<h>\d{2}):?(?P<m>\d{2})?:?(?P<x>\d{2})?")
    zone = _Parts(groups)
    seconds = zone.number("h") * 3600 + zone.number("m") * 60 + zone.number("x")
    return np.where(zone.text("s").to_numpy(zero_copy_only=False) == "-", -seconds, seconds) * 10**9


def _fraction(parts: _Parts, name: str) -> Int64s:
    """The digits behind the point, as billionths."""
    if name not in parts:
        return np.zeros(len(parts.number("H")), np.int64)
    return _whole(pc.utf8_rpad(parts.text(name), 9, "0"), 0)


def _whole(texts: pa.Array, default: int) -> Int64s:
    filled = pc.if_else(pc.equal(texts, ""), str(default), texts)
    return np.asarray(filled.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _day(parts: _Parts) -> Int64s:
    return parts.number("d", 1)


def _month(parts: _Parts) -> Int64s:
    if "b" not in parts:
        return parts.number("m", 1)
    return np.array([_MONTHS.index(b) + 1 if b else 1 for b in parts.text("b").to_pylist()], np.int64)


def _year(parts: _Parts) -> Int64s:
    """A year of two digits is one of 1969 to 2068, as strptime has it."""
    year = parts.number("y", 1970)
    return np.where(year < 69, year + 2000, np.where(year < 100, year + 1900, year))


def _days(year: Int64s, month: Int64s, day: Int64s | int) -> Int64s:
    """Days since 1970-01-01."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def _numbers(texts: pa.Array) -> tuple[Bools, pa.Array]:
    """Plain numbers, exactly: 001, 1706745597.123456789."""
    plain = pc.fill_null(pc.match_substring_regex(texts, r"^[-+]?\d{1,20}(?:[.,]\d{1,15})?$"), False)
    numbers = pc.if_else(plain, pc.replace_substring(texts, ",", "."), None)
    return plain.to_numpy(zero_copy_only=False), numbers.cast(NUMBER)
