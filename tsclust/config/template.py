"""The commented tsclust.toml that `tsclust init` writes. Every value in it is the default: a test holds that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

from tsclust.config.settings import Rule


def settings_text(rules: Sequence[Rule], table: str = "", baseline: Sequence[str] = ()) -> str:
    """The file's text, with what is known already filled in; `rules` are those that apply while it has none."""
    head = files("tsclust.config").joinpath("template.toml").read_text(encoding="utf-8")
    head = head.replace('\ntable = ""', f"\ntable = {_quoted(table)}", 1)
    head = head.replace("\nbaseline = []", f"\nbaseline = [{', '.join(map(_quoted, baseline))}]", 1)
    return head + "".join(map(_commented, rules))


def _commented(rule: Rule) -> str:
    fields = rule.model_dump().items()
    return "\n# [[rule]]\n" + "".join(f"# {key} = {_quoted(value)}\n" for key, value in fields)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
