"""The house: what is written down in two places agrees. Its arrows are contracts of import-linter in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from pydantic import BaseModel

import tsclust
from tsclust import config, errors
from tsclust.config import Settings
from tsclust.config.template import settings_text
from tsclust.stages.features.default_rules import DEFAULT_RULES

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "tsclust"
_PARQUET = re.compile(r"pyarrow\.parquet|(read|scan|write|sink)_parquet\(")


def test_parquet_is_met_only_by_what_says_so_by_its_name() -> None:
    """A submodule of another package, and methods: import-linter sees neither."""
    names = {"parts", "files", "membership"}
    meet = {p for p in (PACKAGE / "stages").rglob("*.py") if _PARQUET.search(p.read_text(encoding="utf-8"))}
    assert {p.stem for p in meet} <= names


def test_files_are_short() -> None:
    long = {str(p): n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300}
    assert not long


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    heavy = "{'numpy', 'polars', 'pyarrow', 'sklearn', 'numba', 'psycopg', 'plotly', 'pydantic', 'sqlglot'}"
    script = (
        f"import sys, tsclust.cli; found = {heavy} & set(sys.modules); sys.exit(f'imported: {{found}}' if found else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_service_and_all_commands_start_without_scikit_learn() -> None:
    """It takes a third of a second to import, and 60 MB where it finds pandas."""
    script = "import sys, tsclust.serve.app; sys.exit(bool({'sklearn', 'skops', 'scipy.stats'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_processes_are_started_by_the_embedded_server_and_by_jobs_alone() -> None:
    """Their arguments can be read by everybody: tests/postgres/test_server.py looks at those for passwords, and a job
    has none but its module."""
    starts = re.compile(
        r"subprocess|create_subprocess|os\.(exec|spawn|system|popen|posix_spawn)|multiprocessing|ProcessPool"
    )
    found = {p for p in PACKAGE.rglob("*.py") if starts.search(p.read_text(encoding="utf-8"))}
    found = {p.stem if p.parent == PACKAGE else p.parent.name for p in found}
    assert found == {"embedded_broker", "embedded_postgres", "serve"}


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == tsclust.__version__


def test_the_commented_settings_are_the_defaults_and_complete(tmp_path: Path) -> None:
    path = tmp_path / "tsclust.toml"
    path.write_text(settings_text(DEFAULT_RULES), encoding="utf-8")
    assert config.load(path) == Settings()
    said = tomllib.loads(settings_text(DEFAULT_RULES))
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            commented = {"baseline"} if name == "cluster" else set()  # a value would switch it off
            assert said[name].keys() | commented == field.annotation.model_fields.keys(), name
        else:
            assert name in said or name == "rule"


def test_the_commented_rules_are_the_default_rules(tmp_path: Path) -> None:
    head, _, rules = settings_text(DEFAULT_RULES).partition("# [[rule]]")
    path = tmp_path / "tsclust.toml"
    path.write_text(head + ("# [[rule]]" + rules).replace("\n# ", "\n").removeprefix("# "), encoding="utf-8")
    assert config.load(path).rule == DEFAULT_RULES


def test_exit_codes_are_distinct_and_in_the_readme() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.TsclustError)]
    codes = {c.exit_code: c.__name__ for c in classes}
    assert len(codes) == len(classes)
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for code in [0, *codes, 2, 130, 143]:
        assert f"| {code} |" in readme, code
