"""The BentoML service and its endpoints."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from models import store
from service import openapi, pages
from service.address import check_address
from service.connections import install
from service.fast_lane import FastLane
from service.guard import Guard
from service.image import IMAGE
from service.live_model import LiveModel, ServedModel
from service.logs import keep_out_what_is_not_for_the_log, log_requests_as_json
from service.memory import check_memory
from service.meter import Meter
from service.metrics import exposition, make_folder, metrics, runs
from service.open_inference import OpenInference, Refused, answer_refused
from service.schemas import (
    HoursFor,
    HoursForRequest,
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictRequest,
)
from service.settings import read_settings

try:
    settings = read_settings(os.environ)
except ValueError as error:
    raise SystemExit(f"study_score: {error}") from None
SUPERVISOR = "STUDY_SCORE_SUPERVISOR"  # whose workers these are; nobody else sets it
live = LiveModel()
install(settings)
keep_out_what_is_not_for_the_log()
if settings.access_log == "json":
    log_requests_as_json()
# Tracing costs half the throughput even where nothing is exported. Exporters are named in BentoML's
# own configuration, and whoever has one gets a span for every request.
traced = bool({"BENTOML_CONFIG", "BENTOML_CONFIG_OPTIONS"} & os.environ.keys())


class Service(bentoml.Service[Any]):
    """BentoML's service, and what a request meets on its way to it."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """A request is counted and timed, guarded, and answered at once or handed to BentoML."""
        app: ASGIApp = super().to_asgi(is_main)
        if not traced:
            app = FastLane(app, live)
        app = Guard(
            app,
            settings.api_key,
            settings.max_body_bytes,
            settings.max_concurrency,
            settings.timeout_seconds,
        )
        return Meter(app, bool(settings.access_log))


async def docs_json(_: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(openapi.document())


async def model_card(_: Request) -> Response:
    """The model being served."""
    served = live.served
    return _about(served, served.card())


async def training(_: Request) -> Response:
    """What the model being served learned, to be drawn."""
    served = live.served
    return _about(served, served.training())


def _about(served: ServedModel, answer: BaseModel) -> Response:
    return Response(
        answer.model_dump_json(),
        media_type="application/json",
        headers={"X-Model": served.tag},
    )


@bentoml.service(
    name="study_score",
    workers=settings.workers,
    traffic={"timeout": settings.timeout_seconds},
    logging={"access": {"enabled": False}},  # ours are in service/logs.py
    metrics={"enabled": False},  # and in service/metrics.py
    tracing={"excluded_urls": [] if traced else [".*"]},
    image=IMAGE,
    service_class=Service,
)
@bentoml.asgi_app(
    Starlette(
        routes=[
            *pages.ROUTES,
            Route("/docs.json", docs_json),
            Route("/model", model_card),
            Route("/training", training),
            Route("/metrics", exposition),
            *OpenInference(live, settings.max_body_bytes).routes(),
        ],
        exception_handlers={Refused: answer_refused},
    )
)
class StudyScoreService:
    """Hours studied in, predicted score out."""

    # BentoML packs it into a Bento
    stored = store.StoredStudyScore(settings.model)

    def __init__(self) -> None:
        if _follows():
            live.load_newest()
        else:
            live.load(_tag())

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Before any worker starts: end at once without a model, memory or a port to be had."""
        store.load(_tag())
        check_memory(settings.workers)
        check_address(bool(settings.api_key))
        make_folder()
        os.environ[SUPERVISOR] = str(os.getpid())

    @bentoml.on_startup
    async def start_chores(self) -> None:
        """Look out for newly trained models, keep the metrics up to date, and end in time."""
        chores = [metrics().keep_writing(), _end_with_supervisor()]
        if _follows():
            chores.append(live.follow())
        self.chores = [asyncio.create_task(chore) for chore in chores]

    @bentoml.on_shutdown
    async def stop_chores(self) -> None:
        """Leave the last numbers behind."""
        for chore in self.chores:
            chore.cancel()
        metrics().write()

    @bentoml.api(input_spec=PredictRequest)
    async def predict(self, hours: float, ctx: bentoml.Context) -> Prediction:
        """The score for one number of hours."""
        served = live.served
        ctx.response.headers["X-Model"] = served.tag
        return Prediction.model_construct(**served.predict(hours))

    @bentoml.api(input_spec=PredictBatchRequest)
    async def predict_batch(self, hours: list[float], ctx: bentoml.Context) -> Predictions:
        """The scores for many numbers of hours."""
        served = live.served
        ctx.response.headers["X-Model"] = served.tag
        return Predictions.model_construct(**served.predict_batch(hours))

    @bentoml.api(input_spec=HoursForRequest)
    async def hours_for(self, score: float, ctx: bentoml.Context) -> HoursFor:
        """The hours that a score takes."""
        served = live.served
        ctx.response.headers["X-Model"] = served.tag
        return HoursFor.model_construct(**served.hours_for(score))


_service: Any = StudyScoreService  # a Service, since it was decorated


def _tag() -> str:
    """The model to serve: in a Bento the one it was built with.

    Raises BentoMLException for settings that would have it otherwise.
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
    """A worker left alone would hold the port, and answer, for as long as the machine runs."""
    supervisor = int(os.environ.get(SUPERVISOR, os.getpid()))  # in tests there is none
    while runs(supervisor):
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _follows() -> bool:
    return settings.follow is not False and settings.wants_latest and _service.bento is None
