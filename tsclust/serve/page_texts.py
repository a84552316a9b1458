"""The texts of the pages, in a language: `stages`, `units`, `errors`, `problems` by their English words, or codes."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def texts(lang: str) -> dict[str, Any]:
    """Those of the service's own pages."""
    return tomllib.loads((HERE / f"texts.{lang}.toml").read_text(encoding="utf-8"))


def of_problems(lang: str) -> dict[str, Any]:
    """What static/problems.js needs to say what went wrong."""
    return {name: texts(lang)[name] for name in ("errors", "problems", "in_detail")}
