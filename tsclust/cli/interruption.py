"""Ctrl-C and SIGTERM end every command within two seconds, whatever it is waiting for.

Python runs the handler of a signal in the main thread, between two of its steps: a query in Polars, a connection to a
server that stalls, a pool that waits for its workers keep it waiting, and a driver may swallow the exception. So
a thread hears of each signal as well (signal.set_wakeup_fd: written by the system's handler at once, and Polars, which
puts its own in front when it is imported, calls ours). It gives the command a moment to clean up and then ends the
process, as `kill -9` would: the lock goes with it, the last good stage is there, and the next command sweeps up.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress

from tsclust.cli import interruption_of
from tsclust.cli.problem import Problem

CODES = {int(signal.SIGINT): 130, int(signal.SIGTERM): 143}
GRACE = 1.2  # seconds to clean up in; the system then takes its own moment to give back the memory
_SHOW_CURSOR = b"\x1b[?25h"

_heard: list[int] = []  # the signal, once there was one
_told = threading.Event()


def listen() -> None:
    """From now on the two signals raise KeyboardInterrupt once, and end the process soon after. Those that whoever
    started us has switched off (nohup, `&` in a script) stay so."""
    hears, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)
    sys.unraisablehook = _report_unraisable
    os.register_at_fork(after_in_child=_let_go)
    threading.Thread(target=_end_late, args=(hears,), name="tsclust-signals", daemon=True).start()


def heard() -> bool:
    """Whether there was a signal."""
    return bool(_heard)


def code() -> int:
    """The exit code of a command that was interrupted."""
    return CODES[_heard[0]] if _heard else 130


def tell() -> None:
    """The one line about it, on stderr."""
    if not _told.is_set():
        _told.set()
        print(_line(), file=sys.stderr)  # noqa: T201


def leave() -> None:
    """After a signal: end the process here, as threads that still wait would keep it from ending. Without one the
    command is done, and none that comes now makes it undone."""
    for number in CODES:
        if signal.getsignal(number) is _raise:
            signal.signal(number, _note)
    if _heard:
        tell()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code())


def _raise(number: int, _: object) -> None:
    """Once: what cleans up is not to be interrupted. Where Polars has stopped a query for the same Ctrl-C, it has
    raised this already."""
    first = not _heard
    _heard.append(number)
    if first and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
        raise KeyboardInterrupt


def _report_unraisable(what: sys.UnraisableHookArgs) -> None:
    """Python prints what is raised where nobody can catch it (in a callback of its imports, for one). Ours is no
    news: the thread ends the process."""
    if not (_heard and what.exc_type is KeyboardInterrupt):
        sys.__unraisablehook__(what)


def _note(number: int, _: object) -> None:
    """The thread hears of it too, should something keep the process from ending."""


def _end_late(hears: int) -> None:
    while (number := os.read(hears, 1)[0]) not in CODES:
        pass
    time.sleep(GRACE)
    _heard.append(number)
    writable = select.select([], [2], [], 0)[1]  # a pipe that nobody reads would keep us, too
    if writable and not _told.is_set():
        os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + _line().encode() + b"\n")
    os._exit(code())


def hand_over() -> None:
    """What runs now ends by itself when it is asked to, in its own time: no thread of ours ends the process."""
    _let_go()


def _let_go() -> None:
    """A child that was forked answers for itself: it must not wake our thread."""
    signal.set_wakeup_fd(-1)
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is _raise:
            signal.signal(number, usual)


def reason() -> str:
    """In words: by which signal, and what stays."""
    return interruption_of(code() - 128)


def _line() -> str:
    return str(Problem(code(), reason(), ""))
