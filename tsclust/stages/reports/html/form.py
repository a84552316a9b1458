"""What a page asks, for the script in it: groups and rules by the names under which answers come back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from typing import Any

from tsclust.series import ID
from tsclust.stages.labels.answers import FORMAT, SURE, VERDICTS, VERSION, GroupAsked, ReportAsked
from tsclust.stages.reports.data import Curve, Group, ReportData
from tsclust.wording.language import Language


def form(
    data: ReportData,
    name: str,
    later: Set[str] = frozenset(),
    elsewhere: Sequence[tuple[Group, str]] = (),
    beside: Sequence[str] = (),
) -> dict[str, Any]:
    """Of the report `name`: plain values. `shown` are the ids of the members drawn, in their order.

    later      names of the groups that are offered behind those asked about first
    elsewhere  groups that are asked about in the other files of the report, as its index saves their answers too
    beside     ids of the reports that other files are, whose answers this page takes over from the browser
    """
    groups = [_asked(group).model_dump() | _shown(group, data.faint, later) for group in data.groups]
    groups += [_asked(g).model_dump() | _shown(g, frozenset(), later) | {"part": file} for g, file in elsewhere]
    groups += [sheet_card(n, curve.series_id) for n, curve in enumerate(data.sheet, start=1)]
    rules = [{"rule": rejected.rule, "shown": _ids(rejected.examples)} for rejected in data.rejected]
    about = ReportAsked(id=report_id(data), name=name, model=data.model).model_dump()
    return {
        "format": FORMAT,
        "version": VERSION,
        "report": about,
        "groups": groups,
        "rules": rules,
        "kinds": data.kinds,
        "verdicts": VERDICTS,
        "sure": SURE,
        "beside": beside,
    }


def sheet_card(number: int, series_id: str) -> dict[str, Any]:
    """What is asked about a single series of the sheet: one key, and on to the next."""
    return {"name": f"s{number}", "series_id": series_id, "normal": False, "shown": [], "sheet": True}


def members(cards: Mapping[str, Sequence[Curve]], language: Language, baseline: Sequence[str] = ()) -> dict[str, Any]:
    """What is told of the curves of each card when one is shown large: id and carried columns, for people; and which
    of these is the machine, by which series are compared, -1 where none is."""
    names = next(([name for name, _ in curve.carried] for curves in cards.values() for curve in curves), [])
    told = {
        card: [[language.plain(c.series_id), *(language.plain(value) for _, value in c.carried)] for c in curves]
        for card, curves in cards.items()
    }
    machine = next((at for at, name in enumerate(names) if name in baseline), -1)
    return {"columns": [ID, *map(language.column, names)], "machine": machine, "cards": told}


def _asked(group: Group) -> GroupAsked:
    return GroupAsked(
        group=group.number, within=group.within, k=group.k, cluster=group.cluster, size=group.size,
        members_hash=group.fingerprint,
    )  # fmt: skip


def _shown(group: Group, faint: Set[str], later: Set[str]) -> dict[str, Any]:
    family = {"family": group.family.group} if group.family else {}
    return (
        {"name": group.name, "normal": group.normal, "shown": _ids(group.members)}
        | family
        | ({"faint": True} if group.name in faint else {})
        | ({"later": True} if group.name in later else {})
    )


def _ids(curves: Sequence[Curve]) -> list[str]:
    return [curve.series_id for curve in curves]


def report_id(data: ReportData) -> str:
    """The same for a report in another language or with another title: it asks the same."""
    asks = [data.model, [_asked(group).model_dump() for group in data.groups], [r.rule for r in data.rejected]]
    asks += [[curve.series_id for curve in data.sheet]] if data.sheet else []
    return hashlib.sha256(json.dumps(asks).encode()).hexdigest()[:16]
