"""JSON Schemas of what each command prints with --json: docs/json/COMMAND.json, written by docs/make.py.

What a stage remembers is described by the models of its room; what other commands report is written down here, in
short: "str", "?int" (or null), [one of these], {"key": ...}, {"key?": ...} (may be missing), {"*": ...} (any key), ANY.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tsclust.stages.clusters.facts import ClustersFacts
from tsclust.stages.features.facts import FeaturesFacts
from tsclust.stages.model.facts import ModelFacts
from tsclust.stages.scores.facts import ScoresFacts
from tsclust.stages.series.facts import SeriesFacts
from tsclust.workspace.manifest import Facts

ANY: dict[str, Any] = {}
TYPES = {"str": "string", "int": "integer", "num": "number", "bool": "boolean", "null": "null"}
DIALECT = "https://json-schema.org/draft/2020-12/schema"

STAGES: dict[str, type[Facts]] = {
    "extract": SeriesFacts, "features": FeaturesFacts, "filter": FeaturesFacts, "cluster": ClustersFacts,
    "train": ModelFacts, "score": ScoresFacts,
}  # fmt: skip
MORE = {
    "score": {"drift_page": "?str"},
    "extract": {"new?": "int"},
}  # beside what its stage remembers
REJECTED = {
    "rule": "str", "when": "str", "reason": "str", "rejected": "int", "in_all": "int", "alone": "int", "ids": [ANY],
    "file?": "str", "bytes?": "int",
}  # fmt: skip
ASKED = {"sweeps": "int", "bytes": "int"}  # those that reports were made from
COUNTS = {"*": "int"}  # rule -> series
DRY_RUN = {
    "rejected": COUNTS, "in_all": COUNTS, "alone": COUNTS, "kept": "int", "kept_now": "int", "lost_groups": [ANY],
}  # fmt: skip
STAGE = {
    "state": "str", "settings?": "str", "inputs?": {"*": "str"}, "versions?": {"*": "str"}, "seed?": "int",
    "rows?": "int", "parts?": "int", "seconds?": "num", "peak_mb?": "num", "made_at?": "str", "facts?": {"*": ANY},
    "made_with?": {"*": {"*": {"value": ANY, "file": ANY}}},
}  # fmt: skip
SOURCE = {  # what it has that the workspace lacks; null: nobody knows
    "asked": "bool", "why": "str", "new": "?int", "gone": "?int", "changed": "?int", "below": "?int",
    "files_changed": "?bool",
}  # fmt: skip
TROUBLE = {"error": "str", "code": "int"}  # of a stage that `run` did without
HISTORY = {
    "runs": "int", "last": "?int", "reports": ["str"], "models": "int", "bytes": "int", "asked": ASKED,
}  # fmt: skip
COMPARED = {
    "source_rows": "int", "new": "int", "gone": "int", "changed": "int", "new_ids": [ANY], "gone_ids": [ANY],
    "changed_ids": [ANY],
}  # fmt: skip
LABELLED = {
    "series?": "int", "in_use?": "int", "labellers?": ["str"], "kinds?": {"*": "int"}, "contradictory?": "int",
    "unlabelled?": "int", "groups?": {"new": ["int"], "changed": ["int"], "contradicted": ["int"], "named": ["int"]},
}  # fmt: skip
RUN = {
    "number": "int", "command": "str", "at": "str", "stage": "str", "was": ANY, "now": ANY, "pages": {"*": "str"},
    "undone": "bool", "can_be_undone": "bool",
}  # fmt: skip
IMPORTED = {
    "new_files": ["str"], "known_files": "int", "labels": "int", "rows": "int", "labellers": ["str"],
    "kinds": [{"kind": "str", "verdict": "str", "series": "int"}], "unnamed": "int",
    "look_alikes": {"kinds": [["str"]], "labellers": [["str"]]}, "alpha": "?num",
    "conflicts": [{"said": "str", "series": "int"}], "resolve": "str", "objections": [{"*": ANY}],
}  # fmt: skip
ANSWERS_FILE = {
    "id": "str", "file": "str", "labeller": "str", "report": "str", "in_force": "bool", "saved_at": "str",
    "answers": "int", "series": "int",
}  # fmt: skip

# command -> its facts, of those that make no stage, or that report something else on demand
OTHERS: dict[str, list[Any]] = {
    "init": [{}],
    # The last of filter is of `run`.
    "filter": [DRY_RUN, REJECTED, {"pages": [REJECTED]}, {"rows": "int", "parts": "int", "kept": "int"}],
    "report": [{"bytes?": "int", "lang?": "str", "files?": ["str"]}],  # empty where `run` has none to write
    "status": [{"stages": {"*": STAGE}, "reports": ["str"], "labels": LABELLED, "source": SOURCE, "history": HISTORY}],
    "verify": [{"files": "int", "damaged": {"*": ANY}, "other_input": {"*": "str"}}],
    "history": [{"runs": [RUN]}],
    "diff": [{"different": [{"what": "str", "a": ANY, "b": ANY}], "groups": ANY}],
    "prune": [{"bytes": "int", "keep": "int", "states": "int", "pages": "int", "models": "int", "asked": ASKED}],
    "undo": [
        {"run": "int", "undone": "str", "stage": "str", "redo": "bool", "runs": ["int"]},
        "null",
    ],  # null: nothing to undo
    "extract": [COMPARED, TROUBLE],
    "score": [TROUBLE],
    "labels import": [IMPORTED, TROUBLE],
    "labels review": [{"rows": "int", "suspicious": "int", "shown": "int"}],
    "serve": [{"url": "str", "token": "bool"}],
    "stream": [{"brokers": "str", "topic": "str", "to_topic": "str", "to_table": "str"}],
    "export": [{"model": "str", "bytes": "int", "features": "bool"}],
    "labels export": [{"rows": "int", "labels": "int", "file": "?str", "table": "?str"}],
    "labels list": [{"files": [ANSWERS_FILE], "kinds": {"*": "int"}, "labellers": ["str"]}],
    "labels remove": [{"removed": ["str"], "series": "int", "labels": "int"}],
}
# commands that run others: a line for each
SEVERAL = {"run": ("labels import", "extract", "features", "filter", "cluster", "report", "score"), "demo": ()}
ERROR = {"code": "int", "error": "str", "next": "str"}


def files() -> dict[str, str]:
    """Name of a file in docs/json/ -> its content."""
    found = {command: _command(command) for command in sorted({*STAGES, *OTHERS})}
    found |= {command: _several(command, others) for command, others in SEVERAL.items()}
    found["error"] = {"title": "An error, on stderr", **_schema(ERROR)}
    return {f"{name.replace(' ', '-')}.json": _text(schema) for name, schema in found.items()}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": DIALECT, **schema}, indent=1, ensure_ascii=False) + "\n"


def _command(command: str) -> dict[str, Any]:
    facts = [_schema(short) for short in OTHERS.get(command, ())]
    defs: dict[str, Any] = {}
    if command in STAGES:
        of_stage = _of_stage(STAGES[command])
        more = _schema(MORE.get(command, {}))
        of_stage["properties"] |= more["properties"]
        of_stage["required"] += more["required"]
        defs = of_stage.pop("$defs", {})
        facts.insert(0, of_stage)
    line = _line(command, facts[0] if len(facts) == 1 else {"anyOf": facts})
    return line | ({"$defs": defs} if defs else {})


def _line(command: str | None, facts: dict[str, Any]) -> dict[str, Any]:
    """One line of a command's output."""
    base = _schema(
        {"command": "str", "wrote": "?str", "seconds": "num", "peak_mb": "num", "skipped": "bool", "then": "str"}
    )
    base["properties"]["command"] = {"const": command} if command else {"type": "string"}
    base["properties"]["then"]["description"] = "the command to run next"
    base["properties"]["facts"] = facts
    return {"title": f"tsclust {command or 'demo'} --json: a line", **base, "required": [*base["required"], "facts"]}


