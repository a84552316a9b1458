"""Which objects s3://BUCKET/KEY | PREFIX | GLOB means, as `paths` says it of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tsclust.errors import SettingsError
from tsclust.source.files import folders
from tsclust.source.files.objects import AT_ONCE, ObjectPath, listed, one, parsed

_FOLDERS = "(?:[^/]+/)*"
_GLOB = re.compile(r"[*?\[]")


def found(where: str, is_data: Sequence[str]) -> list[ObjectPath]:
    """The objects, in the order of their names; [] for none. is_data: the ends of names of data, for a prefix.

    An object of exactly this name is never a glob. Raises what a listing raises.
    """
    path = parsed(where)
    exact = one(path)
    if exact is not None:
        return [exact]
    root, names = _split(path)
    return sorted(_matching(root, names) if names else _in_prefix(root, where, is_data))


def root_of(where: str) -> ObjectPath:
    """The folder that all objects are in, or the one object."""
    return _split(parsed(where))[0]


def _split(path: ObjectPath) -> tuple[ObjectPath, tuple[str, ...]]:
    """The folder before the first name with a pattern, and the names from there on."""
    at = next((i for i, name in enumerate(path.parts) if _GLOB.search(name)), len(path.parts))
    names = path.parts[at:]
    return ObjectPath(*path.parts[:at]), (*names, "*") if names[-1:] == ("**",) else names


def _matching(root: ObjectPath, names: tuple[str, ...]) -> list[ObjectPath]:
    fits = re.compile("/".join(map(_pattern, names)).replace(f"{_FOLDERS}/", _FOLDERS))

    def is_found(path: ObjectPath) -> bool:
        name = path.relative_to(root)
        return bool(fits.fullmatch(str(name))) and not folders.is_hidden(name) and not folders.is_beside_data(name)

    return _without_markers(filter(is_found, listed(root, below=len(names) > 1 or "**" in names)))


def _without_markers(found: Iterable[ObjectPath]) -> list[ObjectPath]:
    """Without the empty objects two/ that stand for folders: the library lists them as two, where there is none."""
    paths = list(found)
    empty = [path for path in paths if not path.stat().st_size]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        markers = {path for path, there in zip(empty, pool.map(one, empty), strict=True) if there is None}
    return [path for path in paths if path not in markers]


def _pattern(name: str) -> str:
    """A name of a glob as a regular expression that stays within a name; ** is any folders."""
    if name == "**":
        return _FOLDERS
    pieces = re.split(r"(\*+|\?|\[!?[^\]]+\])", name)
    return "".join(
        "[^/]" + "*" * (piece != "?") if piece[:1] in ("*", "?") and piece
        else piece.replace("[!", "[^/") if i % 2 else re.escape(piece)
        for i, piece in enumerate(pieces)
    )  # fmt: skip


def _in_prefix(root: ObjectPath, where: str, is_data: Sequence[str]) -> list[ObjectPath]:
    """The data in it; where there is none, that in folders below that are columns (machine_id=1/)."""

    def fits(path: ObjectPath) -> bool:
        return path.name.lower().endswith(tuple(is_data)) and not folders.is_set_aside(path.relative_to(root))

    if here := _without_markers(filter(fits, listed(root, below=False))):
        return here
    deeper = _without_markers(filter(fits, listed(root, below=True)))
    if deeper and not all("=" in path.relative_to(root).parts[0] for path in deeper):
        raise SettingsError(
            f"{where} has data only in folders below ({deeper[0].relative_to(root)})",
            f'Name a glob: "{where.rstrip("/")}/**/*{deeper[0].suffix}"',
        )
    return deeper
