"""-w, --json and --quiet stand before or behind a command."""

from __future__ import annotations

from pathlib import Path

import pytest

import tsclust
from tests.support.commands import call_tsclust
from tsclust.cli import anywhere


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("-w plant status", "status -w plant"),
        ("--workspace=plant --json labels import a.json", "labels import a.json --workspace=plant --json"),
        ("-wplant status --offline", "status --offline -wplant"),
        ("-w plant labels import -- -a.json", "labels import -w plant -- -a.json"),
        ("labels -w plant list", "labels list -w plant"),
        ("--json labels --quiet -w plant import a.json", "labels import a.json --json --quiet -w plant"),
        ("status -w plant", "status -w plant"),
        ("--help", "--help"),
        ("-w", "-w"),
    ],
)
def test_options_before_a_command_go_behind_it(given: str, expected: str) -> None:
    assert anywhere.behind(given.split()) == expected.split()


def test_quiet_is_taken_out_wherever_it_stands() -> None:
    assert anywhere.without_quiet(["status", "-q"]) == (["status"], True)
    assert anywhere.without_quiet(["run", "--", "--quiet"]) == (["run", "--", "--quiet"], False)


def test_workspace_before_behind_or_in_the_environment(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    tsclust.init(root)
    before = call_tsclust("-w", root, "status")
    assert before.returncode == 0
    assert before.stdout.splitlines()[1:] == call_tsclust("status", "-w", root).stdout.splitlines()[1:]
    assert call_tsclust("status", "-w", root, "--quiet").stdout == ""
    assert call_tsclust("status", environment={"TSCLUST_WORKSPACE": str(root)}).returncode == 0


def test_version() -> None:
    done = call_tsclust("--version")
    assert (done.returncode, done.stdout) == (0, f"tsclust {tsclust.__version__}\n")


def test_an_error_is_heard_when_quiet(tmp_path: Path) -> None:
    done = call_tsclust("-q", "status", "-w", tmp_path)
    assert done.returncode == 4
    assert "not a tsclust workspace" in done.stderr
