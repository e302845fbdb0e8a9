"""Each route once: who may call it and what it answers. Guard, metrics and OpenAPI read it here."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic import BaseModel

from service import schemas


class Route(NamedTuple):
    """What answers a method at a path.

    `access` says who may call it where there are API keys: who has a `key`, or `anyone`; a `probe`
    anyone, at any time: it is neither counted nor refused. `answer` is a schema, or the media type
    of what has none, or null for a redirect. If `binary`, tensors may follow the JSON as bytes.
    """

    method: Literal["get", "post"]
    path: str
    name: str
    summary: str
    access: Literal["key", "anyone", "probe"]
    answer: type[BaseModel] | str | None
    request: type[BaseModel] | None = None
    binary: bool = False

    @property
    def errors(self) -> tuple[int, ...]:
        """The statuses of its errors; 405, and 404 for what no path names, are everywhere."""
        of_a_body = (400, 413, 415) if self.request else ()
        of_a_key = (401,) if self.access == "key" else ()
        of_load = (429,) if self.access != "probe" else ()
        of_a_name = (404,) if "{" in self.path else ()
        return tuple(sorted((*of_a_body, *of_a_key, *of_load, *of_a_name, 504)))


MODEL = "/v2/models/study_score"  # of the Open Inference Protocol
JSON, HTML, TEXT = "application/json", "text/html", "text/plain"
BYTES = "application/octet-stream"
ROUTES = (
    Route(
        "post",
        "/predict",
        "predict",
        "The score for one number of hours",
        "key",
        schemas.Prediction,
        schemas.PredictRequest,
    ),
    Route(
        "post",
        "/predict_batch",
        "predict_batch",
        "The scores for many numbers of hours",
        "key",
        schemas.Predictions,
        schemas.PredictBatchRequest,
    ),
    Route(
        "post",
        "/hours_for",
        "hours_for",
        "The hours that a score takes",
        "key",
        schemas.HoursFor,
        schemas.HoursForRequest,
    ),
    Route("get", "/model", "get_model", "The model being served", "key", schemas.ModelCard),
    Route(
        "get",
        "/training",
        "get_training",
        "What the model learned, to be drawn",
        "key",
        schemas.Training,
    ),
    *(
        route
        for path, of in (("", ""), ("/versions/{version}", "_version"))
        for route in (
            Route(
                "get",
                f"{MODEL}{path}",
                f"get_tensors{of}",
                "The tensors that the model takes and answers",
                "key",
                schemas.ModelMetadata,
            ),
            Route(
                "get",
                f"{MODEL}{path}/ready",
                f"get_model{of}_ready",
                "The model is ready",
                "key",
                schemas.ModelReady,
            ),
            Route(
                "post",
                f"{MODEL}{path}/infer",
                f"infer{of}",
                "The scores for a tensor of hours",
                "key",
                schemas.InferAnswer,
                schemas.InferRequest,
                binary=True,
            ),
        )
    ),
    Route("get", "/v2", "get_server", "The server", "anyone", schemas.ServerMetadata),
    Route("get", "/ui", "get_page", "The model to see and ask", "anyone", HTML),
    Route("get", "/", "go_to_page", "To the page at /ui", "anyone", None),
    Route("get", "/docs", "get_docs", "The API to read and try", "anyone", HTML),
    Route("get", "/docs.json", "get_openapi", "This document", "anyone", JSON),
    Route("get", "/schema.json", "get_schema", "The same for BentoML's client", "anyone", JSON),
    Route("get", "/metrics", "get_metrics", "Prometheus metrics", "probe", TEXT),
    Route("get", "/livez", "get_livez", "The process answers", "probe", TEXT),
    Route("get", "/healthz", "get_healthz", "The process still answers", "probe", TEXT),
    Route("get", "/readyz", "get_readyz", "The model is loaded", "probe", TEXT),
    Route(
        "get",
        "/v2/health/live",
        "get_server_live",
        "The server answers",
        "probe",
        schemas.ServerHealth,
    ),
    Route(
        "get",
        "/v2/health/ready",
        "get_server_ready",
        "The model is loaded",
        "probe",
        schemas.ServerHealth,
    ),
)

PATHS = frozenset(route.path for route in ROUTES)
PROBES = frozenset(route.path for route in ROUTES if route.access == "probe")
OPEN = frozenset(route.path for route in ROUTES if route.access != "key")
# of other models too: what is wrong with these is their name
BINARY = re.compile("/v2/models/.*/infer")
_VERSION = re.compile(f"^({MODEL}/versions/)[^/]+")


def route_of(path: str) -> str:
    """The path in the table that is meant by a request's, or `other`."""
    if path not in PATHS:
        path = _VERSION.sub(r"\1{version}", path)
    return path if path in PATHS else "other"
