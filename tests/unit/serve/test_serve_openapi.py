"""OpenAPI says all that there is, with examples that are right; requests made from it find no error of ours."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import jsonschema
import pytest
import requests
import schemathesis
from starlette.testclient import TestClient

from tests.support.endurance import times
from tests.support.served import ADDRESS, refused
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
        hold(client, operation.ok().as_strategy())


def hold(client: TestClient, cases: Any) -> None:
    """No request of these is answered by a 5xx, and what is refused is refused as documented."""

    @hypothesis.given(case=cases)
    @hypothesis.settings(
        max_examples=times(8, 400), suppress_health_check=list(hypothesis.HealthCheck), database=None, derandomize=True
    )
    def holds(case: Any) -> None:
        asked = requests.Request(**case.as_transport_kwargs(base_url=ADDRESS)).prepare()
        answer = client.request(str(asked.method), str(asked.url), content=asked.body, headers=dict(asked.headers))
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            refused(answer, answer.status_code)
            assert str(answer.status_code) in case.operation.definition.raw["responses"], answer.text

    holds()
