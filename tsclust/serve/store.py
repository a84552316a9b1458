"""Models on the disk of the service: .serve/models/NAME/ID/ is a bundle, NAME/versions.json says which is current."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tsclust.clock import now
from tsclust.errors import DamagedError
from tsclust.file_hash import file_hash
from tsclust.serve.names import checked, fits
from tsclust.serve.problems import Refusal
from tsclust.stages.model import bundle, bundle_file
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.model.facts import MODEL
from tsclust.stages.model.quality import Quality
from tsclust.stages.model.skops_file import AGAIN
from tsclust.workspace.atomic import link_or_copy, remove, replace_folder, write_file
from tsclust.workspace.folder import Workspace
from tsclust.workspace.integrity import MANIFEST

FILE = "versions.json"
ID = re.compile("[0-9a-f]{12}")


class Added(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    added_at: str


class Versions(BaseModel):
    """The versions of a model, oldest first. chosen: which was current when, the last one is; each of them at most once
    in a row, so that `roll back` has somewhere to go."""

    model_config = ConfigDict(frozen=True)

    versions: tuple[Added, ...]
    chosen: tuple[str, ...]

    @property
    def current(self) -> str:
        return self.chosen[-1]

    def has(self, version: str) -> bool:
        return any(one.id == version for one in self.versions)

    def with_current(self, version: str) -> Versions:
        if version == self.current:
            return self
        return self.model_copy(update={"chosen": (*self.chosen[-99:], version)})


@dataclass(frozen=True)
class Store:
    """The models below a folder. largest: bytes that a bundle may unpack to; allow: run features that bundles bring."""

    folder: Path
    largest: int
    allow_features: bool
    _lock: threading.RLock

    @classmethod
    def at(cls, folder: Path, largest: int, allow_features: bool) -> Store:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".*"):
            remove(leftover)
        return cls(folder, largest, allow_features, threading.RLock())

    def names(self) -> list[str]:
        """Of all models."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{FILE}"))

    def versions(self, name: str) -> Versions:
        """Raises Refusal where there is no such model."""
        try:
            return Versions.model_validate_json((self.folder / name / FILE).read_bytes()) if fits(name) else _none(name)
        except (FileNotFoundError, NotADirectoryError):
            return _none(name)
        except ValidationError:
            raise Refusal(500, f"{FILE} of the model {name} cannot be read", "Add the model again", code=14) from None

    def add_file(self, name: str, file: Path) -> ModelBundle:
        """A bundle as `tsclust export` writes it, which anybody may have sent, becomes the current version.

        Raises DamagedError, StageMissingError or Refusal.
        """
        with self._beside() as beside:
            bundle_file.unpack(file, beside, self.largest)
            return self._take(name, beside)

    def add_folder(self, name: str, folder: Path) -> ModelBundle:
        """The model of a workspace becomes the current version. Raises as `add_file` does."""
        with self._beside() as beside:
            for file in (MANIFEST, bundle.FILE, bundle.FEATURES_FILE):
                if (folder / file).exists() or file != bundle.FEATURES_FILE:
                    link_or_copy(folder / file, beside / file)
            return self._take(name, beside)

    def publish(self, root: Path, name: str) -> str:
        """The model of the workspace `name` in a folder of them becomes one of the same name. Raises as `add_file`."""
        workspace = Workspace(root / checked(name, "workspace"))
        if not workspace.config.is_file():
            raise Refusal(404, f"there is no workspace {name!r}", "See GET /workspaces", code=4)
        workspace.manifest(MODEL)
        self.add_folder(name, workspace.stage(MODEL))
        return name

    def open(self, name: str, version: str) -> ModelBundle:
        """Raises Refusal where there is no such version, and what `bundle.read` raises."""
        if not self.versions(name).has(version):
            raise Refusal(404, f"the model {name} has no version {version[:64]!r}", f"See GET /models/{name}")
        return bundle.read(self.folder / name / version, self.largest)

    def pack(self, name: str, version: str, file: Path) -> None:
        """A version as one file. Raises what reading it raises."""
        bundle_file.write(self.folder / name / version, file)

    def choose(self, name: str, version: str) -> Versions:
        """This version becomes the current one. Raises Refusal."""
        with self._lock:
            found = self.versions(name)
            if not found.has(version):
                raise Refusal(404, f"the model {name} has no version {version[:64]!r}", f"See GET /models/{name}")
            return self._write(name, found.with_current(version))

    def roll_back(self, name: str) -> Versions:
        """The version that was current before. Raises Refusal where there was none."""
        with self._lock:
            found = self.versions(name)
            if len(found.chosen) < 2:
                raise Refusal(
                    409, f"no version of {name} was current before {found.current}", "Choose one: POST current"
                )
            return self._write(name, found.model_copy(update={"chosen": found.chosen[:-1]}))

    def _take(self, name: str, beside: Path) -> ModelBundle:
        model = bundle.read(beside, self.largest)
        if not ID.fullmatch(model.facts.id):  # it becomes the name of a folder
            raise DamagedError(f"the model calls itself {model.facts.id[:64]!r}: expected 12 hex digits", AGAIN)
        if model.feature_text and not self.allow_features:
            raise Refusal(
                422, f"the model {model.facts.id} has features that are Python code written by whoever trained it",
                "If you trust where it comes from, start the service with --allow-features", code=3,
            )  # fmt: skip
        with self._lock:
            self._put(name, model, beside)
        return model

    def _put(self, name: str, model: ModelBundle, beside: Path) -> None:
        version = model.facts.id
        there = self.versions(name) if (self.folder / name / FILE).exists() else Versions(versions=(), chosen=("",))
        (self.folder / name).mkdir(exist_ok=True)
        if there.has(version):
            self._refuse_another(name, model, beside)
        replace_folder(beside, self.folder / name / version)  # what is known of its quality may be newer
        if not there.has(version):
            added = (*there.versions, Added(id=version, added_at=now()))
            there = Versions(versions=added, chosen=tuple(filter(None, there.chosen)) or (version,))
        self._write(name, there.with_current(version))

    def _refuse_another(self, name: str, model: ModelBundle, beside: Path) -> None:
        """Raises Refusal where the version that is there scores otherwise."""
        folder = self.folder / name / model.facts.id
        with suppress(DamagedError):  # then this one mends it
            if _scores_by(bundle.read(folder, self.largest), folder) != _scores_by(model, beside):
                raise Refusal(
                    409, f"the model {name} has a version {model.facts.id} already, with other content",
                    "Export the model again with tsclust export --bundle, or add it under another name",
                )  # fmt: skip

    def _write(self, name: str, versions: Versions) -> Versions:
        write_file(self.folder / name / FILE, versions.model_dump_json(indent=1))
        return versions

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        beside = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
        try:
            yield beside
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _none(name: str) -> Versions:
    raise Refusal(404, f"there is no model {name[:100]!r}", "See GET /models, or add it: POST /models")


def _scores_by(model: ModelBundle, folder: Path) -> tuple[str, str, str]:
    """All that decides on scores: the id of an honest model is a hash of the same."""
    facts = model.facts.model_copy(update={"quality": Quality()}).model_dump_json()
    return facts, file_hash(folder / bundle.FILE), model.feature_text
