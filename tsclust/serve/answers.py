"""Answers that experts give in a report opened from the service: in answers/, a file for each browser and name.

Nobody writes into the file of another one: two who answer at once lose nothing. Who sends says what they have seen
last, and what another browser has sent meanwhile is looked at first.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tsclust
from tsclust.errors import AnswersError, StageMissingError, WorkspaceBusyError
from tsclust.serve.problems import Refusal
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.labels import archive
from tsclust.stages.labels.answers import WHERE, Answers, Limits, parse
from tsclust.wording.names import fold, tidy
from tsclust.workspace.atomic import write_file
from tsclust.workspace.folder import Workspace

LATER = "kept; they become labels with the next job of kind run, import or train"
DRAFT = "kept; they become labels when they are sent with the button, or with the next job"
MOST = 30_000_000  # bytes of answers that are shown at once: the newest
REMEMBERED = 1_000  # files that need not be read again
Seen = tuple[str, int, int]


@dataclass(frozen=True)
class Known:
    """A file in answers/, as far as it can be read: who, about which sweep, and its text as JSON."""

    labeller: str
    model: str
    report: str
    text: str


class Experts:
    """The answers to the reports of all workspaces of a service."""

    def __init__(self) -> None:
        self._known: OrderedDict[Seen, Known | None] = OrderedDict()
        self._writing, self._importing = threading.Lock(), defaultdict[Path, threading.Lock](threading.Lock)

    def shown(self, workspace: Workspace, model: str, browser: str) -> tuple[str, str]:
        """(the version of what is kept, all answers about this sweep as JSON): {"answers": [{"labeller", "mine",
        "file"}], "left_out": how many older files had no room}. mine: this browser has sent it."""
        files = _files(workspace)
        known = [(path, one) for path, seen in files if (one := self._read(workspace, path, seen)) is not None]
        items, size = list[str](), 0
        for path, one in known:
            size += len(one.text) if one.model == model else 0
            if one.model == model and size <= MOST:
                mine = json.dumps(path.stem.endswith(f"-{_which(one.report, one.labeller, browser)}"))
                items.append(f'{{"labeller":{json.dumps(one.labeller)},"mine":{mine},"file":{one.text}}}')
        left = sum(one.model == model for _, one in known) - len(items)
        return _version(files), f'{{"answers":[{",".join(items)}],"left_out":{left}}}'

    def take(
        self, workspace: Workspace, content: bytes, browser: str = "", *, draft: bool = False, seen: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """(the version now, what became of it): keep a file, in the place of what this browser has sent before under
        the same name about the same report, and import it, unless it is a draft or a job is at work.

        browser: a secret of it, "" for a file that comes by itself; seen: the version that its sender knows.
        Raises AnswersError for what is none, which is not kept, StageMissingError, and Refusal (412).
        """
        answers = _checked(workspace, content)
        with self._writing:
            path = _place(workspace.root / "answers", answers, browser, content)
            if seen and seen != (now := _version(_files(workspace))):
                raise Refusal(412, f"others have answered meanwhile: expected If-Match {now}", "GET the answers first")
            before = path.read_bytes() if path.exists() else None
            write_file(path, content.decode("utf-8"))
            now = _version(_files(workspace))  # not of what others send during the import: its sender has not seen it
        done = _taken(path.name, DRAFT) if draft else self._import(workspace, path, content, before)
        return now, done

    def _import(self, workspace: Workspace, path: Path, content: bytes, before: bytes | None) -> dict[str, Any]:
        try:
            with self._importing[workspace.root]:
                done = tsclust.labels_import(workspace.root, [path], None, older=True)
        except WorkspaceBusyError:
            return _taken(path.name, LATER)
        except (AnswersError, StageMissingError):
            self._put_back(path, content, before)
            raise
        return {"file": path.name, "imported": True, "notes": list(done.notes), "facts": done.facts}

    def _put_back(self, path: Path, content: bytes, before: bytes | None) -> None:
        with self._writing, suppress(FileNotFoundError):
            if path.read_bytes() != content:
                return
            if before is None:
                path.unlink()
            else:
                write_file(path, before.decode("utf-8"))

    def _read(self, workspace: Workspace, path: Path, seen: Seen) -> Known | None:
        """None for what is no answers file: the import says so."""
        if seen not in self._known:
            with suppress(AnswersError, FileNotFoundError, IsADirectoryError):
                content = path.read_bytes()
                answers = parse(path.name, content, _limits(workspace))
                text = json.dumps(json.loads(content.decode("utf-8-sig")), ensure_ascii=False)
                self._known[seen] = Known(tidy(answers.labeller), answers.report.model, answers.report.id, text)
            self._known.setdefault(seen, None)
            while len(self._known) > REMEMBERED:
                with suppress(KeyError):
                    self._known.popitem(last=False)
        return self._known.get(seen)


def _files(workspace: Workspace) -> list[tuple[Path, Seen]]:
    """Those in answers/, the newest first, each with what changes when it does."""
    found: list[tuple[int, Path, Seen]] = []
    for path in (workspace.root / "answers").glob("*.json"):
        with suppress(FileNotFoundError):
            about = path.lstat()
            if path.is_file() and not path.is_symlink():
                found.append((about.st_mtime_ns, path, (str(path), about.st_mtime_ns, about.st_size)))
    return [(path, seen) for _, path, seen in sorted(found, reverse=True)]


def _version(files: list[tuple[Path, Seen]]) -> str:
    return f'"{hashlib.sha256(repr([seen for _, seen in files]).encode()).hexdigest()[:20]}"'


def _limits(workspace: Workspace) -> Limits:
    return Limits(archive.most_clusters(workspace))


def _checked(workspace: Workspace, content: bytes) -> Answers:
    """Raises AnswersError for what is none, or about a sweep that was never here: kept, it would fail in every job."""
    answers = parse("the answers file", content, _limits(workspace))
    model, now = answers.report.model, workspace.find_manifest(CLUSTERS)
    if (workspace.asked / model).is_dir() or (now is not None and model == now.output_hash):
        return answers
    if answers.series or not answers.groups or archive.members(workspace.stage(CLUSTERS), answers.groups) is None:
        raise AnswersError(f"the answers file is not about a report of {workspace.root.name}", WHERE)
    return answers


def _place(folder: Path, answers: Answers, browser: str, content: bytes) -> Path:
    """The file of a browser and a name, also where the report has another language and is called otherwise."""
    if not browser:
        return folder / f"answers-{hashlib.sha256(content).hexdigest()[:16]}.json"
    words = re.sub(r"[^\w.-]+", "_", f"{answers.report.name}-{tidy(answers.labeller)}")
    which = _which(answers.report.id, answers.labeller, browser)
    there = next(folder.glob(f"answers-*-{which}.json"), None)
    return there or folder / f"answers-{words.encode()[:180].decode(errors='ignore')}-{which}.json"


def _which(report: str, labeller: str, browser: str) -> str:
    """The end of that name: the secret of the browser cannot be read from it."""
    return hashlib.sha256("\0".join((browser, report, fold(labeller))).encode()).hexdigest()[:12]


def _taken(name: str, note: str) -> dict[str, Any]:
    return {"file": name, "imported": False, "notes": [note], "facts": None}
