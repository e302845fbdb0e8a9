"""The endpoints that answer from the model being served.

Each takes that model and the validated request, or Starlette's where no body is asked for.
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
    """The scores for many, in the order asked."""
    predictions = served.predict_batch(asked.hours)
    metrics().predicted_all(asked.hours, predictions.extrapolated)
    return predictions


def predict_instances(served: ServedModel, asked: Instances) -> PredictionsOfInstances:
    """The same, row by row: KServe's V1 protocol, and what SageMaker's containers answer."""
    batch = predict_batch(served, PredictBatchRequest.model_construct(hours=asked.instances))
    columns = zip(batch.score, batch.low, batch.high, batch.extrapolated, strict=True)
    rows = [
        Prediction.model_construct(score=score, low=low, high=high, extrapolated=extrapolated)
        for score, low, high, extrapolated in columns
    ]
    return PredictionsOfInstances.model_construct(predictions=rows)


def hours_for(served: ServedModel, asked: HoursForRequest) -> HoursFor:
    """The hours that a score takes."""
    return served.hours_for(asked.score)


def model_card(served: ServedModel, _: Request) -> ModelCard:
    """The model being served."""
    return served.card()


def training(served: ServedModel, _: Request) -> Training:
    """What it learned, to be drawn."""
    return served.training()


def model_metadata(served: ServedModel, _: Request) -> ModelMetadata:
    """What the model takes and answers."""
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
    """The model is ready."""
    return ModelReady(name=served.name, ready=True)


def server_metadata(_: ServedModel, __: Request) -> ServerMetadata:
    """What this server is and can."""
    return ServerMetadata(name=store.NAME, version=VERSION, extensions=["binary_tensor_data"])


def health(_: ServedModel, __: Request) -> ServerHealth:
    """Yes: the protocol's text has the one key, clients ask for the other."""
    return ServerHealth(live=True, ready=True)
