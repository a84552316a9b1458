"""tsclust stream and brokers that ask who it is: certificates of both sides, a name and a password, TLS all the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.support.brokers import Broker, messages_of, read, streaming_within
from tests.support.bundles import Trained
from tests.support.commands import call_tsclust
from tests.support.scram import MECHANISMS
from tests.support.secured import Guard, certificates
from tests.support.series import machine_cycles
from tests.support.service import free_port

SECRET = "hidden-Kafka-secret"


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    """In front of a broker in memory, which sends its clients there."""
    found = Guard(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}", tmp_path, SECRET)
    broker = Broker(found.address, found.behind)
    certificates(tmp_path)
    (tmp_path / "password").write_text(f"{SECRET}\n", encoding="utf-8")
    broker.start()
    listener = found.start()
    yield found
    listener.close()
    broker.kill()


def settings(folder: Path) -> dict[str, Any]:
    return {
        "security": "sasl_ssl", "mechanism": "PLAIN", "username": "tsclust", "password_file": str(folder / "password"),
        "ca": str(folder / "ca.pem"), "certificate": str(folder / "client.pem"), "key": str(folder / "locked.key"),
        "key_password": SecretStr("lock"),
    }  # fmt: skip


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_verdicts_go_through_tls_with_certificates_and_a_password_from_a_file(
    guard: Guard, trained: Trained, tmp_path: Path, mechanism: str
) -> None:
    secured, model = Broker(guard.address), trained.bundles / "logistic"
    asked = settings(tmp_path) | {"mechanism": mechanism}
    client = {
        "security.protocol": "sasl_ssl", "sasl.mechanism": mechanism, "sasl.username": "tsclust",
        "sasl.password": SECRET, "ssl.ca.location": asked["ca"], "ssl.certificate.location": asked["certificate"],
        "ssl.key.location": str(tmp_path / "client.key"),
    }  # fmt: skip
    with streaming_within(secured, tmp_path, model, **asked) as stream:
        secured.send("cycles", messages_of(machine_cycles(6_000, 1)[0].slice(0, 30)), client=client)
        found = read(guard.address, "verdicts", lambda found: len(found) >= 30, client=client)
        assert stream.stop() == 0
    assert len(found) == 30
    assert guard.asked == {"tsclust"}
    assert SECRET not in json.dumps(stream.lines())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"TSCLUST_STREAM__PASSWORD_FILE": "", "TSCLUST_STREAM__PASSWORD": "wrong-" + SECRET}, "uthentication"),
        (
            {
                "TSCLUST_STREAM__PASSWORD_FILE": "",
                "TSCLUST_STREAM__PASSWORD": "wrong-" + SECRET,
                "TSCLUST_STREAM__MECHANISM": "SCRAM-SHA-512",
            },
            "uthentication",
        ),
        ({"TSCLUST_STREAM__CA": "client.pem"}, "certificate verify failed"),
        ({"TSCLUST_STREAM__CERTIFICATE": "", "TSCLUST_STREAM__KEY": ""}, "SSL"),
    ],
)
def test_who_is_not_let_in_is_told_why_in_one_line_without_the_password(
    guard: Guard, trained: Trained, tmp_path: Path, change: dict[str, str], told: str
) -> None:
    asked = {f"TSCLUST_STREAM__{name.upper()}": value for name, value in settings(tmp_path).items()}
    given = asked | {"TSCLUST_STREAM__KEY_PASSWORD": "lock"} | change
    if change.get("TSCLUST_STREAM__CA"):
        given["TSCLUST_STREAM__CA"] = str(tmp_path / change["TSCLUST_STREAM__CA"])
    words = ("--brokers", guard.address, "--topic", "cycles", "--to-topic", "verdicts")
    done = call_tsclust("stream", "-w", tmp_path, "--model", trained.bundles / "logistic", *words, environment=given)
    assert (done.returncode, len(done.stderr.splitlines())) == (7, 1), done.stderr
    assert told in done.stderr
    assert SECRET not in done.stdout + done.stderr
