"""The endpoints that answer from the model being served.

Each takes the served model and the validated request, or Starlette's request if there is no body.
"""

from __future__ import annotations

from starlette.requests import Request

from models import VERSION, store
from service.live_model import ServedModel
from service.metrics import metrics
from service.schemas import (
    HoursFor,
    HoursForRequest,
    Instances,
    ModelCard,
    ModelMetadata,
    ModelReady,
    PredictBatchRequest,
    Prediction,
    Predictions,
    PredictionsOfInstances,
    PredictRequest,
    ServerHealth,
    ServerMetadata,
    TensorMetadata,
    Training,
)

OUTPUTS = {"score": "FP64", "low": "FP64", "high": "FP64", "extrapolated": "BOOL"}


def predict(served: ServedModel, asked: PredictRequest) -> Prediction:
    """The score for one number of hours."""
    prediction = served.predict(asked.hours)
    metrics().predicted(asked.hours, prediction.extrapolated)
    return prediction


def predict_batch(served: ServedModel, asked: PredictBatchRequest) -> Predictions:
    """The scores for several numbers of hours, in the same order."""
    predictions = served.predict_batch(asked.hours)
    metrics().predicted_all(asked.hours, predictions.extrapolated)
    return predictions


def predict_instances(served: ServedModel, asked: Instances) -> PredictionsOfInstances:
    """One prediction per instance, as KServe's V1 protocol and SageMaker expect."""
    batch = predict_batch(served, PredictBatchRequest.model_construct(hours=asked.instances))
    columns = zip(batch.score, batch.low, batch.high, batch.extrapolated, strict=True)
    rows = [
        Prediction.model_construct(score=score, low=low, high=high, extrapolated=extrapolated)
        for score, low, high, extrapolated in columns
    ]
    return PredictionsOfInstances.model_construct(predictions=rows)


def hours_for(served: ServedModel, asked: HoursForRequest) -> HoursFor:
    """The hours needed for a score."""
    return served.hours_for(asked.score)


def model_card(served: ServedModel, _: Request) -> ModelCard:
    """What the served model is and how well it fits."""
    return served.card()


def training(served: ServedModel, _: Request) -> Training:
    """What the page draws: cost by epoch, sample rows, the line and its bands."""
    return served.training()


def model_metadata(served: ServedModel, _: Request) -> ModelMetadata:
    """The model's inputs and outputs."""
    outputs = [
        TensorMetadata(name=name, datatype=kind, shape=[-1]) for name, kind in OUTPUTS.items()
    ]
    return ModelMetadata(
        name=served.name,
        versions=[served.version],
        platform=store.NAME,
        inputs=[TensorMetadata(name="hours", datatype="FP64", shape=[-1])],
        outputs=outputs,
    )


def model_ready(served: ServedModel, _: Request) -> ModelReady:
    """Says that the model is ready."""
    return ModelReady(name=served.name, ready=True)


def server_metadata(_: ServedModel, __: Request) -> ServerMetadata:
    """The server's name, version and extensions."""
    return ServerMetadata(name=store.NAME, version=VERSION, extensions=["binary_tensor_data"])


def health(_: ServedModel, __: Request) -> ServerHealth:
    """Always true: the protocol's text uses one of the two keys, clients read the other."""
    return ServerHealth(live=True, ready=True)
