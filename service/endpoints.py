"""The endpoints that answer from the model being served.

Each takes the served model and the validated body, or Starlette's request if there is no body.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from models.study_score import HOURS_MAX
from service.live_model import ServedModel
from service.metrics import metrics
from service.schemas import (
    BATCH_MAX,
    Cost,
    Curve,
    Finding,
    HoursFor,
    HoursForRequest,
    Instances,
    Limits,
    ModelCard,
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictionsOfInstances,
    PredictRequest,
    TrainedFrom,
    Training,
)


def predict(served: ServedModel, body: PredictRequest) -> Prediction:
    """The score for one number of hours."""
    hours, model = body.hours, served.model
    low, high = model.interval(hours)
    extrapolated = model.extrapolates(hours)
    metrics().predicted(hours, extrapolated)
    return Prediction(score=model.predict(hours), low=low, high=high, extrapolated=extrapolated)


def predict_batch(served: ServedModel, body: PredictBatchRequest) -> Predictions:
    """The scores for several numbers of hours, in the same order."""
    hours = np.array(body.hours)
    predictions = _predict_all(served, hours)
    metrics().predicted_all(hours, predictions.extrapolated)
    return predictions


def _predict_all(served: ServedModel, hours: NDArray[np.float64]) -> Predictions:
    low, high = _as_lists(served.model.interval(hours), len(hours))
    return Predictions.model_construct(  # skips validating ten thousand numbers
        score=served.model.predict(hours).tolist(),
        low=low,
        high=high,
        extrapolated=served.model.extrapolates(hours).tolist(),
    )


def predict_instances(served: ServedModel, body: Instances) -> PredictionsOfInstances:
    """One prediction per instance, as KServe's V1 protocol and SageMaker expect."""
    batch = predict_batch(served, PredictBatchRequest.model_construct(hours=body.instances))
    columns = dict(batch)
    rows = [
        Prediction.model_construct(**dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
    return PredictionsOfInstances.model_construct(predictions=rows)


def hours_for(served: ServedModel, body: HoursForRequest) -> HoursFor:
    """The hours needed for a score."""
    hours, low, high, extrapolated = served.model.hours_for(body.score)
    return HoursFor(hours=hours, low=low, high=high, extrapolated=extrapolated)


def model_card(served: ServedModel, _: Request) -> ModelCard:
    """What the served model is and how well it fits."""
    fit = served.model.fit
    return ModelCard(
        tag=served.tag,
        **served.model.facts(),
        epochs=fit.epochs,
        lr=fit.lr,
        raw=fit.raw,
        created=fit.created,
        sources=[TrainedFrom.of(source) for source in served.model.sources],
        findings=[Finding(**finding._asdict()) for finding in served.model.findings()],
        limits=Limits(hours_max=HOURS_MAX, batch_max=BATCH_MAX),
    )


def training(served: ServedModel, _: Request) -> Training:
    """What the page draws: cost by epoch, sample rows, the line and its bands."""
    moments, cost = served.model.moments, served.model.moments.cost
    return Training(
        costs=list(served.model.costs),
        cost=Cost(
            least=cost.least,
            slope=moments.slope,
            hours_mean=moments.mean_x,
            hours_variance=cost.var_x,
            score_mean=moments.mean_y,
        ),
        points=list(served.model.points),
        curve=_curve(served),
    )


def _curve(served: ServedModel) -> Curve:
    first, last = served.model.moments.min_x, served.model.moments.max_x
    # wider steps far from the rows, where the ends of the interval are almost straight
    middle, half = (first + last) / 2, (last - first) / 2
    far = math.asinh(HOURS_MAX / half)
    steps = middle + half * np.sinh(np.arange(-far, far, 0.15))
    inside = steps[(steps > 0) & (steps < HOURS_MAX)]
    hours = np.unique([0.0, first, last, HOURS_MAX, *inside])
    low, high = _as_lists(served.model.line_interval(hours), len(hours))
    predictions = _predict_all(served, hours).model_dump(exclude={"extrapolated"})
    return Curve(hours=hours.tolist(), line_low=low, line_high=high, **predictions)


def _as_lists(interval: tuple[Any, Any], length: int) -> tuple[list[Any], list[Any]]:
    """Both ends of an interval as lists, of None if they are unknown."""
    low, high = interval
    return ([None] * length, [None] * length) if low is None else (low.tolist(), high.tolist())
