"""What the tests of the stages share: a workspace's settings, and the files that stages write."""

from __future__ import annotations

import hashlib
from pathlib import Path

SERIES_MADE = 6_000  # in the database that the fixture `cycles` fills
TOML = """
[source]
table = "machine.cycles"
part_rows = 1000
[cluster]
k = "2..12"
baseline = ["machine_id"]
"""


def new_workspace(root: Path, toml: str = TOML) -> Path:
    root.mkdir(parents=True)
    (root / "tsclust.toml").write_text(toml, encoding="utf-8")
    return root


def all_hashes(root: Path) -> dict[str, str]:
    """Every file of a workspace but the lock: a new one is no loss."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.name != ".tsclust.lock")
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def hashes(root: Path, stage: str) -> dict[str, str]:
    """Every file of a stage but the manifest, which holds the time it took."""
    files = sorted(p for p in (root / stage).rglob("*") if p.suffix in {".parquet", ".arrow"})
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
