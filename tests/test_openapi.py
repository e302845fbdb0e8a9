from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from tests.processes import call
from tests.tools import tool


@pytest.fixture
def document(client: TestClient) -> Any:
    return client.get("/docs.json").json()


def test_the_document_is_valid_openapi(document: Any) -> None:
    openapi_spec_validator.validate(document)


def schema_of(document: Any, content: Any) -> Draft202012Validator:
    schema = content["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


def test_every_documented_get_answers_as_documented(client: TestClient, document: Any) -> None:
    for path, methods in document["paths"].items():
        if "200" in methods.get("get", {}).get("responses", {}):
            answer = client.get(path.replace("{version}", "latest"))
            content = methods["get"]["responses"]["200"]["content"]
            kind = answer.headers["content-type"].split(";")[0]
            assert (answer.status_code, [kind]) == (200, list(content))
            if kind == "application/json":
                schema_of(document, content).validate(answer.json())


def test_inference_takes_json_or_bytes_and_answers_as_documented(
    client: TestClient, document: Any
) -> None:
    paths = [path for path in document["paths"] if path.endswith("/infer")]
    assert len(paths) == 2
    for path in paths:
        operation = document["paths"][path]["post"]
        request = operation["requestBody"]["content"]
        assert {*request} == {"application/json", "application/octet-stream"}
        url = path.replace("{version}", "latest")
        answer = client.post(url, json=request["application/json"]["example"])
        schema_of(document, operation["responses"]["200"]["content"]).validate(answer.json())


def test_operations_have_names_that_a_generated_client_can_live_with(document: Any) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert {"predict", "predict_batch", "get_model", "get_training"} < set(names)
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize("path", ["/predict", "/predict_batch", "/hours_for"])
def test_examples_are_what_the_labs_model_answers(
    client: TestClient, document: Any, path: str
) -> None:
    operation = document["paths"][path]["post"]
    request = operation["requestBody"]["content"]
    response = operation["responses"]["200"]["content"]
    schema_of(document, request).validate(request["application/json"]["example"])
    answer = client.post(path, json=request["application/json"]["example"])
    assert answer.json() == response["application/json"]["example"]
    schema_of(document, response).validate(answer.json())


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [('{"hours": "x"}', "application/json", "400"), ("x", "text/plain", "415")],
)
def test_errors_are_as_documented(
    client: TestClient, document: Any, body: str, kind: str, status: str
) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": kind})
    assert str(answer.status_code) == status
    content = document["paths"]["/predict"]["post"]["responses"][status]["content"]
    schema_of(document, content).validate(answer.json())


def test_the_schema_refuses_what_the_service_refuses(document: Any) -> None:
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    for wrong in ({}, {"hours": "4"}, {"hours": -1}, {"hours": 9000}, {"hours": 1, "x": 1}):
        assert not schema_of(document, content).is_valid(wrong)


def generate(command: str, document: Any, folder: Path) -> set[str]:
    """What a generator of clients warns of."""
    folder.mkdir()
    (folder / "docs.json").write_text(json.dumps(document))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = call(*command.split(), cwd=folder, env={**os.environ, "PATH": path})
    assert run.returncode == 0, run.stdout + run.stderr
    return set(re.findall(r".*\b(?:WARN|WARNING|ERROR)\b.*", run.stdout + run.stderr))


def test_openapi_python_client_warns_of_nothing(document: Any, tmp_path: Path) -> None:
    command = "openapi-python-client generate --path docs.json --output-path client"
    assert generate(f"{command} --fail-on-warning", document, tmp_path / "x") == set()
    assert list(tmp_path.rglob("client/**/hours_for.py"))


RIGHT = {"description": "x", "content": {"text/plain": {"schema": {"type": "string"}}}}
SMALLEST = {
    "openapi": "3.1.0",
    "info": {"title": "x", "version": "1"},
    "paths": {"/x": {"get": {"operationId": "x", "responses": {"200": RIGHT}}}},
}


def test_openapi_generator_warns_of_nothing_but_the_version(document: Any, tmp_path: Path) -> None:
    """Of OpenAPI 3.1, which has types that may be null, it warns in the smallest document too."""
    tool("java", "apt-get install default-jdk-headless")
    command = "openapi-generator-cli generate -i docs.json -g python -o client"
    of_the_version = generate(command, SMALLEST, tmp_path / "smallest")
    assert generate(command, document, tmp_path / "ours") - of_the_version == set()
    assert "def hours_for(" in "".join(
        path.read_text() for path in tmp_path.glob("ours/client/**/*api.py")
    )
