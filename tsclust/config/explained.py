"""What is wrong with a setting, as one line: the key or flag, its value, what was expected."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from tsclust.config.flags import flag
from tsclust.errors import SettingsError

Model = type[BaseModel]


def explained(
    error: ValidationError,
    path: Path,
    said: Mapping[str, Any],
    model: type[BaseModel],
    items: Mapping[str, type[BaseModel]],
) -> SettingsError:
    """The first error of `model`, the settings of the tsclust.toml at `path` with the flags `said`.

    items: list of tables -> what one of them is.
    """
    first = error.errors()[0]
    key = ".".join(str(p) for p in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        return SettingsError(f"unknown key {key} in {path}{_near(first['loc'], model, items)}", "Correct or remove it")
    value = "***" if _is_secret(first["loc"], model) else repr(first["input"])[:200]
    expected = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if _was_said(first["loc"], said):
        return SettingsError(f"{flag(str(first['loc'][1]))} {value}: {expected}", "Correct it on the command line")
    variable = "TSCLUST_" + key.upper().replace(".", "__")
    where = f"environment variable {variable}" if variable in os.environ else key
    return SettingsError(f"{where} = {value}: {expected}", f"Correct it (file: {path})")


def _is_secret(loc: tuple[int | str, ...], model: Model) -> bool:
    """Whether the setting at `loc`, or what it is part of, is one that nobody is to see."""
    for step in loc:
        annotation = getattr(model.model_fields.get(str(step)), "annotation", None)
        if annotation is SecretStr:
            return True
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    return False


def _was_said(loc: tuple[int | str, ...], said: Mapping[str, Any]) -> bool:
    """Whether the value at `loc` came with a flag."""
    return len(loc) > 1 and loc[1] in said.get(str(loc[0]), {})


def _near(loc: tuple[int | str, ...], model: Model, items: Mapping[str, Model]) -> str:
    """The keys that look like the unknown one: `, did you mean baseline?`"""
    for step in loc[:-1]:
        annotation = items.get(str(step)) or getattr(model.model_fields.get(str(step)), "annotation", None)
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    near = difflib.get_close_matches(str(loc[-1]), list(model.model_fields), n=2, cutoff=0.5)
    return f" (did you mean {' or '.join(near)}?)" if near else f" (known: {', '.join(model.model_fields)})"
