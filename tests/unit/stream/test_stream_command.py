"""What tsclust stream says where it cannot begin: one line, with what was expected and what to do."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.support.broker_lines import Line
from tests.support.brokers import Broker
from tests.support.commands import call_tsclust
from tests.support.service import free_port
from tsclust import embedded_broker
from tsclust.cli import interruption
from tsclust.cli import stream as cli
from tsclust.config.stream import Stream
from tsclust.embedded_broker import await_answer
from tsclust.errors import SettingsError
from tsclust.stream.clients import Clients, check_topics, connection
from tsclust.stream.models import place_of

GOES = ("--brokers", "127.0.0.1:1", "--topic", "cycles", "--to-topic", "verdicts")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--topic", "cycles"), 3, "--brokers is not set"),
        (("--brokers", "h:1", "--to-topic", "v"), 3, "--topic is not set"),
        (GOES[:4], 3, "verdicts go nowhere"),
        ((*GOES, "--dead-letter", "verdicts"), 3, "two of the topics are verdicts"),
        ((*GOES, "--format", "xml"), 3, "--format 'xml': expected 'json', 'arrow' or 'long'"),
        (GOES, 6, "holds no model"),
        ((*GOES, "--model", "ftp://h/models/x"), 3, "expected the address of a model of tsclust serve"),
        ((*GOES, "--model", "http://127.0.0.1:1/models/x"), 7, "http://127.0.0.1:1/models/x: "),
        ((*GOES[:4], "--to-table", "a.b.c"), 3, "this has 3 names"),
    ],
)
def test_it_says_what_is_missing(tmp_path: Path, words: tuple[str, ...], code: int, told: str) -> None:
    done = call_tsclust("stream", "-w", tmp_path, *words)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_secrets_come_from_the_environment_or_a_file_and_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    asked = Stream(brokers="h:1", security="sasl_ssl", username="me", password_file=str(secret))
    assert connection(asked)["sasl.password"] == "s3cret"
    monkeypatch.setenv("TSCLUST_STREAM__PASSWORD", "s3cret")
    monkeypatch.setenv("TSCLUST_STREAM__SECURITY", "sasl_plaintext")
    port = free_port()
    done = call_tsclust(
        "stream", "-w", tmp_path, *GOES, "--brokers", f"127.0.0.1:{port}", "--model", tmp_path,
        environment={"TSCLUST_STREAM__PASSWORD": "s3cret"},
    )  # fmt: skip
    assert "s3cret" not in done.stdout + done.stderr
    with pytest.raises(SettingsError, match="needs a password"):
        connection(Stream(brokers="h:1", security="sasl_ssl"))
    with pytest.raises(SettingsError, match="is no file that can be read"):
        connection(Stream(brokers="h:1", ca=str(tmp_path / "none")))


def test_a_certificate_that_is_none_is_a_setting_to_correct(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match=r"\[stream\]: no connection can be made .*ca\.location"):
        Clients(Stream(brokers="h:1", security="ssl", ca=str(tmp_path / "ca.pem")), lambda _: None)


def test_a_place_of_models_is_a_folder_a_file_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(b"")
    kinds = [type(place_of(str(one), "")).__name__ for one in (tmp_path, tmp_path / "b.zip", "http://h/models/x")]
    assert kinds == ["Folder", "File", "Registry"]


def test_a_broker_to_try_with_answers_at_the_address_that_it_is_given() -> None:
    address = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [sys.executable, "-m", "tsclust.embedded_broker", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            await_answer(address)
            assert AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).brokers
        finally:
            process.kill()


def test_brokers_that_take_more_than_a_second_to_answer_are_asked_until_they_have() -> None:
    broker = Broker(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    try:
        broker.start()
        line = Line(broker.address, broker.behind, 1.3)
        with pytest.raises(SettingsError, match="there is no topic cycles"):
            check_topics(Clients(Stream(brokers=broker.address), lambda _: None), ["cycles"])
        line.cut()
    finally:
        broker.kill()


def test_a_broker_to_try_with_says_why_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for given, said in ((address, f"{address}: Address already in use"), ("nonsense", "expected HOST:PORT")):
            monkeypatch.setattr(sys, "argv", ["embedded_broker", given])
            with pytest.raises(SystemExit) as ended:
                embedded_broker.main()
            told = capsys.readouterr().err
            assert (ended.value.code, said in told, len(told.splitlines())) == (3, True, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_it_when_what_is_under_way_is_committed(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one asks it to stop, and is no exception in the midst of something."""
    stop, before = threading.Event(), {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(interruption, "hand_over", lambda: None)
    try:
        cli._stop_at_signals(stop)
        signal.raise_signal(number)
        assert stop.is_set()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
