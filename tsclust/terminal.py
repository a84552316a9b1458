"""What people see: progress bars on a terminal, what was written, what it cost, what to run next."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table
from rich.text import Text

from tsclust.engine import Listener, Progress, silent
from tsclust.pipeline.result import Result

STDERR = Console(stderr=True)
PIPE_WIDTH = 200  # a pipe has no width: nothing is wrapped for it


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
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    done = []
    for result in results:
        done.append(result)
        if json:
            console.out(json_module.dumps(result.as_json(), ensure_ascii=False, default=list), highlight=False)
            sys.stdout.flush()
        else:
            _print(console, result, brief=costs and result.skipped)
    if json or not done:
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
        console.print(f"  {escape(note)}", soft_wrap=True)
    if result.table and not brief:
        console.print(_table(result.table))


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    numeric = [all(_is_number(row[i]) for row in rows[1:]) for i in range(len(rows[0]))]
    for name, right in zip(rows[0], numeric, strict=True):
        table.add_column(escape(name), justify="right" if right else "left", no_wrap=name != rows[0][-1])
    for row in rows[1:]:
        table.add_row(*(escape(cell) for cell in row))
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
