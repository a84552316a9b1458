"""What a stage was made from and what it cost: STAGE/manifest.json, typed by what each room remembers in it."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tsclust.clock import now
from tsclust.workspace.commands import command
from tsclust.workspace.integrity import is_sealed, sealed

if TYPE_CHECKING:  # it loads numpy, and reading manifests needs none
    from tsclust.workspace.parquet import StageWriter


class Facts(BaseModel):
    """What a stage wants to be remembered. Each room has its own; `version` counts up when their meaning changes.

    INTERNAL names the fields that only later stages read: no Result of the command shows them. LONG names those that
    are too long for a look at the whole: `status` leaves them out.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)
    INTERNAL: ClassVar[frozenset[str]] = frozenset()
    LONG: ClassVar[frozenset[str]] = frozenset()

    version: int = 1

    def identity(self) -> object:
        """What of the facts later stages depend on, beside the files: it counts in `Manifest.output_hash`."""
        return None

    def summary(self) -> dict[str, Any]:
        """What of the facts `history` and `diff` show, as plain values."""
        return {}

    def shown(self, but: Collection[str]) -> dict[str, Any]:
        """For scripts, as plain values: all but these, and but what only the manifest is for."""
        return self.model_dump(mode="json", exclude={"version", *but})


F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class Stage(Generic[F]):
    """A stage of a workspace: its folder, the command that makes it, what its manifest remembers.

    given     what its command needs besides the workspace
    parts_in  the folder below that its parts lie in
    repair    for a stage that no command makes anew: workspace -> what to do where a file of it cannot be read
    """

    name: str
    made_by: str
    facts: type[F]
    given: str = ""
    parts_in: str = ""
    repair: Callable[[Path], str] | None = None

    def command(self, root: Path) -> str:
        """What to type to make it."""
        return f"{command(self.made_by, root)} {self.given}".rstrip()

    @property
    def manifest(self) -> type[Manifest[F]]:
        """The type of its manifest."""
        return cast("type[Manifest[F]]", Manifest[self.facts])  # type: ignore[name-defined]

    def read(self, content: bytes) -> Manifest[F] | None:
        """The manifest with this text; None where it is none of this stage."""
        try:
            return self.manifest.model_validate_json(content)
        except ValidationError:
            return None

    def is_earlier(self, content: bytes) -> bool:
        """Whether an intact manifest that cannot be read is an earlier version's: its seal says that it was written so.
        One without a seal may be anything, and a stage that no command makes again has to be readable."""
        return is_sealed(content) and self.repair is None

    def is_newer(self, head: ManifestHead) -> bool:
        """Whether a manifest that begins like this was written by a newer tsclust than this one."""
        known: int = self.facts.model_fields["version"].default
        return head.facts.version > known


class ManifestHead(BaseModel):
    """What every version of a manifest says, whatever else its shape is: read before the rest is looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    stage: str = ""
    facts: Facts = Field(default_factory=Facts)

    @classmethod
    def of(cls, content: bytes) -> ManifestHead:
        """The head of the text of a manifest; an empty one where it cannot be read."""
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            return cls()


class KeptSetting(BaseModel):
    """A setting that a flag or a variable gave a stage. file: what tsclust.toml had there then, None for nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    value: Any
    file: Any = None


MadeWith = Mapping[str, Mapping[str, KeptSetting]]  # section of tsclust.toml -> key -> the setting


class Manifest(BaseModel, Generic[F]):
    """What a stage was made from and what it cost. made_with: settings that tsclust.toml did not have."""

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
    made_with: MadeWith = Field(default_factory=dict)
    facts: F

    @property
    def output_hash(self) -> str:
        """One hash for all that later stages take from this one: its files, and what of its facts counts."""
        taken = (sorted(self.outputs.items()), self.facts.identity())
        return hashlib.sha256(repr(taken).encode()).hexdigest()[:16]

    def summary(self) -> dict[str, Any]:
        """The manifest in short, for the history."""
        return {"rows": self.rows, "made_at": self.made_at, **self.facts.summary()}


class Meter:
    """Seconds and peak memory of a stretch of work in this process."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.can_reset = _reset_peak()

    def read(self) -> tuple[float, float]:
        """(seconds, peak resident MB) since the meter was made; the whole process's peak where it cannot be reset."""
        return round(time.perf_counter() - self._began, 3), round(_peak_mb(), 1)


def write_manifest(
    writer: StageWriter, meter: Meter, stage: Stage[F], *, settings: str, inputs: dict[str, str], seed: int, rows: int,
    parts: int, facts: F, made_with: MadeWith | None = None,
) -> Manifest[F]:  # fmt: skip
    """Seal a stage: its manifest is the last file written."""
    seconds, peak = meter.read()
    manifest = stage.manifest(
        stage=stage.name, settings=settings, inputs=inputs, outputs=writer.outputs, versions=_versions(), seed=seed,
        rows=rows, parts=parts, seconds=seconds, peak_mb=peak, made_at=now(), facts=facts, made_with=made_with or {},
    )  # fmt: skip
    return put_manifest(writer, manifest)


def put_manifest(writer: StageWriter, manifest: Manifest[F]) -> Manifest[F]:
    """Write a manifest whose cost and time are those of before, with the files of now."""
    manifest = manifest.model_copy(update={"outputs": writer.outputs, "versions": _versions()})
    (writer.folder / "manifest.json").write_text(sealed(manifest.model_dump_json(indent=2)), encoding="utf-8")
    return manifest


@functools.cache
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
