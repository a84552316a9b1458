"""Every command and option has help."""

from __future__ import annotations

import pytest

from tests.support.commands import run_tsclust

COMMANDS = ("demo", "init", "extract", "features", "filter", "cluster", "report", "run", "status")


def test_help_names_every_command() -> None:
    told = run_tsclust("--help").stdout
    assert all(name in told for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_has_help(command: str) -> None:
    done = run_tsclust(command, "--help")
    assert done.returncode == 0
    assert "--workspace" in done.stdout
    assert "--json" in done.stdout
