"""The system calls of a command, by strace: what is written past Python, by Arrow and Polars, is seen too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

WRITES = ("write", "pwrite64", "writev", "pwritev", "ftruncate")
MOVES = ("rename", "renameat", "renameat2")
CALLS = ",".join((*WRITES, *MOVES, "openat", "mkdir", "fsync", "fdatasync", "unlink", "unlinkat", "rmdir"))


def traced(log: Path) -> list[str]:
    """What to put in front of a command. The test is skipped where there is no strace."""
    if shutil.which("strace") is None:
        pytest.skip("the order of system calls needs strace")
    return ["strace", "-f", "-y", "-qq", "--seccomp-bpf", "-s", "0", "-e", f"trace={CALLS}", "-o", str(log)]


def _calls(log: Path) -> Iterator[tuple[str, str]]:
    """(name, arguments) of each call, when it is done."""
    waiting: dict[str, str] = {}
    for line in log.read_text(errors="replace").splitlines():
        pid, rest = line.split(maxsplit=1)
        if rest.startswith("<... "):
            rest = waiting.pop(pid, "") + rest
        if "<unfinished ...>" in rest:
            waiting[pid] = rest.replace("<unfinished ...>", "")
        elif "(" in rest and " = -1 " not in rest:
            yield rest[: rest.index("(")], rest[rest.index("(") + 1 :]


@dataclass
class Cut:
    """What a power cut would have taken, at any moment of a command.

    wrong     what was renamed before it was on the disk, or removed before its successor was
    appeared  files and folders that took their names
    """

    root: Path
    wrong: list[str] = field(default_factory=list)
    appeared: list[str] = field(default_factory=list)
    _dirty: set[str] = field(default_factory=set)
    _pending: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, root: Path, log: Path) -> Cut:
        found = cls(root)
        for name, about in _calls(log):
            found._see(name, about)
        found.wrong += [f"{path} is not on the disk at the end" for path in found._pending]
        return found

    def _see(self, name: str, about: str) -> None:
        descriptor, names = re.match(r"\d+<([^>]*)>", about), re.findall(r'"([^"]*)"', about)
        if name in ("fsync", "fdatasync") and descriptor:
            self._dirty.discard(descriptor[1])
            self._pending.discard(descriptor[1])
        elif name in WRITES and descriptor and not descriptor[1].endswith(".lock") and "/scratch/" not in descriptor[1]:
            self._dirty.add(descriptor[1])  # scratch is removed before its stage appears
        elif name == "mkdir" or (name == "openat" and "O_CREAT" in about):
            self._dirty.add(str(Path(names[0]).parent))
        elif name in MOVES and self._is_shown(names[1]):
            self._appears(*names)
        elif name in MOVES and names[0] in self._dirty:
            self._dirty ^= {*names}
        elif name in ("unlink", "unlinkat", "rmdir"):
            folder = re.search(r"<([^>]*)>", about)
            self._goes(str(Path(folder[1] if folder else "", names[0])))

    def _goes(self, path: str) -> None:
        self._dirty.discard(path)
        if self._pending and path.startswith(f"{self.root}/"):
            self.wrong.append(f"{path} goes before the names in {self._pending} are on the disk")

    def _appears(self, new: str, name: str) -> None:
        self.wrong += [f"{path} is not on the disk when {name} appears" for path in self._dirty if path.startswith(new)]
        self._pending.add(str(Path(name).parent))
        self.appeared.append(str(Path(name).relative_to(self.root)))

    def _is_shown(self, name: str) -> bool:
        path = Path(name)
        inside = self.root in path.parents
        return inside and not any(part.startswith(".") for part in path.relative_to(self.root).parts)
