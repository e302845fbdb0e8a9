"""The manifests: valid, and run as they are as far as podman knows their kinds."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import requests
import yaml
from jsonschema import Draft202012Validator

from service.routes import PROBES
from service.settings import PREFIX, Settings
from tests.container.conftest import Built
from tests.container.podman import IMAGE, podman, right
from tests.data import FILES
from tests.processes import ROOT, free_port, wait_until

COMPOSE = ROOT / "service/deploy/compose.yaml"
KUBERNETES = ROOT / "service/deploy/kubernetes.yaml"
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all(KUBERNETES.read_text()))
(POD,) = (each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] == "Deployment")
KEY = "a-key-of-the-tests"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_the_kubernetes_manifests_are_valid(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


KSERVE: dict[str, Any] = yaml.safe_load((ROOT / "service/deploy/kserve.yaml").read_text())


def strict(schema: Any) -> Any:
    """A schema that refuses what it does not name, where Kubernetes would drop it in silence."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    inner = {key: strict(value) for key, value in schema.items() if key != "format"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        inner["additionalProperties"] = False
    return inner


def test_the_inference_service_is_valid_and_runs_the_same_container() -> None:
    """The schema is that of KServe's repository, config/crd/full, in August 2026."""
    schema = strict(json.loads(gzip.decompress((FILES / "inferenceservice.json.gz").read_bytes())))
    schema["properties"]["metadata"] = {"type": "object"}  # Kubernetes' own
    validator = Draft202012Validator(schema)
    validator.validate(KSERVE)
    predictor = KSERVE["spec"]["predictor"]
    wrong = {**KSERVE, "spec": {"predictor": {**predictor, "minReplica": 2}}}
    assert not validator.is_valid(wrong)
    (ours,), (container,) = predictor["containers"], POD["containers"]
    for name in ("image", "env", "resources", "securityContext", "volumeMounts"):
        assert ours[name] == container[name]
    for name in ("securityContext", "volumes", "enableServiceLinks"):
        assert predictor[name] == POD[name]
    assert ours["ports"][0]["containerPort"] == container["ports"][0]["containerPort"]
    assert ours["readinessProbe"]["httpGet"]["path"] in PROBES


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


def test_compose_passes_every_setting_but_those_that_a_bento_refuses() -> None:
    (service,) = yaml.safe_load(COMPOSE.read_text())["services"].values()
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(service["environment"]) == settings - {f"{PREFIX}MODEL", f"{PREFIX}FOLLOW"}


@pytest.fixture
def port() -> int:
    return free_port()


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
    assert requests.post(f"{played}/predict", json={"hours": 4}, timeout=30).status_code == 401
    (container,) = POD["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert requests.get(f"{played}{path}", timeout=30).status_code == 200  # without a key
    inside = "study-score-pod-0-study-score"
    assert podman("exec", inside, "id", "--user") == "1034"
    assert podman("exec", inside, "printenv", "STUDY_SCORE_API_KEY") == KEY
    template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.EffectiveCaps}}"
    assert podman("inspect", "--format", template, inside) == f"true {256 << 20} []"


@pytest.fixture
def compose(built: Built, port: int) -> Iterator[Callable[..., None]]:
    """Calls podman-compose on compose.yaml, published on a free port."""
    project = [sys.executable, "-m", "podman_compose", "--project-name", f"study-score-{port}"]

    def call(*command: str, image: str = "study_score:latest") -> None:
        home = {
            **built.home,
            "STUDY_SCORE_IMAGE": image,
            "STUDY_SCORE_PORT": f"127.0.0.1:{port}",
            "STUDY_SCORE_API_KEY": KEY,
        }
        done = subprocess.run(
            [*project, "--file", COMPOSE, *command], env=home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    yield call
    call("down")


def test_the_compose_file_runs_and_its_health_check_passes(
    compose: Callable[..., None], port: int
) -> None:
    compose("up", "--detach")
    wait_until(lambda: right(f"http://127.0.0.1:{port}", KEY))
    name = f"study-score-{port}_study-score_1"
    podman("healthcheck", "run", name)
    template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.Config.User}}"
    assert podman("inspect", "--format", template, name) == f"true {256 << 20} 1034:1034"


def test_a_retrained_model_is_rolled_out_and_rolled_back(
    built: Built, compose: Callable[..., None], port: int
) -> None:
    first = f"study_score:{built.bento.name}"
    subprocess.run(
        ["make", "image"], cwd=ROOT, env=built.home, stdout=subprocess.DEVNULL, check=True
    )
    second = podman("inspect", "--format", '{{index .Labels "study-score.model"}}', IMAGE)
    assert second != built.model

    def serves(model: str) -> bool:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/model", headers=BEARER, timeout=5)
        except requests.RequestException:
            return False
        return answer.ok and answer.json()["tag"] == model

    try:
        for image, model in ((first, built.model), (IMAGE, second), (first, built.model)):
            compose("up", "--detach", image=image)
            wait_until(partial(serves, model))
    finally:
        podman("tag", first, IMAGE)  # for the other tests
