"""What `init` asks on a terminal: what only its reader knows of the recordings. Nothing needs an answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import typer

ASKED = ("quantity", "unit", "sample_seconds")


def is_possible(root: Path) -> bool:
    """Whether somebody is there, and the workspace is not: what is piped in, or out, is asked nothing."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not (root / "tsclust.toml").exists()


def ask() -> dict[str, str | float]:
    """Settings of [report] that were answered; the end of the input (Ctrl-D) ends the questions."""
    from tsclust.wording.language import Language  # takes time that no other command should

    answers: dict[str, str | float] = {}
    try:
        _ask("lang", Language.load("en").texts["ask"], answers)
        texts = Language.load(str(answers.get("lang", "en"))).texts["ask"]
        for name in ASKED:
            _ask(name, texts, answers)
    except EOFError:
        typer.echo()
    return answers


def _ask(name: str, texts: dict[str, str], answers: dict[str, str | float]) -> None:
    """Until the answer is one that the settings take, or none."""
    from tsclust.config.settings import Report

    read: Callable[[str], str | float] = _number if name == "sample_seconds" else str
    while given := input(f"{texts[name]} ").strip():
        try:
            answers[name] = getattr(Report.model_validate({name: read(given)}), name)
            return
        except ValueError:  # of pydantic, too
            typer.echo(texts["not"].format(given=given[:60], expected=texts[f"{name}_expected"]))


def _number(text: str) -> float:
    return float(text.replace(",", "."))
