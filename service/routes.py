"""What guard, metrics and OpenAPI know of each path: who may call it, what it takes and answers.

They are answered by app.py, pages.py, open_inference.py and BentoML itself.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pydantic import BaseModel

from service.schemas import (
    HoursFor,
    HoursForRequest,
    InferAnswer,
    InferRequest,
    ModelCard,
    ModelMetadata,
    ModelReady,
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictRequest,
    ServerHealth,
    ServerMetadata,
    Training,
)


class Endpoint(NamedTuple):
    """What answers at a path: a POST where it takes a request, and else a GET.

    `answer` is a schema, or the media type of what has none, or null for a redirect. `access` says
    who may call it where there are API keys: who has a `key`, or `anyone`; a `probe` anyone, at any
    time: it is neither counted nor refused. If `binary`, tensors may follow the JSON as bytes.
    """

    path: str
    name: str
    summary: str
    answer: type[BaseModel] | str | None
    request: type[BaseModel] | None = None
    access: Literal["key", "anyone", "probe"] = "key"
    binary: bool = False

    @property
    def method(self) -> Literal["get", "post"]:
        """In small letters, as OpenAPI has it."""
        return "post" if self.request else "get"

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
    Endpoint(
        "/predict", "predict", "The score for one number of hours", Prediction, PredictRequest
    ),
    Endpoint(
        "/predict_batch", "predict_batch", "The scores for many", Predictions, PredictBatchRequest
    ),
    Endpoint("/hours_for", "hours_for", "The hours that a score takes", HoursFor, HoursForRequest),
    Endpoint("/model", "get_model", "The model being served", ModelCard),
    Endpoint("/training", "get_training", "What the model learned, to be drawn", Training),
    *(
        route
        for path, of in ((MODEL, ""), (f"{MODEL}/versions/{{version}}", "_version"))
        for route in (
            Endpoint(path, f"get_tensors{of}", "The tensors it takes and answers", ModelMetadata),
            Endpoint(f"{path}/ready", f"get_model{of}_ready", "The model is ready", ModelReady),
            Endpoint(
                f"{path}/infer",
                f"infer{of}",
                "The scores for a tensor of hours",
                InferAnswer,
                InferRequest,
                binary=True,
            ),
        )
    ),
    Endpoint("/v2", "get_server", "The server", ServerMetadata, access="anyone"),
    Endpoint("/ui", "get_page", "The model to see and ask", HTML, access="anyone"),
    Endpoint("/", "go_to_page", "To the page at /ui", None, access="anyone"),
    Endpoint("/docs", "get_docs", "The API to read and try", HTML, access="anyone"),
    Endpoint("/docs.json", "get_openapi", "This document", JSON, access="anyone"),
    Endpoint("/schema.json", "get_schema", "The same for BentoML's client", JSON, access="anyone"),
    Endpoint("/metrics", "get_metrics", "Prometheus metrics", TEXT, access="probe"),
    Endpoint("/livez", "get_livez", "The process answers", TEXT, access="probe"),
    Endpoint("/healthz", "get_healthz", "The process still answers", TEXT, access="probe"),
    Endpoint("/readyz", "get_readyz", "The model is loaded", TEXT, access="probe"),
    *(
        Endpoint(
            f"/v2/health/{state}", f"get_server_{state}", summary, ServerHealth, access="probe"
        )
        for state, summary in (("live", "The server answers"), ("ready", "The model is loaded"))
    ),
)

PATHS = frozenset(route.path for route in ROUTES)
PROBES = frozenset(route.path for route in ROUTES if route.access == "probe")
OPEN = frozenset(route.path for route in ROUTES if route.access != "key")
# of any model: for one that is not there the endpoint answers 404, and not the guard 415
BINARY = re.compile("/v2/models/.*/infer")
_VERSION = re.compile(f"^({MODEL}/versions/)[^/]+")


def route_of(path: str) -> str:
    """The path in the table that is meant by a request's, or `other`."""
    if path not in PATHS:
        path = _VERSION.sub(r"\1{version}", path)
    return path if path in PATHS else "other"
