"""The container as the manifests run it: no root, no writable root, no capability, 256 MiB."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
import requests

from tests.container.conftest import Built
from tests.container.podman import HARDENED, IMAGE, Container, environment, podman, running
from tests.processes import accepts, call, right, wait_until

HALF_A_CPU = "--cpus=0.5"
WRITABLE = "import os, sys; print(*[x for x in sys.argv[1:] if os.access(x, os.W_OK)])"
FOLDERS = ("/", "/app", "/home/bentoml", "/tmp", "/usr", "/var/tmp")  # noqa: S108


@pytest.fixture(scope="module")
def container(built: Built) -> Iterator[Container]:
    with running(*HARDENED, HALF_A_CPU) as container:
        yield container


def test_it_serves_the_model_it_was_built_with(container: Container, built: Built) -> None:
    answer = requests.post(f"{container.url}/predict", json={"hours": 4}, timeout=30)
    assert answer.json() == {"score": 8.0, "low": 8.0, "high": 8.0, "extrapolated": True}
    assert answer.headers["x-model"] == built.model
    assert requests.get(f"{container.url}/model", timeout=30).json()["tag"] == built.model


@pytest.mark.parametrize("path", ["livez", "readyz", "metrics", "docs", "docs.json"])
def test_it_answers_what_operators_ask(container: Container, path: str) -> None:
    assert requests.get(f"{container.url}/{path}", timeout=30).ok


def test_it_does_not_run_as_root_and_can_do_nothing_that_root_can(container: Container) -> None:
    lines = container.run("cat", "/proc/1/status").splitlines()
    status = dict(line.split(":", 1) for line in lines)
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"1034"}
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


def test_a_random_user_of_group_0_runs_it_too(built: Built) -> None:
    """As OpenShift runs containers."""
    with running(*HARDENED, "--user=1000660000:0") as container:
        assert right(container.url)
        assert container.run("id", "--user") == "1000660000"
        assert container.run("id", "--groups") == "0"
        assert container.run("python", "-c", WRITABLE, *FOLDERS) == FOLDERS[3]


def test_only_the_temporary_folder_can_be_written(container: Container) -> None:
    assert container.run("python", "-c", WRITABLE, *FOLDERS) == FOLDERS[3]


def test_it_stays_within_its_memory_under_load(container: Container) -> None:
    stays_within_its_memory(container)


def stays_within_its_memory(container: Container) -> None:
    batch = {"hours": [hours % 24 for hours in range(10_000)]}
    scores = [hours * 2.0 for hours in batch["hours"]]
    processes = podman("top", container.name, "hpid")
    end = time.monotonic() + 8

    def load(number: int) -> int:
        answered = 0
        with requests.Session() as session:
            while time.monotonic() < end:
                if number % 8:
                    answer = session.post(f"{container.url}/predict", json={"hours": 4}, timeout=10)
                    right = answer.status_code == 429 or answer.json()["score"] == 8
                else:
                    answer = session.post(f"{container.url}/predict_batch", json=batch, timeout=10)
                    right = answer.status_code in (429, 504) or answer.json()["score"] == scores
                assert right, answer.text
                answered += answer.ok
        return answered

    with ThreadPoolExecutor(32) as clients:
        assert sum(clients.map(load, range(32))) > 100
    assert container.inspect("{{.State.OOMKilled}}") == "false"
    assert podman("top", container.name, "hpid") == processes  # none was replaced
    assert right(container.url)


def test_requests_in_flight_are_finished_on_sigterm(built: Built) -> None:
    body = json.dumps({"hours": 4})
    with running(*HARDENED, HALF_A_CPU) as container, ExitStack() as stack:
        address = urlsplit(container.url).netloc
        clients = [
            stack.enter_context(closing(http.client.HTTPConnection(address, timeout=10)))
            for _ in range(5)
        ]
        for client in clients:
            client.putrequest("POST", "/predict")
            client.putheader("Content-Type", "application/json")
            client.putheader("Content-Length", str(len(body)))
            client.endheaders(body[:5].encode())
        assert right(container.url)  # so the halves have been read
        podman("kill", "--signal=TERM", container.name)
        wait_until(lambda: not accepts(container.url))
        for client in clients:
            client.send(body[5:].encode())
        scores = [json.loads(client.getresponse().read())["score"] for client in clients]
        assert scores == [8] * 5
        podman("wait", container.name)
        assert container.inspect("{{.State.ExitCode}}") == "0"


def test_requests_are_not_logged(container: Container) -> None:
    assert right(container.url)
    assert "/predict" not in podman("logs", container.name)


def run_to_its_end(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("podman", "run", "--rm", *HARDENED, *arguments)
    return call(*command, env=environment(), timeout=30)


def test_a_port_that_is_taken_ends_it_at_once(built: Built) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = run_to_its_end("--network=host", IMAGE, "serve", "--port", port)
    assert run.returncode != 0
    assert "Address already in use" in run.stderr


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("WORKERS=none", "WORKERS is 'none': it must be a whole number"),
        ("WORKERS=3", "WORKERS is 3, which take 320 MB .* the limit of 268 MB has room for 2"),
        ("MODEL=study_score:latest", "MODEL"),
    ],
)
def test_a_wrong_setting_or_one_beyond_the_memory_ends_it_at_once_with_a_line(
    built: Built, setting: str, line: str
) -> None:
    run = run_to_its_end(f"--env=STUDY_SCORE_{setting}", IMAGE)
    assert run.returncode != 0
    assert re.search(f"STUDY_SCORE_{line}", run.stderr)
    assert "Traceback" not in run.stderr


def test_as_many_workers_as_fit_stay_within_the_memory_under_load(built: Built) -> None:
    with running(*HARDENED, "--env=STUDY_SCORE_WORKERS=2") as container:
        wait_until(lambda: workers(container) == 2)
        stays_within_its_memory(container)


def test_cpu_count_is_that_of_the_cpu_limit(built: Built) -> None:
    """The machine has two or more."""
    with running(*HARDENED, "--cpus=1", "--env=STUDY_SCORE_WORKERS=cpu_count") as container:
        assert workers(container) == 1


def workers(container: Container) -> int:
    commands = container.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    return commands.count("worker.service")


def test_settings_come_by_environment(built: Built) -> None:
    with running(*HARDENED, "--env=STUDY_SCORE_MAX_BODY_BYTES=20") as container:
        answer = requests.post(f"{container.url}/predict", json={"hours": 1.25000000}, timeout=30)
        assert answer.status_code == 200
        answer = requests.post(f"{container.url}/predict", data=b" " * 21, timeout=30)
        assert answer.status_code == 413
