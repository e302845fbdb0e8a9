"""From training to predictions as a person would do it, in processes of their own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import bentoml
import psutil
import pytest
import requests
from bentoml.exceptions import BentoMLException

from tests.processes import ROOT, Home, answers, free_port, run, serving, start_serving, wait_until


def test_train_serve_and_predict(home: Home) -> None:
    trained = run(home, "training")
    assert trained.returncode == 0, trained.stderr
    tag = trained.stdout.splitlines()[-1].removeprefix("saved ")
    with serving(home) as url:
        answer = requests.post(f"{url}/predict", json={"hours": 4}, timeout=30)
        assert answer.json()["score"] == pytest.approx(8, abs=1e-9)
        assert answer.json()["extrapolated"] is True
        assert answer.headers["x-model"] == tag
        assert requests.get(f"{url}/model", timeout=30).json()["tag"] == tag
        assert requests.get(f"{url}/predict", timeout=30).status_code == 405
        with bentoml.SyncHTTPClient(url) as client:
            assert client.predict(hours=4)["score"] == answer.json()["score"]
            assert client.predict_batch(hours=[1, 2.5])["score"] == [2.0, 5.0]
            assert client.hours_for(score=8)["hours"] == pytest.approx(4)


def refusal(home: Home, *command: str) -> str:
    """What a BentoML command that fails writes as errors."""
    failed = run(home, "bentoml", *command)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stderr
    return failed.stderr


@pytest.mark.parametrize("command", ["serve --port 0", "build"])
def test_without_a_model_serving_and_building_say_how_to_train_one(
    home: Home, command: str
) -> None:
    sentence = "no model study_score:latest; train one with: python -m training"
    assert sentence in refusal(home, *command.split())


def test_serving_a_damaged_model_ends_at_once_and_names_it(trained: Home) -> None:
    (file,) = Path(trained["BENTOML_HOME"]).glob("models/study_score/*/study_score.json")
    file.write_text('{"format": 3}')
    sentence = "study_score.json is not a study-score model: W: Field required"
    assert sentence in refusal(trained, "serve", "--port", "0")


def test_serving_on_a_port_in_use_ends_at_once(trained: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        error = refusal(trained, "serve", "--host", "127.0.0.1", "--port", port)
    assert "Address already in use; choose another port" in error


@pytest.mark.parametrize(("key", "times"), [({}, 1), ({"STUDY_SCORE_API_KEY": "secret"}, 0)])
def test_serving_plainly_says_once_that_it_is_open_to_all(
    trained: Home, key: Home, times: int
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "--port", str(port)]
    streams: dict[str, Any] = {"stdout": PIPE, "stderr": STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env={**trained, **key}, **streams) as server:
        wait_until(lambda: server.poll() is not None or answers(f"http://127.0.0.1:{port}/livez"))
        server.send_signal(signal.SIGTERM)
        log = server.stdout.read() if server.stdout else b""
    assert log.count(b"open to all who reach this machine") == times


def test_with_api_keys_only_their_holders_are_answered(trained: Home) -> None:
    settings = {"STUDY_SCORE_API_KEY": "old-secret,new-secret", "STUDY_SCORE_ACCESS_LOG": "on"}
    with start_serving({**trained, **settings}, stdout=PIPE, stderr=STDOUT) as server:
        for path in ("/predict", "/predict_batch", "/hours_for", "/model", "/training", "/x"):
            for variant in (path, f"{path}%0a", f"{path}%0A", f"/{path}", f"{path}%00"):
                for ask in (requests.post, requests.get):
                    answer = ask(server.url + variant, json={"hours": 4}, timeout=30)
                    assert answer.status_code == 401
                    assert "Authorization: Bearer KEY" in answer.json()["error"]
        for path in ("/livez", "/readyz", "/metrics", "/docs.json"):
            assert requests.get(server.url + path, timeout=30).status_code == 200
        for key in ("old-secret", "new-secret"):
            with bentoml.SyncHTTPClient(server.url, token=key) as client:
                assert client.predict(hours=4)["score"] == 8.0
        with pytest.raises(BentoMLException), bentoml.SyncHTTPClient(server.url) as client:
            client.predict(hours=4)
        assert "secret" not in server.end()


def test_a_fixed_version_is_served_and_not_followed(trained: Home) -> None:
    tag = store_tag(trained)
    with serving({**trained, "STUDY_SCORE_MODEL": tag}) as url:
        assert run(trained, "training", "--raw", "--force").returncode == 0
        assert store_tag(trained) != tag
        assert requests.get(f"{url}/model", timeout=30).json()["tag"] == tag


def store_tag(home: Home) -> str:
    latest = Path(home["BENTOML_HOME"], "models", "study_score", "latest")
    return f"study_score:{latest.read_text()}"


def test_workers_end_when_their_supervisor_was_killed(trained: Home) -> None:
    with start_serving({**trained, "STUDY_SCORE_WORKERS": "2"}) as server:
        workers = psutil.Process(server.pid).children(recursive=True)
        server.kill()
        server.wait()
        try:
            wait_until(lambda: not any(worker.is_running() for worker in workers))
        finally:
            for worker in filter(psutil.Process.is_running, workers):
                worker.kill()


def test_the_log_stays_in_its_lines_and_answers_keep_their_bodies(trained: Home) -> None:
    home = {**trained, "STUDY_SCORE_ACCESS_LOG": "on"}
    with start_serving(home, stdout=PIPE, stderr=STDOUT) as server:
        url = f"{server.url}/predict"
        for kind in (b"application/json", b"application/json; x=\xff"):
            headers = {"content-type": kind}
            answer = requests.post(url, data=b'{"hours": 4}', headers=headers, timeout=5)
            assert answer.json()["score"] == 8.0
        requests.get(f"{server.url}/x%0aforged%1b%5b31m", timeout=30)
        log = server.end()
    assert r"GET /x\nforged\x1b[31m 404 " in log
    assert "\x1b" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize(("setting", "value"), [("MODEL", "study_score:latest"), ("FOLLOW", "on")])
def test_a_bento_refuses_to_serve_another_model(trained: Home, setting: str, value: str) -> None:
    assert run(trained, "bentoml", "build").returncode == 0
    home = {**trained, f"STUDY_SCORE_{setting}": value}
    sentence = f"STUDY_SCORE_{setting} is set, but a Bento serves the model it was"
    assert sentence in refusal(home, "serve", "study_score:latest", "--port", "0")


def test_a_bento_serves_the_model_it_was_built_with_from_any_folder(
    home: Home, tmp_path: Path
) -> None:
    tag = run(home, "training").stdout.splitlines()[-1].removeprefix("saved ")
    first = run(home, "bentoml", "build", "--output", "tag")
    second = run(home, "bentoml", "build", "--output", "tag")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr

    bentos = sorted(Path(home["BENTOML_HOME"], "bentos", "study_score").glob("*/bento.yaml"))
    one, two = ((bento.parent / "env/python/requirements.txt").read_text() for bento in bentos)
    assert one == two
    assert "pydantic==" in one and "torch" not in one
    for bento in bentos:
        folders = {path.name for path in (bento.parent / "src").iterdir()}
        assert folders & {"service", "models", "training"} == {"service", "models"}
        assert f"tag: {tag}" in bento.read_text()

    assert run(home, "training", "--raw", "--force").returncode == 0
    (tmp_path / "elsewhere").mkdir()
    with serving(home, "study_score:latest", cwd=tmp_path / "elsewhere") as url:
        answer = requests.post(f"{url}/predict", json={"hours": 4}, timeout=30)
        assert (answer.json()["score"], answer.headers["x-model"]) == (8.0, tag)
