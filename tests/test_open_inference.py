"""The Open Inference Protocol, in-process; tests/test_clients.py has other people's clients."""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, get_args

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from models import VERSION, store
from models.study_score import StudyScore
from service import open_inference, tensors
from service.guard import Guard
from service.meter import Meter
from tests.data import rows_of
from tests.test_metrics import grown, scrape
from training.fit import fit

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


EXPECTED = {
    "score": [2.0, 5.0, 18.0],
    "low": [2.0, 5.0, 18.0],
    "high": [2.0, 5.0, 18.0],
    "extrapolated": [False, False, True],
}
OUTPUTS = {"score": "FP64", "low": "FP64", "high": "FP64", "extrapolated": "BOOL"}


def test_scores_come_with_interval_and_extrapolation(client: TestClient) -> None:
    answer = infer(client, hours([1, 2.5, 9]), id="42")
    tag = store.load(store.LATEST).tag
    assert answer.headers["x-model"] == tag
    assert answer.json() == {
        "model_name": "study_score",
        "model_version": tag.partition(":")[2],
        "id": "42",
        "outputs": [
            {"name": name, "shape": [3], "datatype": datatype, "data": EXPECTED[name]}
            for name, datatype in OUTPUTS.items()
        ],
    }
    assert "id" not in infer(client, hours([1])).json()


def test_they_are_those_of_predict_batch(client: TestClient) -> None:
    many = np.linspace(0, 8784, 10_000)
    theirs = client.post("/predict_batch", json={"hours": many.tolist()}).json()
    assert outputs(infer(client, hours(many.tolist()))) == theirs
    everything = {"binary_data_output": True}
    answer = binary(client, many.astype("<f8").tobytes(), [10_000], parameters=everything)
    assert outputs(answer) == theirs


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([3], [1, 2.5, 9]),
        ([3, 1], [[1], [2.5], [9]]),
        ([1, 3], [[1, 2.5, 9]]),
        ([3, 1], [1, 2.5, 9]),
        ([1, 3, 1, 1], [[[[1]], [[2.5]], [[9]]]]),
    ],
)
def test_any_shape_flat_or_nested_is_answered_in_the_same_shape(
    client: TestClient, shape: list[int], data: Any
) -> None:
    answer = infer(client, hours(data, shape))
    assert outputs(answer) == EXPECTED
    assert {tuple(each["shape"]) for each in answer.json()["outputs"]} == {tuple(shape)}


def test_one_number_without_a_shape_is_answered(client: TestClient) -> None:
    assert outputs(infer(client, hours([9], [])))["score"] == [18.0]


@pytest.mark.parametrize("datatype", [*get_args(tensors.Integer), "FP16", "FP32", "FP64"])
def test_hours_come_in_every_kind_of_number(client: TestClient, datatype: str) -> None:
    form = {"UINT": "BHIQ", "INT": "bhiq", "FP": "?efd"}[datatype.rstrip("0123456789")]
    letter = form[[8, 16, 32, 64].index(int(datatype.lstrip("UINTFP")))]
    content = struct.pack(f"<3{letter}", 1, 3, 9)
    expected = [2.0, 6.0, 18.0]
    assert outputs(binary(client, content, [3], datatype))["score"] == expected
    assert outputs(infer(client, hours([1, 3, 9], datatype=datatype)))["score"] == expected


def test_only_the_outputs_asked_for_come_in_the_order_asked(client: TestClient) -> None:
    wanted = [{"name": "extrapolated"}, {"name": "score", "parameters": {"binary_data": True}}]
    answer = infer(client, hours([1, 9]), outputs=wanted)
    assert list(outputs(answer).items()) == [
        ("extrapolated", [False, True]),
        ("score", [2.0, 18.0]),
    ]
    assert answer.headers["content-type"] == "application/octet-stream"
    mostly = {"outputs": [{"name": "score"}, {"name": "low", "parameters": {"binary_data": False}}]}
    answer = infer(client, hours([1, 9]), parameters={"binary_data_output": True}, **mostly)
    length = int(answer.headers["inference-header-content-length"])
    score, low = json.loads(answer.content[:length])["outputs"]
    assert score["parameters"] == {"binary_data_size": 16} and "data" not in score
    assert low["data"] == [2.0, 18.0] and "parameters" not in low


