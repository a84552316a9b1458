"""What FastAPI does not know of our routes: bodies that they read themselves, and problem+json for every refusal."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import tsclust
from tsclust.serve import bodies, job_schemas, problems, schemas

Shape = dict[str, Any]
Responses = dict[int | str, Shape]
SERIES_EXAMPLE = {
    "series": [
        {"series_id": 17, "machine_id": "P07", "direction": "left", "values": [0.0, 4.2, 2.6, 1.1, None, 1.1, 0.0]}
    ]
}
SCORE_EXAMPLE = {
    "model": "plant", "version": "6d4c0a1f2b3e", "scores": [{
        "series_id": 17, "said": "obstacle", "kind": "obstacle", "probability": 0.98, "novelty": 0.4,
        "rejected_by": None, "reason": None, "unusual": ["plateau: largest rise 1.2, normally 0.1"], "error": None,
    }],
}  # fmt: skip
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TABLE = "series_id, values, and the columns that GET /models/{name} lists"
ONE_SERIES: Shape = {
    "type": "object", "additionalProperties": True, "required": ["series_id", "values"],
    "properties": {
        "series_id": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "values": {"type": "array", "items": {"type": ["number", "null"]}, "description": "null: a missing value"},
    },
}  # fmt: skip
SERIES: Shape = {
    "requestBody": {
        "required": True, "description": f"{_TABLE}: as JSON, an Arrow IPC stream or Parquet.",
        "content": {
            bodies.JSON: {
                "schema": {"anyOf": [
                    {
                        "type": "object", "additionalProperties": False, "required": ["series"],
                        "properties": {"series": {"type": "array", "items": ONE_SERIES}},
                    },
                    {
                        "type": "object", "additionalProperties": False, "required": ["path"],
                        "properties": {"path": {"type": "string", "description": "below [serve] files"}},
                    },
                ]},
                "examples": {"series": {"value": SERIES_EXAMPLE}, "path": {"value": {"path": "2026/day.parquet"}}},
            },
            bodies.ARROW: _BINARY, bodies.PARQUET: _BINARY,
        },
    }
}  # fmt: skip
SCORES: Responses = {
    200: {
        "model": schemas.Scores, "description": "A score for each series, in the order of the request.",
        "content": {bodies.JSON: {"example": SCORE_EXAMPLE}, bodies.ARROW: _BINARY, bodies.PARQUET: _BINARY},
    }
}  # fmt: skip
BUNDLE: Shape = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {
                "type": "object", "required": ["name", "file"],
                "properties": {"name": {"type": "string", "examples": ["plant"]}, "file": _BINARY["schema"]},
            }},
            bodies.JSON: {"schema": {"$ref": "#/components/schemas/FromWorkspace"}},
        },
    }
}  # fmt: skip
ANSWERS: Shape = {
    "requestBody": {
        "required": True,
        "content": {bodies.JSON: {"schema": {"type": "object", "description": "as docs/answers.md describes it"}}},
    }
}
JOB: Shape = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {
                "type": "object", "required": ["file"],
                "properties": {
                    "file": _BINARY["schema"],
                    "workspace": {"type": "string", "description": "by default the name of the file"},
                    "baseline": {"type": "string", "description": "columns, separated by commas"},
                    "lang": {"type": "string", "enum": ["en", "ru"]},
                },
            }},
            bodies.JSON: {
                "schema": {"$ref": "#/components/schemas/JobAsked"},
                "examples": {
                    "source": {"value": {"source": "line-3", "workspace": "line-3"}},
                    "train": {"value": {"kind": "train", "workspace": "line-3"}},
                    "drilldown": {"value": {"kind": "drilldown", "workspace": "line-3", "within": 7}},
                },
            },
        },
    }
}  # fmt: skip
MEANT = {
    401: "No token, or one that is not known.", 403: "Not with this right, or a page of another site.",
    404: "There is none.", 408: "The body came too slowly.", 409: "Not as things stand, or another is at it.",
    412: "Others have answered meanwhile.", 413: "Too large.", 415: "Of a type that is not taken.",
    421: "The service is not called so.",
    422: "A value that cannot be used.", 429: "Too much at a time: Retry-After says when to try again.",
    500: "An error of the service's own.", 502: "The source does not answer.",
    503: "Not now: Retry-After says when to try again.", 507: "The disk is full.",
}  # fmt: skip
ALWAYS = (400, 401, 403, 405, 408, 413, 421, 422, 500)


def refusals(*statuses: int) -> Responses:
    """Responses of a route that refuses with these."""
    return {status: {"description": MEANT[status]} for status in statuses}


def of_type(media: str) -> Responses:
    """A good response of this type."""
    return {200: {"description": "It.", "content": {media: {}}}}


def describe(app: FastAPI) -> Shape:
    """The OpenAPI document of an application."""
    if not app.openapi_schema:
        found = get_openapi(
            title=app.title, version=tsclust.__version__, description=app.description, routes=app.routes
        )
        parts = found.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            parts.pop(name, None)
        for one in (schemas.Problem, schemas.FromWorkspace, job_schemas.JobAsked):
            parts[one.__name__] = one.model_json_schema(ref_template="#/components/schemas/{model}")
        for operations in found["paths"].values():
            for operation in operations.values():
                _with_problems(operation["responses"])
        app.openapi_schema = found
    return app.openapi_schema


def _with_problems(responses: Shape) -> None:
    for always in ALWAYS:
        responses.setdefault(str(always), {"description": MEANT.get(always, "The request cannot be read.")})
    for status, one in responses.items():
        if int(status) >= 400:
            one["content"] = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            one.setdefault("description", MEANT.get(int(status), ""))
            if int(status) == 422:
                one["description"] = MEANT[422]
