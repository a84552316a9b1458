"""The Containerfile and the commands of docs/serve.md: what they name is there, and runs as nobody in particular."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tsclust.cli.commands import app

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "serve" / "Containerfile"
DOCS = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
KNOWN = {
    "ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
    "ENTRYPOINT", "CMD",
}  # fmt: skip


def instructions() -> list[tuple[str, str]]:
    """Instruction, its words; lines that go on are one."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def options_of(command: str) -> set[str]:
    """The options that a command takes."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    found = group.commands[command]
    return {one for parameter in found.params for one in (*parameter.opts, *parameter.secondary_opts)}


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    found = instructions()
    assert {name for name, _ in found} <= KNOWN
    assert found[0] == ("ARG", "BASE=python:3.13-slim")
    assert [rest for name, rest in found if name == "FROM"] == ["${BASE} AS built", "${BASE}"]
    last = found[[at for at, one in enumerate(found) if one[0] == "FROM"][-1] :]
    assert ("USER", "10001:10001") in last
    (health,) = [rest for name, rest in last if name == "HEALTHCHECK"]
    command = json.loads(health.partition(" CMD ")[2])
    compile(command[2], "HEALTHCHECK", "exec")
    copied = [rest.split() for name, rest in found if name == "COPY" and "--from" not in rest]
    assert all((ROOT / one).exists() for words in copied for one in words[:-1])
    assert "-c constraints.txt '.[serve]'" in "".join(rest for _, rest in found if "pip install" in rest)


def test_its_command_has_flags_that_there_are() -> None:
    found = dict(instructions())
    words = [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]
    assert words[0] == "/opt/tsclust/bin/tsclust"
    assert {word for word in words if word.startswith("-")} <= options_of(words[1])


@pytest.mark.parametrize(
    "line", [line for line in DOCS.splitlines() if re.match(r"(ExecStart=\S*/)?tsclust [a-z]", line)]
)
def test_the_commands_of_the_documentation_have_flags_that_there_are(line: str) -> None:
    words = shlex.split(line.removeprefix("ExecStart="), comments=True)
    assert {word for word in words if word.startswith("-")} <= options_of(words[1])


def test_the_container_is_run_as_the_file_wants_it() -> None:
    (shown,) = re.findall(r"```sh\n(podman build.*?)```", DOCS, re.DOTALL)
    build, _, run = re.sub(r"\\\n\s*", "", shown).strip().splitlines()
    assert ROOT / shlex.split(build)[shlex.split(build).index("-f") + 1] == FILE
    assert {"--read-only", "--init", "tsclust:/data", "./token:/run/token:ro"} <= set(shlex.split(run))
    assert "/run/token" in dict(instructions())["CMD"]
