"""What an error advises, run as a user would: the flags and commands in its next step."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.support.commands import invoked
from tests.support.file_tables import Series, read
from tests.support.workspaces import new_workspace

_FLAG = re.compile(r"""'?--(?:missing|values|time-format|where|query)\b(?:[^\s"'(),]|"[^"]*"|'[^']*'|,(?=\S))*"""
                   r"""(?:\s(?:"[^"]*"|'(?:[^']|'"'"')*'|[^\s"'(),-](?:[^\s"'()]*[^\s"'(),.])?))?""")  # fmt: skip


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
