"""The OpenAPI document: true for every route and status, which BentoML's own is not."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from models import VERSION
from service import schemas

# of the lab's model
_EXAMPLES: dict[type, Any] = {
    schemas.PredictRequest: {"hours": 4},
    schemas.Prediction: {"score": 8.0, "low": 8.0, "high": 8.0, "extrapolated": True},
    schemas.PredictBatchRequest: {"hours": [1, 2.5]},
    schemas.Predictions: {
        "score": [2.0, 5.0],
        "low": [2.0, 5.0],
        "high": [2.0, 5.0],
        "extrapolated": [False, False],
    },
}
_TEXTS = {
    400: "The request is not valid.",
    401: "There are API keys, and the request has none of them.",
    413: "The body is too large.",
    415: "The request is not JSON.",
    429: "Too many requests at a time.",
    504: "The answer took too long.",
}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 for the whole service; made once, and not to be changed."""
    _, definitions = models_json_schema(
        [
            (schemas.PredictRequest, "validation"),
            (schemas.PredictBatchRequest, "validation"),
            (schemas.Prediction, "serialization"),
            (schemas.Predictions, "serialization"),
            (schemas.ModelCard, "serialization"),
            (schemas.Training, "serialization"),
            (schemas.Error, "serialization"),
        ],
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
        "paths": {
            "/predict": {
                "post": _predicts(
                    "The score for one number of hours",
                    schemas.PredictRequest,
                    schemas.Prediction,
                )
            },
            "/predict_batch": {
                "post": _predicts(
                    "The scores for many numbers of hours",
                    schemas.PredictBatchRequest,
                    schemas.Predictions,
                )
            },
            "/model": {
                "get": _gets("The model being served", _json(schemas.ModelCard), 401, 429, 504)
            },
            "/training": {
                "get": _gets(
                    "What the model learned, to be drawn", _json(schemas.Training), 401, 429, 504
                )
            },
            "/ui": {"get": _gets("The model to see and ask", {"text/html": {}}, 429, 504)},
            "/": {"get": _redirects("To the page at /ui")},
            "/docs.json": {"get": _gets("This document", {"application/json": {}}, 429, 504)},
            "/docs": {"get": _gets("This document to read and try", {"text/html": {}}, 429, 504)},
            "/schema.json": {
                "get": _gets("The same for BentoML's client", {"application/json": {}}, 429, 504)
            },
            "/metrics": {"get": _gets("Prometheus metrics", {"text/plain": {}}, 504)},
            "/livez": {"get": _gets("The process answers", {"text/plain": {}}, 504)},
            "/healthz": {"get": _gets("The process still answers", {"text/plain": {}}, 504)},
            "/readyz": {"get": _gets("The model is loaded", {"text/plain": {}}, 504)},
        },
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _json(model: type) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if model in _EXAMPLES:
        content["example"] = _EXAMPLES[model]
    return {"application/json": content}


def _errors(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {"description": _TEXTS[status], "content": _json(schemas.Error)}
        for status in statuses
    }


def _predicts(summary: str, request: type, answer: type) -> dict[str, Any]:
    return {
        **_gets(summary, _json(answer), 400, 401, 413, 415, 429, 504),
        "requestBody": {"required": True, "content": _json(request)},
    }


def _gets(summary: str, content: dict[str, Any], *errors: int) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_"),
        "responses": {"200": {"description": summary, "content": content}, **_errors(*errors)},
    }
    if 401 in errors:  # it is about the model
        operation["security"] = [{}, {"key": []}]
        tag = {"description": "The tag of the model that answered.", "schema": {"type": "string"}}
        operation["responses"]["200"]["headers"] = {"X-Model": tag}
    return operation


def _redirects(summary: str) -> dict[str, Any]:
    responses = {"307": {"description": summary}, **_errors(429, 504)}
    return {"summary": summary, "operationId": "root", "responses": responses}
