"""What to type to run a command on a workspace."""

from __future__ import annotations

import shlex
from pathlib import Path


def command(name: str, root: Path) -> str:
    """What to type to run a command on a workspace, whatever its path looks like."""
    return f"tsclust {name} -w {shlex.quote(str(root))}"
