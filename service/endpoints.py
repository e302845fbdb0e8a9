"""The handlers that answer from the model being served.

Each takes the served model and the validated body, or Starlette's request if there is none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from models.study_score import HOURS_MAX
from service import schemas
from service.live_model import ServedModel
from service.metrics import metrics


def predict(served: ServedModel, body: schemas.PredictRequest) -> schemas.Prediction:
    """The score for one number of hours."""
    hours, model = body.hours, served.model
    low, high = model.interval(hours)
    extrapolated = model.extrapolates(hours)
    metrics().predicted(hours, extrapolated)
    return schemas.Prediction(
        score=model.predict(hours), low=low, high=high, extrapolated=extrapolated
    )


def predict_batch(served: ServedModel, body: schemas.PredictBatchRequest) -> schemas.Predictions:
    """The scores for several numbers of hours, in the same order."""
    hours = np.array(body.hours)
    predictions = _predict_all(served, hours)
    metrics().predicted_all(hours, predictions.extrapolated)
    return predictions


def _predict_all(served: ServedModel, hours: NDArray[np.float64]) -> schemas.Predictions:
    low, high = _as_lists(served.model.interval(hours), len(hours))
    return schemas.Predictions.model_construct(  # skips validating ten thousand numbers
        score=served.model.predict(hours).tolist(),
        low=low,
        high=high,
        extrapolated=served.model.extrapolates(hours).tolist(),
    )


def predict_instances(
    served: ServedModel, body: schemas.Instances
) -> schemas.PredictionsOfInstances:
    """One prediction per instance, as KServe's V1 protocol and SageMaker expect."""
    batch = predict_batch(served, schemas.PredictBatchRequest.model_construct(hours=body.instances))
    columns = dict(batch)
    rows = [
        schemas.Prediction.model_construct(**dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
    return schemas.PredictionsOfInstances.model_construct(predictions=rows)


def hours_for(served: ServedModel, body: schemas.HoursForRequest) -> schemas.HoursFor:
    """The hours needed for a score."""
    hours, low, high, extrapolated = served.model.hours_for(body.score)
    return schemas.HoursFor(hours=hours, low=low, high=high, extrapolated=extrapolated)


def model_card(served: ServedModel, _: Request) -> schemas.ModelCard:
    """What the served model is and how well it fits."""
    return schemas.ModelCard(
        tag=served.tag,
        **served.model.facts(),
        **served.model.fit.model_dump(include={"epochs", "lr", "raw", "created"}),
        sources=[schemas.TrainedFrom.of(source) for source in served.model.sources],
        findings=[schemas.Finding(**finding._asdict()) for finding in served.model.findings()],
        limits=schemas.Limits(hours_max=HOURS_MAX, batch_max=schemas.BATCH_MAX),
    )


def training(served: ServedModel, _: Request) -> schemas.Training:
    """What the page draws: cost by epoch, sample rows, the line and its bands."""
    moments, cost = served.model.moments, served.model.moments.cost
    return schemas.Training(
        costs=list(served.model.costs),
        cost=schemas.Cost(
            least=cost.least,
            slope=moments.slope,
            hours_mean=moments.mean_x,
            hours_variance=cost.var_x,
            score_mean=moments.mean_y,
        ),
        points=list(served.model.points),
        curve=_curve(served),
    )


def _curve(served: ServedModel) -> schemas.Curve:
    first, last = served.model.moments.min_x, served.model.moments.max_x
    # wider steps far from the rows, where the ends of the interval are almost straight
    middle, half = (first + last) / 2, (last - first) / 2
    far = math.asinh(HOURS_MAX / half)
    steps = middle + half * np.sinh(np.arange(-far, far, 0.15))
    inside = steps[(steps > 0) & (steps < HOURS_MAX)]
    hours = np.unique([0.0, first, last, HOURS_MAX, *inside])
    low, high = _as_lists(served.model.line_interval(hours), len(hours))
    predictions = _predict_all(served, hours).model_dump(exclude={"extrapolated"})
    return schemas.Curve(hours=hours.tolist(), line_low=low, line_high=high, **predictions)


def _as_lists(interval: tuple[Any, Any], length: int) -> tuple[list[Any], list[Any]]:
    """Both ends of an interval as lists, of None if they are unknown."""
    low, high = interval
    return ([None] * length, [None] * length) if low is None else (low.tolist(), high.tolist())
