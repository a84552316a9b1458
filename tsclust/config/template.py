"""The commented tsclust.toml that `tsclust init` writes. Every value in it is the default: a test holds that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType

from tsclust.config.settings import Report, Rule


def settings_text(
    rules: Sequence[Rule],
    table: str = "",
    baseline: Sequence[str] | None = None,
    files: str = "",
    report: Mapping[str, str | float] = MappingProxyType({}),
) -> str:
    """The file's text, with what is known already filled in; `rules` are those that apply while it has none.

    report: settings of [report] in the place of their defaults.
    """
    head = resources.files("tsclust.config").joinpath("template.toml").read_text(encoding="utf-8")
    head = head.replace('\ntable = ""', f"\ntable = {_quoted(table)}", 1)
    head = head.replace('\nfiles = ""', f"\nfiles = {_quoted(files)}", 1)
    if baseline is not None:  # "" is none of them: off, which is not the same as not set
        columns = ", ".join(_quoted(name) for name in baseline if name)
        head = head.replace("\n# baseline = []", f"\nbaseline = [{columns}]", 1)
    for name, value in report.items():
        line = f"\n{name} = {_value(Report().model_dump()[name])}\n"
        head = head.replace(line, f"\n{name} = {_value(value)}\n", 1)
    return head + "".join(map(_commented, rules))


def _commented(rule: Rule) -> str:
    fields = rule.model_dump().items()
    return "\n# [[rule]]\n" + "".join(f"# {key} = {_quoted(value)}\n" for key, value in fields)


def _value(value: str | float) -> str:
    return _quoted(value) if isinstance(value, str) else str(float(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
