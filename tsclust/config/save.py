"""Writing to tsclust.toml what flags set and what was found, without a change to the rest of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from tsclust.config.flags import ONCE
from tsclust.errors import DiskFullError
from tsclust.workspace.atomic import write_file
from tsclust.workspace.manifest import MadeWith


def save(path: Path, wrote: str, made_with: MadeWith, found: Mapping[str, str]) -> tuple[str, ...]:
    """Write the settings something was made with and, to [source], what was found; the rest of the file stays.

    wrote: what was made with them, for the message. Raises DiskFullError, which leaves the file as it is.
    """
    sections: dict[str, dict[str, Any]] = {name: _lasting(keys) for name, keys in made_with.items()}
    if found:
        sections["source"] = {**sections.get("source", {}), **found}
    text = tomlkit.parse(path.read_text(encoding="utf-8"))
    for name, values in sections.items():
        for key, value in values.items():
            text.setdefault(name, tomlkit.table())[key] = value
    try:
        write_file(path, tomlkit.dumps(text))
    except DiskFullError as error:  # it is in place by now
        raise DiskFullError(
            f"{wrote} was written, but not its settings: no space left on the disk for {path}, which is unchanged",
            f"Free some space and run the same command again, or set them in {path.name} yourself",
        ) from error
    there = [name for name, values in sections.items() if values]
    return tuple(f"saved in [{name}] of {path}" for name in there) or (f"{path} has all of it already",)


def _lasting(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: one.value for key, one in keys.items() if key not in ONCE and one.value is not None}
