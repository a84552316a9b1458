"""Writing to tsclust.toml what was found, without a change to the rest of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tomlkit

from tsclust.config.settings import section
from tsclust.errors import DiskFullError
from tsclust.workspace.atomic import write_file


def save_source(path: Path, flags: Mapping[str, object] | None, found: Mapping[str, str]) -> tuple[str, ...]:
    """Write what was said on the command line and what was found to [source]; the rest of the file stays as it is."""
    text = tomlkit.parse(path.read_text(encoding="utf-8"))
    source = text.setdefault("source", tomlkit.table())
    once = ("limit", "sample")  # for a first look: not what every reading should do
    said = {k: v for k, v in section(flags, "source").items() if v is not None and k not in once}
    for key, value in {**said, **found}.items():
        source[key] = value
    try:
        write_file(path, tomlkit.dumps(text))
    except DiskFullError as error:  # the series are in place by now
        raise DiskFullError(
            f"series/ was written, but not its settings: no space left on the disk for {path}, which is unchanged",
            "Free some space and run the same command again, or set them in [source] yourself",
        ) from error
    return (f"saved in [source] of {path}",)
