"""The BentoML service and its endpoints."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

import bentoml
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException
from circus.sighandler import SysHandler
from pydantic import ValidationError
from pydantic_core import to_json
from starlette import routing
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from models import store
from service import endpoints, open_inference, schemas
from service.bodies import Bodies
from service.connections import install
from service.errors import ErrorFormat, Refused, answer_invalid, answer_refused
from service.fast_lane import FastLane
from service.guard import Guard
from service.image import IMAGE
from service.live_model import LiveModel
from service.logs import filter_logs, log_requests_as_json, logger
from service.memory import check_memory
from service.meter import Meter
from service.metrics import is_running, make_folder, metrics
from service.openapi import JSON
from service.options import check_options
from service.proxy import BehindProxy
from service.routes import ROUTES, Route
from service.settings import read_settings

try:
    settings = read_settings(os.environ)
except ValueError as error:
    raise SystemExit(f"study_score: {error}") from None
# The supervisor tells its workers its process ID and the URL of the page.
SUPERVISOR, PAGE = "STUDY_SCORE_SUPERVISOR", "STUDY_SCORE_PAGE"
live = LiveModel(settings.served_model_name)
install(settings)
filter_logs()
if settings.access_log == "json":
    log_requests_as_json()
CROSS_ORIGIN = Middleware(
    CORSMiddleware,
    allow_origins=settings.cors_origins,
    allow_methods=["GET", "POST"],
    allow_headers=["*"],
    allow_private_network=True,
    expose_headers=["X-Model", "X-Request-ID", open_inference.HEAD_LENGTH],
)
# A request passes these in order, and each may answer it. Meter finds the route; Guard checks the
# key; Bodies reads the body; FastLane answers valid requests for scores; ErrorFormat gives errors
# their format on the way back, also those of CORS. Other requests reach BentoML's application:
# the methods of StudyScoreService, or else `endpoint`, validate the body and call the handler.
MIDDLEWARE = [
    *([Middleware(BehindProxy, settings.trusted_proxies)] if settings.trusted_proxies else []),
    Middleware(Meter, bool(settings.access_log)),
    *([Middleware(ErrorFormat), CROSS_ORIGIN] if settings.cors_origins else []),
    Middleware(Guard, settings.api_key, settings.max_concurrency),
    Middleware(Bodies, settings.max_body_bytes, settings.timeout_seconds),
    Middleware(FastLane, live),
    Middleware(ErrorFormat),
]


class Service(bentoml.Service[Any]):
    """BentoML's service, wrapped in `MIDDLEWARE`."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """The application with its middleware.

        Tracing costs half the throughput even if nothing is exported, so it is off unless BentoML's
        configuration names an exporter; then every request gets a span.
        """
        self.inject_config()
        traced = BentoMLContainer.tracing.exporter_type.get() is not None
        if not traced:
            self.config["tracing"] = {"excluded_urls": [".*"]}
        app = super().to_asgi(is_main)
        # Starlette's redirect for a slash contains host and scheme, which are wrong behind a proxy
        app.router.redirect_slashes = False
        for layer, arguments, options in reversed(MIDDLEWARE):
            if not (traced and layer is FastLane):
                app = layer(app, *arguments, **options)
        return app  # type: ignore[no-any-return]


def endpoint(route: Route) -> Callable[[Request], Awaitable[Response]]:
    """The function that Starlette calls for a route of the table."""
    schema = None if route.binary else route.request

    async def answer(request: Request) -> Response:
        served = live.served
        name, version = (request.path_params.get(key) for key in ("model", "version"))
        if name not in (None, served.name) or version not in (None, "latest", served.version):
            wanted = f"{name}, version {version}" if version else name
            raise Refused(404, f"there is no model {wanted}; there is {served.tag}")
        try:
            body = schema.model_validate_json(await request.body()) if schema else request
        except ValidationError as error:
            return answer_invalid(error)
        response = route.handler(served, body) if route.handler else None
        if isawaitable(response):
            response = await response
        if isinstance(response, Response):
            return response
        return Response(to_json(response), media_type=JSON, headers={"X-Model": served.tag})

    return answer


@bentoml.service(
    name="study_score",
    workers=settings.workers,
    traffic={"timeout": settings.timeout_seconds},
    logging={"access": {"enabled": False}},  # ours are in service/logs.py
    metrics={"enabled": False},  # and in service/metrics.py
    image=IMAGE,
    service_class=Service,
)
@bentoml.asgi_app(
    Starlette(
        routes=[
            routing.Route(route.path, endpoint(route), methods=[route.method.upper()])
            for route in ROUTES
            if route.handler
        ],
        exception_handlers={Refused: answer_refused},
    )
)
class StudyScoreService:
    """Hours studied in, predicted score out."""

    # BentoML packs this model into a Bento
    stored = store.StoredStudyScore(settings.model)

    def __init__(self) -> None:
        if _follows_store():
            live.load_newest()
        else:
            live.load(_find_tag())

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Before workers start: stop if the model, the memory or the port is not available."""
        # a closed terminal ends the service; by default it restarts workers
        SysHandler.handle_hup = SysHandler.handle_term
        store.load(_find_tag())
        check_memory(settings.workers)
        os.environ[PAGE] = check_options(bool(settings.api_key))
        make_folder()
        os.environ[SUPERVISOR] = str(os.getpid())

    @bentoml.on_startup
    async def start_chores(self) -> None:
        """Follow the store, write the metrics, and end with the supervisor."""
        chores = [metrics().keep_writing(), _end_with_supervisor()]
        if _follows_store():
            chores.append(live.follow())
        self.chores = [asyncio.create_task(chore) for chore in chores]
        if (page := os.environ.get(PAGE)) and bentoml.server_context.worker_index == 1:
            logger.info("serving %s; the page is %s; stop with Ctrl+C", live.served.tag, page)

    @bentoml.on_shutdown
    async def stop_chores(self) -> None:
        """Write the last metrics."""
        for chore in self.chores:
            chore.cancel()
        metrics().write()

    @bentoml.api(input_spec=schemas.PredictRequest)
    async def predict(self, hours: float, ctx: bentoml.Context) -> schemas.Prediction:
        """The score for one number of hours."""
        ctx.response.headers["X-Model"] = live.served.tag
        return endpoints.predict(live.served, schemas.PredictRequest(hours=hours))

    @bentoml.api(input_spec=schemas.PredictBatchRequest)
    async def predict_batch(self, hours: list[float], ctx: bentoml.Context) -> schemas.Predictions:
        """The scores for several numbers of hours."""
        ctx.response.headers["X-Model"] = live.served.tag
        return endpoints.predict_batch(live.served, schemas.PredictBatchRequest(hours=hours))

    @bentoml.api(input_spec=schemas.HoursForRequest)
    async def hours_for(self, score: float, ctx: bentoml.Context) -> schemas.HoursFor:
        """The hours needed for a score."""
        ctx.response.headers["X-Model"] = live.served.tag
        return endpoints.hours_for(live.served, schemas.HoursForRequest(score=score))


_service: Any = StudyScoreService  # a Service, since it was decorated


def _find_tag() -> str:
    """The tag of the model to serve; in a Bento the one it was built with.

    Raises BentoMLException for settings that contradict this.
    """
    if _service.bento is None:
        return settings.model
    for name in ("model", "follow"):
        if name in settings.model_fields_set and getattr(settings, name):
            raise BentoMLException(
                f"STUDY_SCORE_{name.upper()} is set, but a Bento serves the model it was built"
                " with; unset it, or build a Bento with the model you want"
            )
    return str(_service.bento.info.all_models[0].tag)


async def _end_with_supervisor() -> None:
    """End this worker if its supervisor has died; otherwise it would hold the port forever."""
    supervisor = int(os.environ.get(SUPERVISOR, os.getpid()))  # in tests there is none
    while is_running(supervisor):
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _follows_store() -> bool:
    return settings.follow is not False and settings.wants_latest and _service.bento is None
