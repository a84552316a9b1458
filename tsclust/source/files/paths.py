"""Which files FILE | DIR | GLOB means. `status` asks this: what reads files is not needed for it, nor imported."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from tsclust.errors import SettingsError
from tsclust.source.files import folders, object_paths
from tsclust.source.files.objects import About, FilePath, ObjectPath, is_object
from tsclust.source.table import near

_SUFFIXES = (".parquet", ".pq", *(f"{s}{z}" for s in (".csv", ".tsv", ".txt") for z in ("", ".gz")))
EXPECTED = "expected CSV (also .gz), Parquet or a pg_dump"


def found(where: str, base: Path) -> Sequence[FilePath]:
    """The files or objects, in the order of their names; a pg_dump that is a folder counts as a file.

    What is there under exactly this name is never read as a glob. Raises SettingsError where nothing is.
    """
    if is_object(where):
        return _objects(where, base)
    try:
        path = _path(where, base)
        if not where.strip():
            raise SettingsError("The source is an empty path", "Name a file, a folder or a glob such as data/*.csv.gz")
        paths = _in_folder(path, where) if path.exists() else _by_glob(path)
    except (OSError, ValueError, RuntimeError) as error:  # a forbidden folder, a NUL in a name, ~nobody
        raise SettingsError(f"{where!r} cannot be looked up ({error})", "Check the path and its permissions") from None
    if not paths:
        raise _nothing(path, where)
    folders.refuse_tables(root_of(where, base), paths, where)
    return paths


def _objects(where: str, base: Path) -> list[ObjectPath]:
    paths = object_paths.found(where, _SUFFIXES)
    if not paths:
        raise SettingsError(f"There is no {where}: {EXPECTED}", "Check bucket, prefix and pattern: aws s3 ls")
    folders.refuse_tables(root_of(where, base), paths, where)
    return paths


def _path(where: str, base: Path) -> Path:
    return base / (Path(where).expanduser() if where.startswith("~") else where)


def root_of(where: str, base: Path) -> FilePath:
    """The folder that all files are in, or the one file."""
    if is_object(where):
        return object_paths.root_of(where)
    return _there(_path(where, base))[0]


def label_of(path: FilePath, base: Path) -> str:
    if isinstance(path, ObjectPath):
        return path.url
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


def _in_folder(path: Path, where: str) -> list[Path]:
    """The path itself, or the data in it where it is a folder and no dump."""
    if not path.is_dir() or (path / "toc.dat").exists():
        return [path]
    folders.refuse_tables(path, (), where)
    data = sorted(p for p in path.iterdir() if _is_data(p, path))
    below = [] if data else sorted(p for p in path.rglob("*") if _is_data(p, path))
    if below and all("=" in p.relative_to(path).parts[0] for p in below):  # machine_id=1/
        return below
    if below:
        deeper = below[0]
        raise SettingsError(
            f"{where} has data files only in subfolders ({deeper.relative_to(path)})",
            f'Name a glob: "{where.rstrip("/")}/**/*{deeper.suffix}"',
        )
    return data


def _is_data(path: Path, root: Path) -> bool:
    of_data = path.name.lower().endswith(_SUFFIXES) and not folders.is_set_aside(path.relative_to(root))
    return of_data and path.is_file()


def _by_glob(path: Path) -> list[Path]:
    """What a glob finds; folders on the way that are there literally are taken literally."""
    folder, names = _there(path)
    # Path.glob would find hidden files, too.
    paths = (folder / name for name in glob.glob("/".join(names), root_dir=folder, recursive=True))  # noqa: PTH207
    there = (p for p in paths if p.is_file() or (p / "toc.dat").exists())
    return sorted(p for p in there if not folders.is_beside_data(p.relative_to(folder)))


def _there(path: Path) -> tuple[Path, list[str]]:
    """The part of a path that is there, and the names behind it."""
    folder, names = Path(path.anchor), list(path.parts[1 if path.anchor else 0 :])
    while names and (folder / names[0]).exists():
        folder /= names.pop(0)
    return folder, names


def _nothing(path: Path, where: str) -> SettingsError:
    folder, names = _there(path)
    if not folder.is_dir():
        return SettingsError(f"{where}: {folder.name} is not a folder", "Check the path")
    there = near(names[0] if names else "", sorted(p.name for p in folder.iterdir() if p.name[0] != "."))
    what = f"No data file in {where}" if not names else f"There is no {where}"
    return SettingsError(
        f"{what}: {EXPECTED}", f"In {folder.name or folder} there is: {there}" if there else f"{folder} is empty"
    )


def state(path: FilePath) -> tuple[str, int, int | str]:
    """By what another content is seen: its name, its size, and when it was changed or, of an object, its ETag."""
    about = path.stat()
    return str(path), about.st_size, about.mark if isinstance(about, About) else about.st_mtime_ns
