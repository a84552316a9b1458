"""What people see: progress bars on a terminal, what was written, what it cost, what to run next."""

from __future__ import annotations

import itertools
import json as json_module
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table
from rich.text import Text

from tsclust.cli.streams import reader_left
from tsclust.engine.base import Listener, Progress, silent
from tsclust.wording.english import counted
from tsclust.workspace.result import Result, Shown, Sketch

STDERR = Console(stderr=True)
PIPE_WIDTH = 200  # a pipe has no width: nothing is wrapped for it
ABOUT, CURVE = 32, 32  # characters of what stands beside a curve, and of the curve: with its scale less than 80
LONGEST = 1_000  # characters of a text that are looked at


@dataclass(frozen=True)
class Glyphs:
    """Bars from the lowest to the highest, and what stands for the rest of a text."""

    bars: str
    rest: str


BLOCKS, ASCII = Glyphs("▁▂▃▄▅▆▇█", "…"), Glyphs(".:|", "~")


class Amount(ProgressColumn):
    """How much of how much, how fast, and how many MB of it are written; on one line of 80 characters with the rest."""

    def get_table_column(self) -> Column:
        return Column(no_wrap=True)

    def render(self, task: Task) -> Text:
        done, total, unit = int(task.completed), int(task.total or 0), task.fields["unit"]
        if unit == "bytes":
            return Text(f"{decimal(done)} of {decimal(total)}" if total else decimal(done))
        amount = f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}" if unit else ""
        speed = f", {task.speed:,.0f}/s" if task.speed and unit == "series" else ""
        return Text(amount + speed + (f", {decimal(task.fields['size'])}" if task.fields["size"] else ""))


@contextmanager
def progress(enabled: bool) -> Iterator[Listener]:
    """A listener that draws a bar for each piece of long work, on a terminal only: a pipe gets nothing."""
    if not (enabled and STDERR.is_terminal):
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=14), Amount(), TimeRemainingColumn())
    with Bars(*columns, console=STDERR, transient=True) as bars:
        tasks: dict[str, int] = {}

        def listen(event: Progress) -> None:
            if event.stage not in tasks:
                for task in bars.tasks:
                    bars.update(task.id, visible=False)
                tasks[event.stage] = bars.add_task(event.stage, total=event.total or None, unit=event.unit, size=0)
            task_id = bars.tasks[tasks[event.stage]].id
            bars.update(task_id, completed=event.done, total=event.total or None, size=event.size)

        yield listen


def show(results: Iterable[Result], json: bool = False, costs: bool = False) -> None:
    """Print each result as it comes; with `costs` a table of seconds and memory at the end."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a character that the terminal has not is no reason to fail
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    done = []
    for result in results:
        done.append(result)
        if reader_left():  # what is under way is done all the same
            continue
        if json:
            console.out(_json(result, console.encoding), highlight=False)
            sys.stdout.flush()
        else:
            _print(console, result, brief=costs and result.skipped)
    if json or not done or reader_left():
        return
    if costs:
        console.print(_cost_table(done))
    if done[-1].then:
        console.print(f"next: [bold]{escape(done[-1].then)}[/]", soft_wrap=True)


def _print(console: Console, result: Result, brief: bool) -> None:
    wrote = escape(str(result.wrote)) if result.wrote else ""
    rows = result.facts.get("rows") if result.facts else None
    count = f" {rows:,} series" if rows is not None else ""
    cost = "" if result.skipped else f" [dim]{result.seconds:.1f} s[/]"
    place = f" -> {wrote}" if wrote and not result.skipped else ""
    console.print(f"[bold]{result.command}[/]{count}{place}{cost}", soft_wrap=True)
    for note in result.notes:
        console.print(f"  {escape(visible(note))}", soft_wrap=True)
    if result.table and not brief:
        console.print(_table(result.table))
    if isinstance(result, Shown):
        for line in _shown(result, BLOCKS if _can_say(BLOCKS.bars, console.encoding) else ASCII):
            console.print(line, soft_wrap=True)
            if reader_left():
                break


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    numeric = [all(_is_number(row[i]) for row in rows[1:]) for i in range(len(rows[0]))]
    for name, right in zip(rows[0], numeric, strict=True):
        table.add_column(escape(name), justify="right" if right else "left", no_wrap=name != rows[0][-1])
    for row in rows[1:]:
        table.add_row(*(escape(visible(cell)) for cell in row))
    return table


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").isdigit() or text == ""


def _cost_table(done: list[Result]) -> Table:
    rows = [("stage", "seconds", "peak MB")]
    rows += [
        (r.command, "up to date" if r.skipped else f"{r.seconds:.1f}", "" if r.skipped else f"{r.peak_mb:.0f}")
        for r in done
    ]
    stages = [r.seconds for r in done if r.command not in ("fill", "score")]
    rows.append(("extract to report", f"{sum(stages):.1f}", f"{max((r.peak_mb for r in done), default=0):.0f}"))
    return _table(tuple(rows))


def visible(text: str) -> str:
    """Text from the data fit for a terminal: what would move its cursor or turn its writing round is replaced."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def sparkline(values: Sequence[float | None], bars: str, width: int) -> tuple[str, str]:
    """Two lines of at most `width` bars, from the lowest value to the highest; a missing value is a gap."""
    known = [v for v in values if v is not None]
    low, most = min(known, default=0.0), 2 * len(bars) - 1
    step = (max(known, default=0.0) - low) / most or 1.0
    heights = [0 if v is None else 1 + round((v - low) / step) for v in _columns(values, width)]
    upper = "".join(f" {bars}"[max(0, height - len(bars))] for height in heights)
    return upper, "".join(f" {bars}"[min(height, len(bars))] for height in heights)


