"""Each route once: who may call it and what it answers. Guard, metrics and OpenAPI read it here."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import BaseModel

from service import schemas


class Route(NamedTuple):
    """What answers a method at a path.

    `access` says who may call it where there are API keys: who has a `key`, or `anyone`; a `probe`
    anyone, at any time: it is neither counted nor refused. `answer` is a schema, or the media type
    of what has none, or null for a redirect.
    """

    method: Literal["get", "post"]
    path: str
    name: str
    summary: str
    access: Literal["key", "anyone", "probe"]
    answer: type[BaseModel] | str | None
    request: type[BaseModel] | None = None

    @property
    def errors(self) -> tuple[int, ...]:
        """The statuses of its errors, but for 404 and 405."""
        of_a_body = (400, 413, 415) if self.request else ()
        of_a_key = (401,) if self.access == "key" else ()
        of_load = (429,) if self.access != "probe" else ()
        return tuple(sorted((*of_a_body, *of_a_key, *of_load, 504)))


JSON, HTML, TEXT = "application/json", "text/html", "text/plain"
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
    Route("get", "/model", "get_model", "The model being served", "key", schemas.ModelCard),
    Route(
        "get",
        "/training",
        "get_training",
        "What the model learned, to be drawn",
        "key",
        schemas.Training,
    ),
    Route("get", "/ui", "get_page", "The model to see and ask", "anyone", HTML),
    Route("get", "/", "go_to_page", "To the page at /ui", "anyone", None),
    Route("get", "/docs", "get_docs", "The API to read and try", "anyone", HTML),
    Route("get", "/docs.json", "get_openapi", "This document", "anyone", JSON),
    Route("get", "/schema.json", "get_schema", "The same for BentoML's client", "anyone", JSON),
    Route("get", "/metrics", "get_metrics", "Prometheus metrics", "probe", TEXT),
    Route("get", "/livez", "get_livez", "The process answers", "probe", TEXT),
    Route("get", "/healthz", "get_healthz", "The process still answers", "probe", TEXT),
    Route("get", "/readyz", "get_readyz", "The model is loaded", "probe", TEXT),
)

PATHS = frozenset(route.path for route in ROUTES)
PROBES = frozenset(route.path for route in ROUTES if route.access == "probe")
OPEN = frozenset(route.path for route in ROUTES if route.access != "key")
