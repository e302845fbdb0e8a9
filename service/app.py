"""The BentoML service and its endpoints."""

from __future__ import annotations

import logging
from typing import Any, cast

import bentoml
from bentoml.exceptions import BentoMLException
from bentoml.images import Image
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models import store
from service import openapi
from service.guard import Guard
from service.live_model import LiveModel
from service.schemas import PredictBatchRequest, Prediction, Predictions, PredictRequest

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


def _live() -> LiveModel:
    return cast(LiveModel, bentoml.get_current_service().live)


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
    live = _live()
    return Response(
        live.card().model_dump_json(),
        media_type="application/json",
        headers={"X-Model": live.tag},
    )


@bentoml.service(
    name="study_score",
    # Each request leaves a timer behind for this long.
    traffic={"timeout": 2},
    # A distribution unknown to BentoML, so that it adds no compiler and no git to the image.
    image=Image(base_image="python:3.11-slim", distro="none"),
)
@bentoml.asgi_app(
    Starlette(
        routes=[
            Route("/", index),
            Route("/docs", docs),
            Route("/docs.json", docs_json),
            Route("/model", model_card),
        ]
    )
)
class StudyScoreService:
    """Hours studied in, predicted score out."""

    stored = store.StoredStudyScore(store.LATEST)

    def __init__(self) -> None:
        self.live = LiveModel(_stored())

    @bentoml.on_deployment
    @staticmethod
    def check_model() -> None:
        """Ends `bentoml serve` at once if the model cannot be served."""
        LiveModel(_stored())

    @bentoml.api(input_spec=PredictRequest)
    async def predict(self, hours: float, ctx: bentoml.Context) -> Prediction:
        """The score for one number of hours."""
        live = self.live
        ctx.response.headers["X-Model"] = live.tag
        return live.predict(hours)

    @bentoml.api(input_spec=PredictBatchRequest)
    async def predict_batch(self, hours: list[float], ctx: bentoml.Context) -> Predictions:
        """The scores for many numbers of hours."""
        live = self.live
        ctx.response.headers["X-Model"] = live.tag
        return live.predict_batch(hours)


_service: Any = StudyScoreService  # a bentoml.Service, since it was decorated
_service.add_asgi_middleware(Guard)


def _stored() -> bentoml.Model:
    """The stored model to serve: in a Bento the one it was built with."""
    bento = _service.bento
    tag = bento.info.all_models[0].tag if bento else store.LATEST
    return store.get(tag)


class _ClientErrors(logging.Filter):
    """Keeps what a client did wrong out of the log: it was told, and could fill the disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BentoMLException):
            return error.error_code.value >= 500
        return not isinstance(error, ValidationError)


logging.getLogger("bentoml._internal.server.http_app").addFilter(_ClientErrors())
