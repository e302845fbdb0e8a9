"""The schemas of the Open Inference Protocol."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.schemas import BATCH_MAX


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)  # the protocol's other keys are ignored


Integer = Literal["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]


class Parameters(_Part):
    """Which tensors are not in the JSON, but bytes after it."""

    binary_data_size: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Of an input: the number of its bytes."
    )
    binary_data: bool | None = Field(default=None, description="Of an output.")
    binary_data_output: bool = Field(default=False, description="Of all outputs without the above.")


class TensorOfHours(_Part):
    """The hours, as JSON numbers or as binary data after the JSON."""

    name: Literal["hours"]
    shape: list[Annotated[int, Field(ge=1, le=BATCH_MAX)]] = Field(max_length=32)
    datatype: Literal[Integer, "FP16", "FP32", "FP64"]
    data: list[Any] | None = Field(default=None, description="Row by row, flat or nested.")
    parameters: Parameters = Parameters()


class RequestedOutput(_Part):
    """A requested output."""

    name: Literal["score", "low", "high", "extrapolated"]
    parameters: Parameters = Parameters()


class InferRequest(_Part):
    """A request of the Open Inference Protocol; without `outputs`, all are returned."""

    id: str | None = None
    parameters: Parameters = Parameters()
    inputs: list[TensorOfHours] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] = Field(default=[], max_length=4)


class TensorMetadata(BaseModel):
    """A tensor's name, type and shape; -1 is a variable size."""

    name: str
    datatype: str
    shape: list[int]


class Tensor(TensorMetadata):
    """An output in the shape of the hours, as JSON or as binary data after it."""

    data: list[float] | list[bool] | None = None
    parameters: dict[str, int] | None = None


class InferAnswer(BaseModel):
    """The requested outputs in that order, without low and high if they are unknown."""

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="The request's, if it had one.")
    outputs: list[Tensor]


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
