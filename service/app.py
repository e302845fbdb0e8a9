"""The BentoML service and its endpoints."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models import store
from service import openapi
from service.fast_lane import FastLane
from service.guard import Guard
from service.image import IMAGE
from service.live_model import LiveModel
from service.metrics import Meter, exposition, metrics
from service.schemas import (
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictRequest,
)
from service.settings import read_settings

SECRET = ("/predict", "/predict_batch", "/model", "/training")  # where there is a key
SWAGGER_UI = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>study score: API</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script src="static_content/swagger-ui-standalone-preset.js"></script>
<script src="static_content/swagger-initializer.js"></script>
</body>
</html>
"""
ONLY_THIS_HOST = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

try:
    settings = read_settings(os.environ)
except ValueError as error:
    raise SystemExit(f"study_score: {error}") from None
live = LiveModel()
# Tracing costs half the throughput even where nothing is exported. Exporters are named in BentoML's
# own configuration, and whoever has one keeps the traces.
untraced = [] if {"BENTOML_CONFIG", "BENTOML_CONFIG_OPTIONS"} & os.environ.keys() else [".*"]


async def index(_: Request) -> Response:
    """BentoML's own index page would call an outside tag manager."""
    return RedirectResponse("docs")


async def docs(_: Request) -> Response:
    """Swagger UI, from the files that BentoML ships."""
    return HTMLResponse(SWAGGER_UI, headers={"Content-Security-Policy": ONLY_THIS_HOST})


async def docs_json(_: Request) -> Response:
    """The OpenAPI document."""
    return JSONResponse(openapi.document())


async def model_card(_: Request) -> Response:
    """The model being served."""
    served = live.served
    return Response(
        served.card().model_dump_json(),
        media_type="application/json",
        headers={"X-Model": served.tag},
    )


@bentoml.service(
    name="study_score",
    workers=settings.workers,
    traffic={"timeout": settings.timeout_seconds},  # each request leaves a timer for this long
    logging={"access": {"enabled": settings.access_log}},
    metrics={"enabled": False},  # ours are in service/metrics.py
    tracing={"excluded_urls": untraced},
    image=IMAGE,
)
@bentoml.asgi_app(
    Starlette(
        routes=[
            Route("/", index),
            Route("/docs", docs),
            Route("/docs.json", docs_json),
            Route("/model", model_card),
            Route("/metrics", exposition),
        ]
    )
)
class StudyScoreService:
    """Hours studied in, predicted score out."""

    stored = store.StoredStudyScore(settings.model)

    def __init__(self) -> None:
        live.load(_tag())

    @bentoml.on_deployment
    @staticmethod
    def check_model() -> None:
        """Ends `bentoml serve` at once if the model cannot be served."""
        store.read(store.get(_tag()))

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
    secret=SECRET,
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
        if name in settings.model_fields_set:
            raise BentoMLException(
                f"STUDY_SCORE_{name.upper()} is set, but a Bento serves the model it was built"
                " with; unset it, or build a Bento with the model you want"
            )
    return str(_service.bento.info.all_models[0].tag)


def _follows() -> bool:
    latest = settings.model in (store.NAME, store.LATEST) and _service.bento is None
    return latest if settings.follow is None else settings.follow


class _ClientErrors(logging.Filter):
    """Keeps what a client did wrong out of the log: it was told, and could fill the disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BentoMLException):
            return error.error_code.value >= 500
        return not isinstance(error, ValidationError)


logging.getLogger("bentoml._internal.server.http_app").addFilter(_ClientErrors())
