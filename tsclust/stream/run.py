"""tsclust stream: what the settings say, put together, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tsclust.config import Settings
from tsclust.config.stream import Stream
from tsclust.errors import SettingsError
from tsclust.json_log import note
from tsclust.stages.model.facts import MODEL
from tsclust.stages.scores.scorer import Scorer
from tsclust.stages.series.incoming import FOLDER
from tsclust.stream import watched
from tsclust.stream.clients import Clients, check_topics
from tsclust.stream.database import Table
from tsclust.stream.desk import Scoring, Sink
from tsclust.stream.drifting import DriftWatch
from tsclust.stream.health import Health
from tsclust.stream.incoming import Incoming
from tsclust.stream.long_form import LongForm
from tsclust.stream.loop import Loop
from tsclust.stream.models import Models, place_of
from tsclust.stream.whole import Whole
from tsclust.wording.language import Language
from tsclust.workspace.folder import Workspace


@dataclass(frozen=True)
class Options:
    """What the command line says beside settings."""

    to_table: str = ""
    allow_features: bool = False
    host: str = "127.0.0.1"
    port: int | None = None


def stream(
    root: Path, settings: Settings, options: Options, stop: threading.Event, started: Callable[[Health], None]
) -> None:
    """Score what comes until `stop`. root: the workspace, where there is one. started: called when all is there, with
    what others may watch.

    Raises SettingsError, ConnectError, and what reading the model raises; what happens later is waited for.
    """
    asked, health = settings.stream, Health()
    check(asked, options)
    sinks, watch = sinks_of(root, settings, options), DriftWatch(asked.alarms, health)
    models = _models(asked, root, options, health, watch)
    clients = Clients(asked, health.on_error)
    check_topics(clients, (asked.topic, asked.to_topic, asked.unreadable, asked.alarms))
    reader = LongForm(asked) if asked.format == "long" else Whole(asked)
    desk = Scoring(asked, models, Language.load(settings.report.lang), reader, sinks, watch, health)
    with watched.watched(health, options.host, options.port):
        started(health)
        threading.Thread(target=models.watch, args=(stop,), daemon=True).start()
        Loop(clients, (asked.to_topic, asked.unreadable), desk, stop, health).run()
    note("stopped")


def _models(asked: Stream, root: Path, options: Options, health: Health, watch: DriftWatch) -> Models:
    """The model that is asked for, or that of the workspace."""
    place = place_of(asked.model or str(Workspace(root).stage(MODEL)), asked.model_token.get_secret_value())

    def changed(scorer: Scorer) -> None:
        health.model_is(scorer)
        watch.model_is(scorer.model)

    return Models(place, allow_features=options.allow_features, changed=changed)


def sinks_of(root: Path, settings: Settings, options: Options) -> list[Sink]:
    """Where verdicts go beside Kafka: unknown ones to the workspace, where there is one."""
    found: list[Sink] = []
    if (root / "tsclust.toml").is_file():
        found.append(Incoming(root / FOLDER))
    if options.to_table:
        found.append(Table(settings.dsn.get_secret_value(), options.to_table))
    return found


def check(asked: Stream, options: Options) -> None:
    """Raises SettingsError where it is not said where messages come from, or where verdicts go."""
    for flag, value in (("--brokers", asked.brokers), ("--topic", asked.topic)):
        if not value:
            raise SettingsError(f"{flag} is not set: expected it", "tsclust stream --brokers HOST:9092 --topic NAME")
    if not (asked.to_topic or options.to_table):
        raise SettingsError(
            "verdicts go nowhere: expected a topic or a table", "Add --to-topic NAME, or --to-table NAME"
        )
    names = [one for one in (asked.topic, asked.to_topic, asked.unreadable, asked.alarms) if one]
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise SettingsError(f"two of the topics are {twice}: expected different ones", "Name another one")
