"""--watch: the terminal shows series a second, the lag, the share of each kind, machines that drift, the last lines."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tsclust import json_log
from tsclust.stream.health import Health

EVERY = 0.5  # seconds between two pictures
KINDS, MACHINES, LINES = 12, 8, 6  # that are shown


class _Last(logging.Handler):
    """The last lines of the log, for people."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=LINES)
        self.setFormatter(json_log.JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(self.format(record))
        rest = ", ".join(f"{name} {value}" for name, value in line.items() if name not in ("time", "level", "event"))
        self.lines.append(f"{line['time'][11:19]} {line['event']}{': ' if rest else ''}{rest}")


@contextmanager
def shown(health: Health, title: str) -> Iterator[None]:
    """As long as this; the log's lines are then on the board and not on stderr."""
    last, root = _Last(), logging.getLogger()
    before, root.handlers[:] = list(root.handlers), [last]
    console, done = Console(), threading.Event()
    try:
        with Live(picture(health, title, ()), console=console, auto_refresh=False, transient=False) as live:
            drawing = threading.Thread(target=_draw, args=(live, health, title, last, done), daemon=True)
            drawing.start()
            try:
                yield
            finally:
                done.set()
                drawing.join()
    finally:
        root.handlers[:] = before


def _draw(live: Live, health: Health, title: str, last: _Last, done: threading.Event) -> None:
    while not done.wait(EVERY):
        live.update(picture(health, title, tuple(last.lines)), refresh=True)
    live.update(picture(health, title, tuple(last.lines)), refresh=True)


def picture(health: Health, title: str, lines: tuple[str, ...]) -> Group:
    """What is shown now."""
    return Group(
        Panel(Group(_figures(health), _kinds(health)), title=title, title_align="left"), _machines(health),
        *(Text(line, no_wrap=True, overflow="ellipsis", style="dim") for line in lines),
    )  # fmt: skip


def _figures(health: Health) -> Text:
    waits = f"waiting for {' and '.join(sorted(health.trouble))}" if health.trouble else ""
    total = sum(health.kinds.values())
    words = [
        f"{health.rate():,.0f} series/s", f"{total:,} in all", f"lag {health.waiting:,}",
        f"{health.dead:,} unreadable", f"model {health.model}", waits,
    ]  # fmt: skip
    return Text("   ".join(filter(None, words)), style="bold")


def _kinds(health: Health) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    total = max(sum(health.kinds.values()), 1)
    for kind, n in health.kinds.most_common(KINDS):
        bar = "█" * max(round(40 * n / total), 1 if n else 0)
        table.add_row(kind[:40], Text(f"{n:,}", justify="right"), Text(f"{n / total:.2%}", justify="right"), bar)
    if (more := len(health.kinds) - KINDS) > 0:
        table.add_row(f"and {more} more", "", "", "")
    return table


def _machines(health: Health) -> Text:
    if not health.machines:
        return Text("no machine drifts", style="green")
    more = f" and {len(health.machines) - MACHINES} more" if len(health.machines) > MACHINES else ""
    return Text(f"drift: {', '.join(health.machines[:MACHINES])}{more}", style="bold red")
