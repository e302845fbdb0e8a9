"""The same image built and run by a real Docker engine, started here with everything its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.container.podman import BASE, LIKE_DOCKER, environment
from tests.processes import ROOT, accepts, call, right, wait_until
from tests.tools import tool

INSTALL = "apt-get install --no-install-recommends docker.io docker-compose"


class Docker(NamedTuple):
    """An engine without bridges, so that containers share the host's network."""

    home: dict[str, str]

    def __call__(self, *command: str) -> str:
        """What a command prints that talks to the engine."""
        done = call(*command, cwd=ROOT, env=self.home, timeout=300)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """An engine that holds the image, built from a store of its own."""
    daemon = Path(tool("dockerd", INSTALL))
    folder = tmp_path_factory.mktemp("docker")
    client = daemon.parents[1] / "bin"  # of the same release
    docker = Docker(
        {
            **environment(),
            "BENTOML_CONTAINERIZE_BACKEND": "docker",
            "BENTOML_HOME": str(folder / "bentoml"),
            "DOCKER_CONFIG": str(folder / "config"),
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "PATH": f"{client}{os.pathsep}{os.environ['PATH']}",
        }
    )
    own = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    network = ("--bridge=none", "--iptables=false", "--ip6tables=false")
    command = [str(daemon), *own, *network, f"--host={docker.home['DOCKER_HOST']}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as engine:
        try:
            wait_until(lambda: call("docker", "info", env=docker.home).returncode == 0)
            docker("tests/container/base.sh", BASE)
            docker("podman", "save", "--output", str(folder / "base"), BASE)
            docker("docker", "load", "--quiet", "--input", str(folder / "base"))
            docker(sys.executable, "-m", "training")
            docker("service/deploy/image.sh", "--opt", "network=host")
            yield docker
        finally:
            engine.terminate()
            engine.wait(30)
            for mount in Path("/proc/mounts").read_text().split():
                if mount.startswith(str(folder)):  # what it leaves; pytest could not clean up
                    subprocess.run(["umount", mount], check=True)


@pytest.fixture
def container(docker: Docker, port: int) -> Iterator[str]:
    """The name of a container that answers rightly."""
    command = ("study_score:latest", "serve", "--port", str(port))
    name = docker("docker", "run", "--detach", "--network=host", *LIKE_DOCKER, *command)
    try:
        wait_until(lambda: right(f"http://127.0.0.1:{port}"))
        yield name
    finally:
        docker("docker", "rm", "--force", name)


def test_it_runs_as_an_ordinary_user_on_a_file_system_it_cannot_write(
    docker: Docker, container: str
) -> None:
    assert docker("docker", "exec", container, "id", "--user") == "1034"
    template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}"
    assert docker("docker", "inspect", "--format", template, container) == f"true {256 << 20}"


def test_sigterm_under_load_loses_no_answer_that_was_begun(
    docker: Docker, container: str, port: int
) -> None:
    url = f"http://127.0.0.1:{port}"

    def client(_: int) -> int:
        answers = 0
        with requests.Session() as session:
            while accepts(url):
                try:
                    answer = session.post(f"{url}/predict", json={"hours": 4}, timeout=10)
                except requests.ConnectionError:  # a connection that was idle when it ended
                    break
                assert answer.json()["score"] == 8
                answers += 1
        return answers

    with ThreadPoolExecutor(8) as clients:
        answered = clients.map(client, range(8))
        wait_until(lambda: "study_score_hours_count" in metrics(url))
        docker("docker", "kill", "--signal=TERM", container)
        assert sum(answered) > 0
    assert docker("docker", "wait", container) == "0"


def metrics(url: str) -> str:
    try:
        return requests.get(f"{url}/metrics", timeout=30).text
    except requests.RequestException:
        return ""


def test_compose_starts_it_again_when_it_dies(docker: Docker, port: int, tmp_path: Path) -> None:
    compose = (ROOT / "service/deploy/compose.yaml").read_text()
    published = '    ports:\n      - "${STUDY_SCORE_PORT:-127.0.0.1:3000}:3000"\n'
    assert published in compose
    file = tmp_path / "compose.yaml"  # this engine has no network to publish from
    on_the_host = f'    network_mode: host\n    command: ["serve", "--port", "{port}"]\n'
    file.write_text(compose.replace(published, on_the_host))
    program, name = tool("docker-compose", INSTALL), f"--project-name=study-score-{port}"
    project = (program, name, f"--file={file}")
    url = f"http://127.0.0.1:{port}"
    docker(*project, "up", "--detach")
    try:
        wait_until(lambda: right(url))
        container = docker(*project, "ps", "--quiet")
        process = int(docker("docker", "inspect", "--format", "{{.State.Pid}}", container))
        os.kill(process, signal.SIGKILL)
        count = ("docker", "inspect", "--format", "{{.RestartCount}}", container)
        wait_until(lambda: docker(*count) == "1", seconds=30)
        wait_until(lambda: right(url))
    finally:
        docker(*project, "down")
