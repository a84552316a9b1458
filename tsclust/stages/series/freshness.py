"""Whether series/ is what is asked for: the settings it was read by, and those it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsclust import config
from tsclust.config import Source
from tsclust.errors import DamagedError
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

Flags = Mapping[str, object] | None


def with_remembered(workspace: Workspace, flags: Flags) -> Flags:
    """The flags; where neither they nor tsclust.toml nor the environment say where series are, with those that series/
    was read with: `extract --from FILE` is enough for all that comes after."""
    try:
        before = workspace.find_manifest(SERIES)
    except DamagedError:  # what is to be read again needs none
        return flags
    if before is None or not before.facts.flags or config.load(workspace.config, flags).source.has_place:
        return flags
    given = {name: value for name, value in config.section(flags, "source").items() if value is not None}
    return {**(flags or {}), "source": before.facts.flags | given}


def digest(source: Source, root: Path) -> str:
    """The hash of what is asked for: the settings but for speed and bounds, and the text of the .sql file they name."""
    asked = source.model_copy(
        update={name: Source.model_fields[name].default for name in ("longest", "workers", "retries")}
    )
    return config.digest(asked, _sql(source, root) if not source.files and (source.table or source.query) else "")


def _sql(source: Source, root: Path) -> str:
    from tsclust.source.postgres import relation  # psycopg, which `status` on files does without

    return relation.relation(source, root).text.as_string()