def _several(command: str, others: tuple[str, ...]) -> dict[str, Any]:
    if not others:
        return _line(None, {"type": ["object", "null"]})
    lines = [{"$ref": f"{other.replace(' ', '-')}.json"} for other in others]
    return {"title": f"tsclust {command} --json: each line is one of another command", "anyOf": lines}


def _of_stage(facts: type[Facts]) -> dict[str, Any]:
    """What a stage remembers and its command shows. What is not required may be missing."""
    schema = facts.model_json_schema(mode="serialization")
    hidden = {"version", *facts.INTERNAL}
    kept = {name: one for name, one in schema["properties"].items() if name not in hidden}
    schema["properties"] = {"rows": {"type": "integer"}, "parts": {"type": "integer"}} | kept
    schema["required"] = ["rows", "parts", *(name for name in kept if name in schema.get("required", ()))]
    return {name: one for name, one in schema.items() if name not in ("title", "description")}


def _schema(short: Any) -> dict[str, Any]:
    if isinstance(short, str):
        return {"type": TYPES[short]} if short[0] != "?" else {"type": [TYPES[short[1:]], "null"]}
    if isinstance(short, list):
        return {"type": "array", "items": _schema(short[0])}
    if short is ANY or not isinstance(short, Mapping):
        return {}
    if "*" in short:
        return {"type": "object", "additionalProperties": _schema(short["*"])}
    names = {name.rstrip("?"): _schema(one) for name, one in short.items()}
    return {"type": "object", "properties": names, "required": [name for name in short if not name.endswith("?")]}
