"""The Open Inference Protocol, which KServe, Triton and other servers share, over HTTP.

Its text is `specification/protocol/inference_rest.md` of kserve/open-inference-protocol, and for
binary tensors `docs/protocol/extension_binary_data.md` of Triton's server.
"""

from __future__ import annotations

import math
import re
import zlib
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models import VERSION, store
from models.document import first_problem
from service.live_model import LiveModel, ServedModel
from service.routes import BYTES, JSON
from service.schemas import InferRequest, PredictBatchRequest, RequestedOutput, TensorOfHours

HEAD_LENGTH = "Inference-Header-Content-Length"
OUTPUTS = {"score": "FP64", "low": "FP64", "high": "FP64", "extrapolated": "BOOL"}


class Refused(Exception):
    """A request that gets a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence


async def answer_refused(_: Request, error: Any) -> Response:
    """The answer to a request that is refused."""
    return JSONResponse({"error": error.sentence}, error.status)


class OpenInference:
    """The protocol's endpoints, which answer from the model being served."""

    def __init__(self, live: LiveModel, max_body_bytes: int) -> None:
        """A compressed body may have `max_body_bytes` once it is unpacked."""
        self.live = live
        self.max_body_bytes = max_body_bytes

    def routes(self) -> list[Route]:
        """Those of the model with and without its version."""
        model = "/v2/models/{model}"
        return [
            Route("/v2", self.server),
            Route("/v2/health/live", self.health),
            Route("/v2/health/ready", self.health),
            *(
                Route(path + action, endpoint, methods=[method])
                for path in (model, f"{model}/versions/{{version}}")
                for action, endpoint, method in (
                    ("", self.model, "GET"),
                    ("/ready", self.ready, "GET"),
                    ("/infer", self.infer, "POST"),
                )
            ),
        ]

    async def server(self, _: Request) -> Response:
        """What this server is and can."""
        extensions = ["binary_tensor_data"]
        return JSONResponse({"name": store.NAME, "version": VERSION, "extensions": extensions})

    async def health(self, _: Request) -> Response:
        """Yes: the protocol's text has the one key, clients ask for the other."""
        return JSONResponse({"live": True, "ready": True})

    async def model(self, request: Request) -> Response:
        """What the model takes and answers."""
        served = self._served(request)
        described = {
            "name": store.NAME,
            "versions": [served.version],
            "platform": store.NAME,
            "inputs": [{"name": "hours", "datatype": "FP64", "shape": [-1]}],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": [-1]}
                for name, datatype in OUTPUTS.items()
            ],
        }
        return JSONResponse(described, headers={"X-Model": served.tag})

    async def ready(self, request: Request) -> Response:
        """That the model is ready."""
        served = self._served(request)
        return JSONResponse({"name": store.NAME, "ready": True}, headers={"X-Model": served.tag})

    async def infer(self, request: Request) -> Response:
        """The scores for a tensor of hours."""
        served = self._served(request)
        body = _unpacked(
            await request.body(),
            request.headers.get("content-encoding", "identity"),
            self.max_body_bytes,
        )
        try:
            asked, hours = _read(body, request.headers.get(HEAD_LENGTH, str(len(body))))
        except ValidationError as error:
            raise Refused(400, first_problem(error)) from None
        return _answer(served, asked, hours)

    def _served(self, request: Request) -> ServedModel:
        served = self.live.served
        name, version = request.path_params["model"], request.path_params.get("version")
        if name != store.NAME or version not in (None, "latest", served.version):
            wanted = f"{name}, version {version}" if version else name
            raise Refused(404, f"there is no model {wanted}; there is {served.tag}")
        return served


def _unpacked(body: bytes, encoding: str, most: int) -> bytes:
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "deflate"):
        raise Refused(415, f"content-encoding is {encoding!r}; send gzip, deflate or none")
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS + 32)  # of either
    try:
        body = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise Refused(400, f"the body is not {encoding}: {error}") from None
    if len(body) > most:
        raise Refused(413, f"the body is too large; {most} bytes are allowed once it is unpacked")
    if not unpacking.eof or unpacking.unused_data:
        raise Refused(400, f"the body is not {encoding}: it ends too early or too late")
    return body


def _read(body: bytes, head_length: str) -> tuple[InferRequest, list[float]]:
    """A request and its hours, row by row; raises Refused or ValidationError."""
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
    """The request that is meant by the bytes of the only input."""
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
    data = np.array(tensor.data, dtype=object)  # its elements are looked at later
    if data.shape not in (tuple(tensor.shape), (math.prod(tensor.shape),)):
        raise Refused(400, f"hours has data of shape {list(data.shape)}, not {tensor.shape}")
    return list(data.ravel())


def _number(datatype: str) -> np.dtype[Any]:
    return np.dtype(datatype.lower().replace("fp", "float")).newbyteorder("<")


def _answer(served: ServedModel, asked: InferRequest, hours: list[float]) -> Response:
    predictions = served.predict_batch(hours)
    every = [RequestedOutput.model_validate({"name": name}) for name in OUTPUTS]
    outputs: list[dict[str, Any]] = []
    rest = b""
    for output in asked.outputs or every:
        values, datatype = predictions[output.name], OUTPUTS[output.name]
        if values[0] is None:  # low and high are not known, and a tensor has no null
            continue
        tensor = {"name": output.name, "shape": asked.inputs[0].shape, "datatype": datatype}
        in_bytes = output.parameters.binary_data
        if asked.parameters.binary_data_output if in_bytes is None else in_bytes:
            content = np.array(values, _number(datatype)).tobytes()
            outputs.append({**tensor, "parameters": {"binary_data_size": len(content)}})
            rest += content
        else:
            outputs.append({**tensor, "data": values})
    answer = {"model_name": store.NAME, "model_version": served.version, "outputs": outputs}
    if asked.id is not None:
        answer["id"] = asked.id
    head = to_json(answer)
    headers = {"X-Model": served.tag}
    if not rest:
        return Response(head, media_type=JSON, headers=headers)
    headers[HEAD_LENGTH] = str(len(head))
    return Response(head + rest, media_type=BYTES, headers=headers)
