"""The model that scores, and the next one: a folder or a file that is replaced, or a model of `tsclust serve`.

A new one is read beside, by a thread of its own, and takes over between two batches: no message waits for it, none is
lost.
"""

from __future__ import annotations

import http.client
import logging
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tsclust.errors import ConnectError, SettingsError, TsclustError
from tsclust.json_log import note
from tsclust.stages.model import bundle, bundle_file
from tsclust.stages.model.bundle import ModelBundle
from tsclust.stages.scores.scorer import Scorer
from tsclust.workspace.integrity import MANIFEST

EVERY = 2.0  # seconds between two looks
PATIENCE = 20.0  # seconds for an answer of a service
LARGEST = 512_000_000  # bytes that a bundle may unpack to


class Place(Protocol):
    """Where a model is. `stamp` changes when there may be another one."""

    def stamp(self) -> object: ...

    def read(self) -> ModelBundle: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> object:
        return _stamp_of(self._path / MANIFEST)

    def read(self) -> ModelBundle:
        return bundle.read(self._path)


class File:
    """A bundle as `tsclust export --bundle` writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> object:
        return _stamp_of(self._path)

    def read(self) -> ModelBundle:
        return _unpacked(self._path)


class Registry:
    """http://HOST:PORT/models/NAME of a `tsclust serve`; token: a right to view, "" where none is asked for."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        self._tag = ""
        self._content = b""

    def stamp(self) -> object:
        request = urllib.request.Request(f"{self._url}/bundle", headers=self._headers())
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                self._content, self._tag = self._whole(answer), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise ConnectError(
                    f"{self._url}: {error.code} {error.reason}", "Check its address, and the token"
                ) from None
        except (OSError, http.client.HTTPException) as error:
            raise ConnectError(f"{self._url}: {getattr(error, 'reason', error)}", "Check its address") from None
        return self._tag

    def read(self) -> ModelBundle:
        tag, self._tag = self._tag, ""  # asked for again unless it can be used
        with tempfile.TemporaryDirectory(prefix="tsclust-model-") as folder:
            (Path(folder) / "bundle.zip").write_bytes(self._content)
            found = _unpacked(Path(folder) / "bundle.zip")
        self._tag = tag
        return found

    def _whole(self, answer: http.client.HTTPResponse) -> bytes:
        """All of it: a connection that breaks ends what is read of an answer without an error. Raises ConnectError."""
        content, announced = answer.read(LARGEST), answer.headers.get("Content-Length", "")
        if announced.isdecimal() and len(content) != min(int(announced), LARGEST):
            raise ConnectError(
                f"{self._url}: {len(content):,} of {int(announced):,} bytes came", "It is asked for again by itself"
            )
        return content

    def _headers(self) -> dict[str, str]:
        known = {"If-None-Match": self._tag} if self._tag else {}
        return known | ({"Authorization": f"Bearer {self._token}"} if self._token else {})


def place_of(model: str, token: str) -> Place:
    """Raises SettingsError for an address that is none."""
    if "://" in model:
        if not model.startswith(("http://", "https://")) or "/models/" not in model:
            raise SettingsError(
                f"--model {model}: expected the address of a model of tsclust serve",
                "For example http://127.0.0.1:8765/models/plant",
            )
        return Registry(model, token)
    path = Path(model).expanduser()
    return File(path) if path.is_file() else Folder(path)


class Models:
    """Which one scores. changed: told of each that takes over."""

    def __init__(self, place: Place, *, allow_features: bool, changed: Callable[[Scorer], None]) -> None:
        """Raises what reading the first one raises."""
        self._place, self._allow, self._changed = place, allow_features, changed
        self._stamp, self.scorer = self._place.stamp(), self._read()
        changed(self.scorer)

    def watch(self, stop: threading.Event) -> None:
        """Look for another one, until `stop`: the body of a thread."""
        said = ""
        while not stop.wait(EVERY):
            try:
                self.look()
                said = ""
            except (TsclustError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    note("the new model cannot be used; the one before goes on", logging.WARNING, why=said)

    def look(self) -> None:
        """Take another one that is there. Raises what reading it raises."""
        stamp = self._place.stamp()
        if stamp == self._stamp:
            return
        found = self._read()
        self._stamp = stamp
        if found.model.facts.id != self.scorer.model.facts.id:
            self.scorer = found
            self._changed(found)
            note("model", id=found.model.facts.id)

    def _read(self) -> Scorer:
        found = Scorer(self._place.read(), allow_features=self._allow)
        found.warm()
        return found


def _stamp_of(path: Path) -> object:
    try:
        about = path.stat()
    except OSError:
        return None  # reading it says what is wrong
    return about.st_mtime_ns, about.st_ino, about.st_size


def _unpacked(path: Path) -> ModelBundle:
    with tempfile.TemporaryDirectory(prefix="tsclust-model-") as folder:
        bundle_file.unpack(path, Path(folder), LARGEST)
        return bundle.read(Path(folder), LARGEST)
