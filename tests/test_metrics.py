from __future__ import annotations

import asyncio
import errno
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from models import store
from models.study_score import StudyScore
from service.app import StudyScoreService, live
from service.metrics import FOLDER, metrics

TOTAL, MODEL = "bentoml_service_request_total", "study_score_model"
IN_PROGRESS = "bentoml_service_request_in_progress"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(samples: Samples, name: str, **labels: str) -> float:
    return sum(
        value
        for (sample, having), value in samples.items()
        if sample == name and having >= set(labels.items())
    )


def grown(client: TestClient, before: Samples, name: str, **labels: str) -> float:
    return total(scrape(client), name, **labels) - total(before, name, **labels)


def test_requests_are_counted_and_timed_under_bentomls_names(client: TestClient) -> None:
    before = scrape(client)
    for _ in range(3):
        client.post("/predict", json={"hours": 4})
    client.post("/predict", json={"hours": "4"})
    client.post("/predict_batch", json={"hours": [1]})
    client.get("/no/such/page")
    for status, endpoint, number in (
        ("200", "/predict", 3),
        ("400", "/predict", 1),
        ("200", "/predict_batch", 1),
        ("404", "other", 1),
    ):
        labels = {"http_response_code": status, "endpoint": endpoint}
        assert grown(client, before, TOTAL, **labels) == number
        name = "bentoml_service_request_duration_seconds"
        assert grown(client, before, f"{name}_count", **labels) == number
        assert grown(client, before, f"{name}_bucket", le="+Inf", **labels) == number
        assert grown(client, before, f"{name}_sum", **labels) > 0
    assert total(scrape(client), IN_PROGRESS) == 0


def test_what_the_guard_refuses_is_counted_too(
    app: Any, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scrape(client)
    monkeypatch.setattr(app.app, "max_concurrency", 0)
    answer = client.post("/predict", json={"hours": 4}, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (429, "mine")
    labels = {"http_response_code": "429", "endpoint": "/predict"}
    assert grown(client, before, TOTAL, **labels) == 1


def test_what_takes_too_long_is_counted_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    before = scrape(client)
    service: Any = StudyScoreService
    monkeypatch.setattr(service.apis["predict_batch"], "func", never)
    monkeypatch.setattr("service.fast_lane.FAST", {})
    answer = client.post("/predict_batch", json={"hours": [4]})
    assert (answer.status_code, set(answer.json())) == (504, {"error"})
    assert answer.headers["x-request-id"]
    labels = {"http_response_code": "504", "endpoint": "/predict_batch"}
    assert grown(client, before, TOTAL, **labels) == 1


def test_the_hours_asked_for_are_a_histogram(client: TestClient) -> None:
    before = scrape(client)
    client.post("/predict", json={"hours": 2})
    client.post("/predict", json={"hours": 2000})
    client.post("/predict_batch", json={"hours": [0.5, 2, 3, 4]})
    assert grown(client, before, "study_score_hours_count") == 6
    assert grown(client, before, "study_score_hours_sum") == 2011.5
    for le, number in {"1.0": 1, "2.0": 3, "5.0": 5, "1000.0": 5, "+Inf": 6}.items():
        assert grown(client, before, "study_score_hours_bucket", le=le) == number
    assert grown(client, before, "study_score_extrapolated_total") == 3


def test_only_the_model_that_is_served_has_a_series(
    client: TestClient, lab_model: StudyScore
) -> None:
    for _ in range(20):
        live.load(str(store.save(lab_model)))
        series = {key: value for key, value in scrape(client).items() if key[0] == MODEL}
        assert series == {(MODEL, frozenset({("tag", live.served.tag)})): 1}


def test_the_mean_and_sd_of_training_hours_are_not_sums_over_the_workers(
    client: TestClient, folder: Path
) -> None:
    with stopped(folder):
        samples = scrape(client)
    hours = [1, 2, 3]  # the lab's
    assert total(samples, "study_score_training_hours_mean") == statistics.mean(hours)
    assert total(samples, "study_score_training_hours_sd") == statistics.pstdev(hours)


def test_made_up_urls_add_no_labels(client: TestClient) -> None:
    client.get("/made-up")
    before = set(scrape(client))
    for number in range(200):
        client.get(f"/made-up/{number}?x={number}")
        client.post(f"/made-up/{number}")
    new = set(scrape(client)) - before
    assert all(("http_response_code", "415") in each or "made" not in str(each) for _, each in new)
    assert {dict(labels).get("endpoint") for _, labels in new} <= {"other"}


COUNT = """
import os, signal
from service.metrics import metrics
metrics().tag, metrics().extrapolated, metrics().in_progress["/predict"] = "x", 1000, 5
metrics().write()
print(flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers write their numbers."""
    monkeypatch.setattr(metrics(), "folder", str(tmp_path))
    return tmp_path


@contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """Another worker, which has written its numbers; it is killed at the end of the block."""
    environment = {**os.environ, FOLDER: str(folder)}
    command = [sys.executable, "-c", COUNT]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdout is not None and worker.stdout.readline()
            yield
        finally:
            worker.kill()
    assert worker.returncode == -9


def test_a_killed_workers_gauges_are_dropped_and_its_counts_stay(
    client: TestClient, folder: Path
) -> None:
    before = scrape(client)
    for workers in (1, 2):
        with stopped(folder):
            assert total(scrape(client), MODEL, tag="x") == 1
            assert total(scrape(client), IN_PROGRESS) == 5
            assert grown(client, before, "study_score_extrapolated_total") == 1000 * workers
        assert total(scrape(client), MODEL, tag="x") == 0
        assert total(scrape(client), IN_PROGRESS) == 0
        assert grown(client, before, "study_score_extrapolated_total") == 1000 * workers


def test_a_full_disk_costs_metrics_and_is_logged_once(
    client: TestClient, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with patch.object(Path, "write_text", full):
        metrics().write()
        metrics().write()
    assert caplog.text.count("the metrics of this worker are not up to date: ") == 1
    assert "No space left" in caplog.text
    assert client.post("/predict", json={"hours": 4}).status_code == 200
    assert total(scrape(client), "study_score_hours_count") > 0
    metrics().write()
    assert [file.suffix for file in folder.iterdir()] == [".json"]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics"])
def test_health_and_metrics_are_not_metered(client: TestClient, path: str) -> None:
    before = scrape(client)
    assert client.get(path).status_code == 200
    assert grown(client, before, TOTAL) == 0
