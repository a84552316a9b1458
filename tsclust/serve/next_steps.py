"""Next steps that a terminal takes -> those that a request or a button does: errors come from the commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

# A command of `tsclust ... -w FOLDER`, with the words that lead to it and its options.
_COMMAND = re.compile(
    r"(?:\b[Rr]un:? +)?tsclust (?P<name>labels \w+|\w+) -w (?P<folder>'[^']*'(?:\"'\"'[^']*')*|[^\s,;()]+)"
    r"(?P<options>(?: --?[a-z][\w-]*(?: (?!-)[\w.,/]+)?| [\w*.-]+\.json)*)"
)
# command -> the job that does it, beside its workspace
_JOBS: Mapping[str, str] = {
    "extract": '"kind": "run"', "features": '"kind": "run"', "filter": '"kind": "run"', "run": '"kind": "run"',
    "init": '"kind": "run"', "cluster": '"kind": "run", "sweep": true', "train": '"kind": "train"',
    "score": '"kind": "score"', "report": '"kind": "report"',
}  # fmt: skip


def over_http(text: str) -> str:
    """The same next step where it is a request; what only somebody at the server can do says so."""
    found = _COMMAND.sub(_request, text).replace("on the command line", "in the request")
    found = re.sub(r"\(flag --(\w+)\)", r"(the field \1 of the request)", found)
    return found[:1].upper() + found[1:]


def _request(found: re.Match[str]) -> str:
    name, workspace = found["name"], Path(shlex.split(found["folder"])[0]).name
    if name == "labels import":
        return f"send answers from a report, or: POST /workspaces/{workspace}/answers"
    if "--within" in found["options"]:
        group = found["options"].rpartition("--within")[2].strip().partition(" ")[0]
        return _job(workspace, f'"kind": "drilldown", "within": {group}')
    if job := _JOBS.get(name):
        sweep = ', "sweep": true' if name == "run" and "--sweep" in found["options"] else ""
        return _job(workspace, job + sweep)
    return f"have it looked at on the server: tsclust {name} -w {found['folder']}{found['options']}"


def _job(workspace: str, more: str) -> str:
    return f'press the button on the page of {workspace}, or: POST /jobs {{"workspace": "{workspace}", {more}}}'
