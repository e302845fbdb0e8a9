"""The service in-process, over HTTP."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from models import store
from models.study_score import HOURS_MAX, StudyScore
from service.app import StudyScoreService
from service.options import EVERYWHERE
from service.schemas import BATCH_MAX
from tests.data import CARS_DIST, CARS_SPEED, rows_of
from training.fit import fit

JSON = {"content-type": "application/json"}
TOO_MANY = json.dumps({"hours": [1.0] * (BATCH_MAX + 1)})
examples = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_four_hours_give_eight_points(client: TestClient) -> None:
    answer = client.post("/predict", json={"hours": 4})
    assert answer.status_code == 200
    assert answer.json() == {"score": 8.0, "low": 8.0, "high": 8.0, "extrapolated": True}


def test_a_batch_is_answered_in_the_order_asked(client: TestClient) -> None:
    answer = client.post("/predict_batch", json={"hours": [3, 1, 2.5]})
    scores = [6.0, 2.0, 5.0]
    assert answer.json() == {
        "score": scores,
        "low": scores,
        "high": scores,
        "extrapolated": [False] * 3,
    }


@pytest.mark.parametrize(("path", "hours"), [("/predict", 4), ("/predict_batch", [4])])
def test_every_prediction_names_the_model_that_made_it(
    client: TestClient, path: str, hours: Any
) -> None:
    answer = client.post(path, json={"hours": hours})
    assert answer.headers["x-model"] == store.load(store.LATEST).tag


def test_service_and_torch_give_the_same_bits(app: Any, tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST), 0.1, 1000)
    store.save(model)
    hours = np.random.default_rng(3).uniform(0, HOURS_MAX, 1000)
    W, b = torch.tensor(model.W, dtype=torch.float64), torch.tensor(model.b, dtype=torch.float64)
    expected = (torch.from_numpy(hours) * W + b).tolist()
    with TestClient(app) as client:
        batch = client.post("/predict_batch", json={"hours": hours.tolist()}).json()
        one = client.post("/predict", json={"hours": hours[0]}).json()
    assert batch["score"] == expected
    assert one == {key: values[0] for key, values in batch.items()}
    assert batch["low"][0] == model.interval(hours[0])[0]


def test_a_model_of_two_rows_answers_without_an_interval(app: Any, tmp_path: Path) -> None:
    store.save(fit(rows_of(tmp_path, np.array([1.0, 2.0]), np.array([1.0, 3.0])), 0.1, 1000))
    with TestClient(app) as client:
        answer = client.post("/predict", json={"hours": 2}).json()
        assert answer == {"score": 3.0, "low": None, "high": None, "extrapolated": False}
        assert client.post("/predict_batch", json={"hours": [2]}).json()["low"] == [None]


def test_the_model_card_tells_what_is_served(client: TestClient, lab_model: StudyScore) -> None:
    card = client.get("/model").json()
    assert card["tag"] == store.load(store.LATEST).tag
    assert (card["W"], card["b"], card["rows"]) == (2.0, 0.0, 3)
    assert (card["hours_min"], card["hours_max"]) == (1.0, 3.0)
    assert (card["r2"], card["residual_sd"], card["cv_rmse"]) == (1.0, 0.0, 0.0)
    (source,) = lab_model.sources
    columns = list(source.columns)
    assert card["sources"] == [{"name": "lab", "columns": columns, "rows": 3, "skipped": 0}]
    assert card["created"].startswith(str(lab_model.fit.created.date()))


NUMBER, FINITE = "hours: Input should be a valid number", "hours: Input should be a finite number"


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/predict", '{"hours": "4"}', NUMBER),
        ("/predict", '{"hours": true}', NUMBER),
        ("/predict", '{"hours": null}', NUMBER),
        ("/predict", '{"hours": [4]}', NUMBER),
        ("/predict", '{"hours": NaN}', FINITE),
        ("/predict", '{"hours": Infinity}', FINITE),
        ("/predict", '{"hours": 1e400}', FINITE),
        ("/predict", '{"hours": 1' + "0" * 400 + "}", FINITE),
        ("/predict", '{"hours": -0.1}', "hours: Input should be greater than or equal to 0"),
        ("/predict", '{"hours": 8784.1}', "hours: Input should be less than or equal to 8784"),
        ("/predict", '{"hours": 4, "name": "Ann"}', "name: Extra inputs are not permitted"),
        ("/predict", "{}", "hours: Field required"),
        ("/predict", "", "hours: Field required"),
        ("/predict", "[]", "Input should be an object"),
        ("/predict", "4", "Input should be an object"),
        ("/predict", '{"hours": 4', "Invalid JSON"),
        ("/predict", "\x00", "Invalid JSON"),
        ("/predict_batch", '{"hours": []}', "hours: List should have at least 1 item"),
        ("/predict_batch", TOO_MANY, "hours: List should have at most 10000 items"),
        ("/predict_batch", '{"hours": [1, "2"]}', "hours.1: Input should be a valid number"),
        ("/predict_batch", '{"hours": 4}', "hours: Input should be a valid array"),
    ],
    ids=lambda case: case[:30],
)
def test_an_invalid_request_is_told_what_is_wrong(
    client: TestClient, path: str, body: str, error: str
) -> None:
    answer = client.post(path, content=body.encode(), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)
    assert {"type", "loc", "msg"} == set(answer.json()["detail"][0])


def test_the_bounds_themselves_are_valid(client: TestClient) -> None:
    scores = client.post("/predict_batch", json={"hours": [0, HOURS_MAX]}).json()["score"]
    assert scores == [0.0, 2 * HOURS_MAX]


OTHERS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
OTHERS += ["application/vnd.bentoml+pickle", "", "json"]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", *OTHERS])
def test_what_is_not_json_is_refused_with_415(client: TestClient, kind: str) -> None:
    answer = client.post("/predict", content=b'{"hours": 4}', headers={"content-type": kind})
    assert answer.status_code == (415 if kind in OTHERS else 200)
    assert kind not in OTHERS or repr(kind) in answer.json()["error"]


CALLS = ["GET /predict 405", "PUT /predict_batch 405", "POST /model 405", "DELETE /docs.json 405"]
CALLS += ["POST /livez 405", "GET /nothing 404", "POST /predict/x 404", "GET /../etc/passwd 404"]


@pytest.mark.parametrize("call", CALLS)
def test_every_error_is_a_json_object_with_a_sentence(client: TestClient, call: str) -> None:
    method, path, status = call.split()
    answer = client.request(method, path)
    assert answer.status_code == int(status)
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert path.split("?")[0].replace("/..", "") in answer.json()["error"]


@examples
@given(body=st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_body_whatever_gets_a_500(client: TestClient, body: bytes) -> None:
    for route in ("/predict", "/predict_batch"):
        answer = client.post(route, content=body, headers=JSON)
        assert answer.status_code in (200, 400, 415)  # some begin as UTF-16 does
        assert isinstance(answer.json(), dict)


@examples
@given(hours=st.floats() | st.integers(-10, 10**30))
def test_a_number_is_answered_or_refused_as_the_bounds_say(
    client: TestClient, hours: float
) -> None:
    body = json.dumps({"hours": hours})
    answer = client.post("/predict", content=body, headers=JSON)
    valid = math.isfinite(hours) and 0 <= hours <= HOURS_MAX
    assert answer.status_code == (200 if valid else 400)
    if valid:
        assert answer.json()["score"] == hours * 2.0


def test_a_clients_mistake_does_not_fill_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/predict", json={"hours": "x"})
    assert "Traceback" not in caplog.text


VISIBLE = "".join(map(chr, range(33, 127)))


@pytest.mark.parametrize("sent", ["a", VISIBLE, "x" * 128])
@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/ui", 200), ("/none", 404)])
def test_every_answer_carries_the_clients_request_id(
    client: TestClient, sent: str, path: str, status: int
) -> None:
    answer = client.get(path, headers={"X-Request-ID": sent})
    assert (answer.status_code, answer.headers["x-request-id"]) == (status, sent)


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "two words", "tab\tbed", "\u00fc"])
def test_without_a_valid_one_each_answer_gets_an_id_of_its_own(
    client: TestClient, sent: str | None
) -> None:
    headers: dict[bytes, bytes] = {} if sent is None else {b"x-request-id": sent.encode()}
    ids = [
        client.post("/predict", json=body, headers=headers).headers["x-request-id"]
        for body in ({"hours": 4}, {"hours": 4}, {"hours": "4"})
    ]
    assert len(set(ids)) == 3
    assert sent not in ids
    assert all(1 <= len(each) <= 128 for each in ids)


@pytest.mark.parametrize("host", [None, *EVERYWHERE, "127.0.0.1"])
def test_a_service_that_is_open_to_all_says_so_at_the_start(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture, host: str | None
) -> None:
    store.save(lab_model)
    service: Any = StudyScoreService
    with click.Context(click.Command("serve")) as command, caplog.at_level("WARNING"):
        command.params = {"host": host, "port": 0}
        service.inner.check()
    assert ("STUDY_SCORE_API_KEY is not set" in caplog.text) == (host != "127.0.0.1")


def test_the_model_card_has_every_fact_and_finding(app: Any, tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST), 0.1, 1000)
    store.save(model)
    with TestClient(app) as client:
        card = client.get("/model").json()
        curve = client.get("/training").json()["curve"]
    assert {name: card[name] for name in model.facts()} == model.facts()
    assert [tuple(each.values()) for each in card["findings"]] == list(model.findings())
    names = ("low", "line_low", "score", "line_high", "high")
    for ends in zip(*(curve[name] for name in names), strict=True):
        assert list(ends) == sorted(ends)


def test_the_model_card_tells_the_limits_that_hold(client: TestClient) -> None:
    limits = client.get("/model").json()["limits"]
    for hours, status in (([limits["hours_max"]], 200), ([limits["hours_max"] + 1], 400)):
        assert client.post("/predict_batch", json={"hours": hours}).status_code == status
    for number, status in ((limits["batch_max"], 200), (limits["batch_max"] + 1, 400)):
        assert client.post("/predict_batch", json={"hours": [1] * number}).status_code == status
