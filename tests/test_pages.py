"""The pages in-process; tests/browser opens them in a browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from starlette.testclient import TestClient

from models.study_score import StudyScore
from service.pages import FILES
from tests.test_metrics import grown, scrape


def test_the_root_redirects_to_the_page(client: TestClient) -> None:
    assert client.get("/").url.path == "/ui"


@pytest.mark.parametrize("path", ["/ui", "/docs"])
def test_only_scripts_of_the_service_may_run(client: TestClient, path: str) -> None:
    page = client.get(path)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert not re.findall(r"<script[^>]*>(?!</script>)(.+?)</script>", page.text, re.DOTALL)


def test_the_page_is_small_and_names_no_other_host(client: TestClient) -> None:
    sent = 0
    for path in FILES:
        if not path.startswith("/ui/"):
            continue
        file = client.get(path)
        sent += int(file.headers["content-length"])
        assert file.headers["content-encoding"] == "gzip"
        names = set(re.findall(r"https?://[^\"'\s)]+", file.text))
        assert names <= {"http://www.w3.org/2000/svg"}  # a name, not an address
        assert "@import" not in file.text
    assert sent <= 60_000


@pytest.mark.parametrize("path", FILES)
def test_a_file_of_the_page_is_sent_once_and_asked_after(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == (first.text, False)


PAGE = ["x.js", "screenshot.png", "../app.py", "%2e%2e/app.py"]
SWAGGER = ["", "index.css", "marked.min.js", "../app.py", "x/y", "x%0a"]  # BentoML has some


@pytest.mark.parametrize(
    "path", [*(f"/ui/{name}" for name in PAGE), *(f"/static_content/{name}" for name in SWAGGER)]
)
def test_no_other_file_is_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_training_tells_the_costs_and_only_the_rows_that_were_kept(
    client: TestClient, lab_model: StudyScore
) -> None:
    answer = client.get("/training")
    assert answer.json()["costs"] == [list(each) for each in lab_model.costs]
    assert answer.json()["points"] == [list(each) for each in lab_model.points]
    assert answer.headers["x-model"] == client.get("/model").json()["tag"]


def test_training_tells_the_cost_of_any_line_on_rows_that_were_not_kept(client: TestClient) -> None:
    hours, scores = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])
    cost = client.get("/training").json()["cost"]
    for W, b in ((0, 0), (2, 0), (-1.5, 7)):
        tilt, offset = W - cost["slope"], W * cost["hours_mean"] + b - cost["score_mean"]
        expected = cost["least"] + tilt**2 * cost["hours_variance"] + offset**2
        assert expected == pytest.approx(np.mean((W * hours + b - scores) ** 2))


def test_the_curve_to_draw_is_predicted_by_the_service_and_not_counted(client: TestClient) -> None:
    before = scrape(client)
    curve = client.get("/training").json()["curve"]
    assert grown(client, before, "study_score_hours_count") == 0
    hours = curve.pop("hours")
    assert {0, 1, 3, 8784} < set(hours)
    assert hours == sorted(hours)
    predicted = client.post("/predict_batch", json={"hours": hours}).json()
    for key in ("score", "low", "high"):
        assert curve[key] == predicted[key]
    lines = zip(curve["low"], curve["line_low"], curve["line_high"], curve["high"], strict=True)
    assert all(low <= line_low <= line_high <= high for low, line_low, line_high, high in lines)
