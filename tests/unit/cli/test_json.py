"""--json: every command's output has a schema in docs/json/, and nothing of it is there twice.

Other tests hold the schemas as well: each line that `call_tsclust` gets is held against them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.support import schemas
from tests.support.command_tree import COMMANDS
from tests.support.commands import call_tsclust


@pytest.mark.parametrize("words", [*COMMANDS, "error"])
def test_every_command_has_a_schema_that_is_one(words: str) -> None:
    found = schemas.schema_of(words)
    jsonschema.Draft202012Validator.check_schema(found.schema)
    assert "tsclust" in found.schema["title"] or words == "error"


def test_there_is_no_schema_without_a_command() -> None:
    names = {path.stem for path in schemas.FOLDER.glob("*.json")}
    assert names == {words.replace(" ", "-") for words in COMMANDS} | {"error"}


@pytest.mark.parametrize("words", ["status", "history", "prune", "verify", "extract --table t", "labels list", "undo"])
def test_what_a_new_workspace_answers_is_as_documented(words: str, initialised: Path) -> None:
    done = call_tsclust(*words.split(), "-w", initialised, "--json", environment={"PGHOST": "/nowhere"})
    if done.returncode:
        schemas.schema_of("error").validate(json.loads(done.stderr))
    assert (done.stdout == "") == (done.returncode not in (0, 14))


def test_a_line_that_lacks_a_key_or_has_another_type_is_refused() -> None:
    line = {"command": "prune", "wrote": None, "seconds": 0.1, "peak_mb": 1.0, "skipped": False, "then": ""}
    facts = {"bytes": 0, "keep": 5, "states": 0, "pages": 0, "models": 0}
    facts |= {"asked": {"sweeps": 0, "bytes": 0}}
    schemas.hold(["prune"], json.dumps(line | {"facts": facts}))
    for wrong in (line, line | {"facts": facts | {"keep": "5"}}, line | {"facts": {}}):
        with pytest.raises(jsonschema.ValidationError):
            schemas.hold(["prune"], json.dumps(wrong))


@pytest.mark.parametrize("labelled", [False, True])
def test_status_is_enough_for_a_prometheus_textfile(request: pytest.FixtureRequest, labelled: bool) -> None:
    root = request.getfixturevalue("disputed").root if labelled else request.getfixturevalue("initialised")
    done = call_tsclust("status", "--json", "-w", root)
    script = [sys.executable, str(schemas.FOLDER.parent / "textfile.py")]
    printed = subprocess.run(script, input=done.stdout, capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()
    assert all(re.fullmatch(r'(# TYPE \w+ gauge|\w+(\{\w+="[^"]+"\})? [\d.e+]+)', line) for line in lines)
    assert 'tsclust_stage_up_to_date{stage="series"} 0.0' in lines or labelled
    assert ('tsclust_labelled_series{kind="x"} 9.0' in lines) == labelled
