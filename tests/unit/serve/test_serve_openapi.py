"""OpenAPI says all that there is, with examples that are right; requests made from it find no error of ours."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import schemathesis
from starlette.testclient import TestClient

from tests.support.endurance import times
from tests.support.served import ADDRESS, hold, refused
from tsclust.serve.openapi import SCORE_EXAMPLE, SERIES_EXAMPLE


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_every_operation_says_what_it_takes_and_gives(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            assert one["description"], (method, path)
            good = [status for status in one["responses"] if status < "4"]
            assert good, (method, path)
            for status, response in one["responses"].items():
                assert response["description"]
                assert status < "4" or "application/problem+json" in response["content"]
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_examples_are_what_the_service_takes_and_gives(client: TestClient, document: dict[str, Any]) -> None:
    answer = client.post("/models/plant/score", json=SERIES_EXAMPLE)
    assert answer.status_code == 200
    schema = {"$ref": "#/components/schemas/Scores", "components": document["components"]}
    for one in (answer.json(), SCORE_EXAMPLE):
        jsonschema.Draft202012Validator(schema).validate(one)
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema.Draft202012Validator(problem).validate(refused(client.get("/models/none"), 404))


@pytest.mark.endurance
def test_requests_of_every_shape_find_no_error_of_ours(client: TestClient, document: dict[str, Any]) -> None:
    """schemathesis: what the document allows, with values at its edges."""
    for operation in schemathesis.openapi.from_dict(document).get_all_operations():
        hold(client, operation.ok().as_strategy(), ADDRESS, times(6, 400))
