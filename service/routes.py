"""The table of routes, used by the application, guard, metrics and OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_type_hints

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from service import endpoints, open_inference, openapi, pages
from service.live_model import ServedModel
from service.metrics import exposition
from service.openapi import JSON
from service.proxy import PREFIX
from service.schemas import InferAnswer, InferRequest

HTML, TEXT = "text/html", "text/plain"
Access = Literal["key", "anyone", "probe"]


class Route(NamedTuple):
    """A path and what answers there: POST if it has a `request` schema, otherwise GET.

    `answer` is a schema, or the media type of what has none, or null for a redirect. `handler`
    takes the model being served and the validated request, or Starlette's where there is none or
    it is `binary`: tensors may follow the JSON as bytes. It returns an instance of `answer` or a
    response; without one, BentoML answers by itself. `access` says who may call where there are API
    keys: who has a `key`, or `anyone`; a `probe` anyone, at any time: it is neither counted nor
    refused. What is not `public` is no part of the documented API.
    """

    path: str
    name: str
    summary: str
    answer: type | str | None
    handler: Callable[[ServedModel, Any], Any] | None = None
    request: type[BaseModel] | None = None
    access: Access = "key"
    binary: bool = False
    public: bool = True

    @property
    def method(self) -> Literal["get", "post"]:
        """The HTTP method in lower case, as in OpenAPI."""
        return "post" if self.request else "get"

    @property
    def errors(self) -> tuple[int, ...]:
        """The statuses of its errors, besides 405 and the 404 of unknown paths."""
        of_a_body = (400, 413, 415) if self.request else ()
        of_a_key = (401,) if self.access == "key" else ()
        of_load = (429,) if self.access != "probe" else ()
        of_a_name = (404,) if "{" in self.path else ()
        return tuple(sorted((*of_a_body, *of_a_key, *of_load, *of_a_name, 504)))


def openapi_document(served: ServedModel, request: Request) -> Response:
    """The OpenAPI document, with a proxy's path prefix as its server."""
    servers = [{"url": request.scope.get(PREFIX, "/")}]
    return JSONResponse({**openapi.document(ROUTES, served.name), "servers": servers})


def _answer(
    path: str, name: str, summary: str, handler: Callable[..., Any], access: Access = "key"
) -> Route:
    """The route of a handler; the schemas are taken from its annotations."""
    types = get_type_hints(handler)
    return Route(path, name, summary, types["return"], handler, types.get("asked"), access)


def _of_model(path: str, name: str) -> tuple[Route, ...]:
    """The routes of the Open Inference Protocol, with and without a version."""
    summary = "The tensors it takes and answers"
    return (
        _answer(path, f"get_tensors{name}", summary, endpoints.model_metadata),
        _answer(
            f"{path}/ready", f"get_model{name}_ready", "The model is ready", endpoints.model_ready
        ),
        Route(
            f"{path}/infer",
            f"infer{name}",
            "The scores for a tensor of hours",
            InferAnswer,
            open_inference.infer,
            InferRequest,
            binary=True,
        ),
    )


ROUTES = (
    _answer("/predict", "predict", "The score for one number of hours", endpoints.predict),
    _answer("/predict_batch", "predict_batch", "The scores for many", endpoints.predict_batch),
    _answer("/hours_for", "hours_for", "The hours that a score takes", endpoints.hours_for),
    _answer("/model", "get_model", "The model being served", endpoints.model_card),
    _answer("/training", "get_training", "What it learned, to be drawn", endpoints.training),
    *_of_model("/v2/models/{model}", ""),
    *_of_model("/v2/models/{model}/versions/{version}", "_version"),
    _answer("/v2", "get_server", "The server", endpoints.server_metadata, "anyone"),
    _answer("/v2/health/live", "get_live", "The server answers", endpoints.health, "probe"),
    _answer("/v2/health/ready", "get_ready", "The model is loaded", endpoints.health, "probe"),
    _answer(
        "/v1/models/{model}:predict",
        "predict_v1",
        "The scores by KServe's V1 protocol",
        endpoints.predict_instances,
    ),
    _answer("/v1/models/{model}", "get_model_v1", "The model is ready", endpoints.model_ready),
    _answer("/invocations", "invoke", "The scores for SageMaker", endpoints.predict_instances),
    _answer("/ping", "ping", "The model is loaded, for SageMaker", endpoints.health, "probe"),
    Route("/ui", "get_page", "The model to see and ask", HTML, pages.file, access="anyone"),
    Route("/ui/{name}", "", "", HTML, pages.file, access="anyone", public=False),
    Route("/static_content/{name}", "", "", HTML, pages.file, access="anyone", public=False),
    Route("/", "go_to_page", "To the page at /ui", None, pages.index, access="anyone"),
    Route("/docs", "get_docs", "The API to read and try", HTML, pages.docs, access="anyone"),
    Route("/docs.json", "get_openapi", "This document", JSON, openapi_document, access="anyone"),
    Route("/schema.json", "get_schema", "The same for BentoML's client", JSON, access="anyone"),
    Route("/metrics", "get_metrics", "Prometheus metrics", TEXT, exposition, access="probe"),
    Route("/livez", "get_livez", "The process answers", TEXT, access="probe"),
    Route("/healthz", "get_healthz", "The process still answers", TEXT, access="probe"),
    Route("/readyz", "get_readyz", "The model is loaded", TEXT, access="probe"),
)
UNKNOWN = Route("other", "", "Whatever is not in the table", None)
PROBES = frozenset(route.path for route in ROUTES if route.access == "probe")
_EXACT = {route.path: route for route in ROUTES if "{" not in route.path}
_NAMED = [(compile_path(route.path)[0], route) for route in ROUTES if "{" in route.path]


def find(path: str) -> Route:
    """The route of a request's path, or `UNKNOWN`."""
    if path in _EXACT:
        return _EXACT[path]
    return next((route for pattern, route in _NAMED if pattern.fullmatch(path)), UNKNOWN)