def _columns(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values: of each stretch the one that is farthest from the middle one of all, so peaks stay."""
    if len(values) <= width:
        return list(values)
    middle = statistics.median([v for v in values if v is not None] or [0.0])
    bounds = [i * len(values) // width for i in range(width + 1)]
    stretches = ([v for v in values[a:b] if v is not None] for a, b in itertools.pairwise(bounds))
    return [max(known, key=lambda v: abs(v - middle)) if known else None for known in stretches]


def _shown(result: Shown, glyphs: Glyphs) -> Iterator[Text]:
    """The curves, or the ids where there are none; the endings."""
    if result.sketches:
        yield Text("  each curve from its lowest value to its highest; a gap is a missing value", "dim")
        names = ", ".join(name for name, _ in result.sketches[0].carried)
        if names:
            yield Text(f"  below the id: {_fit(names, 60, glyphs).rstrip()}", "dim")
        for sketch in result.sketches:
            yield Text()
            yield from _drawn(sketch, glyphs)
        yield Text()
    else:
        yield from (Text(visible(str(series_id))) for series_id in result.ids)
    yield from (Text(f"  {visible(line)}") for line in result.endings)


def _drawn(sketch: Sketch, glyphs: Glyphs) -> Iterator[Text]:
    """Two lines: id, how many values, the upper half and highest value; carried columns, the lower half and lowest."""
    upper, lower = (f"{half:{CURVE}}" for half in sparkline(sketch.values, glyphs.bars, CURVE))
    known = [v for v in sketch.values if v is not None]
    high, low = (f"{end(known) + 0.0:.4g}" for end in (max, min)) if known else ("", "")
    count = f" {counted(len(sketch.values), 'value')}"
    carried = _fit(", ".join(_short(value) for _, value in sketch.carried), ABOUT, glyphs)
    series_id = _fit(sketch.series_id, ABOUT - len(count), glyphs)
    highest = high if high != low else ""
    yield Text.assemble("  ", (series_id, "bold"), (count, "dim"), f"  {upper} ", (highest, "dim"))
    yield Text.assemble("  ", (carried, "dim"), f"  {lower} ", (low, "dim"))


def _short(value: object) -> str:
    """A carried value in few characters; times to the minute."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _fit(text: str, width: int, glyphs: Glyphs) -> str:
    """Exactly `width` cells of a terminal: some characters take two."""
    text = visible(text[:LONGEST])
    return set_cell_size(text if cell_len(text) <= width else set_cell_size(text, width - 1) + glyphs.rest, width)


def _can_say(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _json(result: Result, encoding: str) -> str:
    """On one line; of characters that are not for printing the terminal sees the code alone."""
    text = json_module.dumps(result.as_json(), ensure_ascii=not _can_say(BLOCKS.rest, encoding), default=list)
    return re.sub(r"[^\x20-\x7e]", lambda c: c[0] if c[0].isprintable() else json_module.dumps(c[0])[1:-1], text)
