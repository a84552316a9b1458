"""Whether series/ is what is asked for: the settings it was read by."""

from __future__ import annotations

from pathlib import Path

from tsclust import config
from tsclust.config import Source
from tsclust.source.postgres import relation


def digest(source: Source, root: Path) -> str:
    """The hash of what is asked for: the settings but for speed and bounds, and the text of the .sql file they name."""
    asked = source.model_copy(
        update={name: Source.model_fields[name].default for name in ("longest", "workers", "retries")}
    )
    return config.digest(asked, _sql(source, root) if not source.files and (source.table or source.query) else "")


def _sql(source: Source, root: Path) -> str:
    return relation.text_of(source, root)
