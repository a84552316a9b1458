"""What an error advises, run as a user would: the flags and commands in its next step."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.commands import invoked
from tests.support.file_tables import Series, read
from tests.support.workspaces import new_workspace

_NAMES = "--(?:missing|values|time-format|where|query)"
_FLAG = re.compile(
    rf"""'{_NAMES}=[^']*'|"{_NAMES}=[^"]*"|{_NAMES}=(?:[^\s"'(),]|"[^"]*"|'[^']*'|,(?=\S))+|"""
    rf"""{_NAMES}\b(?:\s(?:"[^"]*"|'(?:[^']|'"'"')*'|[^\s"'(),-](?:[^\s"'()]*[^\s"'(),.])?))?"""
)
_CHOICE = re.compile(r"--(?:merge|order|from)\b|--(?:id|table)\s[\w.]+(?:,[\w.]+)*")
_COMMAND = re.compile(r"(?:unxz|zstd|bunzip2|gunzip|lz4|tar)(?:\s-?[a-z]+)?(?=[ .;:,]|$)")
_SETTING = re.compile(r"\b(?:source\.)?(times|layout) = (\[\]|\"\w+\")")


def choices(message: str) -> list[list[str]]:
    """The flags that a message advises which choose columns, tables or files."""
    return [shlex.split(found) for found in _CHOICE.findall(message)]


def commands(message: str) -> list[list[str]]:
    """The commands for a packed file that a message advises, without the file."""
    return [shlex.split(found) for found in _COMMAND.findall(message[message.index("Unpack it") :])]


def settings(message: str) -> str:
    """The settings of [source] that a message advises, for tsclust.toml."""
    return "[source]\n" + "".join(f"{name} = {value}\n" for name, value in _SETTING.findall(message))


def extract(root: Path, *words: object) -> tuple[int, str]:
    """The exit code, and what is printed."""
    if not root.exists():
        new_workspace(root, "")
    done = invoked("extract", "-w", root, *words)
    assert "Traceback" not in done.output
    return done.exit_code, done.output.strip()


def flags(message: str) -> list[list[str]]:
    """The flags that a message advises: each as the words of a command line."""
    return [shlex.split(found) for found in _FLAG.findall(message)]


def refused(root: Path, code: int, said: str, *words: object) -> str:
    """The one line of the refusal, which has this code and these words."""
    got, output = extract(root, *words)
    assert got == code, output
    assert said in output
    assert output.count("\n") == 0
    return output


def series(root: Path, *words: object) -> Series:
    """The series of a source that is read."""
    code, output = extract(root, *words)
    assert code == 0, output
    return read(root)


def curves(root: Path, *words: object) -> dict[object, tuple[object, ...]]:
    """Those of a source that is read, without the first and last time of each, which test_ends.py is about."""
    return {one: tuple(row[-1:]) for one, row in series(root, *words).items()}
