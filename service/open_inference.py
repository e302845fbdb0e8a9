"""The Open Inference Protocol, which KServe, Triton and other servers share, over HTTP.

Its text is `specification/protocol/inference_rest.md` of kserve/open-inference-protocol, and for
binary tensors `docs/protocol/extension_binary_data.md` of Triton's server.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from models import VERSION, store
from models.document import first_problem
from service import tensors
from service.endpoints import predict_batch
from service.errors import Refused
from service.live_model import ServedModel
from service.openapi import BYTES, JSON
from service.schemas import PredictBatchRequest

HEAD_LENGTH = "Inference-Header-Content-Length"  # the length of the JSON before binary tensors
OUTPUTS = {"score": "FP64", "low": "FP64", "high": "FP64", "extrapolated": "BOOL"}


def model_metadata(served: ServedModel, _: Request) -> tensors.ModelMetadata:
    """The model's inputs and outputs."""
    return tensors.ModelMetadata(
        name=served.name,
        versions=[served.version],
        platform=store.NAME,
        inputs=[tensors.TensorMetadata(name="hours", datatype="FP64", shape=[-1])],
        outputs=[
            tensors.TensorMetadata(name=name, datatype=datatype, shape=[-1])
            for name, datatype in OUTPUTS.items()
        ],
    )


def model_ready(served: ServedModel, _: Request) -> tensors.ModelReady:
    """Says that the model is ready."""
    return tensors.ModelReady(name=served.name, ready=True)


def server_metadata(_: ServedModel, __: Request) -> tensors.ServerMetadata:
    """The server's name, version and extensions."""
    extensions = ["binary_tensor_data"]
    return tensors.ServerMetadata(name=store.NAME, version=VERSION, extensions=extensions)


def health(_: ServedModel, __: Request) -> tensors.ServerHealth:
    """Says that the server answers and is ready."""
    return tensors.ServerHealth(live=True, ready=True)


async def infer(served: ServedModel, request: Request) -> Response:
    """The predictions for a tensor of hours."""
    content = await request.body()
    try:
        body, hours = _read(content, request.headers.get(HEAD_LENGTH, str(len(content))))
    except ValidationError as error:  # errors of this protocol have no `detail`
        raise Refused(400, first_problem(error)) from None
    return _answer(served, body, hours)


def _read(content: bytes, head_length: str) -> tuple[tensors.InferRequest, list[float]]:
    """The request and its hours as a flat array; raises Refused or ValidationError."""
    if not re.fullmatch("[0-9]{1,10}", head_length) or int(head_length) > len(content):
        raise Refused(400, f"{HEAD_LENGTH} is {head_length!r}; the body has {len(content)} bytes")
    head, rest = content[: int(head_length)], content[int(head_length) :]
    if rest and not head:
        body = _without_json(len(rest))
    else:
        body = tensors.InferRequest.model_validate_json(head)
    tensor = body.inputs[0]
    binary = tensor.parameters.binary_data_size is not None
    if binary == (tensor.data is not None):
        raise Refused(400, "hours takes either data or the parameter binary_data_size")
    if rest and not binary:
        raise Refused(400, f"{len(rest)} bytes follow the JSON, but binary_data_size is missing")
    numbers = _from_bytes(tensor, rest) if binary else _from_json(tensor)
    hours = PredictBatchRequest.model_validate({"hours": numbers}).hours
    if "INT" in tensor.datatype:
        most = np.iinfo(_dtype(tensor.datatype)).max
        for number in hours:
            if number > most or not number.is_integer():
                raise Refused(400, f"hours: {number:g} is not a valid {tensor.datatype}")
    return body, hours


def _without_json(size: int) -> tensors.InferRequest:
    """The request for a body that has only the bytes of the input."""
    tensor = {"name": "hours", "shape": [size // 8], "datatype": "FP64"}
    inputs = [{**tensor, "parameters": {"binary_data_size": size}}]
    wanted = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    return tensors.InferRequest.model_validate(wanted)


def _from_bytes(tensor: tensors.TensorOfHours, content: bytes) -> list[Any]:
    dtype, size = _dtype(tensor.datatype), tensor.parameters.binary_data_size
    expected = math.prod(tensor.shape) * dtype.itemsize
    if not size == expected == len(content):
        needed = f"hours of {tensor.datatype} and shape {tensor.shape} takes {expected} bytes"
        sent = f"binary_data_size is {size}, and {len(content)} bytes follow the JSON"
        raise Refused(400, f"{needed}; {sent}")
    return list(np.frombuffer(content, dtype).astype(np.float64).tolist())


def _from_json(tensor: tensors.TensorOfHours) -> list[Any]:
    data = np.array(tensor.data, dtype=object)  # its elements are checked later
    if data.shape not in (tuple(tensor.shape), (math.prod(tensor.shape),)):
        raise Refused(400, f"hours has data of shape {list(data.shape)}, not {tensor.shape}")
    return list(data.ravel())


def _dtype(datatype: str) -> np.dtype[Any]:
    return np.dtype(datatype.lower().replace("fp", "float")).newbyteorder("<")


def _answer(served: ServedModel, body: tensors.InferRequest, hours: list[float]) -> Response:
    predictions = predict_batch(served, PredictBatchRequest.model_construct(hours=hours))
    every = [tensors.RequestedOutput.model_validate({"name": name}) for name in OUTPUTS]
    outputs: list[tensors.Tensor] = []
    rest = b""
    for output in body.outputs or every:
        values: Any = getattr(predictions, output.name)
        datatype = OUTPUTS[output.name]
        if values[0] is None:  # low and high are unknown, and tensors have no null
            continue
        tensor = tensors.Tensor(name=output.name, shape=body.inputs[0].shape, datatype=datatype)
        binary = output.parameters.binary_data
        if body.parameters.binary_data_output if binary is None else binary:
            content = np.array(values, _dtype(datatype)).tobytes()
            tensor.parameters = {"binary_data_size": len(content)}
            rest += content
        else:
            tensor.data = values
        outputs.append(tensor)
    answer = tensors.InferAnswer(
        model_name=served.name, model_version=served.version, id=body.id, outputs=outputs
    )
    head = to_json(answer, exclude_none=True)
    headers = {"X-Model": served.tag}
    if rest:
        headers[HEAD_LENGTH] = str(len(head))
    return Response(head + rest, media_type=BYTES if rest else JSON, headers=headers)