def test_the_whole_body_may_be_the_bytes_of_the_hours(client: TestClient) -> None:
    answer = framed(client, struct.pack("<3d", 1, 2.5, 9), 0)
    assert outputs(answer) == EXPECTED
    assert answer.headers["content-type"] == "application/octet-stream"


def test_what_is_not_known_is_left_out(app: Any, tmp_path: Path) -> None:
    store.save(fit(rows_of(tmp_path, np.array([1.0, 2.0]), np.array([1.0, 3.0])), 0.1, 1000))
    wanted = [{"name": "low"}, {"name": "score"}]
    with TestClient(app) as client:
        assert outputs(infer(client, hours([2]), outputs=wanted)) == {"score": [3.0]}
        assert set(outputs(infer(client, hours([2])))) == {"score", "extrapolated"}
        assert infer(client, hours([2]), outputs=wanted[:1]).json()["outputs"] == []


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_bodies_may_be_compressed(client: TestClient, encoding: str, pack: Any) -> None:
    body = json.dumps({"inputs": [hours([1, 2.5, 9])]}).encode()
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    answer = client.post(f"{MODEL}/infer", content=pack(body), headers=headers)
    assert outputs(answer) == EXPECTED
    content = struct.pack("<3d", 1, 2.5, 9)
    assert outputs(framed(client, pack(content), 0, **headers)) == EXPECTED


REFUSED: list[tuple[Any, str]] = [
    ({}, "inputs: Field required"),
    ([], "Input should be"),
    ({"inputs": []}, "inputs: List should have at least 1 item"),
    ({"inputs": [hours([1]), hours([1])]}, "inputs: List should have at most 1 item"),
    ({"inputs": [{**hours([1]), "name": "x"}]}, "inputs.0.name: Input should be 'hours'"),
    ({"inputs": [hours([1], datatype="BYTES")]}, "inputs.0.datatype: Input should be "),
    ({"inputs": [hours([True], datatype="BOOL")]}, "inputs.0.datatype: Input should be "),
    ({"inputs": [hours([1], [2])]}, "hours has data of shape [1], not [2]"),
    ({"inputs": [hours([[1, 2], [3]], [2, 2])]}, "hours has data of shape [2], not [2, 2]"),
    ({"inputs": [hours([[1], [2]], [1, 2])]}, "hours has data of shape [2, 1], not [1, 2]"),
    ({"inputs": [hours([], [0])]}, "inputs.0.shape.0: Input should be greater"),
    ({"inputs": [hours([1], [-1])]}, "inputs.0.shape.0: Input should be greater"),
    ({"inputs": [hours([1], [2**64 + 1])]}, "inputs.0.shape.0: Input should be less"),
    ({"inputs": [hours([1], [10**4000])]}, "inputs.0.shape.0: Input should be"),
    ({"inputs": [hours([1], [1.0])]}, "inputs.0.shape.0: Input should be a valid integer"),
    ({"inputs": [hours([1], [1] * 33)]}, "inputs.0.shape: List should have at most 32"),
    ({"inputs": [hours([1] * 10_001, [73, 137])]}, "hours: List should have at most 10000"),
    ({"inputs": [hours(["4"])]}, "hours.0: Input should be a valid number"),
    ({"inputs": [hours([True])]}, "hours.0: Input should be a valid number"),
    ({"inputs": [hours([None])]}, "hours.0: Input should be a valid number"),
    ({"inputs": [hours([{}])]}, "hours.0: Input should be a valid number"),
    ({"inputs": [hours([10**400])]}, "hours.0: Input should be "),
    ({"inputs": [hours([-1])]}, "hours.0: Input should be greater than or equal to 0"),
    ({"inputs": [hours([8785])]}, "hours.0: Input should be less than or equal to 8784"),
    ({"inputs": [hours([float("nan")])]}, "hours.0: Input should be a finite number"),
    ({"inputs": [hours([1.5], datatype="INT32")]}, "hours: 1.5 is not a valid INT32"),
    ({"inputs": [hours([300], datatype="UINT8")]}, "hours: 300 is not a valid UINT8"),
    ({"inputs": [hours(None, [1])]}, "hours takes either data or the parameter binary_data_size"),
    ({"inputs": [hours([1])], "outputs": [{"name": "x"}]}, "outputs.0.name: Input should be"),
    ({"inputs": [hours([1])], "outputs": [{"name": "score"}] * 5}, "outputs: List should have at"),
    ({"inputs": [hours([1])], "id": 7}, "id: Input should be a valid string"),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED, ids=lambda case: str(case)[:60])
