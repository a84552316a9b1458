"""Pages in reports/ that were perhaps mailed: the newest has the name, each earlier one the number of its run, too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tsclust.file_hash import file_hash
from tsclust.workspace.atomic import appearing, link_or_copy, link_tree, write_file
from tsclust.workspace.history import History


def write_page(root: Path, command: str, path: Path, text: str) -> None:
    """Write a page; another one of that name keeps its bytes under the number of the run that wrote it."""
    write_pages(root, command, {path: text})


def write_pages(root: Path, command: str, texts: Mapping[Path, str]) -> None:
    """`write_page` of several pages of one run."""
    wrote = {}
    for path, text in texts.items():
        found, new = hash_of(path), hashlib.sha256(text.encode()).hexdigest()
        if found != new:
            _keep(root, path, found)
            write_file(path, text)
            wrote[path.name] = new
    if wrote:
        History(root).record_pages(command, wrote)


def record(root: Path, command: str, *paths: Path) -> None:
    """Write down that a command has written pages, or the folders of those in several files."""
    History(root).record_pages(command, {path.name: hash_of(path) or "" for path in paths})


def keep_page(root: Path, path: Path) -> None:
    """Give a page, or the folder of one in several files, a second name: that with its number."""
    _keep(root, path, hash_of(path))


def _keep(root: Path, path: Path, found: str | None) -> None:
    """found: its hash."""
    if found is None:
        return
    kept = numbered(path, _number_of(root, path, found))
    while kept.exists() and hash_of(kept) != found:  # somebody gave another page this name
        kept = numbered(path, _record(root, path, found))
    if kept.exists():
        return
    if path.is_dir():
        link_tree(path, kept)
    else:
        with appearing(kept) as beside:
            link_or_copy(path, beside)


def numbered(path: Path, number: int) -> Path:
    """reports/report-12.html of reports/report.html."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def earlier_pages(history: History) -> dict[str, list[Path]]:
    """The earlier ones of each page that are kept, the oldest first."""
    found: dict[str, list[Path]] = {}
    for run in history.runs:
        for name in run.pages:
            kept = numbered(history.root / "reports" / name, run.number)
            if kept.exists():
                found.setdefault(name, []).append(kept)
    return found


def hash_of(path: Path) -> str | None:
    """Of a page, or of all files of one in several; None where there is none."""
    if path.is_dir():
        each = [(one.name, hash_of(one)) for one in sorted(path.glob("*.html"))]
        return hashlib.sha256(repr(each).encode()).hexdigest()
    return file_hash(path) if path.exists() else None


def _number_of(root: Path, path: Path, found: str) -> int:
    """Of the run that wrote it; where none is known, of one that is written down now."""
    wrote = [run.number for run in History(root).runs if run.pages.get(path.name) == found]
    return wrote[-1] if wrote else _record(root, path, found)


def _record(root: Path, path: Path, found: str) -> int:
    History(root).record_pages("report", {path.name: found})
    return History(root).runs[-1].number
