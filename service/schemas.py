"""The schemas of requests and responses."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field

from models.study_score import HOURS_MAX, Source

BATCH_MAX = 10_000

Hours = Annotated[
    float,
    Field(ge=0, le=HOURS_MAX, description="Hours studied; at most the hours in a year."),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PredictRequest(_Request):
    """How many hours someone studies."""

    hours: Hours = Field(examples=[4])


class PredictBatchRequest(_Request):
    """How many hours each of several people studies."""

    # report the first error only; ten thousand would take long to write
    hours: Annotated[list[Hours], FailFast()] = Field(
        min_length=1, max_length=BATCH_MAX, examples=[[1, 2.5]]
    )


class Instances(_Request):
    """Hours, as KServe's V1 protocol and SageMaker's containers name them."""

    model_config = ConfigDict(extra="ignore")  # clients may send more keys

    instances: Annotated[list[Hours], FailFast()] = Field(
        min_length=1, max_length=BATCH_MAX, examples=[[1, 2.5]]
    )


class HoursForRequest(_Request):
    """The score that someone wants to reach."""

    score: float = Field(description="In the points the model was trained on.", examples=[6])


class Prediction(BaseModel):
    """The predicted score and its 95 % interval."""

    score: float = Field(description="Predicted score, in the points the model was trained on.")
    low: float | None = Field(
        description="Lower end of the 95 % prediction interval; null if trained on under 3 rows."
    )
    high: float | None = Field(description="Upper end of the interval.")
    extrapolated: bool = Field(
        description="Whether the hours lie outside those the model was trained on."
    )


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
    """The hours needed for a score, from 0 to the hours in a year."""

    hours: float | None = Field(
        description="Hours whose predicted score it is; null if there are none."
    )
    low: float | None = Field(
        description="The fewest hours whose 95 % prediction interval holds the score; null if there"
        " is no telling."
    )
    high: float | None = Field(
        description="The most such hours; null if there is no end to them, or no telling."
    )
    extrapolated: bool = Field(
        description="Whether the hours lie outside those the model was trained on."
    )


class Finding(BaseModel):
    """What the training rows show about the line."""

    about: Literal["slope", "influence", "straightness", "spread", "normality", "interval"]
    verdict: str = Field(description="A short key.", examples=["rises"])
    sentence: str = Field(description="The same in plain English.")
    numbers: dict[str, float] = Field(
        description="Those in the sentence, by name, but for W_low and W_high of the model."
    )


class Limits(BaseModel):
    """The limits on requests."""

    hours_max: float = Field(description="The most hours that can be asked for.")
    batch_max: int = Field(description="The most hours in a request of /predict_batch.")


class TrainedFrom(BaseModel):
    """A source of training rows; the store has more about it."""

    name: str = Field(description="Of the file or table, without its folder.")
    columns: list[str] = Field(description="Those of the hours and of the scores.")
    rows: int
    skipped: int

    @classmethod
    def of(cls, source: Source) -> Self:
        """The public part of a source: no path, host, query or digest."""
        name = re.split(r"[\\/]", source.name.partition("?")[0].rstrip("/"))[-1]
        columns, rows, skipped = list(source.columns), source.rows, source.skipped
        return cls(name=name, columns=columns, rows=rows, skipped=skipped)


class ModelCard(BaseModel):
    """The model being served."""

    tag: str = Field(examples=["study_score:alaaqsxhcwu64ax4"])
    W: float = Field(description="Score points per hour.")
    b: float = Field(description="Score at 0 hours.")
    rows: int = Field(description="Rows it was trained on.")
    hours_min: float
    hours_max: float
    rmse: float = Field(description="Root mean squared error on the training rows, in points.")
    r2: float | None = Field(description="R² on the training rows; null if scores never vary.")
    residual_sd: float | None = Field(
        description="Residual standard deviation (divisor n - 2); null for fewer than 3 rows."
    )
    cv_rmse: float | None = Field(description="Cross-validated root mean squared error, in points.")
    cv_r2: float | None = Field(description="Cross-validated R².")
    W_se: float | None = Field(description="Standard error of W; null for fewer than 3 rows.")
    W_low: float | None = Field(description="Lower end of the 95 % confidence interval of W.")
    W_high: float | None
    b_se: float | None = Field(description="Standard error of b; null for fewer than 3 rows.")
    b_low: float | None = Field(description="Lower end of the 95 % confidence interval of b.")
    b_high: float | None
    curvature_p: float | None = Field(
        description="p value of a quadratic term: low if a straight line is wrong; null if unknown."
    )
    spread_p: float | None = Field(
        description="p value of Breusch and Pagan's test: low if the spread changes with the hours."
    )
    normality_p: float | None = Field(
        description="p value of Jarque and Bera's test: low if the errors are not normal."
    )
    interval: Literal["normal", "quantiles"] | None = Field(
        description="What the 95 % prediction interval is made of: Student's t, for normal errors,"
        " or quantiles of the errors; null for fewer than 3 rows."
    )
    spread: Literal["even", "follows"] | None = Field(
        description="Whether it takes scores to scatter as much at all hours, or follows the hours."
    )
    score_min: float | None = Field(description="The least score there is; null if not given.")
    score_max: float | None = Field(description="The highest score there is; null if not given.")
    findings: list[Finding] = Field(description="What the rows say of the line, for people.")
    limits: Limits
    epochs: int
    lr: float = Field(description="Learning rate.")
    raw: bool = Field(description="Whether SGD ran on the hours as they are.")
    created: datetime = Field(description="When it was trained.")
    sources: list[TrainedFrom] = Field(description="What it was trained from.")


class Curve(BaseModel):
    """The line and its 95 % intervals from 0 hours to the maximum."""

    hours: list[float] = Field(description="In order; dense where the model was trained.")
    score: list[float]
    low: list[float | None] = Field(description="Of the prediction interval.")
    high: list[float | None]
    line_low: list[float | None] = Field(
        description="Of the confidence interval of the line itself."
    )
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
    points: list[tuple[float, float]] = Field(
        description="Hours and scores of the training rows that were kept to be shown."
    )
    curve: Curve


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)  # the protocol's other keys are ignored


Integer = Literal["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]


class InBytes(_Part):
    """The parameters of a tensor whose numbers are not in the JSON."""

    binary_data_size: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many bytes after the JSON are the tensor."
    )


class TensorOfHours(_Part):
    """The hours, as JSON numbers or as binary data after the JSON."""

    name: Literal["hours"]
    shape: list[Annotated[int, Field(ge=1, le=BATCH_MAX)]] = Field(max_length=32)
    datatype: Literal[Integer, "FP16", "FP32", "FP64"]
    data: list[Any] | None = Field(default=None, description="Row by row, flat or nested.")
    parameters: InBytes = InBytes()


class _OneBinary(_Part):
    binary_data: bool | None = Field(
        default=None, description="Whether it comes as bytes after the JSON."
    )


class RequestedOutput(_Part):
    """A requested output."""

    name: Literal["score", "low", "high", "extrapolated"]
    parameters: _OneBinary = _OneBinary()


class _AllBinary(_Part):
    binary_data_output: bool = Field(
        default=False, description="Whether outputs that do not say come as bytes after the JSON."
    )


class InferRequest(_Part):
    """A request of the Open Inference Protocol; without `outputs`, all are returned."""

    id: str | None = None
    parameters: _AllBinary = _AllBinary()
    inputs: list[TensorOfHours] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] = Field(default=[], max_length=4)


class Tensor(BaseModel):
    """An output in the shape of the hours, as JSON or as binary data after it."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float] | list[bool] | None = None
    parameters: InBytes | None = None


class InferAnswer(BaseModel):
    """The requested outputs in that order, without low and high if they are unknown."""

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="The request's, if it had one.")
    outputs: list[Tensor]


class TensorMetadata(BaseModel):
    """A tensor's name, type and shape; -1 is a variable size."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """The model's inputs and outputs."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(BaseModel):
    """Whether the model is ready."""

    name: str
    ready: bool


class ServerMetadata(BaseModel):
    """The server's name, version and protocol extensions."""

    name: str
    version: str
    extensions: list[str]


class ServerHealth(BaseModel):
    """Always true: the protocol's text uses one of the two keys, clients read the other."""

    live: bool
    ready: bool


class Error(BaseModel):
    """What is wrong with a request."""

    error: str = Field(description="A sentence.", examples=["hours: Field required"])
    detail: list[dict[str, Any]] | None = Field(
        default=None, description="Which fields are wrong and why, where it is about fields."
    )
