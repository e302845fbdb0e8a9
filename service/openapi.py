"""The OpenAPI document; unlike BentoML's own it has every public route, with its statuses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from models import VERSION
from service import schemas, tensors

if TYPE_CHECKING:
    from service.routes import Route

JSON, BYTES = "application/json", "application/octet-stream"
# examples from the lab's model
_PREDICTION = {"score": 8.0, "low": 8.0, "high": 8.0, "extrapolated": True}
_EXAMPLES: dict[type, Any] = {
    schemas.PredictRequest: {"hours": 4},
    schemas.Prediction: _PREDICTION,
    schemas.PredictBatchRequest: {"hours": [1, 2.5]},
    schemas.Predictions: {
        **{key: [2.0, 5.0] for key in ("score", "low", "high")},
        "extrapolated": [False, False],
    },
    schemas.Instances: {"instances": [4]},
    schemas.PredictionsOfInstances: {"predictions": [_PREDICTION]},
    schemas.HoursForRequest: {"score": 6},
    schemas.HoursFor: {"hours": 3.0, "low": 3.0, "high": 3.0, "extrapolated": False},
    tensors.InferRequest: {
        "inputs": [{"name": "hours", "shape": [2], "datatype": "FP64", "data": [1, 2.5]}],
        "outputs": [{"name": "score"}],
    },
}
MEANINGS = {
    400: "The request is not valid.",
    401: "There are API keys, and the request has none of them.",
    404: "There is nothing of that name.",
    413: "The body is too large.",
    415: "The request is not JSON.",
    429: "Too many requests at a time.",
    504: "The request or its answer took too long.",
}


@cache
def document(routes: Sequence[Route], model: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document for the public routes and the model's served name.

    It is cached, so callers must not change it.
    """
    public = [route for route in routes if route.public]
    requests = {route.request for route in public if route.request}
    answers = {route.answer for route in public if isinstance(route.answer, type)}
    _, definitions = models_json_schema(
        [
            *((each, "validation") for each in requests),
            *((each, "serialization") for each in (*answers, schemas.Error)),
        ],
        ref_template="#/components/schemas/{model}",
    )
    summary = "Hours studied in, predicted score out."
    info = {"title": "study score", "version": VERSION, "description": summary}
    paths = {
        each.path.replace("{model}", model): {each.method: _operation(each)} for each in public
    }
    keys = {"key": {"type": "http", "scheme": "bearer"}}
    components = {"schemas": definitions["$defs"], "securitySchemes": keys}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": components}


def _operation(route: Route) -> dict[str, Any]:
    success: dict[str, Any] = {"description": route.summary}
    if route.answer:
        success["content"] = _content(route.answer, route.binary)
    errors = {
        str(status): {"description": MEANINGS[status], "content": _content(schemas.Error)}
        for status in route.errors
    }
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    operation["responses"] = {"200" if route.answer else "307": success, **errors}
    if route.request:
        content = _content(route.request, route.binary)
        operation["requestBody"] = {"required": True, "content": content}
    if "{version}" in route.path:
        version = {"name": "version", "in": "path", "schema": {"type": "string"}}
        operation["parameters"] = [{**version, "required": True}]
    if route.access == "key":  # these routes need a key and name the model
        operation["security"] = [{}, {"key": []}]
        tag = {"description": "The tag of the model that answered.", "schema": {"type": "string"}}
        success["headers"] = {"X-Model": tag}
    return operation


def _content(answer: type | str, binary: bool = False) -> dict[str, Any]:
    if isinstance(answer, str):
        anything = {"type": "object", "additionalProperties": True}
        return {answer: {"schema": anything if answer == JSON else {"type": "string"}}}
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}
    if answer in _EXAMPLES:
        content["example"] = _EXAMPLES[answer]
    tensors = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
    return {JSON: content, **(tensors if binary else {})}
