"""Killed or interrupted at any moment, a command leaves the last good stage, and the next one does its work."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.support.disturbed import COMMANDS, content, damaged, outputs, prepare, started
from tests.support.endurance import times
from tests.support.plant import Plant
from tests.support.signals import AT_MOST, ended, listens

HOW = {signal.SIGKILL: (-signal.SIGKILL, ""), signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}
STOPPED = ["features", *(command for command in COMMANDS if command != "features" and "--save" not in command)]


@pytest.mark.endurance
@pytest.mark.parametrize("command", STOPPED[: times(1, len(STOPPED))])
def test_stopped(small_plant: Plant, tmp_path: Path, command: str) -> None:
    root, rng = tmp_path / "ws", random.Random(command)
    with_clusters = not command.startswith(("extract", "features", "cluster"))
    prepare(small_plant, tmp_path / "whole", tmp_path, with_clusters=with_clusters)
    begin = time.monotonic()
    undisturbed = started(command, tmp_path / "whole", tmp_path, small_plant)
    assert undisturbed.communicate()[1] == ""
    seconds = time.monotonic() - begin
    prepare(small_plant, root, tmp_path, with_clusters=with_clusters)
    for number in range(times(2, 40)):
        how = list(HOW)[1 + number % 2 if number < 2 else number % 3]
        process = started(command, root, tmp_path, small_plant)
        while not listens(process) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, seconds - 0.1))
        found, (code, word) = ended(process, how), HOW[how]
        assert damaged(root) == []
        done = found.code == -how and outputs(root) == outputs(tmp_path / "whole")  # and Python was on its way out
        if found.code and not done:
            assert found.code == code, found.told
            assert found.told == (f"tsclust: {word}; completed parts were kept.\n" if word else "")
        assert found.seconds < AT_MOST
    again = started(command, root, tmp_path, small_plant)
    assert again.communicate()[1] == ""
    assert again.returncode == 0
    assert outputs(root) == outputs(tmp_path / "whole")
    assert content(root, COMMANDS[command]) is not None
    assert not [*root.glob(".*.new"), *root.glob(".*.partial"), *root.glob("*/.*.new")]