def test_an_error_is_one_sentence(client: TestClient, body: Any, sentence: str) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post(f"{MODEL}/infer", content=json.dumps(body), headers=headers)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"].startswith(sentence)


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


def test_another_model_or_version_is_not_found(client: TestClient) -> None:
    version = store.load(store.LATEST).tag.partition(":")[2]
    body = {"inputs": [hours([1])]}
    for action in ("", "/ready", "/infer"):
        ask = partial(client.post, json=body) if action == "/infer" else client.get
        for known in ("", f"/versions/{version}", "/versions/latest"):
            assert ask(f"{MODEL}{known}{action}").status_code == 200
        for unknown in (f"{MODEL}/versions/1", f"{MODEL}/versions/%2e%2e", "/v2/models/other"):
            answer = ask(f"{unknown}{action}")
            assert (answer.status_code, list(answer.json())) == (404, ["error"])
            assert f"there is study_score:{version}" in answer.json()["error"]


def test_server_and_model_tell_what_they_are(client: TestClient) -> None:
    assert client.get("/v2").json() == {
        "name": "study_score",
        "version": VERSION,
        "extensions": ["binary_tensor_data"],
    }
    for state in ("live", "ready"):
        assert client.get(f"/v2/health/{state}").json() == {"live": True, "ready": True}
    answer = client.get(MODEL)
    tag = answer.headers["x-model"]
    assert answer.json() == {
        "name": "study_score",
        "versions": [tag.partition(":")[2]],
        "platform": "study_score",
        "inputs": [{"name": "hours", "datatype": "FP64", "shape": [-1]}],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1]}
            for name, datatype in OUTPUTS.items()
        ],
    }
    assert client.get(f"{MODEL}/ready").json() == {"name": "study_score", "ready": True}


def test_what_is_about_the_model_needs_a_key_where_there_is_one(
    app: Any, lab_model: StudyScore
) -> None:
    store.save(lab_model)
    guard = Meter(Guard(app, ["good"], 1024), access_log=False)
    body = {"inputs": [hours([1])]}
    with TestClient(guard) as client:
        for path in ("/v2", "/v2/health/live", "/v2/health/ready"):
            assert client.get(path).status_code == 200
        for path in (MODEL, f"{MODEL}/ready", f"{MODEL}/versions/latest"):
            assert client.get(path).status_code == 401
        for path in (f"{MODEL}/infer", f"{MODEL}/versions/latest/infer"):
            assert client.post(path, json=body).status_code == 401
            key = {"authorization": "Bearer good"}
            assert client.post(path, json=body, headers=key).status_code == 200


def test_only_tensors_may_come_as_bytes(client: TestClient) -> None:
    headers = {"content-type": "application/octet-stream"}
    for path in ("/predict", "/predict_batch", f"{MODEL}/ready"):
        assert client.post(path, content=b"{}", headers=headers).status_code == 415
    unknown = client.post("/v2/models/other/infer", content=b"{}", headers=headers)
    assert (unknown.status_code, list(unknown.json())) == (404, ["error"])
    assert framed(client, b"::" * 400, 0).status_code == 200  # what would be 800 keys in JSON
    kind = {"content-type": "text/plain"}
    assert client.post(f"{MODEL}/infer", content=b"{}", headers=kind).status_code == 415
    assert client.post(f"{MODEL}/infer", content=b" " * (1 << 21)).status_code == 413


def test_the_metrics_know_the_routes_and_no_versions(client: TestClient) -> None:
    before = scrape(client)
    for version in ("latest", "1", "x" * 100):
        client.post(f"{MODEL}/versions/{version}/infer", json={"inputs": [hours([1, 9])]})
    infer(client, hours([1]))
    total = "bentoml_service_request_total"
    assert grown(client, before, total, endpoint="/v2/models/{model}/infer") == 1
    versioned = "/v2/models/{model}/versions/{version}/infer"
    assert grown(client, before, total, endpoint=versioned) == 3
    assert grown(client, before, "study_score_hours_count") == 3
    assert grown(client, before, "study_score_extrapolated_total") == 1
