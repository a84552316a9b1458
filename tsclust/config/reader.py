"""Reads settings: flags, the environment (`TSCLUST_*`) and tsclust.toml, in this order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource
from pydantic_settings.exceptions import SettingsError as BadVariableError

from tsclust.config import kept as kept_settings
from tsclust.config.explained import explained
from tsclust.config.kept import PLACES
from tsclust.config.refusals import not_json, refuse_passwords
from tsclust.config.settings import Rule, Section, Settings
from tsclust.errors import SettingsError
from tsclust.workspace.manifest import MadeWith

_VALUES: ContextVar[dict[str, Any]] = ContextVar("_VALUES")


class _OfValues(Settings):
    """Settings whose values come from flags first, then the environment, then _VALUES. One class for all of them, as
    pydantic takes longer to make one than to use it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, _VALUES.get())


def _of_values(values: dict[str, Any], said: dict[str, Any]) -> Settings:
    token = _VALUES.set(values)
    try:
        return _OfValues(**said)
    finally:
        _VALUES.reset(token)


def load(path: Path, flags: Mapping[str, object] | None = None, made_with: MadeWith | None = None) -> Settings:
    """The settings in force for the tsclust.toml at `path`.

    `flags` is a nested dict of what the command line says, e.g. {"cluster": {"k": "2..40"}}; None means "not said".
    A place of series among them (table, query, files) replaces whichever the file has. `made_with` is what the stages
    that are there were made with: it counts before a file that has not changed since.
    Raises SettingsError with the key, the value and what was expected.
    """
    said = _given(flags or {})
    raw = read(path)
    try:
        kept = kept_settings.in_force(made_with or {}, raw, said)
        if place := {name for name in PLACES if name in said.get("source", {})}:
            said["source"] |= dict.fromkeys(PLACES - place, "")
        found = _of_values(kept_settings.merged(raw, kept), said)
        refuse_passwords(found.model_dump(exclude={"dsn"}))
    except BadVariableError as error:
        raise not_json(error) from None
    except ValidationError as error:
        raise explained(error, path, said, Settings, {"rule": Rule}) from None
    settings = Settings.model_construct(found.model_fields_set, **dict(found))
    sections = {name: value for name, value in settings if isinstance(value, Section)}
    settings._differences = kept_settings.differences(sections, raw)
    settings._forgotten = kept_settings.forgotten(made_with or {}, kept, said, sections)
    return settings


def read(path: Path) -> dict[str, Any]:
    """What the tsclust.toml at `path` has, as it is; {} where there is none. Raises SettingsError for no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "Fix that line") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text", "Save it as UTF-8") from None


def section(flags: Mapping[str, object] | None, name: str) -> dict[str, object]:
    """What flags say of a table of tsclust.toml; {} where they say nothing of it."""
    found = (flags or {}).get(name)
    return dict(found) if isinstance(found, Mapping) else {}


def _given(flags: Mapping[str, object]) -> dict[str, Any]:
    said = {key: _given(value) if isinstance(value, Mapping) else value for key, value in flags.items()}
    return {key: value for key, value in said.items() if value is not None and value != {}}
