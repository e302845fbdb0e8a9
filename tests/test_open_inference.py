"""The Open Inference Protocol, in-process; tests/test_clients.py has other people's clients."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from models import VERSION, store
from models.study_score import StudyScore
from service.guard import Guard
from service.meter import Meter
from tests.data import rows_of
from tests.inference import EXPECTED, MODEL, OUTPUTS, binary, framed, hours, infer, outputs
from tests.test_metrics import grown, scrape
from training.fit import fit


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
