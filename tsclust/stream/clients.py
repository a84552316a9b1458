"""Clients of Kafka, as the settings say: who reads, who writes in transactions, who makes topics."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tsclust.config.stream import Stream
from tsclust.errors import ConnectError, SettingsError
from tsclust.stream.messages import MOST

PATIENCE = 15.0  # seconds for a call to the brokers
SESSION_MS, TRANSACTION_MS = 10_000, 30_000
REQUEST_MS = 6_000  # that an answer is waited for: one that a broken connection has lost comes no more
REFUSALS = (KafkaError._AUTHENTICATION, KafkaError._SSL)
LARGEST = 64_000_000  # bytes of a message, if the brokers take it
LIBRDKAFKA = logging.getLogger("tsclust.librdkafka")
LIBRDKAFKA.addHandler(logging.NullHandler())
LIBRDKAFKA.propagate = False  # a line for each attempt to reach a broker: what is wrong is said once, by `on_error`


class Clients:
    """Makes them. on_error: told of each error that a client meets by itself, such as a broker that is away."""

    def __init__(self, settings: Stream, on_error: Callable[[KafkaError], None]) -> None:
        """Raises SettingsError for what no client can be made of: a certificate that is none, a wrong password of a
        key."""
        self.settings = settings
        self._common = {**connection(settings), "error_cb": on_error, "logger": LIBRDKAFKA}
        self._check()

    def reader(self) -> Consumer:
        """A member of the group, which sees what was committed alone and commits only what it is told to.

        Brokers may hold an answer back for a quarter of the time that a batch waits. Tansu gives none where its storage
        takes longer: `wait` is to be raised there.
        """
        own = {
            "group.id": self.settings.group, "auto.offset.reset": self.settings.start, "enable.auto.commit": False,
            "isolation.level": "read_committed", "session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 2_000,
            "fetch.wait.max.ms": max(int(self.settings.wait * 250), 1), "queued.max.messages.kbytes": 65_536,
            "receive.message.max.bytes": LARGEST * 2,
        }  # fmt: skip
        return Consumer({**self._common, **own})

    def looker(self) -> Consumer:
        """Reads what others see, in no group. It has time: a broker whose storage is slow is to answer with all."""
        own = {
            "group.id": f"{self.settings.group}-{self.settings.name}-looks", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 500,
        }  # fmt: skip
        return Consumer({**self._common, **own})

    def writer(self) -> Producer:
        """The one of this instance: where an earlier one of its name left a transaction open, that is ended."""
        name = f"tsclust-{self.settings.group}-{self.settings.topic}-{self.settings.name}"
        own = {
            "transactional.id": name, "transaction.timeout.ms": TRANSACTION_MS, "linger.ms": 5,
            "compression.type": "lz4", "queue.buffering.max.messages": 2_000_000, "message.max.bytes": 10 * MOST,
        }  # fmt: skip
        made = Producer({**self._common, **own})
        made.init_transactions(PATIENCE)
        return made

    def _check(self) -> None:
        try:
            self.admin()
        except KafkaException as error:
            raise SettingsError(
                f"[stream]: no connection can be made with these settings: {error.args[0].str()}",
                "Correct [stream] ca, certificate, key, key_password, mechanism or brokers",
            ) from None

    def admin(self, told: Callable[[KafkaError], None] = lambda _: None) -> AdminClient:
        """For the start. told: of each error that it meets by itself."""
        own: dict[str, Any] = {**self._common, "error_cb": told}
        return AdminClient(own)


def connection(settings: Stream) -> dict[str, Any]:
    """What every client needs to know. Raises SettingsError for a file that cannot be read."""
    found: dict[str, Any] = {
        "bootstrap.servers": settings.brokers, "client.id": f"tsclust-{settings.name}",
        "security.protocol": settings.security, "socket.timeout.ms": REQUEST_MS, "reconnect.backoff.max.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 30_000,
    }  # fmt: skip
    files = {"ssl.ca.location": settings.ca, "ssl.certificate.location": settings.certificate, "ssl.key.location":
             settings.key}  # fmt: skip
    for name, path in files.items():
        if path:
            found[name] = str(_readable(path))
    if secret := settings.key_password.get_secret_value():
        found["ssl.key.password"] = secret
    if settings.security.startswith("sasl"):
        found |= {
            "sasl.mechanism": settings.mechanism, "sasl.username": settings.username,
            "sasl.password": _password(settings),
        }  # fmt: skip
    return found


def _password(settings: Stream) -> str:
    if settings.password_file:
        return _readable(settings.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    if secret := settings.password.get_secret_value():
        return secret
    raise SettingsError(
        f"[stream] security = {settings.security!r} needs a password, and there is none",
        "Set TSCLUST_STREAM__PASSWORD, or [stream] password_file",
    )


def _readable(path: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file() or not os.access(found, os.R_OK):
        raise SettingsError(f"[stream]: {path} is no file that can be read: expected one", "Correct its name")
    return found


def check_topics(clients: Clients, topics: Iterable[str]) -> None:
    """Have all these topics there. Raises SettingsError where one is missing and not to be made, ConnectError where
    the brokers cannot be asked."""
    told: list[KafkaError] = []
    admin, settings = clients.admin(told.append), clients.settings
    try:
        there = _topics(admin, told)
        missing = [one for one in dict.fromkeys(topics) if one and one not in there]
        if missing and not settings.create:
            raise SettingsError(
                f"there is no topic {missing[0]} at {settings.brokers}", "Correct its name, or have it made: --create"
            )
        wanted = admin.create_topics([NewTopic(one, settings.partitions) for one in missing]) if missing else {}
        for made in wanted.values():
            _made(made)
    except KafkaException as error:
        raise unreachable(settings, error.args[0]) from None


def _topics(admin: AdminClient, told: Sequence[KafkaError]) -> Collection[str]:
    """Their names. Raises KafkaException with the reason: at once where that is a refusal."""
    until, wait = time.monotonic() + PATIENCE, 1.0
    while True:
        try:
            return set(admin.list_topics(timeout=wait).topics)
        except KafkaException as error:
            admin.poll(0)
            reasons = [one for one in told if one.code() != KafkaError._ALL_BROKERS_DOWN] or [error.args[0]]
            if any(map(_is_refusal, reasons)) or time.monotonic() > until:
                raise KafkaException(max(reasons, key=_is_refusal)) from None
            wait = min(2 * wait, PATIENCE / 2)  # what is given up is asked anew: a slow answer would never come


def _is_refusal(error: KafkaError) -> bool:
    """Whether the brokers do not take who we are, or we do not take who they are."""
    return error.code() in REFUSALS or "SSL alert" in error.str()


def _made(made: Any) -> None:
    try:
        made.result(PATIENCE)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another instance was first
            raise


def unreachable(settings: Stream, error: KafkaError) -> ConnectError:
    """What to do about brokers that cannot be reached."""
    return ConnectError(
        f"--brokers {settings.brokers}: {error.str()}", "Check the address, and that Kafka runs; see [stream] security"
    )
