from __future__ import annotations

import asyncio
import errno
import os
import statistics
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from models import store
from models.study_score import StudyScore
from service.app import StudyScoreService, live
from service.metrics import FOLDER, metrics

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
        assert grown(client, before, "bentoml_service_request_total", **labels) == number
        name = "bentoml_service_request_duration_seconds"
        assert grown(client, before, f"{name}_count", **labels) == number
        assert grown(client, before, f"{name}_bucket", le="+Inf", **labels) == number
        assert grown(client, before, f"{name}_sum", **labels) > 0
    assert total(scrape(client), "bentoml_service_request_in_progress") == 0


def test_what_the_guard_refuses_is_counted_too(
    app: Any, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scrape(client)
    monkeypatch.setattr(app.app, "max_concurrency", 0)
    answer = client.post("/predict", json={"hours": 4}, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (429, "mine")
    labels = {"http_response_code": "429", "endpoint": "/predict"}
    assert grown(client, before, "bentoml_service_request_total", **labels) == 1


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
    assert grown(client, before, "bentoml_service_request_total", **labels) == 1


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


def test_the_gauge_of_the_served_model_moves_with_a_swap(
    client: TestClient, lab_model: StudyScore
) -> None:
    first = live.served.tag
    assert total(scrape(client), "study_score_model", tag=first) == 1
    second = str(store.save(lab_model))
    live.load(second)
    assert total(scrape(client), "study_score_model", tag=first) == 0
    assert total(scrape(client), "study_score_model", tag=second) == 1


def test_the_hours_of_training_are_told_by_their_mean_and_sd(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not sums over the workers."""
    monkeypatch.setattr(metrics(), "folder", str(tmp_path))
    with leaving(STOP, tmp_path) as worker:
        assert worker.stdout is not None and worker.stdout.readline()
        samples = scrape(client)
        worker.kill()
    hours = [1, 2, 3]  # the lab's
    assert total(samples, "study_score_training_hours_mean") == statistics.mean(hours)
    assert total(samples, "study_score_training_hours_sd") == statistics.pstdev(hours)


STOP = "print(flush=True); os.kill(os.getpid(), signal.SIGSTOP)"


def test_made_up_urls_add_no_labels(client: TestClient) -> None:
    client.get("/made-up")
    before = set(scrape(client))
    for number in range(200):
        client.get(f"/made-up/{number}?x={number}")
        client.post(f"/made-up/{number}")
    new = set(scrape(client)) - before
    assert all(("http_response_code", "415") in each or "made" not in str(each) for _, each in new)
    assert {dict(labels).get("endpoint") for _, labels in new} <= {"other"}


def leaving(code: str, folder: Path) -> subprocess.Popen[bytes]:
    """Another worker, which writes its numbers and then runs this code."""
    counting = (
        "import os, signal, sys\n"
        "from service.metrics import metrics\n"
        "metrics().tag, metrics().extrapolated, metrics().in_progress['/predict'] = 'x', 1000, 5\n"
        "metrics().write()\n"
    )
    environment = {**os.environ, FOLDER: str(folder)}
    return subprocess.Popen([sys.executable, "-c", counting + code], env=environment, stdout=PIPE)


def test_a_killed_workers_gauges_are_dropped_and_its_counts_stay(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scrape(client)
    monkeypatch.setattr(metrics(), "folder", str(tmp_path))
    with leaving("os.kill(os.getpid(), signal.SIGKILL)", tmp_path) as worker:
        assert worker.wait() == -9
        assert total(scrape(client), "study_score_model", tag="x") == 0
        assert total(scrape(client), "bentoml_service_request_in_progress") == 0
        assert grown(client, before, "study_score_extrapolated_total") == 1000
    with leaving(STOP, tmp_path) as worker:
        assert worker.stdout is not None and worker.stdout.readline()
        assert total(scrape(client), "study_score_model", tag="x") == 1
        assert total(scrape(client), "bentoml_service_request_in_progress") == 5
        assert grown(client, before, "study_score_extrapolated_total") == 2000
        worker.kill()


def test_a_full_disk_costs_metrics_and_is_logged_once(
    client: TestClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(metrics(), "folder", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        metrics().write()
        metrics().write()
    assert caplog.text.count("the metrics of this worker are not up to date: ") == 1
    assert "No space left" in caplog.text
    assert client.post("/predict", json={"hours": 4}).status_code == 200
    assert total(scrape(client), "study_score_hours_count") > 0
    metrics().write()
    assert [file.suffix for file in tmp_path.iterdir()] == [".json"]


def test_only_models_that_are_served_have_a_series(
    client: TestClient, lab_model: StudyScore
) -> None:
    for _ in range(20):
        live.load(str(store.save(lab_model)))
        tags = [labels for name, labels in scrape(client) if name == "study_score_model"]
        assert tags == [{("tag", live.served.tag)}]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics"])
def test_health_and_metrics_are_not_metered(client: TestClient, path: str) -> None:
    before = scrape(client)
    assert client.get(path).status_code == 200
    assert grown(client, before, "bentoml_service_request_total") == 0
