"""The BentoML service and its endpoints."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models import store
from service import openapi, pages
from service.fast_lane import FastLane
from service.guard import Guard
from service.head_limit import limit_heads
from service.image import IMAGE
from service.live_model import LiveModel, ServedModel
from service.metrics import Meter, exposition, metrics
from service.schemas import (
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictRequest,
)
from service.settings import read_settings

OPEN = ("/", "/ui", "/docs", "/docs.json", "/schema.json")  # where there is an API key

try:
    settings = read_settings(os.environ)
except ValueError as error:
    raise SystemExit(f"study_score: {error}") from None
live = LiveModel()
limit_heads()
# Tracing costs half the throughput even where nothing is exported. Exporters are named in BentoML's
# own configuration, and whoever has one keeps the traces.
untraced = [] if {"BENTOML_CONFIG", "BENTOML_CONFIG_OPTIONS"} & os.environ.keys() else [".*"]


async def docs_json(_: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(openapi.document())


async def model_card(_: Request) -> Response:
    """The model being served."""
    served = live.served
    return _of(served, served.card())


async def training(_: Request) -> Response:
    """What the model being served learned, to be drawn."""
    served = live.served
    return _of(served, served.training())


def _of(served: ServedModel, answer: BaseModel) -> Response:
    return Response(
        answer.model_dump_json(),
        media_type="application/json",
        headers={"X-Model": served.tag},
    )


@bentoml.service(
    name="study_score",
    workers=settings.workers,
    traffic={"timeout": settings.timeout_seconds},  # each request leaves a timer for this long
    # BentoML decodes the content type as it logs it, and an odd one would cost the answer its body.
    logging={"access": {"enabled": settings.access_log, "request_content_type": False}},
    metrics={"enabled": False},  # ours are in service/metrics.py
    tracing={"excluded_urls": untraced},
    image=IMAGE,
)
@bentoml.asgi_app(
    Starlette(
        routes=[
            *pages.ROUTES,
            Route("/docs.json", docs_json),
            Route("/model", model_card),
            Route("/training", training),
            Route("/metrics", exposition),
        ]
    )
)
class StudyScoreService:
    """Hours studied in, predicted score out."""

    stored = store.StoredStudyScore(settings.model)

    def __init__(self) -> None:
        if _follows():
            live.load_newest()
        else:
            live.load(_tag())

    @bentoml.on_deployment
    @staticmethod
    def check_model() -> None:
        """Ends `bentoml serve` at once if the model cannot be served."""
        store.load(_tag())

    @bentoml.on_startup
    async def start_chores(self) -> None:
        """Look out for newly trained models, and keep the metrics up to date."""
        chores = [metrics().keep_flushing(), *([live.follow()] if _follows() else [])]
        self.chores = [asyncio.create_task(chore) for chore in chores]

    @bentoml.on_shutdown
    async def stop_chores(self) -> None:
        """Leave the last numbers behind."""
        for chore in self.chores:
            chore.cancel()
        metrics().flush()

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


_service: Any = StudyScoreService  # a bentoml.Service, since it was decorated
_service.add_asgi_middleware(Meter, endpoints=openapi.document()["paths"])
_service.add_asgi_middleware(
    Guard,
    open_paths=OPEN,
    keys=settings.api_key,
    max_body_bytes=settings.max_body_bytes,
    max_concurrency=settings.max_concurrency,
)
_service.add_asgi_middleware(FastLane, live=live)


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


def _follows() -> bool:
    return settings.follow is not False and settings.wants_latest and _service.bento is None


class _ClientErrors(logging.Filter):
    """Keeps what a client did wrong out of the log: it was told, and could fill the disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BentoMLException):
            return error.error_code.value >= 500
        return not isinstance(error, ValidationError)


class _OneLine(logging.Filter):
    """Keeps a request to one line of the log, whatever characters its path has."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().encode("unicode_escape").decode(), ()
        return True


logging.getLogger("bentoml._internal.server.http_app").addFilter(_ClientErrors())
logging.getLogger("bentoml.access").addFilter(_OneLine())
logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each malformed request
