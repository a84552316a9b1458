"""Which commands there are."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable
from typing import Annotated

import typer

import tsclust
from tsclust.cli import labels, past, serve, stages, stream
from tsclust.cli.runtime import Commands
from tsclust.cli.streams import let_readers_leave

app = typer.Typer(
    cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Find the kinds of malfunction hidden in a million short sensor series, for an expert to name.",
    epilog="A workspace from the start: tsclust init -w DIR; then extract, features, filter, cluster, report (or: run)."
    " When answers come back: labels import, train, score. Every day: tsclust run -w DIR --check.",
)  # fmt: skip

answers = typer.Typer(no_args_is_help=True, help="Import, review and export experts' answers.")

COMMANDS: tuple[Callable[..., None], ...] = (
    stages.demo, stages.init, stages.extract, stages.features, stages.filter_, stages.cluster, stages.report,
    labels.train, labels.score, labels.export_, stages.run, stages.status, past.history, past.diff, past.undo,
    past.prune, stages.verify, serve.serve, stream.stream,
)  # fmt: skip
OF_ANSWERS: tuple[Callable[..., None], ...] = (
    labels.import_, labels.review, labels.list_, labels.remove, labels.export,
)  # fmt: skip


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tsclust {tsclust.__version__}")
        raise typer.Exit


for group, commands in ((app, COMMANDS), (answers, OF_ANSWERS)):
    for command in commands:
        group.command(command.__name__.strip("_"))(command)
app.add_typer(answers, name="labels")


@app.callback()
def anywhere(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    root: Annotated[
        str | None, typer.Option("-w", "--workspace", help="The workspace folder; also behind the command.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors; also behind it.")] = False,
) -> None:
    """What may stand before a command. Commands.make_context has dealt with all but the version."""


def run() -> None:
    """Run the command that the process was started with."""
    atexit.register(gc.freeze)  # nothing is collected at the end: 0.1 to 0.2 s, for what the system frees anyway
    let_readers_leave()
    app(prog_name="tsclust")
