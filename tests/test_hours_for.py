"""The question turned round, over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from models import store
from models.study_score import HOURS_MAX
from tests.data import CARS_DIST, CARS_SPEED, rows_of
from training.fit import fit

JSON = {"content-type": "application/json"}


def test_eight_points_take_four_hours(client: TestClient) -> None:
    answer = client.post("/hours_for", json={"score": 8})
    assert answer.json() == {"hours": 4.0, "low": 4.0, "high": 4.0, "extrapolated": True}
    assert answer.headers["x-model"] == store.load(store.LATEST).tag


@pytest.mark.parametrize("score", [-5, 20, 60.5, 120])
def test_the_hours_for_a_score_are_those_whose_predictions_say_so(
    app: Any, tmp_path: Path, score: float
) -> None:
    store.save(fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST), 0.1, 1000))
    step = 0.01
    hours = np.arange(0, 100, step)
    with TestClient(app) as client:
        answer = client.post("/hours_for", json={"score": score}).json()
        scores = client.post("/predict_batch", json={"hours": hours.tolist()}).json()
    holds = (np.array(scores["low"]) <= score) & (score <= np.array(scores["high"]))
    assert answer["low"] == pytest.approx(hours[holds].min(), abs=step)
    assert answer["high"] == pytest.approx(hours[holds].max(), abs=step)
    if score < scores["score"][0]:
        assert answer["hours"] is None
    else:
        assert np.interp(answer["hours"], hours, scores["score"]) == pytest.approx(score)
        inside = CARS_SPEED.min() <= answer["hours"] <= CARS_SPEED.max()
        assert answer["extrapolated"] == (not inside)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('{"score": "8"}', "score: Input should be a valid number"),
        ('{"score": true}', "score: Input should be a valid number"),
        ('{"score": 1e400}', "score: Input should be a finite number"),
        ('{"hours": 4}', "score: Field required"),
        ('{"score": 8, "name": "Ann"}', "name: Extra inputs are not permitted"),
    ],
)
def test_a_score_that_is_none_is_told_what_is_wrong(
    client: TestClient, body: str, error: str
) -> None:
    answer = client.post("/hours_for", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"].split(";")[0]) == (400, error)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(score=st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_a_score_that_is_answered(client: TestClient, score: float) -> None:
    answer = client.post("/hours_for", content=json.dumps({"score": score}), headers=JSON)
    assert answer.status_code == 200
    hours = answer.json()["hours"]
    assert (hours is None) == (not 0 <= score / 2 <= HOURS_MAX)
    assert hours is None or hours == pytest.approx(score / 2)
