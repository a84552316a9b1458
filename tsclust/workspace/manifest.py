"""What a stage was made from and what it cost: STAGE/manifest.json."""

from __future__ import annotations

import hashlib
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tsclust.workspace.parquet import StageWriter


class Manifest(BaseModel):
    """What a stage was made from and what it cost: `STAGE/manifest.json`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    stage: str
    settings: str  # hash of the settings it depends on
    inputs: dict[str, str]  # stage or source -> hash
    outputs: dict[str, str]  # file -> sha256
    versions: dict[str, str]
    seed: int
    rows: int
    parts: int
    seconds: float
    peak_mb: float
    made_at: str
    facts: dict[str, Any] = {}  # what the stage wants to be remembered

    @property
    def sweep_hash(self) -> str:
        """Of clusters/: one hash of the main sweep, whatever was swept inside of it since."""
        main = [pair for pair in sorted(self.outputs.items()) if not pair[0].startswith(("within-", "groups."))]
        return hashlib.sha256(repr(main).encode()).hexdigest()[:16]

    @property
    def output_hash(self) -> str:
        """One hash for all that later stages take from this one: its files, and of features which of them count."""
        taken = (sorted(self.outputs.items()), self.facts.get("catalogue"))
        return hashlib.sha256(repr(taken).encode()).hexdigest()[:16]


class Meter:
    """Seconds and peak memory of a stretch of work in this process."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.can_reset = _reset_peak()

    def read(self) -> tuple[float, float]:
        """(seconds, peak resident MB) since the meter was made; the whole process's peak where it cannot be reset."""
        return round(time.perf_counter() - self._began, 3), round(_peak_mb(), 1)


def write_manifest(writer: StageWriter, meter: Meter, **about: Any) -> Manifest:
    """Seal a stage: its manifest is the last file written."""
    seconds, peak = meter.read()
    made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    cost: dict[str, Any] = {"seconds": seconds, "peak_mb": peak, "made_at": made_at}
    manifest = Manifest(outputs=writer.outputs, versions=_versions(), **(cost | about))
    (writer.folder / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def _versions() -> dict[str, str]:
    names = ("tsclust", "numpy", "numba", "polars", "pyarrow", "scikit-learn")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _reset_peak() -> bool:
    """Ask Linux to forget this process's peak memory so far (proc(5), clear_refs)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _peak_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource

        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
