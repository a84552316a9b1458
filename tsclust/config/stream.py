"""[stream] of tsclust.toml: where recordings come from, what they look like, and where verdicts go."""

from __future__ import annotations

import socket
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Stream(BaseModel):
    """Topics and messages of `tsclust stream`.

    model         a folder or file with a bundle, or the address of one at tsclust serve; "" for that of the workspace
    dead_letter   "" for the name of `topic` with -unreadable behind it;  alarms: the topic of drift, "" for none
    instance      tells several in a group apart, "" for the name of this machine
    start         where a group begins that has never committed;  create: make topics that are missing
    id            the field of the series' id, "" for the key of the message
    value, time, end   of the long form: fields of a value, its time ("" for that of the message), the mark of the last
    gap, idle     seconds between two values that end a recording, and without any; longest: values of one recording
    security      as librdkafka calls it;  password_file: holds the password alone
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    model_token: SecretStr = SecretStr("")
    brokers: str = ""
    topic: str = ""
    to_topic: str = ""
    dead_letter: str = ""
    alarms: str = ""
    group: str = Field(default="tsclust", min_length=1, max_length=200)
    instance: str = Field(default="", max_length=200)
    start: Literal["earliest", "latest"] = "earliest"
    create: bool = False
    partitions: int = Field(default=4, ge=1, le=10_000)
    format: Literal["json", "arrow", "long"] = "json"
    id: str = "series_id"
    values: str = Field(default="values", min_length=1)
    value: str = Field(default="value", min_length=1)
    time: str = ""
    end: str = ""
    gap: float = Field(default=10.0, gt=0, le=1e9)
    idle: float = Field(default=60.0, gt=0, le=1e9)
    longest: int = Field(default=100_000, ge=1, le=2_000_000_000)
    batch: int = Field(default=5_000, ge=1, le=1_000_000)
    wait: float = Field(default=0.2, gt=0, le=60)
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    key_password: SecretStr = SecretStr("")

    @property
    def unreadable(self) -> str:
        """The topic of messages that cannot be read."""
        return self.dead_letter or f"{self.topic}-unreadable"

    @property
    def name(self) -> str:
        """Of this instance."""
        return self.instance or socket.gethostname()
