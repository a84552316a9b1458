"""Every command and every option has help, which is there at once; the README names commands that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_tree import COMMANDS, GROUPS, TREE
from tests.support.commands import call_tsclust

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLUSTER = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8").replace("\n", " ")


def plain(text: str) -> str:
    """A help page's words, without its frames and line ends."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def test_there_are_the_commands_of_the_contract() -> None:
    assert set(COMMANDS) == {
        "demo", "init", "extract", "features", "filter", "cluster", "report", "run", "status", "verify", "train",
        "score", "export", "labels import", "labels review", "labels export",
        "labels list", "labels remove", "history", "diff", "undo", "prune", "serve", "stream",
    }  # fmt: skip


def test_commands_that_map_over_parts_take_an_engine() -> None:
    """And docs/cluster.md names them."""
    with_flag = {words for words in COMMANDS if any("--engine" in option.opts for option in TREE[words].params)}
    assert with_flag == {
        "features", "filter", "cluster", "report", "labels import", "labels review", "train", "score", "export", "run",
    }  # fmt: skip
    named = re.findall(r"`([a-z ]+?)(?: --page)?`", CLUSTER.split(", and by jobs")[0].split(" cluster: by ")[1])
    assert sorted(named) == sorted(with_flag)


@pytest.mark.parametrize("words", sorted(GROUPS))
def test_help_names_every_command(words: str) -> None:
    done = call_tsclust(*words.split(), "--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in TREE[words].commands)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_has_help(words: str) -> None:
    done = call_tsclust(*words.split(), "--help", environment={"COLUMNS": "200"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "--workspace" in done.stdout
    assert "--json" in done.stdout
    shown = plain(done.stdout)
    assert plain(TREE[words].help) in shown
    for option in TREE[words].params:
        assert all(name in shown for name in option.opts if name.startswith("-"))
        assert plain(option.help) in shown, option.name
    assert "None" not in shown
    assert "…" not in shown


@pytest.mark.parametrize("words", TREE)
def test_a_help_text_is_a_whole_sentence_or_ends_in_an_example(words: str) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*\.", TREE[words].help)
    for option in TREE[words].params:
        if option.name != "help":
            assert re.fullmatch(r"\S[^\n]*[^\s:;,(]", option.help), option.name
            assert "  " not in option.help


def test_the_readme_names_commands_that_there_are() -> None:
    code = re.findall(r"```sh\n(.*?)```|`(tsclust [^`]*)`", README, re.DOTALL)
    named = set(re.findall(r"^tsclust ((?:labels )?[a-z]+)", "\n".join(map("\n".join, code)), re.MULTILINE))
    assert len(named) >= 10
    assert named <= set(COMMANDS)


@pytest.mark.slow
def test_who_asks_where_things_stand_waits_for_no_library_that_computes(initialised: Path) -> None:
    heavy = {"sklearn", "scipy", "numba", "skops", "psycopg", "plotly", "sqlglot", "polars", "pyarrow"}
    command = [sys.executable, "-X", "importtime", "-m", "tsclust", "status", "-w", initialised]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not heavy & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
