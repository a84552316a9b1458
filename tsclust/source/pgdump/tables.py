"""Tables of a pg_dump file, read without a server: plain SQL (compressed or not), custom and directory archives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tsclust.config import MISSING
from tsclust.errors import BadSeriesError, SettingsError, SourceFileError, TsclustError
from tsclust.source.array_text import NotAnArrayError
from tsclust.source.compressed import starts_with
from tsclust.source.number_text import needs_decimals, numbers_of
from tsclust.source.pgdump import archive, copy_text, script, statements, timescale
from tsclust.source.pgdump.contents import Contents, Copy, damaged
from tsclust.source.pgdump.inheritance import above, arrow_types, declared, generated, meant, spelled, trimmed
from tsclust.source.pgdump.statements import Name
from tsclust.source.protocols import Batches, OnBytes, Rows
from tsclust.source.table import near
from tsclust.source.time_text import NUMBER

_PIECE = 1 << 24  # bytes of COPY text that become one batch
_OTHER = "Name another column, or correct it in the table and dump it again"
_SNIFFED = 1 << 20  # bytes of COPY text that tell of what type a column is
_TAR = b"toc.dat\0"


def is_dump(path: Path) -> bool:
    """Is this the work of pg_dump? What is in the file says so, or for a folder in its toc.dat; never its name."""
    try:
        if path.is_dir():
            return starts_with(path / "toc.dat", archive.MAGIC)
        if starts_with(path, archive.MAGIC) or starts_with(path, _TAR):
            return True
    except OSError:
        return False
    return script.is_script(path)


def opened(path: Path, table: str, missing: tuple[str, ...] = MISSING) -> Rows:
    """The rows of `table` ("schema.table", or "table") of a dump, with its partitions; "" is the only one with rows.

    Raises SettingsError where no table or more than one is meant, SourceFileError for a dump that cannot be read.
    """
    contents = _contents(path)
    if not contents.copies:
        raise _nothing(contents)
    name = _chosen(contents, table)
    _refuse_compressed(contents, name)
    return DumpRows(contents, name, [c for c in contents.copies if name in above(contents, c.name)], missing)


class DumpRows:
    """The rows of a table of a dump: see Rows.

    keys      those of the table
    generated the columns that the server computes, and a dump has not
    spelled   the columns whose equal values may be written differently -> why
    """

    def __init__(self, contents: Contents, name: Name, copies: Sequence[Copy], missing: tuple[str, ...]) -> None:
        self.label = f"{statements.joined_name(name)} in {contents.path.name}"
        self.size = (max if contents.one_pass else sum)(c.size for c in copies)
        self._contents, self._copies, self.missing, self.first_row = contents, copies, missing, 1
        self.schema, self.orders = pa.schema([]), dict[str, pa.DataType]()
        self.keys = contents.keys.get(name, [])
        self.spelled = spelled(contents, name)
        self._trimmed = trimmed(contents, name)
        known = arrow_types(contents, name) if name in contents.tables else arrow_types(contents, copies[0].name)
        self.generated = tuple(c for c in generated(contents, name) if c not in copies[0].columns)
        self.schema = self._sniffed(known, _columns(contents, name, copies))

    def read(self, types: Mapping[str, pa.DataType], tell: OnBytes) -> Batches:
        """Batches of the columns `types`: see Rows."""
        progress, before = _Progress(self.size, tell), Counter[Name]()
        for copy, text in _texts(self._contents, self._copies, progress.take):
            batch = self._batch(text, copy, types, before[copy.name])
            yield batch
            before[copy.name] += batch.num_rows
            progress.passed()
        progress.finish()

    def _batch(self, text: bytes, copy: Copy, types: Mapping[str, pa.DataType], before: int) -> pa.RecordBatch:
        there = {n: self.schema.field(n).type for n in self.schema.names}
        texts = {n for n, t in types.items() if pa.types.is_floating(t) and there.get(n) == pa.string()}
        try:
            read = copy_text.columns(
                text, copy.columns, {n: pa.string() if n in texts else t for n, t in types.items()}
            )
        except (pa.ArrowInvalid, KeyError) as error:
            raise self._refused(str(error), copy) from error
        columns = [self._typed(read[name], name, type_, before) for name, type_ in types.items()]
        return pa.record_batch(columns, schema=pa.schema(list(types.items())))

    def _typed(self, texts: pa.Array, name: str, type_: pa.DataType, before: int) -> pa.Array:
        if pa.types.is_string(texts.type) and pa.types.is_floating(type_):
            what = f"{self.label}: column {name}"
            return numbers_of(copy_text.typed(texts, pa.string()), type_, self.missing, what, before + 1)
        try:
            found = copy_text.typed(texts, type_)
            return pc.utf8_rtrim(found, " ") if name in self._trimmed and pa.types.is_string(type_) else found
        except NotAnArrayError as error:
            raise BadSeriesError(
                f"{self.label}, row {before + error.row + 1}: {name} is {error.text!r}, {error.why}",
                "Expected {1,2.5,NULL} or [1, 2.5, null]: name another column, or correct the table and dump it again",
            ) from error
        except pa.ArrowInvalid as error:
            raise BadSeriesError(f"{self.label}: column {name}: {error}", _OTHER) from error

    def _refused(self, why: str, copy: Copy) -> TsclustError:
        """What CSV did not take: bytes that are no text, a row with too few columns, or a value."""
        if "invalid UTF8" in why:
            return _not_utf8(self._contents)
        if found := re.search(r"column #(\d+).*?: (?:CSV conversion error to )?(.*)", why, re.DOTALL):
            return BadSeriesError(f"{self.label}: column {copy.columns[int(found[1])]}: {found[2]}", _OTHER)
        return damaged(self._contents.path, f"is damaged: {why[:200]}")

    def _sniffed(self, declared: Mapping[str, pa.DataType | None], names: Sequence[str]) -> pa.Schema:
        """The type of every column: as declared; where that says nothing, or text, as its first rows look."""
        text, copy = next(_beginnings(self._contents, self._copies), (b"", self._copies[0]))
        strings = {c: pa.string() for c in names if declared.get(c) in (None, pa.string())}
        first = self._batch(text, copy, strings, 0)
        floats = {n: pa.string() for n in names if declared.get(n) == pa.float64()}
        digits = self._batch(text, copy, floats, 0)
        self.orders = {n: NUMBER for n in floats if needs_decimals(digits[n])}
        looks = {c: copy_text.guessed_type(first[c], is_text=declared.get(c) is not None) for c in strings}
        return pa.schema([(c, looks.get(c) or declared[c]) for c in names])


class _Progress:
    """Tells of bytes when the rows in them were given away, and never of more than `size`."""

    def __init__(self, size: int, tell: OnBytes) -> None:
        self._size, self._tell, self._taken, self._told = size, tell, 0, 0

    def take(self, size: int) -> None:
        self._taken += size

    def passed(self) -> None:
        self._tell_up_to(min(self._taken, self._size))

    def finish(self) -> None:
        self._tell_up_to(self._size)

    def _tell_up_to(self, place: int) -> None:
        self._tell(place - self._told)
        self._told = place


def _contents(path: Path) -> Contents:
    try:
        if path.is_dir() or starts_with(path, archive.MAGIC):
            return archive.contents(path)
        if starts_with(path, _TAR):
            raise SourceFileError(f"{path} is a dump in tar format", "Dump again with: pg_dump -Fc, or -Fp")
        return script.contents(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged(path, f"cannot be read: {error}") from error


def _nothing(contents: Contents) -> SourceFileError:
    if contents.inserts:
        return SourceFileError(f"{contents.path} contains INSERT INTO: expected COPY", "Dump again without --inserts")
    return SourceFileError(f"{contents.path} contains no rows, only the schema", "Dump again without --schema-only")


def _chosen(contents: Contents, table: str) -> Name:
    """The one table that `table` means."""
    names = {c.name: None for c in contents.copies}
    roots = list(dict.fromkeys(meant(contents, n) for n in names))
    asked = statements.split_name(table)[-2:]
    if table.strip():
        every = dict.fromkeys(a for n in names for a in above(contents, n))
        found = [n for n in every if asked and n[-len(asked) :] == asked]
    elif len(roots) == 1:
        found = roots
    else:
        found = list(dict.fromkeys(meant(contents, c.name) for _, c in _beginnings(contents, contents.copies)))
    if len(found) == 1:
        return found[0]
    raise _which(contents, table, [statements.joined_name(n) for n in found or roots], several=bool(found))


def _which(contents: Contents, table: str, names: list[str], *, several: bool) -> SettingsError:
    there = near(table.strip(), names)
    if several:
        what = f"more than one table {table.strip()}" if table.strip() else "rows of more than one table"
        return SettingsError(f"{contents.path} contains {what}: {there}", "Name one with --table")
    what = f"no rows of a table {table.strip()}" if table.strip() else "only tables without rows"
    return SettingsError(f"{contents.path} contains {what} (it has {there})", "Name one of its tables with --table")


def _columns(contents: Contents, name: Name, copies: Sequence[Copy]) -> tuple[str, ...]:
    """Those of the table itself: tables that inherit from it may have more."""
    own = next((c.columns for c in copies if c.name == name), None)
    if own is not None:
        return own
    wanted = set(declared(contents, name)) or set(copies[0].columns)
    return tuple(c for c in copies[0].columns if c in wanted) or copies[0].columns


def _refuse_compressed(contents: Contents, name: Name) -> None:
    """Raises SourceFileError where TimescaleDB has rows of the table packed in a way that only it can read."""
    catalog = [c for c in contents.copies if c.name == timescale.CATALOG]
    rows = next(_beginnings(contents, catalog), None) if catalog else None
    packed = timescale.packed(contents, name, rows)
    if packed and next(_beginnings(contents, packed), None) is not None:
        table = statements.joined_name(name)
        raise SourceFileError(
            f"{contents.path} has chunks that TimescaleDB compressed ({packed[0].name[1]}): expected rows as text",
            f"Export them on the server: psql -c \"\\copy (SELECT * FROM {table}) TO 'rows.csv' CSV HEADER\"",  # noqa: S608
        )


def _beginnings(contents: Contents, copies: Sequence[Copy]) -> Iterator[tuple[bytes, Copy]]:
    """The first rows of each of `copies` that has rows."""
    with _explained(contents):
        for copy, read in contents.streams(copies, _silent):
            for text in copy_text.pieces(read, _SNIFFED):
                yield _utf8(text, contents), copy
                break


def _texts(contents: Contents, copies: Sequence[Copy], tell: OnBytes) -> Iterator[tuple[Copy, bytes]]:
    """COPY text in UTF-8, in pieces of whole rows. Raises SourceFileError where it does not come to its end."""
    with _explained(contents):
        for copy, read in contents.streams(copies, tell):
            for text in copy_text.pieces(read, _PIECE):
                yield copy, _utf8(text, contents)


@contextmanager
def _explained(contents: Contents) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise _not_utf8(contents) from error
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise damaged(contents.path, f"is cut off or damaged ({error})") from error


def _utf8(text: bytes, contents: Contents) -> bytes:
    return text if contents.encoding == "UTF8" else text.decode(contents.encoding).encode()


def _not_utf8(contents: Contents) -> SourceFileError:
    return SourceFileError(f"{contents.path} is not in {contents.encoding}", "Dump again with: pg_dump -E UTF8")


def _silent(_: int) -> None:
    pass
