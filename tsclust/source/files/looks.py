"""A look at columns of texts in files: what they hold, the first cell that does not, how times are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tsclust.errors import BadSeriesError
from tsclust.source import array_text, carried_times, number_text, time_text
from tsclust.source.carried_times import CarriedTimes
from tsclust.source.columns import Holds, Seen, shortened
from tsclust.source.number_text import NumberForm
from tsclust.source.protocols import Rows
from tsclust.source.time_text import TimeForm

_SOME = 1_000  # texts that show what a column holds


class Looks:
    """What was seen of the columns of `rows`, each looked at once."""

    def __init__(self, rows: Rows, missing: Sequence[str], time_format: str) -> None:
        self._rows, self._missing, self._time_format = rows, tuple(missing), time_format
        self._seen: dict[str, Seen] = {}
        self._forms: dict[str, NumberForm] = {}  # of numbers with something between thousands

    def __call__(self, name: str) -> Seen:
        """What the texts of column `name` are, by the first rows of each file."""
        if name not in self._seen:
            self._seen[name] = self._look(name)
        return self._seen[name]

    @property
    def label(self) -> str:
        """What messages call the rows."""
        return self._rows.label

    def with_nulls(self, texts: pa.Array) -> pa.Array:
        """`texts` with nulls for those that mean a missing value."""
        return number_text.with_nulls(texts, self._missing)

    def time_form(self, name: str) -> TimeForm:
        """How the times of a column are written: read on until it is clear.

        Raises BadSeriesError where a text is no such time, or no text tells the day from the month.
        """
        found: list[TimeForm] = []
        for label, first_row, texts in self._texts(name):
            before, found = found, self._narrowed(found, texts)
            if not found and len(texts.drop_null()):
                raise self._no_time(f"{label}: column {name}", before, texts, first_row)
            if len(found) == 1:
                return found[0]
        if not found:
            raise BadSeriesError(
                f"{self._rows.label}: column {name} is empty: expected times", "Name another with --order"
            )
        raise self._ambiguous(name, found)

    def bad_time(self, name: str, form: TimeForm) -> BadSeriesError:
        """The error for the first text that is not written as `form`: there is one."""
        for label, first_row, texts in self._texts(name):
            if not form.fits(texts.drop_null()).all():
                return self._no_time(f"{label}: column {name}", [form], texts, first_row)
        return self._changed(name)

    def carried_times(self, names: Iterable[str], wanted: Sequence[str]) -> CarriedTimes:
        """Those of the columns of texts `names` that are times; `wanted`: the setting times."""

        def texts(name: str, first_only: bool) -> Iterator[carried_times.Place]:
            for label, first_row, texts in self._texts(name, first_only=first_only):
                of_file = "" if label == self._rows.label else f" of {label}"
                yield partial(_row, first_row, of_file), texts

        def bad(name: str, _: pa.RecordBatch, __: np.ndarray) -> NoReturn:
            raise self._bad_carried(name, forms[name])

        of = carried_times.of_columns(names, wanted, texts, self._time_format)
        return CarriedTimes(forms := of[0], of[1], self._missing, bad)

    def _bad_carried(self, name: str, form: TimeForm) -> BadSeriesError:
        for label, first_row, texts in self._texts(name):
            misfits = texts.is_valid().to_numpy(zero_copy_only=False) & ~form.fits(texts)
            if misfits.any():
                row = int(np.argmax(misfits))
                return carried_times.bad_text(label, name, texts[row].as_py(), f"in row {first_row + row}", form)
        return self._changed(name)

    def as_text(self, names: Iterable[str]) -> dict[str, pa.DataType]:
        """Those of the columns of numbers that have to be read as text, for `numbers`."""
        return {name: pa.string() for name in names if name in self._forms}

    def numbers(self, batch: pa.RecordBatch, names: Iterable[str]) -> pa.RecordBatch:
        """The batch with numbers in these columns. Raises BadSeriesError for the first text that is none."""
        for name in self.as_text(names):
            at = batch.schema.get_field_index(name)
            try:
                found = self._forms[name].parse(self.with_nulls(batch.column(at)))
            except pa.ArrowInvalid:
                raise self._bad_number(name) from None
            batch = batch.set_column(at, pa.field(name, found.type), found)
        return batch

    def _bad_number(self, name: str) -> BadSeriesError:
        for label, first_row, texts in self._texts(name):
            misfits = pc.invert(pc.fill_null(self._forms[name].fits(texts), True))
            if (row := pc.index(misfits, True).as_py()) >= 0:
                text = texts[row].as_py()
                problem = f"{label}: column {name} has {shortened(text)} in row {first_row + row}"
                return number_text.not_missing(f"{problem}: expected a number written as those before", text)
        return self._changed(name)

    def _changed(self, name: str) -> BadSeriesError:
        return BadSeriesError(f"{self._rows.label}: column {name} changed while it was read", "Read it again")

    def _narrowed(self, found: list[TimeForm], texts: pa.Array) -> list[TimeForm]:
        there = texts.drop_null()
        if not len(there):
            return found
        if not found:
            return time_text.candidates(there, self._time_format)
        return [form for form in found if form.fits(there).all()]

    def _no_time(self, what: str, before: list[TimeForm], texts: pa.Array, first_row: int) -> BadSeriesError:
        forms = before or time_text.forms(self._time_format)
        there = texts.is_valid().to_numpy(zero_copy_only=False)
        best = max((form.fits(texts) for form in forms), key=np.count_nonzero)
        row = int(np.argmax(there & ~best))
        text = texts[row].as_py()
        written = f"a time written as {before[0].name}" if before else "a date, a time of day, a duration or a number"
        return BadSeriesError(
            f"{what} has {shortened(text)} in row {first_row + row}: expected {written}, as it orders the values",
            "Correct it, name another column with --order, or say how times are written: --time-format"
            " '%d/%m/%Y %H:%M:%S'",
        )

    def _ambiguous(self, name: str, found: list[TimeForm]) -> BadSeriesError:
        text = next(t[0].as_py() for _, _, texts in self._texts(name) if len(t := texts.drop_null()))
        return BadSeriesError(
            f"{self._rows.label}: column {name} has {shortened(text)}, which may be"
            f" {' or '.join(f.name for f in found)}: expected dates that fit one order of day and month",
            "Say which: " + " or ".join(f"--time-format '{form.name}'" for form in found),
        )

    def _look(self, name: str) -> Seen:
        holds: Holds = ""
        varies = False
        for number, (label, first_row, texts) in enumerate(self._texts(name, first_only=True)):
            there = texts.drop_null()
            if not len(there):
                continue
            if not holds:
                holds, varies = _held(there[:_SOME], self._time_format), _varies(texts[:_SOME])
            if not holds:
                return Seen("", *_first(texts, np.zeros(len(texts), bool), first_row), True, varies)
            fits = _fitting(texts, holds, self._decimal(number))
            if holds != "time" and not fits[texts.is_valid().to_numpy(zero_copy_only=False)].all():
                text, where = _first(texts, fits, first_row)
                several = label != self._rows.label
                grouped = holds == "number" and self._is_grouped(name)
                return Seen(holds, text, where + (f" of {label}" if several else ""), True, varies, grouped=grouped)
        return Seen(holds, readable=bool(holds), varies=varies)

    def _is_grouped(self, name: str) -> bool:
        form = number_text.number_form(texts for _, _, texts in self._texts(name, first_only=True))
        if form is not None:
            self._forms[name] = form
        return form is not None

    def _decimal(self, number: int) -> str:
        parts: Sequence[Rows] = getattr(self._rows, "parts", (self._rows,))
        return str(getattr(parts[number], "decimal", "."))

    def _texts(self, name: str, *, first_only: bool = False) -> Iterator[tuple[str, int, pa.Array]]:
        """The texts of each file, a batch at a time, with its label and its first row; missing ones are null."""
        folders: Mapping[str, pa.Array] = getattr(self._rows, "folders", {})
        if name in folders:
            yield self._rows.label, 1, number_text.with_nulls(folders[name].cast(pa.string()), self._missing)
            return
        for part in getattr(self._rows, "parts", (self._rows,)):
            row = getattr(part, "first_row", 1)
            for batch in part.read({name: pa.string()}, lambda _: None):
                yield part.label, row, number_text.with_nulls(batch.column(0), self._missing)
                row += batch.num_rows
                if first_only:
                    break


def _row(first: int, of_file: str, row: int) -> str:
    return f"in row {first + row}{of_file}"


def _held(texts: pa.Array, time_format: str) -> Holds:
    """What most texts are."""
    if _share(pc.match_substring_regex(texts, number_text.ALMOST)) >= 1 / 2:
        return "number"
    if _share(brackets := array_text.bracketed(texts)) > 1 / 2 and _parses(texts.filter(brackets)[:1]):
        return "numbers"
    best = max((form.fits(texts).mean() for form in time_text.forms(time_format)), default=0.0)
    return "time" if best > 1 / 2 else ""


def _fitting(texts: pa.Array, holds: Holds, decimal: str) -> np.ndarray:
    if holds == "numbers":
        return _readable_arrays(texts)
    pattern = number_text.NUMBER.replace(r"\.", ",") if decimal == "," else number_text.NUMBER
    return np.asarray(pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(zero_copy_only=False))


def _readable_arrays(texts: pa.Array) -> np.ndarray:
    """(n,) False for the first text that is no array of numbers; what follows it is not looked at."""
    fits = np.ones(len(texts), bool)
    try:
        array_text.parse(texts)
    except array_text.NotAnArrayError as error:
        fits[error.row] = False
    return fits


def _parses(texts: pa.Array) -> bool:
    return bool(_readable_arrays(texts).all())


def _first(texts: pa.Array, fits: np.ndarray, first_row: int) -> tuple[str, str]:
    """The first text that does not fit, and its place."""
    row = int(np.argmax(texts.is_valid().to_numpy(zero_copy_only=False) & ~fits))
    return texts[row].as_py(), f"in row {first_row + row}"


def _varies(texts: pa.Array) -> bool:
    return len(texts) > 1 and _share(pc.fill_null(pc.not_equal(texts[1:], texts[:-1]), True)) > 1 / 2


def _share(which: pa.Array) -> float:
    return float(pc.mean(which.cast(pa.float64())).as_py() or 0.0)
