"""Every command in the README is run, every file it points to is there."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import call_tsclust
from tests.support.endurance import LONG
from tsclust.simulation import load
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.clusters.parts import read_group_rows
from tsclust.stages.features.catalogue import NAMES
from tsclust.stages.features.default_rules import DEFAULT_RULES

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.partition("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
INLINE = re.findall(r"`((?:make|tsclust) [a-z][^`]*)`", README)
FEW = {"TSCLUST_CLUSTER__K": "2..12"}  # the default sweep takes half a minute more
PLACE = "postgresql://reader@db.example/plant"


@pytest.mark.endurance
def test_the_commands_of_a_user_run_as_they_stand(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load.fill(database, 2_000, 5)
    own = [c for c in COMMANDS if not c.startswith("make")]
    inline = [c for c in INLINE if c.startswith("tsclust") and "COMMAND" not in c and "-w" in c]
    inline = [c for c in inline if not c.startswith("tsclust serve")]  # that ends when it is told to: tests of its own
    first = own.index("tsclust labels import -w plant answers-*.json")
    assert len([c for c in own if c.startswith("tsclust")]) == 6 + len(own[first:])
    late = [c for c in inline if any(word in c for word in ("labels", "scores", "undo"))]  # answers are about a sweep
    _run(own[:first], database, tmp_path)
    largest = max(read_group_rows(tmp_path / "plant/clusters"), key=lambda row: row.size).group
    now = [c.replace("--within 7", f"--within {largest}") for c in inline if c not in own + late]
    _run([own[0], *now], database, tmp_path)
    form = form_of(tmp_path / "plant/reports/report.html")
    said = {group["name"]: "normal" if group["normal"] else f"kind {n % 4}" for n, group in enumerate(form["groups"])}
    put(tmp_path / "answers-report-Anna.json", answered(form, "Anna", said))
    _run([own[0], *own[first:], *late], database, tmp_path)
    for page in ("report", "model", "round-2", "review"):
        assert (tmp_path / f"plant/reports/{page}.html").exists()


def _run(commands: list[str], database: str, folder: Path) -> None:
    """By a shell, as a user would; in the short form here, without the second that each process takes to start."""
    if LONG:
        script = "\n".join(["set -e", *commands]).replace(PLACE, shlex.quote(database))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        env = os.environ | FEW | {"PATH": path}
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        return
    env = dict(FEW)
    for command in commands:
        first, *words = shlex.split(command.replace(PLACE, shlex.quote(database)))
        if first == "export":
            env |= dict(word.split("=", 1) for word in words)
        else:
            assert first == "tsclust"
            done = call_tsclust(*(w for word in words for w in _expanded(word, folder)), environment=env)
            assert not done.stderr, f"{command}: {done.stderr}"
            assert done.returncode == 0, command


def _expanded(word: str, folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word]


@pytest.mark.parametrize("command", [c for c in (*COMMANDS, *INLINE) if c.startswith("make")])
def test_make_knows_its_targets(command: str) -> None:
    subprocess.run([*shlex.split(command), "--dry-run"], cwd=REPOSITORY, check=True, capture_output=True)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert (REPOSITORY / target).exists()


def test_the_page_of_features_is_that_of_the_code() -> None:
    make = runpy.run_path(str(REPOSITORY / "docs" / "make.py"))
    page = (REPOSITORY / "docs" / "features.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in (*NAMES, *(rule.name for rule in DEFAULT_RULES)))
    assert make["page"](page) == page
    assert make["json_files"]() == {one.name: one.read_text("utf-8") for one in (REPOSITORY / "docs/json").iterdir()}
    assert make["drawing"]() == (REPOSITORY / "docs" / "phases.svg").read_text(encoding="utf-8")


def test_every_dependency_has_its_reason() -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    names = re.findall(r'^  "([a-z-]+)(?:\[[a-z]+\])?>=', project, re.MULTILINE)
    assert len(names) > 15
    assert not [name for name in names if name not in page]
