"""The OpenAPI document: true for every route and status, which BentoML's own is not."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from models import VERSION
from service import schemas
from service.routes import BYTES, JSON, ROUTES, Endpoint

# of the lab's model
_EXAMPLES: dict[type, Any] = {
    schemas.PredictRequest: {"hours": 4},
    schemas.Prediction: {"score": 8.0, "low": 8.0, "high": 8.0, "extrapolated": True},
    schemas.PredictBatchRequest: {"hours": [1, 2.5]},
    schemas.HoursForRequest: {"score": 6},
    schemas.HoursFor: {"hours": 3.0, "low": 3.0, "high": 3.0, "extrapolated": False},
    schemas.InferRequest: {
        "inputs": [{"name": "hours", "shape": [2], "datatype": "FP64", "data": [1, 2.5]}],
        "outputs": [{"name": "score"}],
    },
    schemas.Predictions: {
        "score": [2.0, 5.0],
        "low": [2.0, 5.0],
        "high": [2.0, 5.0],
        "extrapolated": [False, False],
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
def document() -> dict[str, Any]:
    """OpenAPI 3.1 for the whole service; made once, and not to be changed."""
    requests = [(route.request, "validation") for route in ROUTES if route.request]
    answers = [route.answer for route in ROUTES if isinstance(route.answer, type)]
    _, definitions = models_json_schema(
        [*requests, *((answer, "serialization") for answer in (*answers, schemas.Error))],  # type: ignore[list-item]
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "study score",
            "version": VERSION,
            "description": "Hours studied in, predicted score out.",
        },
        "servers": [{"url": "/"}],
        "paths": {route.path: {route.method: _operation(route)} for route in ROUTES},
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Endpoint) -> dict[str, Any]:
    right: dict[str, Any] = {"description": route.summary}
    if route.answer:
        right["content"] = _content(route.answer, route.binary)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {"200" if route.answer else "307": right, **_errors(route)},
    }
    if route.request:
        content = _content(route.request, route.binary)
        operation["requestBody"] = {"required": True, "content": content}
    if "{version}" in route.path:
        version = {"name": "version", "in": "path", "schema": {"type": "string"}}
        operation["parameters"] = [{**version, "required": True}]
    if route.access == "key":  # it is about the model
        operation["security"] = [{}, {"key": []}]
        tag = {"description": "The tag of the model that answered.", "schema": {"type": "string"}}
        right["headers"] = {"X-Model": tag}
    return operation


def _errors(route: Endpoint) -> dict[str, Any]:
    return {
        str(status): {"description": MEANINGS[status], "content": _content(schemas.Error)}
        for status in route.errors
    }


def _content(answer: type[BaseModel] | str, binary: bool = False) -> dict[str, Any]:
    if isinstance(answer, str):
        return {answer: {}}
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}
    if answer in _EXAMPLES:
        content["example"] = _EXAMPLES[answer]
    return {JSON: content, **({BYTES: {}} if binary else {})}
