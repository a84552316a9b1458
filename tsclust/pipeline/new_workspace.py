"""A workspace from flags alone: `run` on a folder that is none, and `init`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust import config
from tsclust.config.kept import PLACES
from tsclust.config.save import save
from tsclust.errors import SettingsError
from tsclust.pipeline import init


def make_if_new(root: Path, flags: Mapping[str, object] | None) -> None:
    """Make `root` a workspace with these settings where it is none and they say where series are: what was given is
    written to tsclust.toml. Raises SettingsError for a folder of other things.
    """
    said = config.section(flags, "source")
    if (root / "tsclust.toml").exists() or not any(said.get(name) for name in PLACES):
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise SettingsError(f"{root} exists and is no workspace: expected a new or an empty folder", "Name one with -w")
    settings = config.load(root / "tsclust.toml", flags)
    init.init(root)
    save(root / "tsclust.toml", "tsclust.toml", settings.differences(), {})
