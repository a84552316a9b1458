"""Commands that are disturbed: killed, interrupted, cut off; and whether all files of a workspace are whole then."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import tsclust
from tests.support.plant import Plant
from tsclust.simulation.expert import answered, form_of, put

COMMANDS = {  # -> what changes: a folder, or a file
    "extract --strict": "series/manifest.json",
    "extract --limit 5000": "series/manifest.json",
    "extract --save --limit 4000": "tsclust.toml",
    "features": "features/manifest.json",
    "cluster": "clusters/manifest.json",
    "report --name other": "reports/other.html",
    "report --split 2": "reports/report/index.html",
    "labels import answers.json": "labels/manifest.json",
    "train": "model/manifest.json",
    "score": "scores/manifest.json",
}
OTHERWISE = {"TSCLUST_FEATURES__PEAK": "max", "TSCLUST_CLUSTER__SEED": "2", "TSCLUST_CLUSTER__K": "2..9"}


def prepare(plant: Plant, root: Path, tmp_path: Path, *, with_clusters: bool) -> None:
    """A whole workspace on the disk."""
    shutil.copytree(plant.workspace.root, root)
    if with_clusters:
        tsclust.cluster(root, {"cluster": {"k": "2..6"}})
        form = form_of(tsclust.report(root).wrote or root)
        put(tmp_path / "answers.json", answered(form, "Anna", {form["groups"][0]["name"]: "x"}))
        (root / "reports" / "other.html").write_text((root / "reports" / "report.html").read_text())


def started(
    command: str, root: Path, tmp_path: Path, plant: Plant, before: Sequence[str] = ()
) -> subprocess.Popen[str]:
    name, *words = command.split()
    words += ["--from", str(plant.path)] if name == "extract" else []
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tsclust", name, *words, "-w", str(root)], text=True, cwd=tmp_path,
        env=os.environ | OTHERWISE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def content(root: Path, name: str) -> bytes | None:
    return (root / name).read_bytes() if (root / name).exists() else None


def damaged(root: Path) -> list[str]:
    """Files that are not what they should be."""
    tomllib.loads((root / "tsclust.toml").read_text())
    pages = [str(p) for p in root.glob("reports/**/*.html") if not p.read_text().rstrip().endswith("</html>")]
    stages = [name for name in ("series", "features", "labels", "model", "scores") if not (root / name).is_dir()]
    files = [str(p) for m in root.glob("[!.]*/manifest.json") for p in _damaged_in(m)]
    return [*pages, *stages, *files]


def _damaged_in(manifest: Path) -> list[Path]:
    outputs = json.loads(manifest.read_bytes())["outputs"]
    found = {manifest.parent / name: sha256 for name, sha256 in outputs.items()}
    return [p for p, sha256 in found.items() if not p.exists() or hashlib.sha256(p.read_bytes()).hexdigest() != sha256]


def outputs(root: Path) -> dict[str, dict[str, str]]:
    """The files of each stage with their hashes, as its manifest has them."""
    return {path.parent.name: json.loads(path.read_bytes())["outputs"] for path in root.glob("[!.]*/manifest.json")}
