"""The table of routes, used by the application, guard, metrics and OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_type_hints

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from service import endpoints, openapi, pages
from service.live_model import ServedModel
from service.metrics import exposition
from service.open_inference import health, infer, model_metadata, model_ready, server_metadata
from service.openapi import JSON
from service.proxy import PATH_PREFIX
from service.tensors import InferAnswer, InferRequest

HTML, TEXT = "text/html", "text/plain"
Access = Literal["key", "anyone", "probe"]


class Route(NamedTuple):
    """A path and its handler: POST if it has a `request` schema, otherwise GET.

    `answer` is the schema of the response, or its media type if it has no schema, or None for a
    redirect. `handler` takes the served model and the validated body (Starlette's request if there
    is none, or if the route is `binary`: bytes may follow the JSON), and returns an instance of
    `answer` or a response; routes without a handler are BentoML's. If there are API keys, routes
    with the access "key" need one; a "probe" is neither counted nor limited. The OpenAPI document
    has the `public` routes.
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
    def errors(self) -> list[int]:
        """The statuses of its errors, besides 405 and the 404 of unknown paths."""
        conditions = {
            400: self.request,
            401: self.access == "key",
            404: "{" in self.path,
            413: self.request,
            415: self.request,
            429: self.access != "probe",
            504: True,
        }
        return [status for status, applies in conditions.items() if applies]


def openapi_document(served: ServedModel, request: Request) -> Response:
    """The OpenAPI document, with a proxy's path prefix as its server."""
    servers = [{"url": request.scope.get(PATH_PREFIX, "/")}]
    return JSONResponse({**openapi.document(ROUTES, served.name), "servers": servers})


def _route(
    path: str, name: str, summary: str, handler: Callable[..., Any], access: Access = "key"
) -> Route:
    """The route of a handler; the schemas are taken from its annotations."""
    types = get_type_hints(handler)
    return Route(path, name, summary, types["return"], handler, types.get("body"), access)


def _of_model(path: str, name: str) -> tuple[Route, ...]:
    """The routes of the Open Inference Protocol, with or without a version."""
    text = "The scores for a tensor of hours"
    return (
        _route(path, f"get_tensors{name}", "Its inputs and outputs", model_metadata),
        _route(f"{path}/ready", f"get_model{name}_ready", "The model is ready", model_ready),
        Route(f"{path}/infer", f"infer{name}", text, InferAnswer, infer, InferRequest, binary=True),
    )


ROUTES = (
    _route("/predict", "predict", "The score for one number of hours", endpoints.predict),
    _route("/predict_batch", "predict_batch", "The scores for many", endpoints.predict_batch),
    _route("/hours_for", "hours_for", "The hours needed for a score", endpoints.hours_for),
    _route("/model", "get_model", "The model being served", endpoints.model_card),
    _route("/training", "get_training", "What the page draws", endpoints.training),
    *_of_model("/v2/models/{model}", ""),
    *_of_model("/v2/models/{model}/versions/{version}", "_version"),
    _route("/v2", "get_server", "The server", server_metadata, "anyone"),
    _route("/v2/health/live", "get_live", "The server answers", health, "probe"),
    _route("/v2/health/ready", "get_ready", "The model is loaded", health, "probe"),
    _route("/v1/models/{model}:predict", "predict_v1", "KServe's V1", endpoints.predict_instances),
    _route("/v1/models/{model}", "get_model_v1", "The model is ready", model_ready),
    _route("/invocations", "invoke", "Scores for SageMaker", endpoints.predict_instances),
    _route("/ping", "ping", "The model is loaded, for SageMaker", health, "probe"),
    Route("/ui", "get_page", "The page", HTML, pages.file, access="anyone"),
    Route("/ui/{name}", "", "", HTML, pages.file, access="anyone", public=False),
    Route("/static_content/{name}", "", "", HTML, pages.file, access="anyone", public=False),
    Route("/", "go_to_page", "Redirects to /ui", None, pages.index, access="anyone"),
    Route("/docs", "get_docs", "The API to read and try", HTML, pages.file, access="anyone"),
    Route("/docs.json", "get_openapi", "This document", JSON, openapi_document, access="anyone"),
    Route("/schema.json", "get_schema", "The same for BentoML's client", JSON, access="anyone"),
    Route("/metrics", "get_metrics", "Prometheus metrics", TEXT, exposition, access="probe"),
    Route("/livez", "get_livez", "The process answers", TEXT, access="probe"),
    Route("/healthz", "get_healthz", "The process still answers", TEXT, access="probe"),
    Route("/readyz", "get_readyz", "The model is loaded", TEXT, access="probe"),
)
UNKNOWN = Route("other", "", "Any path that is not in the table", None)
PROBES = frozenset(route.path for route in ROUTES if route.access == "probe")
_EXACT = {route.path: route for route in ROUTES if "{" not in route.path}
_NAMED = [(compile_path(route.path)[0], route) for route in ROUTES if "{" in route.path]


def find(path: str) -> Route:
    """The route of a request's path, or `UNKNOWN`."""
    if path in _EXACT:
        return _EXACT[path]
    return next((route for pattern, route in _NAMED if pattern.fullmatch(path)), UNKNOWN)
