"""The two languages: texts of the report, numbers, dates, and sentences about deviations, for whatever shows them."""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from babel import Locale

MOST_TIMES = 1_000  # beyond this, "times normal" measures nothing
FROM_TIMES = 2  # from here on "2.3 times normal", below "30% higher than normal"
TO_PEAK = ("side_to_peak", "spread_to_peak", "rise_to_peak", "roughness_to_peak")  # which are shares of the peak
LEVELS = frozenset({"peak_height", "side_mean", "return_level", "rest_level", "p05", "p25", "p50", "p75", "p95"})
LEVELS |= {"highest", "below_rest"}  # stated in the place of the peak's height, and of the level of the return
LONGEST = 300  # characters of a text from the data that the page shows
# As the sources write them into the manifest of series/.
ORIGINS = {
    "table": re.compile(r"(?P<table>.+) on PostgreSQL (?P<version>\S+), database (?P<database>.+)", re.DOTALL),
    "files": re.compile(r"(?P<files>.+) \((?P<n>\d+) files\)", re.DOTALL),
}


class Deviation(Protocol):
    """A feature that is not as it is normally.

    value, usual  of the feature and of what is normal, in the feature's unit
    times         their ratio; None where a ratio means nothing
    away          robust deviations from normal: below 0 it is lower
    unit          "value" for what is recorded; others: samples, value/sample, 1, ...
    """

    @property
    def feature(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def usual(self) -> float: ...
    @property
    def times(self) -> float | None: ...
    @property
    def away(self) -> float: ...
    @property
    def unit(self) -> str: ...


@dataclass(frozen=True)
class Language:
    """All that depends on the language, and on what its readers know.

    texts   the tables of texts.*.toml;  locale: plurals and months
    unit    of what is recorded, "" where that is not known
    seconds  from one sample to the next, 0 where that is not known
    names   what carried columns are called
    """

    code: str
    texts: dict[str, Any]
    locale: Locale
    unit: str = ""
    seconds: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, code: str) -> Language:
        """The language `en` or `ru`."""
        texts = tomllib.loads(Path(__file__).with_name(f"texts.{code}.toml").read_text(encoding="utf-8"))
        return cls(code, texts, Locale.parse(code))

    def pointing_down(self) -> Language:
        """The same with the words for recordings whose peak points down, where more of a level lies farther down."""
        return replace(self, texts=_merged(self.texts, self.texts["down"]))

    def __getitem__(self, key: str) -> Any:
        """A text of the page."""
        return self.texts["page"][key]

    def fixed(self, value: float, decimals: int) -> str:
        """1234.5 -> 1,234.50: with exactly `decimals`."""
        if not math.isfinite(value):
            return "–"
        numbers = self.texts["numbers"]
        text = f"{value:,.{decimals}f}".replace(",", "\0").replace(".", numbers["decimal"])
        negative = text.startswith("-") and any(c in "123456789" for c in text)
        return ("−" if negative else "") + text.lstrip("-").replace("\0", numbers["group"])

    def number(self, value: float, digits: int = 3) -> str:
        """With `digits` significant digits, without zeros at the end; the very large and small by powers of ten."""
        if value and math.isfinite(value) and not 1e-5 <= abs(value) < 1e9:
            return f"{value:.{digits - 1}e}".replace(".", self.texts["numbers"]["decimal"])
        return self.rounded(value, _decimals(value, digits))

    def rounded(self, value: float, decimals: int) -> str:
        """With at most `decimals`."""
        text = self.fixed(value, decimals)
        return text.rstrip("0").rstrip(self.texts["numbers"]["decimal"]) if decimals else text

    def share(self, share: float) -> str:
        """In per cent: 45%, 4.5%, 0.45%, 0.045%; nearly all is not all: 99.7%, 99.98%."""
        percent, rest = share * 100, 100 - share * 100
        if 1e-9 < rest <= 0.5:
            text = self.rounded(percent, _decimals(rest, 1))
        else:
            text = self.fixed(percent, 0) if percent >= 10 else self.number(percent, digits=2)
        return str(self.texts["numbers"]["percent"].format(n=text))

    def counted(self, n: float, what: str) -> str:
        """1 group, 2 groups."""
        text = self.fixed(n, 0) if n == int(n) else self.number(n)
        return f"{text}\u00a0{self.plural(n, what)}"

    def plural(self, n: float, what: str) -> str:
        """The form of the word `what` that goes with n."""
        whole = int(n) if n == int(n) else n  # 1.0 is not 1 to the rules: it has a visible fraction
        return str(self.texts["plurals"][what][self.locale.plural_form(whole)])

    def day(self, day: date) -> str:
        """As short as it can be read by everyone: Mar 1, 2024; 01.03.2024."""
        month = self.locale.months["format"]["abbreviated"][day.month]
        known = {"day": day.day, "short": month, "year": day.year, "dd": f"{day:%d}", "mm": f"{day:%m}"}
        return str(self.texts["numbers"]["day"].format(**known))

    def date(self, day: date) -> str:
        month = self.locale.months["format"]["wide"][day.month]
        return str(self.texts["numbers"]["date"].format(day=day.day, month=month, year=day.year))

    def time(self, moment: datetime) -> str:
        """To the second, with what the time zone is called where there is one."""
        zone = f" {moment.tzname()}" if moment.tzinfo else ""
        return f"{self.date(moment)}, {moment:%H:%M:%S}{zone}"

    def month(self, text: str) -> str:
        """2024-03 -> March 2024; any other text as it is."""
        year, _, month = text.rpartition("-")
        if not (month.isdigit() and 1 <= int(month) <= 12):
            return text
        name = self.locale.months["stand-alone"]["wide"][int(month)]
        return str(self.texts["numbers"]["month_year"].format(month=name, year=year))

    def plain(self, value: object) -> str:
        """A value from the data, of any type, as text for people."""
        if value is None or value == "":
            return str(self["nothing"])
        if isinstance(value, bool):
            return str(self["yes"] if value else self["no"])
        if isinstance(value, datetime):
            return self.time(value)
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, float):
            return self.number(value, digits=6)
        return shown(str(value))

    def origin(self, text: str) -> str:
        """Where series came from, in this language; a text of another form as it is."""
        for form, pattern in ORIGINS.items():
            if found := pattern.fullmatch(text):
                return str(self.texts["origins"][form].format(**found.groupdict()))
        return text

    def column(self, name: str) -> str:
        """A carried column in this language, where it has a usual name."""
        return self.plain(self.names.get(name) or self.texts["columns"].get(name, name))

    def lasting(self, samples: float) -> str:
        """18 samples, or 0.9 s where it is known how long one is."""
        if self.seconds:
            return f"{self.number(samples * self.seconds, digits=2)}\u00a0{self.texts['numbers']['second']}"
        return self.counted(round(samples, 0 if samples >= 10 else 1), "sample")

    def factor(self, n: float) -> str:
        """12 times, 1.4 times."""
        rounded = round(n, _decimals(n, 2))
        return f"{self.number(rounded)}\u00a0{self.plural(rounded, 'times')}"

    def alike(self, columns: Sequence[str]) -> str:
        """Series that share these carried columns: `from the same machine and in the same direction`."""
        words = self.texts["alike"]
        phrases = [words.get(c, words["other"].format(column=self.column(c))) for c in columns]
        return str(words["and"].join(filter(None, (", ".join(phrases[:-1]), *phrases[-1:]))))

    def reason(self, text: str) -> str:
        """A rule's reason in this language, where it is one that tsclust brings along."""
        return str(self.texts["reasons"].get(text, text))

    def called(self, kind: str) -> str:
        """A kind in this language, where it is no malfunction's name."""
        return str(self.texts["own_kinds"].get(kind, kind))

    def meaning(self, text: str) -> str:
        """A feature's meaning in this language, where it is one of tsclust's own."""
        return str(self.texts["meanings"].get(text, text))

    def sentence(self, u: Deviation) -> str:
        """What is unusual, in words: `run 18 samples longer`, `plateau: level 60% higher than normal`."""
        if u.feature in self.texts["worded"]:
            thing, more, less = self.texts["worded"][u.feature]
            return self._sentence("worded", thing=thing, how=more if u.away > 0 else less)
        if u.feature in self.texts["whole"] and u.times is not None:
            return self._times("", "", u.times, self.texts["whole"][u.feature])
        thing, measure, less = (*self.texts["features"].get(u.feature, [u.feature, ""]), "")[:3]
        if less:
            return self._longer(thing, measure if u.value > u.usual else less, abs(u.value - u.usual))
        if u.feature in TO_PEAK:
            value, usual = self.share(u.value), self.share(u.usual)
            return self._sentence("of_peak", thing=thing, measure=measure, value=value, usual=usual)
        if u.times is not None and abs(u.times - 1) >= 0.1:
            return self._times(thing, measure, u.times, of="level_" if u.feature in LEVELS else "")
        if u.unit == "value" and u.feature in LEVELS:
            return self._by(thing, measure, u.value - u.usual)
        if u.feature == "highest_at":
            return self._sentence("at", thing=thing, value=self.lasting(u.value), usual=self.lasting(u.usual))
        decimals = _decimals(max(abs(u.value), abs(u.usual)), 2)
        value, usual = self.rounded(u.value, decimals), self.rounded(u.usual, decimals)
        if value == usual:  # a digit more tells them apart
            value, usual = self.rounded(u.value, decimals + 1), self.rounded(u.usual, decimals + 1)
        if self.unit and u.unit == "value" and u.feature in self.texts["features"]:
            value = f"{value}\u00a0{self.unit}"
        return self._sentence("instead", thing=thing, measure=measure, value=value, usual=usual)

    def _longer(self, thing: str, more: str, by: float) -> str:
        return self._sentence("longer", thing=thing, more=more, n=self.lasting(by))

    def _by(self, thing: str, measure: str, more: float) -> str:
        """A difference, which is the same whatever the level of rest, and whichever way the peak points."""
        value = self.number(abs(more), digits=2) + (f"\u00a0{self.unit}" if self.unit else "")
        return self._sentence("higher" if more > 0 else "lower", thing=thing, measure=measure, value=value)

    def _times(
        self, thing: str, measure: str, times: float, sentences: dict[str, str] | None = None, of: str = ""
    ) -> str:
        """By how much, by the sentences given or the usual ones. of: what their names begin with where shares are."""
        said = sentences or self.texts["sentences"]
        if times < FROM_TIMES:
            which = of + ("less" if times < 1 else "more")
            return _filled(said[which], thing=thing, measure=measure, share=self.share(abs(times - 1)))
        n = min(round(times, _decimals(times, 2)), MOST_TIMES)
        which = "over" if n == MOST_TIMES else "times_more"
        return _filled(said[which], thing=thing, measure=measure, n=self.number(n), times=self.plural(n, "times"))

    def _sentence(self, which: str, **words: str) -> str:
        return _filled(self.texts["sentences"][which], **words)


def _merged(texts: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """The texts with those of the others in the place of their own, in all tables."""
    both = {key: _merged(texts[key], other) if isinstance(other, dict) else other for key, other in others.items()}
    return {**texts, **both}


def _filled(text: str, **words: str) -> str:
    return text.format(**words).replace("  ", " ")  # a measure may have no name


def shown(text: str, longest: int = LONGEST) -> str:
    """Text from the data fit for a page: control characters made visible, and no longer than people read."""
    visible = "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in text[: longest + 1])
    return visible if len(text) <= longest else f"{visible[:longest]}… ({len(text)})"


def _decimals(value: float, digits: int) -> int:
    """How many decimals show `digits` significant digits of `value`."""
    return min(max(0, digits - 1 - math.floor(math.log10(abs(value)))), 12) if value and math.isfinite(value) else 0
