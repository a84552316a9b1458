"""What went wrong, on stderr: one line for people or, with --json, one JSON object of code, error and next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tsclust.cli import AGAIN
from tsclust.passwords import redacted

_as_json = False  # of this process, which runs one command


def choose_form(words: Sequence[str]) -> None:
    """From the words of the command line: it may be in error before any option was read."""
    global _as_json
    _as_json = "--json" in words


def as_json() -> bool:
    """Whether errors are for a script."""
    return _as_json


@dataclass(frozen=True)
class Problem:
    """code: the exit code; error: the value and what was expected; next: what to do about it, where it is known. It
    shows no password.
    """

    code: int
    error: str
    next: str

    def __str__(self) -> str:
        return json.dumps(self.shown()) if as_json() else f"tsclust: {self.line()}"

    def shown(self) -> dict[str, int | str]:
        """For a script."""
        return {"code": self.code, "error": redacted(self.error), "next": redacted(self.next or AGAIN)}

    def line(self) -> str:
        """For people."""
        return redacted(" ".join(_sentence(part) for part in (self.error, self.next) if part))


def _sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."
