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

from models.document import first_problem
from service.endpoints import OUTPUTS, predict_batch
from service.errors import Refused
from service.live_model import ServedModel
from service.openapi import BYTES, JSON
from service.schemas import (
    InBytes,
    InferAnswer,
    InferRequest,
    PredictBatchRequest,
    RequestedOutput,
    Tensor,
    TensorOfHours,
)

HEAD_LENGTH = "Inference-Header-Content-Length"


async def infer(served: ServedModel, request: Request) -> Response:
    """The predictions for a tensor of hours."""
    body = await request.body()
    try:
        asked, hours = _read(body, request.headers.get(HEAD_LENGTH, str(len(body))))
    except ValidationError as error:  # errors of this protocol have no `detail`
        raise Refused(400, first_problem(error)) from None
    return _answer(served, asked, hours)


def _read(body: bytes, head_length: str) -> tuple[InferRequest, list[float]]:
    """The request and its hours as a flat array; raises Refused or ValidationError."""
    if not re.fullmatch("[0-9]{1,10}", head_length) or int(head_length) > len(body):
        raise Refused(400, f"{HEAD_LENGTH} is {head_length!r}; the body has {len(body)} bytes")
    head, rest = body[: int(head_length)], body[int(head_length) :]
    asked = _bare(len(rest)) if rest and not head else InferRequest.model_validate_json(head)
    tensor = asked.inputs[0]
    in_bytes = tensor.parameters.binary_data_size is not None
    if in_bytes == (tensor.data is not None):
        raise Refused(400, "hours takes either data or the parameter binary_data_size")
    if rest and not in_bytes:
        raise Refused(400, f"{len(rest)} bytes follow the JSON; no binary_data_size is for them")
    values = _from_bytes(tensor, rest) if in_bytes else _from_json(tensor)
    hours = PredictBatchRequest.model_validate({"hours": values}).hours
    if "INT" in tensor.datatype:
        most = np.iinfo(_number(tensor.datatype)).max
        for number in hours:
            if number > most or not number.is_integer():
                raise Refused(400, f"hours: {number:g} is no {tensor.datatype}")
    return asked, hours


def _bare(size: int) -> InferRequest:
    """The request for a body that has only the bytes of the input, without JSON."""
    tensor = {"name": "hours", "shape": [size // 8], "datatype": "FP64"}
    return InferRequest.model_validate(
        {
            "inputs": [{**tensor, "parameters": {"binary_data_size": size}}],
            "parameters": {"binary_data_output": True},
        }
    )


def _from_bytes(tensor: TensorOfHours, content: bytes) -> list[Any]:
    number, given = _number(tensor.datatype), tensor.parameters.binary_data_size
    expected = math.prod(tensor.shape) * number.itemsize
    if not given == expected == len(content):
        raise Refused(
            400,
            f"hours of {tensor.datatype} and shape {tensor.shape} takes {expected} bytes;"
            f" binary_data_size is {given}, and {len(content)} bytes follow the JSON",
        )
    return list(np.frombuffer(content, number).astype(np.float64).tolist())


def _from_json(tensor: TensorOfHours) -> list[Any]:
    data = np.array(tensor.data, dtype=object)  # its elements are checked later
    if data.shape not in (tuple(tensor.shape), (math.prod(tensor.shape),)):
        raise Refused(400, f"hours has data of shape {list(data.shape)}, not {tensor.shape}")
    return list(data.ravel())


def _number(datatype: str) -> np.dtype[Any]:
    return np.dtype(datatype.lower().replace("fp", "float")).newbyteorder("<")


def _answer(served: ServedModel, asked: InferRequest, hours: list[float]) -> Response:
    predictions = predict_batch(served, PredictBatchRequest.model_construct(hours=hours))
    every = [RequestedOutput.model_validate({"name": name}) for name in OUTPUTS]
    outputs: list[Tensor] = []
    rest = b""
    for output in asked.outputs or every:
        values: Any = getattr(predictions, output.name)
        datatype = OUTPUTS[output.name]
        if values[0] is None:  # low and high are unknown, and tensors have no null
            continue
        tensor = Tensor(name=output.name, shape=asked.inputs[0].shape, datatype=datatype)
        in_bytes = output.parameters.binary_data
        if asked.parameters.binary_data_output if in_bytes is None else in_bytes:
            content = np.array(values, _number(datatype)).tobytes()
            tensor.parameters = InBytes(binary_data_size=len(content))
            rest += content
        else:
            tensor.data = values
        outputs.append(tensor)
    answer = InferAnswer(
        model_name=served.name, model_version=served.version, id=asked.id, outputs=outputs
    )
    head = to_json(answer, exclude_none=True)
    headers = {"X-Model": served.tag}
    if not rest:
        return Response(head, media_type=JSON, headers=headers)
    headers[HEAD_LENGTH] = str(len(head))
    return Response(head + rest, media_type=BYTES, headers=headers)
