"""The command line."""

from __future__ import annotations

import os
import sys

AGAIN = "Run the same command again once that is mended"  # what a script is advised where nothing better is known
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from tsclust.cli.commands import app as app


def main() -> None:
    """The entry point. Until all is imported a signal ends the process at once, as there is nothing to clean up."""
    try:
        _end_at_once()
        from tsclust.cli import interruption, lazily
        from tsclust.memory import return_large_blocks

        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own keeps some 60 MB for itself
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # parts are done side by side already
        return_large_blocks()
        lazily.defer()  # before anything imports them
        from tsclust.cli.commands import run
    except KeyboardInterrupt:  # before _end_at_once was done
        _end(2)
    try:
        interruption.listen()
        run()
    finally:
        interruption.leave()


def _end_at_once() -> None:
    """Before anything is imported that takes a moment. Who has switched signals off for us has reasons (nohup, `&`)."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _: object = None) -> None:
    """As `problem` does it, which is not imported yet."""
    code, error = 128 + number, interruption_of(number)
    for_script = f'{{"code": {code}, "error": "{error}", "next": "{AGAIN}"}}'
    try:
        os.write(2, f"{for_script if '--json' in sys.argv else f'tsclust: {error}.'}\n".encode())
    finally:
        os._exit(code)


def interruption_of(number: int) -> str:
    """What a signal did, SIGINT (2) or SIGTERM (15)."""
    return f"{'interrupted' if number == 2 else 'terminated'}; completed parts were kept"


def __getattr__(name: str) -> Any:
    if name == "app":
        from tsclust.cli.commands import app

        return app
    raise AttributeError(name)
