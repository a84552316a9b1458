"""The command that scores a stream: options, signals, and a line that says what goes where."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from tsclust.cli import interruption
from tsclust.cli.options import HERE, Json, Root
from tsclust.cli.runtime import shown
from tsclust.errors import SettingsError
from tsclust.workspace.result import Result

Text = Annotated[str | None, typer.Option()]
Model = Annotated[
    str | None, typer.Option(help="The model: a folder, a bundle's file, or http://HOST:PORT/models/NAME of serve.")
]
Brokers = Annotated[str | None, typer.Option(help="Where Kafka is: HOST:9092, several with commas.")]
Topic = Annotated[str | None, typer.Option(help="Score the recordings of this topic.")]
ToTopic = Annotated[str | None, typer.Option(help="Write verdicts to this topic, each exactly once.")]
ToTable = Annotated[str, typer.Option(help="Also write them to this table in PostgreSQL: schema.table")]
DeadLetter = Annotated[str | None, typer.Option(help="The topic of what cannot be read; TOPIC-unreadable.")]
Alarms = Annotated[str | None, typer.Option(help="Write machines that drift to this topic, besides the log.")]
Group = Annotated[str | None, typer.Option(help="The consumer group: its members share the work.")]
Instance = Annotated[str | None, typer.Option(help="The name of this member; that of this machine.")]
Start = Annotated[str | None, typer.Option(help="Where a new group begins: earliest or latest.")]
Form = Annotated[str | None, typer.Option("--format", help="json, arrow, or long: one value per message.")]
Create = Annotated[bool | None, typer.Option("--create", help="Make topics that are missing.")]
AllowFeatures = Annotated[
    bool, typer.Option("--allow-features", help="Run the Python code that models with features of their own bring.")
]
Host = Annotated[str, typer.Option(help="The address of --port.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show rates, lag, kinds and drift in the terminal.")]
Port = Annotated[int | None, typer.Option(min=1, max=65_535, help="Answer /metrics and /healthz at this port.")]


def stream(
    root: Root = HERE,
    model: Model = None,
    brokers: Brokers = None,
    topic: Topic = None,
    to_topic: ToTopic = None,
    to_table: ToTable = "",
    dead_letter: DeadLetter = None,
    alarms: Alarms = None,
    group: Group = None,
    instance: Instance = None,
    start: Start = None,
    form: Form = None,
    create: Create = None,
    allow_features: AllowFeatures = False,
    host: Host = "127.0.0.1",
    port: Port = None,
    watch: Watch = False,
    json: Json = False,
) -> None:
    """Score recordings as they arrive in Kafka, until it is stopped."""
    flags = {
        "model": model, "brokers": brokers, "topic": topic, "to_topic": to_topic, "dead_letter": dead_letter,
        "alarms": alarms, "group": group, "instance": instance, "start": start, "format": form, "create": create,
    }  # fmt: skip
    with shown(json) as (_, show):
        os.environ.setdefault("POLARS_MAX_THREADS", "1")  # of few series at a time, they would wait for each other
        run, board, settings, json_log = _loaded(root, flags)
        options = run.Options(to_table, allow_features, host, port)
        asked, stop = settings.stream, threading.Event()
        goes = " and ".join(filter(None, (asked.to_topic, to_table and f"table {to_table}")))
        note = f"{asked.topic} -> {goes}; Ctrl-C stops it"
        facts = {"brokers": asked.brokers, "topic": asked.topic, "to_topic": asked.to_topic, "to_table": to_table}
        started = Result("stream", None, 0, 0, notes=(note,), facts=facts)
        with ExitStack() as stack:

            def begin(health: Any) -> None:
                _stop_at_signals(stop)
                gc.freeze()  # what is there stays: to look through it with each batch took a third of the batch's time
                json_log.start()
                show([started])
                if watch and not json:
                    stack.enter_context(board.shown(health, f"{asked.topic} -> {goes}"))

            run.stream(root, settings, options, stop, begin)


def demo(root: Path, json: bool) -> None:
    """demo --stream: what it shows is drawn on a terminal; it ends by itself, or when it is asked to."""
    with shown(json) as (listen, show):
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
        try:
            from tsclust import json_log
            from tsclust.stream import board
            from tsclust.stream import demo as made
        except ImportError as error:
            raise _missing(error) from None
        stop = threading.Event()
        with ExitStack() as stack:

            def watching(health: Any, title: str) -> None:
                _stop_at_signals(stop)
                json_log.start()
                if not json:
                    stack.enter_context(board.shown(health, title))

            done = made.demo(root, listen, stop, watching)
        show([done])


def _missing(error: ImportError) -> SettingsError:
    return SettingsError(f"tsclust stream needs {error.name}", "Install it: pip install 'tsclust[stream]'")


def _loaded(root: Path, flags: Mapping[str, object]) -> tuple[Any, Any, Any, Any]:
    try:
        from tsclust import config, json_log
        from tsclust.stream import board, run
    except ImportError as error:
        raise _missing(error) from None
    return run, board, config.load(root / "tsclust.toml", {"stream": flags}), json_log


def _stop_at_signals(stop: threading.Event) -> None:
    """The first SIGTERM or Ctrl-C ends it when what is under way is committed, the second at once."""

    def asked(number: int, _: object) -> None:
        if stop.is_set():
            os._exit(interruption.CODES[number])
        stop.set()

    interruption.hand_over()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
