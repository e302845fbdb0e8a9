"""Hours as bytes after the JSON of the Open Inference Protocol."""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from typing import Any, get_args

import numpy as np
import pytest
from starlette.testclient import TestClient

from service import open_inference, tensors
from tests.inference import EXPECTED, binary, framed, hours, infer, outputs, sized


@pytest.mark.parametrize("datatype", [*get_args(tensors.Integer), "FP16", "FP32", "FP64"])
def test_hours_come_in_every_kind_of_number(client: TestClient, datatype: str) -> None:
    form = {"UINT": "BHIQ", "INT": "bhiq", "FP": "?efd"}[datatype.rstrip("0123456789")]
    letter = form[[8, 16, 32, 64].index(int(datatype.lstrip("UINTFP")))]
    content = struct.pack(f"<3{letter}", 1, 3, 9)
    expected = [2.0, 6.0, 18.0]
    assert outputs(binary(client, content, [3], datatype))["score"] == expected
    assert outputs(infer(client, hours([1, 3, 9], datatype=datatype)))["score"] == expected


def test_the_whole_body_may_be_the_bytes_of_the_hours(client: TestClient) -> None:
    answer = framed(client, struct.pack("<3d", 1, 2.5, 9), 0)
    assert outputs(answer) == EXPECTED
    assert answer.headers["content-type"] == "application/octet-stream"


HEAD = json.dumps({"inputs": [sized([2], 16)]}).encode()
SIXTEEN = "takes 16 bytes; binary_data_size is 16, and"


@pytest.mark.parametrize(
    ("body", "length", "sentence"),
    [
        (HEAD + b"x" * 15, len(HEAD), f"{SIXTEEN} 15 bytes follow"),
        (HEAD + b"x" * 17, len(HEAD), f"{SIXTEEN} 17 bytes follow"),
        (HEAD, len(HEAD), f"{SIXTEEN} 0 bytes follow"),
        (HEAD.replace(b"16", b"-1"), len(HEAD), "binary_data_size: Input should be greater"),
        (HEAD.replace(b"16", b"8") + b"x" * 8, len(HEAD) - 1, "takes 16 bytes; binary_data_size"),
        (HEAD + b"\xff" * 16, len(HEAD), "hours.0: Input should be a finite number"),
        (HEAD + b"x" * 16, len(HEAD) + 1, "Invalid JSON"),
        (HEAD + b"x" * 16, len(HEAD) - 1, "Invalid JSON"),
        (HEAD + b"x" * 16, 10**6, "Inference-Header-Content-Length is '1000000'; the body has"),
        (HEAD + b"x" * 16, -1, "Inference-Header-Content-Length is '-1'; the body has"),
        (HEAD + b"x" * 16, "1e1", "Inference-Header-Content-Length is '1e1'; the body has"),
        (HEAD + b"x" * 16, "9" * 5000, "Inference-Header-Content-Length is '999"),
        (b"x" * 9, 0, "hours of FP64 and shape [1] takes 8 bytes; binary_data_size is 9"),
        (b"x" * 7, 0, "shape.0: Input should be greater"),
        (b"", 0, "Invalid JSON"),
        (b"\0" * 80_008, 0, "shape.0: Input should be less than or equal to 10000"),
        (b'{"inputs": [%s]}xx' % json.dumps(hours([1])).encode(), -2, "2 bytes follow the JSON"),
    ],
    ids=lambda case: str(case)[-40:],
)
def test_a_binary_request_that_does_not_add_up_is_refused(
    client: TestClient, body: bytes, length: Any, sentence: str
) -> None:
    answer = framed(client, body, len(body) - 2 if length == -2 else length)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert sentence in answer.json()["error"]


def test_no_frame_however_damaged_gets_anything_but_its_scores_or_a_sentence(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    decode = open_inference._from_bytes

    def counting(tensor: Any, content: bytes) -> list[Any]:
        decoded.append(len(content))
        return decode(tensor, content)

    monkeypatch.setattr(open_inference, "_from_bytes", counting)
    chance = random.Random(12)  # noqa: S311
    statuses: Counter[int] = Counter()
    for _ in range(3000):
        numbers = [chance.choice([0, 1, 2.5, 100]) for _ in range(chance.randrange(1, 9))]
        body, length = damaged(chance, np.array(numbers, "<f8").tobytes())
        answer = framed(client, body, length)
        statuses[answer.status_code] += 1
        if answer.status_code == 200:
            scores = outputs(answer)["score"]
            assert all(0 <= score <= 2 * 8784 for score in scores)
            assert "extrapolated" in outputs(answer)
        else:
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert len(decoded) > 1500
    assert statuses[200] > 500
    assert statuses[400] > 1500


def damaged(chance: random.Random, content: bytes) -> tuple[bytes, Any]:
    """The hours in a frame, most often with one error, and the length to send for its JSON."""
    shape: Any = [len(content) // 8]
    size: Any = len(content)
    datatype: Any = "FP64"
    match chance.randrange(8):
        case 0:
            cut = chance.randrange(len(content))
            content = content[:cut] + chance.randbytes(chance.randrange(9))
        case 1:
            content = chance.randbytes(len(content))
        case 2:
            size = chance.choice([size - 1, size + 8, -size, 2**63, 10**30, "16", None, True, 8.0])
        case 3:
            odd: list[Any] = [[], [0], [-1], [2**62, 4], [1, *shape], [*shape, 1, 1], [1.5], 4]
            shape = chance.choice(odd)
        case 4:
            datatype = chance.choice(["FP32", "FP16", "INT64", "UINT8", "BYTES", "BOOL", "fp64", 1])
    inputs = [sized(shape, size, datatype)]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    length: Any = len(head)
    match chance.randrange(8):
        case 0:
            at = chance.randrange(len(head))
            head = head[:at] + chance.randbytes(1) + head[at + 1 :]
        case 1:
            whole = len(head) + len(content)
            length = chance.choice([length - 1, length + 1, 0, -1, whole, 10**9, ""])
    return head + content, length
