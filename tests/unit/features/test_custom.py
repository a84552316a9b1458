"""The user's own features: the same treatment as the catalogue's, and clear words where that is not possible."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import tsclust
from tests.support.series import CLUSTERED, CYCLE, block, machine_cycles
from tsclust.errors import SettingsError
from tsclust.stages.features import custom
from tsclust.stages.features.catalogue import NAMES, in_force
from tsclust.workspace.result import Result

OWN = '''"""Mine."""
import numpy as np

TAIL = 10


def ripple(x):
    """How much it trembles at the end.

    Unit: value
    """
    return np.abs(np.diff(x[-TAIL:])).max()


def _helper(x):
    return 0.0


def sorted_share(x):
    """Share of values in rising order, by a way that numba cannot compile."""
    return float(sum(a <= b for a, b in __import__("itertools").pairwise(x))) / len(x)
'''
LOOP = """most = 0.0
    for i in range(len(x) - TAIL, len(x) - 1):
        most = max(most, abs(x[i + 1] - x[i]))
    return most"""
QUICK = OWN.replace("return np.abs(np.diff(x[-TAIL:])).max()", LOOP)  # to compile
TOML = '[features]\nextra = "mine.py"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> tuple[custom.Extra, ...]:
    return custom.load(written(folder, text), text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of 2,000 cycles with two features of its own: for copies."""
    root = tmp_path_factory.mktemp("own") / "ws"
    tsclust.init(root)
    pq.write_table(machine_cycles()[0].slice(0, 2_000), root.parent / "cycles.parquet")
    (root / "tsclust.toml").write_text(TOML)
    written(root, OWN)
    tsclust.extract(root, {"source": {"files": str(root.parent / "cycles.parquet"), "part_rows": 700}})
    return root


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of it, not described; the same features, quicker to compile."""
    root = Path(shutil.copytree(made, tmp_path / "ws", ignore=shutil.ignore_patterns("features", "history")))
    written(root, QUICK)
    return root


@dataclass(frozen=True)
class Described:
    """The same, described, and what `tsclust features` answered."""

    root: Path
    answer: Result


@pytest.fixture(scope="module")
def described(made: Path) -> Described:
    return Described(made, tsclust.features(made))


def features(root: Path) -> pl.DataFrame:
    return pl.read_parquet(root / "features/*.parquet").sort("series_id")


@pytest.mark.slow
def test_they_are_computed_as_numpy_does_and_said(described: Described) -> None:
    result = described.answer
    assert "your own features: ripple, sorted_share" in result.notes
    assert [n for n in result.notes if n.startswith("sorted_share runs as plain Python")]
    assert not [n for n in result.notes if n.startswith("ripple runs")]
    series = machine_cycles()[0].slice(0, 2_000)
    wanted = [np.abs(np.diff(np.array(v, float)[-10:])).max() for v in series["values"].to_pylist() if None not in v]
    known = [None not in v for v in series["values"].to_pylist()]
    found = features(described.root).filter(pl.Series(known))
    np.testing.assert_allclose(found["ripple"].to_numpy(), wanted, rtol=1e-9, atol=1e-12)
    assert found["sorted_share"].is_between(0, 1).all()


@pytest.mark.slow
def test_rules_groups_and_report_know_them(own: Path) -> None:
    rule = '[[rule]]\nname = "trembles"\nwhen = "ripple > 3 * typical_ripple + 0.5"\nreason = "mine"\n'
    (own / "tsclust.toml").write_text(TOML + rule)
    tsclust.features(own)
    frame = features(own)
    typical = json.loads((own / "features" / "manifest.json").read_text())["facts"]["typical"]
    limit = 3 * typical["ripple"][0] + 0.5
    assert typical["ripple"][0] == pytest.approx(frame["ripple"].median())
    assert (frame["rejected_by"] == "trembles").sum() == (frame["ripple"] > limit).sum()
    tsclust.cluster(own, {"cluster": {"k": "2..4"}})
    centers = pl.read_parquet(own / "clusters/centers.parquet")
    assert centers.columns[6:] == [*CLUSTERED, "ripple", "sorted_share"]
    tsclust.report(own)


@pytest.mark.slow
def test_another_text_of_the_file_is_another_input(described: Described, tmp_path: Path) -> None:
    own = Path(shutil.copytree(described.root, tmp_path / "ws"))
    assert tsclust.features(own).skipped
    written(own, QUICK)
    assert tsclust.status(own).facts["stages"]["features"]["state"] == "out of date: other settings"
    assert not tsclust.features(own).skipped


@pytest.mark.slow
def test_what_is_skipped_stays_as_a_column_but_groups_do_not_see_it(own: Path) -> None:
    flags = {"features": {"skip": ["side_kurtosis", "ripple"]}, "cluster": {"k": "2..4"}}
    tsclust.features(own, flags)
    assert {"side_kurtosis", "ripple"} <= set(features(own).columns)
    tsclust.cluster(own, flags)
    centers = pl.read_parquet(own / "clusters/centers.parquet")
    assert centers.columns[6:] == [n for n in CLUSTERED if n != "side_kurtosis"] + ["sorted_share"]


@pytest.mark.slow
def test_where_it_gives_no_number_the_series_is_set_aside(own: Path) -> None:
    written(own, 'def odd(x):\n    """None for long ones."""\n    return float("nan") if len(x) > 60 else 1.0\n')
    tsclust.features(own)
    frame = features(own)
    unknown = frame["odd"].is_null()
    assert 0 < unknown.sum() < len(frame)
    assert frame.filter(unknown)["rejected_by"].is_not_null().all()
    assert "not_described" in frame["rejected_by"].to_list()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no function"),
        ("def f(x):\n    return 1.0\n", "f has no docstring"),
        ('def f(x, y):\n    """Two."""\n    return 1.0\n', "f takes 2 arguments"),
        ('def side_mean(x):\n    """Taken."""\n    return 1.0\n', "cannot be named side_mean"),
        ('def size(x):\n    """Taken."""\n    return 1.0\n', "cannot be named size"),
        ('def typical_x(x):\n    """Taken."""\n    return 1.0\n', "cannot be named typical_x"),
        ('def shape_level(x):\n    """Taken."""\n    return 1.0\n', "cannot be named shape_level"),
        ('def f(x):\n    """Unit: volt"""\n    return 1.0\n', "has the unit 'volt': expected one of samples, value"),
        ("def f(x:\n", "line 1: SyntaxError"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        loaded(tmp_path, text)


def test_a_file_that_is_not_there(own: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[features\] extra = .*other.py: there is no such Python file"):
        tsclust.features(own, {"features": {"extra": "other.py"}})


@pytest.mark.parametrize("body", ["return 1.0 / (len(x) - 60)", "return int('six') / len(x)", "return [1, 2]"])
def test_a_function_that_fails_names_the_series(tmp_path: Path, body: str) -> None:
    own = loaded(tmp_path, f'def f(x):\n    """Fails."""\n    {body}\n')
    with pytest.raises(SettingsError, match=r"mine.py: f\(x\) fails on series 1: \w+Error"):
        custom.describe_extra(block([1.0, 2.0], CYCLE), 1, own)


def test_nothing_is_imported_that_is_not_named(own: Path) -> None:
    (own / "mine.py").rename(own / "features.py")
    (own / "features.py").write_text("raise SystemExit('imported')")
    (own / "tsclust.toml").write_text("")
    tsclust.features(own)


@pytest.mark.parametrize("name", ["side_men", "start", "ripple"])
def test_skip_knows_only_what_is_clustered(name: str) -> None:
    with pytest.raises(SettingsError, match=f"'{name}' is not a feature that series are compared by"):
        in_force((name,))
    assert in_force(("side_mean",))[NAMES.index("side_mean")].clustered is False


@pytest.mark.slow
def test_reading_beyond_the_values_is_an_error_and_no_garbage(own: Path) -> None:
    written(own, 'def f(x):\n    """The 71st value."""\n    return x[70]\n')
    with pytest.raises(SettingsError, match=r"mine.py: f\(x\) fails on series \d+: IndexError"):
        tsclust.features(own)


@pytest.mark.slow
def test_what_runs_is_what_was_hashed(own: Path) -> None:
    """Same size, same time: only the text tells."""
    for value in (5.0, 7.0):
        path = written(own, f'def f(x):\n    """One number."""\n    return {value}\n')
        os.utime(path, (1e9, 1e9))
        tsclust.features(own)
        assert features(own)["f"].drop_nulls().unique().to_list() == [value]
    assert not (own / "__pycache__").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('def f(x):\n    """An import inside."""\n    import math\n    return math.sqrt(len(x))\n', "f"),
        ('def f(x):\n    """None for some."""\n    return None if len(x) > 60 else 1.0\n', "f"),
        ('def f(x):\n    """Two names."""\n    return 1.0\n\n\ng = f\n', "g"),
        (
            'from dataclasses import dataclass\n\n\n@dataclass\nclass P:\n    a: int\n\n\n'
            'def f(x):\n    """Beside a dataclass."""\n    return P(1).a\n', "f",
        ),
    ],
)  # fmt: skip
def test_what_python_can_do_works(own: Path, text: str, column: str) -> None:
    written(own, text)
    tsclust.features(own)
    assert features(own)[column].drop_nulls().len() > 0


def test_a_file_that_exits_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SystemExit"):
        loaded(tmp_path, "import sys\nsys.exit(0)\n")


@pytest.mark.slow
def test_a_skipped_feature_without_a_number_rejects_nothing(own: Path) -> None:
    written(own, 'def f(x):\n    """None for all."""\n    return float("nan")\n')
    tsclust.features(own, {"features": {"skip": ["f"]}})
    assert "not_described" not in features(own)["rejected_by"].to_list()


def test_something_has_to_be_left() -> None:
    with pytest.raises(SettingsError, match="skip names every feature"):
        in_force(CLUSTERED)
