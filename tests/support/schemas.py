"""docs/json/: what --json prints is held against it, in every test that asks for it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).parents[2] / "docs" / "json"


@functools.cache
def schema_of(command: str) -> Any:
    """The validator of a line of a command, or of "error"."""
    text = (FOLDER / f"{command.replace(' ', '-')}.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def hold(words: Sequence[str], stdout: str) -> None:
    """Raises ValidationError where a line of what `tsclust WORDS --json` printed is not as documented."""
    for line in map(json.loads, stdout.splitlines()):
        schema_of("demo" if words[0] == "demo" else line["command"]).validate(line)
