"""Carried columns of texts that are dates -> times. The first rows decide, and every row after them has to agree.

Only a date with separators counts: 20240131 and 12:05 may be codes, 1.2.10 a version. What is nearly a time, or may be
two, stays text, and the output says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError
from tsclust.source import time_text
from tsclust.source.columns import for_shell, shortened
from tsclust.source.number_text import with_nulls
from tsclust.source.time_spelling import spelled
from tsclust.source.time_text import TimeForm

# A look that costs little: a date is somewhere in front.
_DAY = r"\d{1,4}[-./ ]+(?:\d{1,2}|[a-z]{3,9}\.?)[-./ ]+\d{1,4}"
_DATE = rf"(?i)^\W*(?:[a-z]{{2,9}}\.?,? )?(?:[\d:.]{{4,18}} (?:[ap]m )?)?(?:{_DAY}|[a-z]{{3,9}}\.? +\d{{1,2}}\b)"
_SOME = 1_000  # texts that are looked at
KEEP = "keep it as text: times = [] under [source] in tsclust.toml"

Place = tuple[Callable[[int], str], pa.Array]  # where the text of a row is, for messages ("in row 7"), and the texts
Texts = Callable[[str, bool], Iterator[Place]]  # of a column: of its first rows (True), or of all


@dataclass(frozen=True)
class CarriedTimes:
    """forms    column -> how its times are written;  notes: what the output says of them
    missing  texts that mean that there is no time
    bad      raises the error for texts that are not written so: (column, the batch, which rows they are in)
    """

    forms: Mapping[str, TimeForm]
    notes: tuple[str, ...]
    missing: Sequence[str]
    bad: Callable[[str, pa.RecordBatch, np.ndarray], NoReturn]

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The type of each column."""
        return {name: type_of(form) for name, form in self.forms.items()}

    def __str__(self) -> str:
        """For the line that says how series are stored; "" where there is nothing to say."""
        return "".join(f"; {note}" for note in self.notes)

    def schema(self, of: pa.Schema) -> pa.Schema:
        """That of `typed`."""
        types = self.types
        return pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in of], of.metadata)

    def typed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with times in place of the texts of them. Raises BadSeriesError where a text is none."""
        for name, form in self.forms.items():
            if (at := batch.schema.get_field_index(name)) >= 0:
                column = batch.column(at).dictionary_encode()  # of long rows, many have the same
                texts = with_nulls(column.dictionary, self.missing)
                times, fits = form.parse(texts)
                if times.null_count > texts.null_count:
                    bad = np.flatnonzero(~fits & texts.is_valid().to_numpy(zero_copy_only=False))
                    self.bad(name, batch, np.isin(column.indices.to_numpy(zero_copy_only=False), bad))
                moments = thousandth(times).cast(pa.timestamp("us")).cast(type_of(form)).take(column.indices)
                batch = batch.set_column(at, pa.field(name, type_of(form)), moments)
        return batch


def of_columns(
    names: Iterable[str], wanted: Sequence[str], texts: Texts, time_format: str, looked: str = ""
) -> tuple[dict[str, TimeForm], tuple[str, ...]]:
    """How the times of columns are written that are texts, and what the output says of them.

    wanted: the setting times; all rows of a column that it names are looked at, where the first ones have no text.
    looked: "the first 10,000 rows" where no others are looked at, but for the settings.
    """
    found, empty = dict[str, tuple[TimeForm | None, str]](), list[str]()
    for name in names:
        if name in wanted or "*" in wanted:
            decided = _decided(name, texts, time_format, looked, further=name in wanted)
            found |= {name: decided} if decided else {}
            empty += [] if decided or name in wanted else [name]
    notes = (*(note for _, note in found.values() if note), *([_empty(empty, looked)] if empty else []))
    return {n: form for n, (form, _) in found.items() if form}, notes


def _empty(names: Sequence[str], looked: str) -> str:
    """What the output says of columns that had no text in the rows that were looked at."""
    shown = ", ".join([*names[:3], *([f"{len(names) - 3} more"] if len(names) > 3 else [])])
    what = "stays text, as it is" if len(names) == 1 else "stay text, as they are"
    setting = f"times = {json.dumps(names[:1], ensure_ascii=False)} under [source]"
    return f"{shown} {what} empty in {looked or 'the first rows'}: {setting} looks further"


def _decided(
    name: str, texts: Texts, time_format: str, looked: str, *, further: bool
) -> tuple[TimeForm | None, str] | None:
    """How the times of a column are written, and what is to be said of it; (None, "") for texts that are no times,
    None where there is no text. further: behind the first rows too, where those have none."""
    found: list[TimeForm] | None = None
    sample = ""
    for first_only in (True, False):
        for where, all_ in texts(name, first_only):
            there = all_.drop_null().unique()
            if not len(there):
                continue
            sample = sample or str(there[0])
            before, found = found, _narrowed(found, there, time_format)
            if not found:
                return None, _misfit(before, where, all_, name, time_format)
            if not first_only and _is_clear(found, time_format):
                break
        if not further if found is None else _is_clear(found, time_format) or _is_short(found):
            break  # else a day above 12 may follow
    if not found:
        return None
    by = f", by {looked}" if looked else ""
    if not _is_clear(found, time_format):
        return None, _unclear(name, found) + by
    form = replace(found[0], name=spelled(found[0], sample))
    in_utc = " in UTC" if "(?P<z>" in form.pattern else ""
    return form, f"{name} read as times{in_utc} ({form.name}: {shortened(sample)}){by}"


def bad_text(label: str, name: str, text: str, where: str, form: TimeForm) -> BadSeriesError:
    """The error for a text that is not written as those before."""
    return BadSeriesError(
        f"{label}: column {name} has {shortened(text)} {where}: expected a time written as {form.name}, as before",
        f"Correct it, add {for_shell(f'--missing={text}')} if it means a missing value, or {KEEP}",
    )


def _narrowed(found: list[TimeForm] | None, there: pa.Array, time_format: str) -> list[TimeForm]:
    if found is not None:
        return [form for form in found if form.fits(there).all()]
    if not _look_like_dates(there):
        return []
    forms = time_text.candidates(there, time_format) or (time_text.candidates(there) if time_format else [])
    return [form for form in forms if _is_date(form)]


def _misfit(
    before: list[TimeForm] | None, where: Callable[[int], str], texts: pa.Array, name: str, time_format: str
) -> str:
    """What keeps a column from being a time where most of it is one; "" where it is not."""
    there = texts.drop_null().unique()[:_SOME]
    if before is None and not _look_like_dates(there):
        return ""
    forms = before or [form for form in time_text.forms(time_format) if _is_date(form)]
    best = max(forms, key=lambda form: np.count_nonzero(form.fits(there)), default=None)
    if best is None or 2 * np.count_nonzero(best.fits(there)) <= len(there):
        return ""
    at = int(np.argmax(texts.is_valid().to_numpy(zero_copy_only=False) & ~best.fits(texts)))
    text = texts[at].as_py()
    return (
        f"{name} stays text, as {f'{shortened(text)} {where(at)}'.strip()} is no time like the others ({best.name}):"
        f" {for_shell(f'--missing={text}')} reads them if it means a missing value"
    )


def _unclear(name: str, found: Sequence[TimeForm]) -> str:
    names = list(dict.fromkeys(form.name for form in found))
    ways = " or ".join(f"--time-format '{form}'" for form in names)
    return f"{name} stays text, as it may be {' or '.join(names)}: {ways} reads times"


def _is_clear(found: Sequence[TimeForm], time_format: str) -> bool:
    """Is there one form, and no doubt that it is a date? 1.2.10 and 2024.1.2 may be versions of something."""
    return len({form.name for form in found}) == 1 and (bool(time_format) or not _is_short(found))


def _is_short(found: Sequence[TimeForm]) -> bool:
    """Is it a day alone, in few digits or with points behind the year?"""
    return all("(?P<H>" not in form.pattern and ("%y" in form.name or form.name.startswith("%Y.")) for form in found)


def _is_date(form: TimeForm) -> bool:
    """Has it a day, whose parts something separates?"""
    date = re.sub(r"%[HIMSfpz].*", "", form.name)
    has_day = "(?P<y>" in form.pattern and "(?P<d>" in form.pattern
    return has_day and bool(re.search(r"%[dmYyb][^%]+%[dmYyb]", date))


def _look_like_dates(texts: pa.Array) -> bool:
    return _most(pc.match_substring_regex(texts[:_SOME], _DATE))


def type_of(form: TimeForm) -> pa.DataType:
    """Of the texts of a form that has days."""
    if "(?P<H>" not in form.pattern:
        return pa.date32()
    return pa.timestamp("us", "UTC" if "(?P<z>" in form.pattern else None)


def thousandth(times: pa.Array) -> pa.Array:
    """Nanoseconds as whole microseconds, rounded down."""
    nanoseconds = times.fill_null(0).to_numpy(zero_copy_only=False)
    return pa.array(nanoseconds // 1000, pa.int64(), mask=times.is_null().to_numpy(zero_copy_only=False))


def _most(which: pa.Array) -> bool:
    return bool((pc.mean(which.cast(pa.float64())).as_py() or 0.0) > 1 / 2)
