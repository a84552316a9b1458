"""Writing to tsclust.toml what was found, without a change to the rest of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tomlkit

from tsclust.config.settings import section
from tsclust.workspace.atomic import write_file


def save_source(path: Path, flags: Mapping[str, object] | None, found: Mapping[str, str]) -> tuple[str, ...]:
    """Write what was said on the command line and what was found to [source]; the rest of the file stays as it is."""
    text = tomlkit.parse(path.read_text(encoding="utf-8"))
    source = text.setdefault("source", tomlkit.table())
    once = ("limit", "sample")  # for a first look: not what every reading should do
    said = {k: v for k, v in section(flags, "source").items() if v is not None and k not in once}
    for key, value in {**said, **found}.items():
        source[key] = value
    write_file(path, tomlkit.dumps(text))
    return (f"saved in [source] of {path}",)
