"""tsclust serve as a process: as docs/serve.md says; slow clients."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.bundles import Trained
from tests.support.service import Running, running

DOCS = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Without jobs: it is there at once."""
    with running(tmp_path_factory.mktemp("scores") / "served", "--no-jobs") as found:
        yield found


def test_the_examples_of_the_documentation_run(service: Running, trained: Trained, tmp_path: Path) -> None:
    """But for the commands that make the model, and the address."""
    shutil.copytree(trained.workspace.root, tmp_path / "plant")
    shutil.copytree(trained.bundles / "logistic", tmp_path / "plant" / "model", dirs_exist_ok=True)
    pq.write_table(trained.new, tmp_path / "new.parquet")
    tsclust.export(tmp_path / "plant", tmp_path / "plant.zip")
    curls = (
        next(one for one in SHELL if "file=@plant.zip" in one)
        .replace("http://127.0.0.1:8765", service.url)
        .replace("curl ", "curl -sS --fail-with-body ")
    )
    done = subprocess.run(["bash", "-ec", curls], cwd=tmp_path, capture_output=True, text=True, check=True)
    added, shown, scores = done.stdout.replace("}{", "}\n{").splitlines()
    assert json.loads(added)["name"] == json.loads(shown)["name"] == "plant"
    assert [one["series_id"] for one in json.loads(scores)["scores"]] == [17]
    script = SCRIPT.replace("8765", str(service.port))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "scores.parquet").drop_columns(["error"])
    assert found.equals(trained.scorer("logistic").score(trained.new))


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
