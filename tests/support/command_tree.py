"""Every command of tsclust, from the app itself: a new one is tested as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from tsclust.cli import app

GROUPS = {"", "labels"}  # commands that only hold others


def walk(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    """(its words, itself) of a command and of all below it."""
    yield " ".join(names), command
    for name, one in getattr(command, "commands", {}).items():
        yield from walk(one, *names, name)


TREE = dict(walk(typer.main.get_command(app)))
COMMANDS = [words for words in TREE if words not in GROUPS]
