"""Experts who know the truth of synthetic cycles: they look at the cards of a report and answer it, without a browser.

For the notebooks, the tests and bench/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tsclust.series import ID
from tsclust.simulation import machines
from tsclust.simulation.load import truth_of
from tsclust.stages.clusters import membership
from tsclust.stages.clusters.facts import CLUSTERS
from tsclust.stages.clusters.parts import GroupRef
from tsclust.stages.labels.answers import checksum
from tsclust.stages.series import parts as series_parts
from tsclust.stages.series.facts import SERIES
from tsclust.workspace.folder import Workspace

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


Groups = Sequence[Mapping[str, Any]]  # of a form


MOSTLY = 0.5  # of a group's members are of one kind: that is what it is called


DISPUTED = "needs grease"  # what Boris calls the smallest malfunction


LATER = "2026-01-02T00:00:00.000Z"


BUSIEST, HIGHER = 20, 1.5  # machines, and times the power that one needed before


def _members_of(group: Mapping[str, Any]) -> GroupRef:
    return GroupRef(group["within"], group["k"], group["cluster"], group["size"])


def kinds_of(workspace: Workspace, groups: Groups, truth: pl.DataFrame) -> Iterator[dict[str, int]]:
    """kind -> members, of each group."""
    for group in groups:
        ids = membership.scan_members(workspace.stage(CLUSTERS), _members_of(group)).collect()
        members = ids.join(truth, on=ID)
        yield dict(members["kind"].value_counts().iter_rows())


def named(kinds: Mapping[str, int]) -> dict[str, str]:
    """verdict and kind for a group with these members."""
    kind = max(kinds, key=lambda one: (kinds[one], one))
    if kinds[kind] < MOSTLY * sum(kinds.values()):
        return {"verdict": "mixed"}
    if kind == "normal":
        return {"verdict": "normal"}
    return {"verdict": "bad_recording"} if kind.startswith("impossible") else {"verdict": "malfunction", "kind": kind}


def said_of(workspace: Workspace, groups: Groups, truth: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Name of each group -> verdict and kind, as `answered` takes it."""
    members = kinds_of(workspace, groups, truth)
    return {group["name"]: named(kinds) for group, kinds in zip(groups, members, strict=True)}


def prepare(root: Path, dsn: str, seed: int) -> None:
    """Put into a workspace of the demo's cycles, with its report, what notebooks find there beside it."""
    workspace = Workspace.open(root)
    two_answers(workspace, truth_of(dsn))
    new_series(workspace, seed)


def two_answers(workspace: Workspace, truth: pl.DataFrame) -> list[Path]:
    """Files of answers to reports/report.html, in the workspace: Anna's to all of it, Boris's to its first half and
    the first malfunction, which he calls otherwise."""
    form = form_of(workspace.reports / "report.html")
    said = said_of(workspace, form["groups"], truth)
    some = dict(list(said.items())[: len(said) // 2])
    size = {group["name"]: group["size"] for group in form["groups"]}
    smallest = min((name for name, one in said.items() if one["verdict"] == "malfunction"), key=lambda n: size[n])
    others = some | {smallest: {"verdict": "malfunction", "kind": DISPUTED}}
    bodies = (answered(form, "Anna", said, at=FIRST), answered(form, "Boris", others, at=LATER))
    return [put(workspace.root / f"answers-report-{body['labeller']}.json", body) for body in bodies]


def new_series(workspace: Workspace, seed: int) -> None:
    """new.parquet in the workspace: other cycles of its BUSIEST machines, in the two months after those of the demo. In
    the second the one that runs most needs more power."""
    _, *more = machines.make(3 * machines.CHUNK, seed)
    first, then = (pl.datetime(year, 1, 1, time_zone="UTC") for year in (2024, 2025))
    series = pl.concat(pl.DataFrame(batch) for batch, _ in more)
    series = series.with_columns(recorded_at=then + (pl.col("recorded_at") - first) * (59 / 365))
    busiest = _busiest(workspace)
    changed = (pl.col("machine_id") == busiest[0]) & (pl.col("recorded_at").dt.month() == 2)
    higher = pl.when(changed).then(pl.col("values").list.eval(pl.element() * HIGHER)).otherwise("values")
    series = series.filter(pl.col("machine_id").is_in(busiest.implode())).with_columns(values=higher)
    series.write_parquet(workspace.root / "new.parquet")


def _busiest(workspace: Workspace) -> pl.Series:
    parts = [series_parts.read_carried(path, ["machine_id"]) for path in workspace.parts(SERIES)]
    counts = pl.concat(parts)["machine_id"].value_counts()
    return counts.sort("count", "machine_id", descending=[True, False])["machine_id"].head(BUSIEST)
