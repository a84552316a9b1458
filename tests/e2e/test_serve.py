"""tsclust serve as a process: as docs/serve.md says, for clients that are slow, and when it is asked to stop."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest

from tests.support.bundles import Trained
from tests.support.commands import PLAIN, run_tsclust

DOCS = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A service that answers. log: its lines, once it has ended."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def running(root: Path, *words: str) -> Iterator[Running]:
    port, log = free_port(), root.with_suffix(".log")
    command = [sys.executable, "-m", "tsclust", "serve", "-w", str(root), "--port", str(port), "--json", *words]
    with log.open("w") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, env=PLAIN)
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["facts"]["url"].endswith(str(port)), log.read_text()
        yield Running(process, port, log)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("serve") / "served") as found:
        yield found


def test_the_examples_of_the_documentation_run(service: Running, trained: Trained, tmp_path: Path) -> None:
    """But for the commands that make the model, and the address."""
    shutil.copytree(trained.workspace.root, tmp_path / "plant")
    shutil.copytree(trained.bundles / "logistic", tmp_path / "plant" / "model", dirs_exist_ok=True)
    pq.write_table(trained.new, tmp_path / "new.parquet")
    assert run_tsclust("export", "-w", tmp_path / "plant", "--bundle", tmp_path / "plant.zip").returncode == 0
    curls = SHELL[1].replace("http://127.0.0.1:8765", service.url).replace("curl ", "curl -sS --fail-with-body ")
    done = subprocess.run(["bash", "-ec", curls], cwd=tmp_path, capture_output=True, text=True, check=True)
    added, shown, scores = done.stdout.replace("}{", "}\n{").splitlines()
    assert json.loads(added)["name"] == json.loads(shown)["name"] == "plant"
    assert [one["series_id"] for one in json.loads(scores)["scores"]] == [17]
    script = SCRIPT.replace("8765", str(service.port))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "scores.parquet").drop_columns(["error"])
    assert found.equals(trained.scorer("logistic").score(trained.new))


def test_one_service_has_a_folder_and_a_port(service: Running, tmp_path: Path) -> None:
    root = service.log.with_suffix("")
    other = run_tsclust("serve", "-w", root, "--port", free_port(), "--json")
    assert (other.returncode, json.loads(other.stderr)["code"]) == (5, 5)
    taken = run_tsclust("serve", "-w", tmp_path / "other", "--port", service.port, "--json")
    assert taken.returncode == 1
    assert "--port" in json.loads(taken.stderr.splitlines()[-1])["next"]


def test_a_slow_client_keeps_nobody_waiting(service: Running) -> None:
    """Fifty who send half a head, and one who sends half a body."""
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(51)]
    for connection in slow[:-1]:
        connection.sendall(b"POST /models HTTP/1.1\r\nHost: loc")
    head = b"POST /models/plant/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow[-1].sendall(head + b"Content-Length: 100\r\n\r\n{")
    start = time.monotonic()
    assert urlopen(f"{service.url}/healthz", timeout=10).status == 200
    assert time.monotonic() - start < 5
    for connection in slow:
        connection.close()


def test_sigterm_ends_it_when_requests_have_ended(tmp_path: Path) -> None:
    with running(tmp_path / "served") as service:
        with socket.create_connection(("127.0.0.1", service.port)) as under_way:
            body = b'{"version": "0"}'
            head = b"POST /models/none/current HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            under_way.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
            time.sleep(0.5)
            os.kill(service.process.pid, signal.SIGTERM)
            time.sleep(0.3)
            under_way.sendall(body[5:])
            assert b" 404 " in under_way.recv(100)
        assert service.process.wait(20) == 0
        assert [line["event"] for line in service.lines()] == ["listening", "request", "stopped"]
    with running(tmp_path / "served") as again:
        again.process.send_signal(signal.SIGKILL)
        assert again.process.wait() == -signal.SIGKILL
    with running(tmp_path / "served") as third:
        assert urlopen(f"{third.url}/readyz", timeout=10).status == 200
