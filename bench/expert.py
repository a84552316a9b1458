"""An expert who knows the truth, for bench/labels.py and bench/rounds.py: looks at the cards of a report, answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from tsclust.answers import checksum
from tsclust.workspace import Members, Workspace

MOSTLY = 0.5  # of a group's members are of one kind: that is what it is called
ASKED = ("group", "within", "k", "cluster", "size", "members_hash")


def form_of(report: Path) -> dict[str, Any]:
    """What a report asks."""
    text = report.read_text(encoding="utf-8")
    start = text.index('id="form">') + len('id="form">')
    form: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    return form


def answered(workspace: Workspace, form: dict[str, Any], truth: pl.DataFrame, at: str) -> dict[str, Any]:
    """The answers to all cards of a form; truth: series_id, kind ("normal", "impossible: ...", or a malfunction)."""
    said = {"verdict": None, "kind": "", "sure": None, "comment": "", "answered_at": at}
    members = list(kinds_of(workspace, form["groups"], truth))
    groups = [
        {name: group[name] for name in ASKED} | said | named(kinds) | {"not_members": []}
        for group, kinds in zip(form["groups"], members, strict=True)
    ]
    body = {
        "format": form["format"], "version": form["version"], "report": form["report"], "lang": "en",
        "labeller": "expert", "started_at": at, "saved_at": at, "groups": groups, "series": [], "objections": [],
    }  # fmt: skip
    return body | {"checksum": checksum(body)}


def kinds_of(workspace: Workspace, groups: Iterable[dict[str, Any]], truth: pl.DataFrame) -> Iterable[dict[str, int]]:
    """kind -> members, of each group."""
    for group in groups:
        one = Members(group["within"], group["k"], group["cluster"], group["size"])
        parts = sorted(workspace.assignments(one.within).glob("part-*.parquet"))
        labels = pl.concat([pl.read_parquet(path, columns=["series_id", one.column]) for path in parts])
        members = labels.filter(pl.col(one.column) == one.cluster).join(truth, on="series_id")
        yield dict(members["kind"].value_counts().iter_rows())


def named(kinds: dict[str, int]) -> dict[str, str]:
    """verdict and kind for a group with these members."""
    kind = max(kinds, key=lambda one: (kinds[one], one))
    if kinds[kind] < MOSTLY * sum(kinds.values()):
        return {"verdict": "mixed"}
    if kind == "normal":
        return {"verdict": "normal"}
    return {"verdict": "bad_recording"} if kind.startswith("impossible") else {"verdict": "malfunction", "kind": kind}
