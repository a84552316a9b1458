"""What type checkers of users see: real signatures, and the same names as at run time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tsclust

REPOSITORY = Path(__file__).parents[2]
RIGHT = """
from pathlib import Path
import tsclust
from tsclust.workspace.result import Result

done: Result = tsclust.extract(Path("ws"), {"source": {"table": "cycles"}}, strict=True)
seconds: float = done.seconds
for result in tsclust.run(Path("ws")):
    print(result.command, result.wrote)
tsclust.open("ws").groups
"""
WRONG = {
    "tsclust.extract(1)": 'Argument 1 to "extract" has incompatible type "int"',
    "tsclust.cluster(Path('ws'), witin=7)": 'Unexpected keyword argument "witin" for "cluster"',
    "tsclust.extracted": 'Module has no attribute "extracted"',
    "tsclust.extract(Path('ws')).second": '"Result" has no attribute "second"',
}
NAMES = [name for name in tsclust.__all__ if name != "__version__"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy reports of a user's script: RIGHT, a line for each of WRONG, and one for each of NAMES."""
    script = tmp_path_factory.mktemp("user") / "script.py"
    lines = [*RIGHT.splitlines(), *WRONG, *(f"reveal_type(tsclust.{name})" for name in NAMES)]
    script.write_text("\n".join(lines), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", str(script)], capture_output=True, text=True, cwd=REPOSITORY
    )  # strict, and with the cache of `make lint`
    assert not run.stderr
    return [line for line in run.stdout.splitlines() if "script.py:" in line]


def test_a_wrong_argument_is_an_error_and_a_right_one_is_none(found: list[str]) -> None:
    errors = [line for line in found if " error: " in line]
    assert len(errors) == len(WRONG), errors
    assert all(message in line for message, line in zip(WRONG.values(), errors, strict=True)), errors


def test_every_public_name_has_a_type(found: list[str]) -> None:
    revealed = [line for line in found if "Revealed type" in line]
    assert len(revealed) == len(NAMES)
    assert all("def (" in line for line in revealed), revealed
    unknown = [line for line in revealed if "Any" in line]
    assert len(unknown) == 1, unknown  # figures: plotly has no types


def test_every_public_name_is_there_and_in_dir() -> None:
    assert set(tsclust.__all__) <= set(dir(tsclust))
    assert all(callable(getattr(tsclust, name)) for name in NAMES)
    with pytest.raises(AttributeError, match="module 'tsclust' has no attribute 'clusters'"):
        _ = tsclust.clusters  # type: ignore[attr-defined]


def test_the_package_says_that_it_is_typed() -> None:
    assert (REPOSITORY / "tsclust" / "py.typed").exists()
