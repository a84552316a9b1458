"""[log] file: what the commands did, and what went wrong, a line each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tsclust
from tests.support.commands import call_tsclust
from tsclust.cli import log_file

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ tsclust\[\d+\] "


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tsclust.init(tmp_path / "ws")
    toml = tmp_path / "ws" / "tsclust.toml"
    toml.write_text(re.sub(r'^file = ""$', 'file = "logs/tsclust.log"', toml.read_text(), flags=re.MULTILINE))
    return tmp_path / "ws"


def logged(root: Path) -> list[str]:
    return (root / "logs" / "tsclust.log").read_text(encoding="utf-8").splitlines()


def test_results_and_errors_are_a_line_each(root: Path) -> None:
    assert call_tsclust("status", "-w", root).returncode == 0
    assert call_tsclust("cluster", f"--workspace={root}", "--json").returncode == 6
    assert call_tsclust("extract", "--where", "password = 'x' host=a", "-w", root).returncode == 3
    lines = logged(root)
    assert all(re.match(LINE, line) for line in lines)
    assert [re.sub(LINE, "", line).split(":")[0] for line in lines] == ["INFO status", "ERROR 6", "ERROR 3"]


def test_there_is_none_unless_it_is_set_and_none_of_another_workspace(root: Path, tmp_path: Path) -> None:
    tsclust.init(tmp_path / "other")
    call_tsclust("status", "-w", tmp_path / "other")
    assert not list((tmp_path / "other").rglob("*.log"))
    assert not (root / "logs").exists()


def test_help_opens_no_log(root: Path) -> None:
    assert call_tsclust("status", "-w", root, "--help").returncode == 0
    assert not (root / "logs").exists()


def test_a_log_that_cannot_be_written_is_reported_before_anything_is_done(root: Path) -> None:
    (root / "logs").write_text("in the way")
    done = call_tsclust("status", "-w", root)
    assert (done.returncode, done.stdout) == (1, "")
    assert "logs" in done.stderr


def test_the_log_is_that_of_the_workspace_in_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSCLUST_WORKSPACE", str(root))
    log_file.choose(["status"])
    log_file.note("INFO", "postgresql://a:secret@h/d\nand more")
    log_file.choose(["status", "-w", "nowhere"])
    log_file.note("INFO", "not this")
    assert [re.sub(LINE, "", line) for line in logged(root)] == ["INFO postgresql://a:***@h/d and more"]


def test_a_quiet_command_is_logged_as_well(root: Path) -> None:
    assert call_tsclust("status", "--quiet", "-w", root).stdout == ""
    assert re.sub(LINE, "", logged(root)[0]).startswith("INFO status: ")
