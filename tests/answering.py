"""Answers as an expert would save them, without a browser: from what a report asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsclust.answers import checksum

ASKED = ("group", "within", "k", "cluster", "size", "members_hash")
FIRST = "2026-01-01T00:00:00.000Z"


def form_of(report: Path, block: str = "form") -> dict[str, Any]:
    """What a page asks."""
    text = report.read_text(encoding="utf-8")
    start = text.index(f'id="{block}">') + len(f'id="{block}">')
    form: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    return form


def answered(
    form: Mapping[str, Any], who: str, said: Mapping[str, Any], *, at: str = FIRST, **changes: Any
) -> dict[str, Any]:
    """The answers of `who`: name of a group -> a malfunction's name, a verdict, or more fields of an answer.

    said["rule:NAME"] are series that the rule is wrong about. changes: of the whole file.
    """
    groups = {group["name"]: group for group in form["groups"]}
    body = {
        "format": form["format"], "version": form["version"], "report": form["report"], "lang": "en", "labeller": who,
        "started_at": at, "saved_at": at,
        "groups": [_group(groups[name], given, at) for name, given in said.items() if name in groups],
        "series": [_series(group, said[group["name"]], at) for group in form["groups"] if "series_id" in group
                   and group["name"] in said],
        "objections": [{"rule": name.removeprefix("rule:"), "series_ids": ids, "comment": ""}
                       for name, ids in said.items() if name.startswith("rule:")],
    }  # fmt: skip
    body["groups"] = [group for group in body["groups"] if group]
    body |= changes
    return body | {"checksum": checksum(body)}


def _group(group: Mapping[str, Any], given: Any, at: str) -> dict[str, Any]:
    if "series_id" in group:
        return {}
    return {name: group[name] for name in ASKED} | _fields(given, at) | {"not_members": _out(given)}


def _series(group: Mapping[str, Any], given: Any, at: str) -> dict[str, Any]:
    return {"series_id": group["series_id"]} | _fields(given, at)


def _out(given: Any) -> list[str]:
    return list(given.get("not_members", ())) if isinstance(given, Mapping) else []


def _fields(given: Any, at: str) -> dict[str, Any]:
    own = {"verdict": "malfunction", "kind": "", "sure": None, "comment": "", "answered_at": at}
    if isinstance(given, Mapping):
        return own | {name: value for name, value in given.items() if name != "not_members"}
    if given in ("normal", "bad_recording", "dont_know", "mixed"):
        return own | {"verdict": given}
    return own | {"kind": given}


def put(path: Path, body: Mapping[str, Any]) -> Path:
    """As a file; as the page writes it."""
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path
