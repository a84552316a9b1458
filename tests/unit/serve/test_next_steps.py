"""Next steps over HTTP: the request or button that does what a command does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsclust.errors import StageMissingError
from tsclust.serve import problems
from tsclust.serve.next_steps import over_http
from tsclust.workspace.commands import command


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (command("train", Path("/srv/line")), 'POST /jobs {"workspace": "line", "kind": "train"}'),
        (
            command("run", Path("/srv/it's mine/line 3")) + " --sweep",
            'POST /jobs {"workspace": "line 3", "kind": "run", "sweep": true}',
        ),
        (
            command("cluster", Path("/srv/line")) + " --within 7",
            'POST /jobs {"workspace": "line", "kind": "drilldown", "within": 7}',
        ),
        (command("labels import", Path("/srv/line")) + " answers-*.json", "POST /workspaces/line/answers"),
        (command("verify", Path("/srv/line")), "have it looked at on the server: tsclust verify -w /srv/line"),
    ],
)
def test_a_command_becomes_what_does_the_same(words: str, expected: str) -> None:
    assert over_http(f"Make it: {words}").endswith(expected)
    said = over_http(f"Run: {words}  (or set it back)")
    assert said.lower().endswith(f"{expected}  (or set it back)".lower())
    assert said[0].isupper()
    assert "un: " not in said


def test_flags_are_fields_and_what_is_no_command_stays() -> None:
    assert over_http("Name it: source.id (flag --id)") == "Name it: source.id (the field id of the request)"
    assert over_http("Correct it on the command line") == "Correct it in the request"
    assert over_http("Correct it, or raise [serve] values") == "Correct it, or raise [serve] values"


def test_errors_of_commands_have_it() -> None:
    error = StageMissingError("no model", f"Run: {command('train', Path('/srv/line'))}")
    assert '"kind": "train"' in problems.of_error(error).next_step
