"""Settings in the words of the command line: what a stage was made with, where tsclust.toml has something else."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tsclust.config.kept import PLACES
from tsclust.config.texts import MISSING
from tsclust.workspace.manifest import KeptSetting, MadeWith

ONCE = frozenset({"limit", "sample"})  # of a source, for a first look: not what every reading should do
_NAMES = {"files": "from", "scheduler": "engine"}  # setting -> flag, where it has another name
_WITH_FLAG: Mapping[str, tuple[str, ...]] = {
    "source": ("table", "query", "files", "layout", "id", "values", "order", "carry", "missing", "time_format", "where",
               "limit", "sample", "merge"),
    "features": ("peak",),
    "cluster": ("k", "scaling", "baseline", "groups", "seed"),
    "report": ("title", "lang", "charts", "split", "sheet"),
    "labels": ("resolve",),
    "train": ("machine", "reject_errors", "answer"),
    "engine": ("scheduler", "tls_ca_file", "tls_cert", "tls_key"),
}  # fmt: skip


def flag(name: str) -> str:
    """--from for files, --time-format for time_format"""
    return "--" + _NAMES.get(name, name).replace("_", "-")


def as_typed(section: str, key: str, value: Any) -> str:
    """`--seed 9`, or `[cluster] restarts = 7` where no flag sets it."""
    if key not in _WITH_FLAG.get(section, ()):
        return f"[{section}] {key} = {_text(value)}"
    if isinstance(value, bool):
        return flag(key) if value else f"--no-{flag(key)[2:]}"
    if key == "missing":
        value = [text for text in value if text not in MISSING]
    values = value or [""] if isinstance(value, list | tuple) else [value]
    return " ".join(f"{flag(key)} {shlex.quote(str(one))}" for one in values)


def notes(made_with: MadeWith) -> tuple[str, ...]:
    """A line on what was set otherwise than tsclust.toml has it, and how that comes to be there; () for nothing."""
    pairs = [(section, key, one) for section, keys in made_with.items() for key, one in _merged_places(keys).items()]
    last = [(as_typed(s, key, one.value), _text(one.file)) for s, key, one in pairs if key not in ONCE]
    once = [as_typed(s, key, one.value) for s, key, one in pairs if key in ONCE]
    again = f"made with {', '.join(once)}, for a first look: --limit 0 --sample 100% reads all"
    return (*_line(last), *([again] if once else ()))


def forgotten(made_with: MadeWith) -> tuple[str, ...]:
    """A line on what no longer counts; () for nothing."""
    typed = [as_typed(s, key, one.value) for s, keys in made_with.items() for key, one in _merged_places(keys).items()]
    why = "tsclust.toml was changed there since, or the source is another"
    return (f"no longer counts: {', '.join(typed)} ({why})",) if typed else ()


def _line(pairs: list[tuple[str, str]]) -> Iterator[str]:
    if pairs:
        advice = f"--save keeps {'them' if len(pairs) > 1 else 'it'}"
        typed, file = (", ".join(one) for one in zip(*pairs, strict=True))
        yield f"made with {typed}; tsclust.toml says {file}: {advice}"


def _merged_places(keys: Mapping[str, KeptSetting]) -> dict[str, KeptSetting]:
    """One place of series in the stead of another is one setting, not two."""
    file = next((keys[name].file for name in PLACES & keys.keys() if keys[name].file), None)
    rest = {name: one for name, one in keys.items() if name not in PLACES or one.value}
    return {name: one.model_copy(update={"file": file}) if name in PLACES else one for name, one in rest.items()}


def _text(value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value))[:100] if isinstance(value, list) else str(value)[:100]
