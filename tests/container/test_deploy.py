"""The manifests: valid, and run as they are as far as podman knows their kinds."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import requests
import yaml

from tests.container.conftest import Built
from tests.container.podman import IMAGE, environment, podman, right
from tests.processes import ROOT, wait_until

COMPOSE = ROOT / "service/deploy/compose.yaml"
KUBERNETES = ROOT / "service/deploy/kubernetes.yaml"
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all(KUBERNETES.read_text()))
(POD,) = (each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] == "Deployment")
KEY = "a-key-of-the-tests"


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_the_kubernetes_manifests_are_valid(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_what_kubernetes_matches_by_label_is_the_pod() -> None:
    (deployment,) = (each for each in MANIFESTS if each["kind"] == "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    for each in MANIFESTS:
        if each["kind"] == "Service":
            assert each["spec"]["selector"] == labels
        if each["kind"] == "PodDisruptionBudget":
            assert each["spec"]["selector"]["matchLabels"] == labels
        if each["kind"] == "HorizontalPodAutoscaler":
            assert each["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]


def test_the_compose_file_is_valid() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    run = subprocess.run([*checker, COMPOSE], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def played(built: Built, port: int, tmp_path: Path) -> Iterator[str]:
    """`podman kube play` of kubernetes.yaml, with the image under its name there; the URL."""
    (container,) = POD["containers"]
    secret = container["env"][0]["valueFrom"]["secretKeyRef"]
    published = f"containerPort: 3000, hostPort: {port}"  # or podman takes the host's port 3000
    manifest = tmp_path / "kubernetes.yaml"
    manifest.write_text(KUBERNETES.read_text().replace("containerPort: 3000", published))
    key = tmp_path / "key"
    key.write_text(json.dumps({secret["key"]: base64.b64encode(KEY.encode()).decode()}))
    podman("tag", IMAGE, container["image"])
    podman("secret", "create", secret["name"], str(key))
    try:
        podman("kube", "play", str(manifest))
        yield f"http://127.0.0.1:{port}"
    finally:
        podman("kube", "down", str(manifest))
        podman("secret", "rm", secret["name"])
        podman("volume", "rm", "--force", *(volume["name"] for volume in POD["volumes"]))
        podman("untag", IMAGE, container["image"])


def test_podman_plays_the_kubernetes_manifest(played: str) -> None:
    wait_until(lambda: right(played, KEY))
    assert requests.post(f"{played}/predict", json={"hours": 4}, timeout=5).status_code == 401
    (container,) = POD["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert requests.get(f"{played}{path}", timeout=5).status_code == 200  # without a key
    inside = "study-score-pod-0-study-score"
    assert podman("exec", inside, "id", "--user") == "1034"
    assert podman("exec", inside, "printenv", "STUDY_SCORE_API_KEY") == KEY
    template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.EffectiveCaps}}"
    assert podman("inspect", "--format", template, inside) == f"true {256 << 20} []"


def test_the_compose_file_runs_and_its_health_check_passes(built: Built, port: int) -> None:
    compose = [sys.executable, "-m", "podman_compose", "--project-name", f"study-score-{port}"]
    home = {
        **environment(),
        "STUDY_SCORE_PORT": f"127.0.0.1:{port}",
        "STUDY_SCORE_API_KEY": KEY,
    }

    def run(*command: str) -> None:
        done = subprocess.run(
            [*compose, "--file", COMPOSE, *command], env=home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    try:
        run("up", "--detach")
        wait_until(lambda: right(f"http://127.0.0.1:{port}", KEY))
        podman("healthcheck", "run", f"study-score-{port}_study-score_1")
        template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.Config.User}}"
        inspected = podman("inspect", "--format", template, f"study-score-{port}_study-score_1")
        assert inspected == f"true {256 << 20} 1034:1034"
    finally:
        run("down")
