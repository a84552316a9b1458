"""A hash of settings."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def digest(*sections: BaseModel | tuple[BaseModel, ...] | str) -> str:
    """A hash of settings: equal settings, equal hash, whatever their order in the file."""
    plain = [_plain(s) for s in sections]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _plain(section: BaseModel | tuple[BaseModel, ...] | str) -> Any:
    if isinstance(section, BaseModel):  # a later key counts where it is set: what was made before stays up to date
        plain = section.model_dump(mode="json", exclude=_unset(section))
        return {key: [] if value is None else value for key, value in plain.items()}  # not set is off, as it was
    return [_plain(s) for s in section] if isinstance(section, tuple) else section


def _unset(section: BaseModel) -> set[str]:
    """The later keys of a section that have their default."""
    fields = type(section).model_fields
    return {n for n in getattr(section, "LATER", ()) if getattr(section, n) == fields[n].default}
