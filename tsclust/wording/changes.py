"""What became of a stage, in words: for `history` and `diff`. Takes manifests in short, as `Manifest.summary` gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tsclust.wording.english import counted, percentages

FEW = 8  # numbers of groups, machines that are named
Summary = Mapping[str, Any]
# stage -> what is shown of it: key of its summary, words
SHOWN = {
    "series": {"rows": "series"},
    "features": {"rows": "series described", "kept": "series kept by the rules"},
    "clusters": {
        "rows": "series swept",
        "k": "k",
        "groups": "groups",
        "proposed": "groups proposed",
    },
    "labels": {"rows": "labels", "series": "series labelled", "kinds": "kinds", "labellers": "labellers"},
    "model": {
        "id": "model",
        "kinds": "kinds learned",
        "labelled": "series learned from",
        "recall": "recall of malfunctions",
        "precision": "precision of malfunctions",
        "wrong": "wrong names",
    },
    "scores": {
        "rows": "series scored",
        "model": "scored by model",
        "no_answer": "without an answer",
        "drift": "drifted",
    },
}
SHOWN["scores_new"] = SHOWN["scores"]
INTERVALS = ("recall", "precision")  # keys of 95 % intervals; None: nobody has checked


def of_stage(stage: str, was: Summary | None, now: Summary | None) -> str:
    """`series 1,000 -> 1,399; ...`: what differs, and of groups which."""
    groups = "; ".join(_groups(stage, was or {}, now or {}))
    return "; ".join(filter(None, (of_values(stage, was, now), groups)))


def of_values(stage: str, was: Summary | None, now: Summary | None) -> str:
    """The same without the numbers of groups, which only hold for the step from `was` to `now`."""
    if now is None:
        return f"{stage}/ replaced"
    parts = [_change(words, figure(was or {}, key), figure(now, key)) for key, words in SHOWN.get(stage, {}).items()]
    return "; ".join(filter(None, parts)) or "the same figures"


def _change(words: str, was: str, now: str) -> str:
    if was == now or not now:
        return ""
    return f"{words} {was} -> {now}" if was else f"{words} {now}"


def _groups(stage: str, was: Summary, now: Summary) -> Iterator[str]:
    if stage != "clusters":
        return
    if now.get("within"):  # a sweep inside a group leaves the main one, and what that changed was another run
        if now["highest"] >= (first := was.get("highest", now["highest"]) + 1):
            yield f"groups {first} to {now['highest']} within"
        return
    for what in ("changed", "new", "gone"):
        if numbers := now.get(what):
            yield f"{counted(len(numbers), 'group')} {what} ({_some(numbers)})"


def figure(of: Summary, key: str) -> str:
    """A figure of a stage for people, "" where it has none."""
    if key in INTERVALS and key in of:
        return _interval(of[key])
    return _value(of.get(key))


def _interval(found: Sequence[float] | None) -> str:
    """`42% to 90%`, rounded outwards."""
    return percentages(*found) if found else "not known"


def _value(found: object) -> str:
    if isinstance(found, float):
        return f"{found:.2%}"
    if isinstance(found, int):
        return f"{found:,}"
    if isinstance(found, list | tuple):
        return _some(found) or "none"
    return "" if found is None else str(found)


def _some(found: Sequence[object]) -> str:
    names = ", ".join("all machines together" if one is None else str(one)[:40] for one in found[:FEW])
    return names + (f" and {len(found) - FEW} more" if len(found) > FEW else "")
