"""A power cut at any moment leaves the last good stage, one after a command is done leaves what it made."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest

from tests.support.disturbed import COMMANDS, content, damaged, prepare, started
from tests.support.endurance import times
from tests.support.plant import Plant
from tests.support.power import Image
from tests.support.system_calls import Cut, traced
from tsclust.workspace.folder import Workspace


@pytest.mark.endurance
@pytest.mark.parametrize("command", list(COMMANDS)[: times(1, len(COMMANDS))])
def test_power_cut(image: Image, small_plant: Plant, tmp_path: Path, command: str) -> None:
    root, changes = image.folder / "ws", COMMANDS[command]
    prepare(small_plant, root, tmp_path, with_clusters=not command.startswith(("extract", "features", "cluster")))
    os.sync()
    rng, moments = random.Random(command), 0
    before = content(root, changes)
    process = started(command, root, tmp_path, small_plant)
    while process.poll() is None:
        time.sleep(rng.uniform(0.1, 0.6))
        if process.poll() is None and moments < times(2, 12):
            moments += 1
            with image.cut_while(process) as after:
                assert damaged(after / "ws") == []
                assert before is None or content(after / "ws", changes) is not None
    out, told = process.communicate()
    assert process.returncode == 0, out + told
    with image.cut() as after:
        assert damaged(after / "ws") == []
        assert content(after / "ws", changes) == content(root, changes) != before


@pytest.mark.endurance
@pytest.mark.parametrize("command", ["features", "cluster", "extract --strict"][: times(1, 3)])
def test_system_calls(small_plant_copy: Workspace, small_plant: Plant, tmp_path: Path, command: str) -> None:
    """What is written is synced before it appears, and nothing is removed before that is on the disk."""
    root, log = small_plant_copy.root, tmp_path / "log"
    process = started(command, root, tmp_path, small_plant, traced(log))
    out, told = process.communicate()
    if "ptrace" in told or "PTRACE" in told:
        pytest.skip(f"the order of system calls needs strace: {told.strip()}")
    assert process.returncode == 0, out + told
    found = Cut.of(root, log)
    assert found.wrong == []
    record, stage = found.appeared
    assert stage == COMMANDS[command].partition("/")[0]
    assert re.fullmatch(r"history/\d{5}", record)
