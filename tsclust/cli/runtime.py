"""What every command runs inside: progress and results on the terminal, errors as one line and an exit code."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from tsclust.cli import anywhere, interruption, log_file, problem, usage
from tsclust.cli.problem import Problem
from tsclust.engine.base import silent
from tsclust.errors import DiskFullError, SettingsError, TsclustError, no_place_for_kernels
from tsclust.passwords import has_password

# Of click itself, or of the click that is in typer.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


_quiet = False  # whether this command prints nothing but errors


class Commands(TyperGroup):
    """Every command runs inside `error_boundary`, and so does its help: an error is one line and an exit code."""

    def make_context(self, info_name: str | None, args: list[str], *arguments: Any, **more: Any) -> Any:
        global _quiet
        args, _quiet = anywhere.without_quiet(anywhere.behind(args))
        problem.choose_form(args)
        with error_boundary():
            log_file.choose(args)
            _refuse_passwords(args)
            return super().make_context(info_name, args, *arguments, **more)

    def invoke(self, ctx: Any) -> Any:
        with error_boundary(ctx):
            return super().invoke(ctx)


def _refuse_passwords(words: Sequence[str]) -> None:
    """What is on the command line, every user of the machine can read; and a file name or a title is written down."""
    for before, word in zip(["", *words], words, strict=False):
        if has_password(word):
            flag = word.split("=")[0] if word.startswith("--") else before
            where = f" ({flag})" if re.fullmatch("-[a-z-]+", flag) else ""
            raise SettingsError(
                f"there is a password on the command line{where}: expected none",
                "Set TSCLUST_DSN, or dsn in tsclust.toml",
            )


@contextmanager
def shown(json: bool) -> Iterator[tuple[Any, Callable[..., None]]]:
    """(listener, show) for a command: progress bars on a terminal, results as text or JSON; no text if --quiet."""
    if _quiet and not json:
        yield silent, _exhaust
        return
    from tsclust.cli import render

    with render.progress(enabled=not json) as listen:

        def show(results: Iterable[Any], costs: bool = False) -> None:
            render.show(log_file.noting(results), json=json, costs=costs)

        yield listen, show


def _exhaust(results: Iterable[Any], costs: bool = False) -> None:
    for _ in log_file.noting(results):
        pass


@contextmanager
def error_boundary(ctx: Any = None) -> Iterator[None]:
    """An error of ours: one line on stderr and its exit code. Ctrl-C and SIGTERM: cleaned up after, 130 and 143.

    ctx: of the command line, which knows the command where an error does not.
    """
    try:
        yield
    except TsclustError as error:
        raise _exit_with(Problem(error.exit_code, error.problem, error.next_step)) from None
    except OSError as error:  # no permission, a read-only disk, a file that went away
        what = f"{error.filename or 'the system'}: {error.strerror or error}"
        raise _exit_with(Problem(_code_of(error), what, "")) from None
    except RuntimeError as error:
        if not (why := no_place_for_kernels(error)):
            raise
        raise _exit_with(Problem(why.exit_code, why.problem, why.next_step)) from None
    except MemoryError:
        raise _exit_with(_NO_MEMORY) from None
    except KeyboardInterrupt:
        raise _interrupted() from None
    except UsageError as error:
        if usage.is_help(error) and not problem.as_json():
            raise  # typer shows it
        raise _exit_with(usage.problem_of(error, ctx)) from None


def _interrupted() -> typer.Exit:
    log_file.trouble(interruption.code(), interruption.reason())
    interruption.tell()
    return typer.Exit(interruption.code())


def _code_of(error: OSError) -> int:
    """Of a disk that is full where a file is; stdout has no file name."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and error.filename
    return DiskFullError.exit_code if full else 1


def _exit_with(why: Problem) -> typer.Exit:
    """Say why on stderr: the place that prints errors. What fails because of a signal is not what went wrong."""
    if interruption.heard():
        return _interrupted()
    log_file.trouble(why.code, why.line())
    print(why, file=sys.stderr)  # noqa: T201
    return typer.Exit(why.code)


_NO_MEMORY = Problem(
    1, "out of memory; existing files are unchanged",
    "Free some, or reduce what is held at a time: part_rows and workers in [source], coreset in [cluster]",
)  # fmt: skip
