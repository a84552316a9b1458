"""Every command that maps over parts, in turn: workspaces as they were before each, and as they are after it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tsclust
from tests.support.plant import cycles_file, kept, label
from tsclust.simulation.expert import answered, form_of, put
from tsclust.stages.features.default_rules import DEFAULT_RULES
from tsclust.workspace import manifest
from tsclust.workspace.folder import Workspace

CLUSTER = {"k": "2..6", "baseline": ["machine_id", "direction"]}
TOML = f"""
[source]
part_rows = 400
[cluster]
k = "{CLUSTER["k"]}"
baseline = ["machine_id", "direction"]
[report]
charts = false
"""


@dataclass(frozen=True)
class Ways:
    """The workspace as it was before each command, and as it is after it: in folders below that of their source."""

    folder: Path
    before: dict[str, Path]
    after: dict[str, Path]

    def again(self, name: str) -> Path:
        """A new copy of the workspace as it was before a command."""
        beside = Path(tempfile.mkdtemp(prefix="again-", dir=self.folder))
        return Path(shutil.copytree(self.before[name], beside / "ws"))


def source(root: Path) -> dict[str, Any]:
    """The same file for all copies of a workspace: its place counts among what scores were made from."""
    folder = next(folder for folder in root.absolute().parents if (folder / "cycles-1.parquet").exists())
    return {"source": {"files": str(folder / "cycles-1.parquet")}}


def score_drifted(root: Path) -> None:
    """The same series, one and a half times as high: the page of what has changed is drawn."""
    path = Path(source(root)["source"]["files"])
    higher = path.with_name("higher.parquet")
    if not higher.exists():
        series = pl.read_parquet(path)
        series.with_columns(pl.col("values").list.eval(pl.element() * 1.5)).write_parquet(higher)
    tsclust.score(root, {"source": {"files": str(higher)}})
    assert (root / "reports" / "drift.html").exists()


def run_anew(root: Path) -> None:
    """All but the reading, which is not done part by part."""
    for name in ("features", "clusters", "scores"):
        shutil.rmtree(root / name)
    list(tsclust.run(root, source(root)))


def filter_anew(root: Path) -> None:
    """By one of the rules that tsclust brings: `export --page` takes no other."""
    rule = next(rule for rule in DEFAULT_RULES if rule.name == "gaps")
    with (root / "tsclust.toml").open("a", encoding="utf-8") as file:
        file.write(f'[[rule]]\nname = "gaps"\nwhen = "{rule.when}"\nreason = "{rule.reason}"\n')
    tsclust.filter(root)


def import_answers(root: Path) -> None:
    form = form_of(root / "reports" / "report.html")
    said = {group["name"]: "normal" if group["normal"] else f"kind {n % 3}" for n, group in enumerate(form["groups"])}
    tsclust.labels_import(root, [put(root / "answers.json", answered(form, "Anna", said))])


def drill_down(root: Path) -> None:
    groups = pl.read_parquet(root / "clusters" / "groups.parquet").filter(pl.col("within").is_null())
    tsclust.cluster(root, within=groups.filter(pl.col("size") >= 100)["group"][0])


COMMANDS: dict[str, Callable[[Path], object]] = {
    "features": tsclust.features,
    "filter": filter_anew,
    "filter --html": lambda root: tsclust.filter(root, html=True),
    "cluster": tsclust.cluster,
    "cluster --within": drill_down,
    "report": tsclust.report,
    "report --kind features": lambda root: tsclust.report(root, kind="features"),
    "labels import": import_answers,
    "train": tsclust.train,
    "score": tsclust.score,
    "score --from": lambda root: tsclust.score(root, source(root)),
    "score --from, drifted": score_drifted,
    "cluster --unlabelled": lambda root: tsclust.cluster(root, unlabelled=True),
    "export --page": lambda root: tsclust.export(root, page=root / "page.html"),
    "labels review": lambda root: tsclust.labels_review(root, limit=5),
    "run": run_anew,
}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """Every command in turn, by the engine of one machine. Pages name times and memory: they are always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "now", lambda: "2024-03-12T08:15:00Z")
        patch.setattr(manifest.Meter, "read", lambda _: (1.0, 100.0))
        yield _in_turn(tmp_path_factory.mktemp("engine"))


def _in_turn(folder: Path) -> Ways:
    _, truth = cycles_file(folder, 3_000)
    root, before, after = folder / "ws", {}, {}
    root.mkdir()
    (root / "tsclust.toml").write_text(TOML, encoding="utf-8")
    tsclust.extract(root, source(root))  # all of a file is read in one pass
    for name, command in COMMANDS.items():
        if name == "train":  # groups of so few series are no kinds: labels of the truth
            workspace = Workspace.open(root)
            label(workspace, kept(workspace, truth).select("series_id", "kind"))
        before[name] = Path(shutil.copytree(root, folder / f"before {name}" / "ws"))
        command(root)
        after[name] = Path(shutil.copytree(root, folder / f"after {name}"))
    return Ways(folder, before, after)


TIMED = {".tsclust.lock", "run.json"}


def files(root: Path) -> dict[str, object]:
    """File -> its hash, of a manifest what it holds, without times, memory and the lock."""
    found: dict[str, object] = {}
    for path in root.rglob("*"):
        if path.name == "manifest.json":
            found[str(path.relative_to(root))] = timeless(json.loads(path.read_text(encoding="utf-8")))
        elif path.is_file() and path.name not in TIMED:
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def timeless(value: Any) -> Any:
    """Without what is another each time; a manifest's hash of itself is, as it has these in it."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("seconds", "peak_mb", "made_at", "sha256")}
    return value
