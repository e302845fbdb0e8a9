"""Requests of the Open Inference Protocol, and what their answers hold."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import numpy as np
from starlette.testclient import TestClient

MODEL = "/v2/models/study_score"
Tensor = dict[str, Any]


def hours(data: Any, shape: Any = None, datatype: str = "FP64") -> Tensor:
    shape = [len(data)] if shape is None else shape
    return {"name": "hours", "shape": shape, "datatype": datatype, "data": data}


def infer(client: TestClient, tensor: Tensor, **options: Any) -> httpx2.Response:
    return client.post(f"{MODEL}/infer", json={"inputs": [tensor], **options})


def sized(shape: Any, size: Any, datatype: Any = "FP64") -> Tensor:
    """Hours that follow the JSON, in so many bytes."""
    parameters = {"binary_data_size": size}
    return {"name": "hours", "shape": shape, "datatype": datatype, "parameters": parameters}


def binary(
    client: TestClient, content: bytes, shape: list[int], datatype: str = "FP64", **options: Any
) -> httpx2.Response:
    tensor = sized(shape, len(content), datatype)
    head = json.dumps({"inputs": [tensor], **options}).encode()
    return framed(client, head + content, len(head))


def framed(client: TestClient, body: bytes, length: Any, **headers: str) -> httpx2.Response:
    kind = {"content-type": "application/octet-stream"}
    headers = {"inference-header-content-length": str(length), **kind, **headers}
    return client.post(f"{MODEL}/infer", content=body, headers=headers)


def outputs(answer: httpx2.Response) -> dict[str, Any]:
    """The outputs by name, wherever they stand in an answer."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get("inference-header-content-length", len(answer.content)))
    values, rest = {}, answer.content[length:]
    for tensor in json.loads(answer.content[:length])["outputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size")
        if size is None:
            values[tensor["name"]] = tensor["data"]
        else:
            number = {"FP64": "<f8", "BOOL": "?"}[tensor["datatype"]]
            values[tensor["name"]] = np.frombuffer(rest[:size], number).tolist()
            rest = rest[size:]
    assert not rest
    return values


EXPECTED = {  # for 1, 2.5 and 9 hours
    **{name: [2.0, 5.0, 18.0] for name in ("score", "low", "high")},
    "extrapolated": [False, False, True],
}
OUTPUTS = {"score": "FP64", "low": "FP64", "high": "FP64", "extrapolated": "BOOL"}
