"""Settings that last: what a flag or a variable set for a stage holds until another one, or tsclust.toml, is changed.

A stage remembers each setting in which it differs from tsclust.toml, with what the file had for it then. While the file
still has that, the stage's own counts; once the file was changed there, the file does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from tsclust.workspace.manifest import KeptSetting, MadeWith

PLACES = frozenset({"table", "query", "files"})  # of series
_ONLY_NOW = frozenset({("source", "workers"), ("source", "retries")})  # how fast, not what
Values = Mapping[str, Any]


def in_force(made_with: MadeWith, raw: Values, given: Values) -> dict[str, dict[str, Any]]:
    """section -> key -> value of what stages were made with and tsclust.toml, as it is now, was not changed in.

    raw: the content of tsclust.toml. given: flags. Another place of series, by whatever, forgets what was set for the
    one before.
    """
    kept = {
        section: {key: one.value for key, one in keys.items() if one.file == _in_file(raw, section, key)}
        for section, keys in made_with.items()
    }
    if _is_elsewhere(made_with.get("source", {}), raw, given):
        kept["source"] = {}
    return kept


def merged(raw: Values, kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The file's values with those that are kept in their place. What is no table stays, to be refused."""
    merged = dict(raw)
    for name, keys in kept.items():
        below = raw.get(name, {})
        if keys and isinstance(below, Mapping):
            merged[name] = {**below, **keys}
    return merged


def forgotten(made_with: MadeWith, kept: Values, given: Values, sections: Mapping[str, BaseModel]) -> MadeWith:
    """What stages were made with and no longer is in force, although no flag takes its place."""
    found = {}
    for section, keys in made_with.items():
        now = sections[section].model_dump(mode="json")
        left = {key: one for key, one in keys.items() if key not in kept[section] and key not in given.get(section, {})}
        found[section] = {key: one for key, one in left.items() if one.value != now.get(key)}
    return found


def _is_elsewhere(source: Mapping[str, KeptSetting], raw: Values, given: Values) -> bool:
    """Whether flags, the environment or a change of tsclust.toml name another place than the stage was read from."""
    changed = any(source[name].file != _in_file(raw, "source", name) for name in PLACES & source.keys())
    set_now = _given_places(given)
    then = {name: source[name].value for name in PLACES & source.keys() if source[name].value}
    return changed or bool(set_now and then and set_now != then)


def _given_places(given: Values) -> dict[str, Any]:
    """The places of series that flags name, or else the environment."""
    flags = {name: value for name, value in given.get("source", {}).items() if name in PLACES and value}
    names = {f"tsclust_source__{name}": name for name in PLACES}
    variables = {names[key.lower()]: value for key, value in os.environ.items() if key.lower() in names and value}
    return flags or variables


def differences(sections: Mapping[str, BaseModel], raw: Values) -> dict[str, dict[str, KeptSetting]]:
    """section -> key -> what is in force there, where tsclust.toml has something else, or its default does."""
    found = {name: _of_section(name, section, raw) for name, section in sections.items()}
    return {name: keys for name, keys in found.items() if keys}


def _of_section(name: str, section: BaseModel, raw: Values) -> dict[str, KeptSetting]:
    now, file = section.model_dump(mode="json"), _alone(type(section), raw.get(name, {}))
    return {
        key: KeptSetting(value=value, file=_in_file(raw, name, key))
        for key, value in now.items()
        if value != file.get(key) and (name, key) not in _ONLY_NOW
    }


def _alone(section: type[BaseModel], raw: object) -> dict[str, Any]:
    """What the file by itself gives for a section; the defaults where it is not fit to be used."""
    try:
        return section.model_validate(raw).model_dump(mode="json")
    except ValidationError:
        return section().model_dump(mode="json")


def _in_file(raw: Values, section: str, key: str) -> Any:
    """The value of a key as JSON has it; None where tsclust.toml has none."""
    of_section = raw.get(section)
    value = of_section.get(key) if isinstance(of_section, Mapping) else None
    return json.loads(json.dumps(value, default=str))
