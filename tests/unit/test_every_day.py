"""docs/every-day.md: the line for cron and the timer of systemd are what these read, with options that there are."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest

from tests.support.commands import call_tsclust
from tsclust.errors import ConnectError, DriftError, SourceLostError, WorkspaceBusyError

PAGE = (Path(__file__).parents[2] / "docs" / "every-day.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    lines += [line.split(maxsplit=5)[5] for line in blocks("cron")[0].splitlines()]
    lines += re.findall(r"^ExecStart=(.*)$", PAGE, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_these_options(words: list[str]) -> None:
    program, name, *rest = words
    assert Path(program).name == "tsclust"
    help_ = call_tsclust(name, "--help").stdout
    assert all(re.search(rf"(?<!\S){word}(?!\S)", help_) or word == "--quiet" for word in rest if word.startswith("-"))


def test_cron_reads_the_line() -> None:
    (line,) = blocks("cron")[0].splitlines()
    limits = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    for field, (low, high) in zip(line.split()[:5], limits, strict=True):
        numbers = [int(n) for n in re.findall(r"\d+", field)]
        assert re.fullmatch(r"\*(/\d+)?|\d+(-\d+)?(,\d+(-\d+)?)*", field)
        assert all(low <= n <= high for n in numbers)
    assert "%" not in line  # a new line to cron


def test_systemd_reads_the_service_and_the_timer() -> None:
    service, timer = (configparser.RawConfigParser(strict=False) for _ in range(2))
    for parser, text in zip((service, timer), blocks("ini"), strict=True):
        parser.read_string(text)
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["ExecStart"].startswith("/")
    days = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
    assert re.fullmatch(rf"({days})\.\.({days}) \d\d:\d\d", timer["Timer"]["OnCalendar"])
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_exit_codes_are_in_their_order() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    documented = [kind.exit_code for kind in (DriftError, SourceLostError, ConnectError, WorkspaceBusyError)]
    assert [code for code in codes if code in documented] == documented
