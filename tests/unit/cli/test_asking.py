"""What `tsclust init` asks on a terminal, and that nobody else is asked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tsclust
from tests.support.commands import PLAIN, on_a_terminal
from tsclust.errors import SettingsError


def answered(root: Path, *answers: str) -> tuple[str, dict[str, object]]:
    """(what the terminal shows, [report]) of `tsclust init` where a person types these lines, then Ctrl-D."""
    control, terminal = pty.openpty()
    command = [sys.executable, "-m", "tsclust", "init", "-w", str(root)]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=PLAIN | {"TERM": "xterm"})
    os.close(terminal)
    os.write(control, "".join(f"{line}\n" for line in answers).encode() + b"\x04")
    shown = bytearray()
    while True:
        try:
            shown += os.read(control, 4096)
        except OSError:  # the process has ended
            break
    os.close(control)
    assert process.wait() == 0
    return shown.decode(), tomllib.loads((root / "tsclust.toml").read_text(encoding="utf-8"))["report"]


def test_what_is_recorded_is_asked_in_the_language_of_the_report(tmp_path: Path) -> None:
    shown, report = answered(tmp_path / "ws", "de", "ru", "Момент", "Н·м", "often", "0,02")
    assert "de: expected en or ru, or Enter" in shown
    assert "often: ожидается число не меньше 0 или Enter" in shown
    asked = {name: report[name] for name in ("lang", "quantity", "unit", "sample_seconds")}
    assert asked == {"lang": "ru", "quantity": "Момент", "unit": "Н·м", "sample_seconds": 0.02}


def test_nothing_needs_an_answer(tmp_path: Path) -> None:
    default = tmp_path / "default"
    tsclust.init(default)
    shown, report = answered(tmp_path / "ws", "", "")
    assert "What is recorded?" in shown
    assert report == tomllib.loads((default / "tsclust.toml").read_text(encoding="utf-8"))["report"]


def test_who_pipes_something_in_is_asked_nothing(tmp_path: Path) -> None:
    assert "What is recorded" not in "".join(on_a_terminal("init", "-w", tmp_path / "ws"))


def test_an_answer_that_the_settings_do_not_take_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[report\] sample_seconds = -1.0: input should be greater"):
        tsclust.init(tmp_path / "ws", report={"sample_seconds": -1.0})
    assert not (tmp_path / "ws").exists()
