"""The schemas of requests and responses."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field

from models.record import Source
from models.study_score import HOURS_MAX

BATCH_MAX = 10_000

Hours = Annotated[
    float, Field(ge=0, le=HOURS_MAX, description="Hours studied; at most the hours in a year.")
]
# FailFast reports the first error only; ten thousand would take long to write
Batch = Annotated[list[Hours], FailFast(), Field(min_length=1, max_length=BATCH_MAX)]
Extrapolated = Annotated[
    bool, Field(description="Whether the hours lie outside those the model was trained on.")
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PredictRequest(_Request):
    """How many hours someone studies."""

    hours: Hours


class PredictBatchRequest(_Request):
    """How many hours each of several people studies."""

    hours: Batch


class Instances(_Request):
    """Hours, as KServe's V1 protocol and SageMaker's containers name them."""

    model_config = ConfigDict(extra="ignore")  # clients may send more keys

    instances: Batch


class HoursForRequest(_Request):
    """The score that someone wants to reach."""

    score: float = Field(description="In the points the model was trained on.")


class Prediction(BaseModel):
    """The predicted score and its 95 % prediction interval, in the points of the training rows."""

    score: float
    low: float | None = Field(description="Null if the model was trained on fewer than 3 rows.")
    high: float | None
    extrapolated: Extrapolated


class Predictions(BaseModel):
    """Predictions as lists, in the order of the request."""

    score: list[float]
    low: list[float | None]
    high: list[float | None]
    extrapolated: list[bool]


class PredictionsOfInstances(BaseModel):
    """A prediction for each instance, in the order of the request."""

    predictions: list[Prediction]


class HoursFor(BaseModel):
    """The hours needed for a score, from 0 to the hours in a year.

    `low` and `high` are the fewest and the most hours whose 95 % prediction interval contains it.
    """

    hours: float | None = Field(description="They have this predicted score; null if none have.")
    low: float | None = Field(description="Null if it cannot be determined.")
    high: float | None = Field(description="Null if there is no limit, or as `low`.")
    extrapolated: Extrapolated


class Finding(BaseModel):
    """What the training rows show about the line."""

    about: Literal["slope", "influence", "straightness", "spread", "normality", "interval"]
    verdict: str = Field(description="A short key.")
    sentence: str = Field(description="The same in plain English.")
    numbers: dict[str, float] = Field(description="The numbers in the sentence, by name.")


class Limits(BaseModel):
    """The limits on requests."""

    hours_max: float = Field(description="The maximum of `hours`.")
    batch_max: int = Field(description="The most hours in a request of /predict_batch.")


class TrainedFrom(BaseModel):
    """A source of training rows; the store has more about it."""

    name: str = Field(description="The file or table, without its folder.")
    columns: list[str] = Field(description="The columns of the hours and of the scores.")
    rows: int
    skipped: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """The public part of a source: no path, host, query or digest."""
        name = re.split(r"[\\/]", source.name.partition("?")[0].rstrip("/"))[-1]
        return cls(name=name, **source.model_dump(include={"columns", "rows", "skipped"}))


class ModelCard(BaseModel):
    """The model being served.

    Standard errors (`_se`), 95 % confidence intervals (`_low` to `_high`), residual standard
    deviation and prediction intervals are null if it was trained on fewer than 3 rows; p values
    (`_p`) are null if they cannot be computed. `interval` says whether the 95 % prediction interval
    assumes normal errors or uses quantiles, `spread` whether its width follows the hours.
    """

    tag: str
    W: float = Field(description="Score points per hour.")
    b: float = Field(description="Score at 0 hours.")
    rows: int = Field(description="Rows it was trained on.")
    hours_min: float
    hours_max: float
    rmse: float = Field(description="Root mean squared error on the training rows, in points.")
    r2: float | None = Field(description="R² on the training rows; null if scores never vary.")
    residual_sd: float | None = Field(description="Residual standard deviation (divisor n - 2).")
    cv_rmse: float | None = Field(description="Cross-validated root mean squared error, in points.")
    cv_r2: float | None = Field(description="Cross-validated R².")
    W_se: float | None
    W_low: float | None
    W_high: float | None
    b_se: float | None
    b_low: float | None
    b_high: float | None
    curvature_p: float | None = Field(description="Low if a curve fits better (quadratic term).")
    spread_p: float | None = Field(description="Low if the spread changes (Breusch and Pagan).")
    normality_p: float | None = Field(description="Low if errors are not normal (Jarque and Bera).")
    interval: Literal["normal", "quantiles"] | None
    spread: Literal["even", "follows"] | None
    score_min: float | None = Field(description="The lowest possible score; null if not given.")
    score_max: float | None = Field(description="The highest possible score; null if not given.")
    findings: list[Finding]
    limits: Limits
    epochs: int
    lr: float = Field(description="Learning rate.")
    raw: bool = Field(description="Whether SGD ran on the hours as they are.")
    created: datetime = Field(description="When it was trained.")
    sources: list[TrainedFrom]


class Curve(BaseModel):
    """The line, its 95 % prediction interval and its 95 % confidence interval (`line_`)."""

    hours: list[float] = Field(description="From 0 to the maximum; dense near the training rows.")
    score: list[float]
    low: list[float | None]
    high: list[float | None]
    line_low: list[float | None]
    line_high: list[float | None]


class Cost(BaseModel):
    """The mean squared error of a line (W, b) on the training rows.

    It is least + (W - slope)^2 hours_variance + (W hours_mean + b - score_mean)^2.
    """

    least: float = Field(description="Of the least-squares line.")
    slope: float = Field(description="Of the least-squares line.")
    hours_mean: float
    hours_variance: float = Field(description="Divisor n.")
    score_mean: float


class Training(BaseModel):
    """What the page draws of the served model."""

    costs: list[tuple[int, float, float, float]] = Field(
        description="At most 200 epochs, and the mean squared error, W and b before their step."
    )
    cost: Cost
    points: list[tuple[float, float]] = Field(description="Hours and scores of a sample of rows.")
    curve: Curve


class Error(BaseModel):
    """What is wrong with a request."""

    error: str = Field(description="A sentence.")
    detail: list[dict[str, Any]] | None = Field(
        default=None, description="Which fields are wrong and why; only in validation errors."
    )
