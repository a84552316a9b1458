"""[log] of tsclust.toml."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Log(BaseModel):
    """Where the command line notes what it did: a file, relative to the workspace; "" for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = ""
