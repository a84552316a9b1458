"""docs/serve.md: every curl, every line of Python and every setting in it is what it says, in the order of the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.bundles import Trained
from tests.support.service import Running, free_port, running
from tests.support.service_jobs import cycles_of, ended
from tsclust.serve.settings import ServeSettings
from tsclust.simulation.expert import answered, form_of

DOCS = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
(SCRIPT,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
INSTALL, MODEL, ANSWERS, JOBS, BEYOND, BUILD, CHECK = SHELL
SOURCE, SETTINGS = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("docs") / "served"
    root.mkdir()
    (root / "serve.toml").write_text(SOURCE, encoding="utf-8")
    with running(root) as found:
        yield found


def run(commands: str, folder: Path) -> str:
    """What they print. Raises AssertionError where one fails, or where the service refuses it."""
    commands = commands.replace("curl ", "curl -sS --fail-with-body ")
    done = subprocess.run(["bash", "-ec", commands], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_model_is_added_and_scores(service: Running, trained: Trained, tmp_path: Path) -> None:
    """But for the commands that make the model, which other tests run."""
    shutil.copytree(trained.workspace.root, tmp_path / "plant")
    shutil.copytree(trained.bundles / "logistic", tmp_path / "plant" / "model", dirs_exist_ok=True)
    pq.write_table(trained.new, tmp_path / "new.parquet")
    tsclust.export(tmp_path / "plant", tmp_path / "plant.zip")
    done = run(MODEL.replace(ADDRESS, service.url), tmp_path)
    added, shown, scores = done.replace("}{", "}\n{").splitlines()
    assert json.loads(added)["name"] == json.loads(shown)["name"] == "plant"
    assert [one["series_id"] for one in json.loads(scores)["scores"]] == [17]
    script = SCRIPT.replace("8765", str(service.port))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = pq.read_table(tmp_path / "scores.parquet").drop_columns(["error"])
    assert found.equals(trained.scorer("logistic").score(trained.new))


def test_a_file_becomes_a_report_its_answers_labels_and_these_a_model(service: Running, tmp_path: Path) -> None:
    """The jobs, and between them the answers, of which the page speaks before."""
    shutil.copy(cycles_of(tmp_path / "made"), tmp_path / "cycles.parquet")
    begin, follow, fetch, train = JOBS.replace(ADDRESS, service.url).splitlines()
    job = json.loads(run(begin, tmp_path))["id"]
    last = run(follow.replace("ID", job), tmp_path).rstrip().splitlines()[-1]
    assert json.loads(last.removeprefix("data: "))["state"] == "done", last
    run(fetch.replace("ID", job), tmp_path)
    reports = service.root / "line-3" / "reports"
    assert (tmp_path / "report.html").read_bytes() == (reports / "report.html").read_bytes()
    form = form_of(reports / "report.html")
    kinds = {group["name"]: "normal" if group["normal"] else "stiff" for group in form["groups"]}
    (tmp_path / "answers-report-Anna.json").write_text(json.dumps(answered(form, "Anna", kinds)), encoding="utf-8")
    taken = run(ANSWERS.replace(ADDRESS, service.url), tmp_path)
    assert json.loads(taken)["imported"] is True
    assert "Anna" in (tmp_path / "labels.csv").read_text(encoding="utf-8")
    learned = ended(service, json.loads(run(train, tmp_path))["id"])
    assert learned["state"] == "done", learned
    assert "the model scores from now on" in json.dumps(learned["results"])


def test_others_reach_it_by_tls_and_with_a_token(tmp_path: Path) -> None:
    """The certificate is one of our own, the port one that is free, and the name that of this machine."""
    token, serve, ask = BEYOND.splitlines()
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=plant.example"
    names = "-addext subjectAltName=DNS:plant.example -keyout key.pem -out cert.pem"
    run(f"{token}\n{make} {names} 2>/dev/null", tmp_path)
    port, words = free_port(), serve.split()
    assert words[:4] == ["tsclust", "serve", "-w", "served"]
    given = [str(tmp_path / word) if (tmp_path / word).is_file() else word for word in words[4:]]
    with running(tmp_path / "served", *given, "--no-jobs", port=port):
        there = ask.replace("8765", str(port)).replace("curl ", f"curl --resolve plant.example:{port}:127.0.0.1 ")
        assert json.loads(run(there, tmp_path)) == {"models": []}
        with pytest.raises(AssertionError, match="a token is needed"):
            run(re.sub(r'-H "[^"]*"', "", there), tmp_path)


def test_the_settings_are_the_defaults_and_the_source_is_one() -> None:
    shown = tomllib.loads(SETTINGS)["serve"]
    defaults = ServeSettings().model_dump(mode="json")
    assert {name: defaults[name] for name in shown} == shown
    assert defaults.keys() - shown.keys() <= {"sources"}
    assert tomllib.loads(SOURCE)["serve"]["sources"]["line-3"].keys() == {"table", "where", "dsn"}
