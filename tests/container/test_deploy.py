"""The manifests: valid, and run as they are as far as podman knows their kinds."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import requests
import yaml
from jsonschema import Draft202012Validator

from service.routes import PROBES
from service.settings import VARIABLE_PREFIX, Settings
from tests.container.conftest import Built
from tests.container.podman import IMAGE, podman, serves
from tests.data import FILES
from tests.processes import ROOT, call, right, wait_until
from tests.tools import tool

COMPOSE = ROOT / "service/deploy/compose.yaml"
KUBERNETES = ROOT / "service/deploy/kubernetes"
KUBECTL = "apt-get install --no-install-recommends kubernetes-client"


def read(*files: str) -> list[dict[str, Any]]:
    """The manifests in files of the folder."""
    return [each for file in files for each in yaml.safe_load_all((KUBERNETES / file).read_text())]


MANIFESTS = read("study-score.yaml", "ingress.yaml")
(KSERVE,) = read("kserve.yaml")
(POD_MONITOR,) = read("podmonitor.yaml")
(POD,) = (each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] == "Deployment")
KEY = "a-key-of-the-tests"


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_the_kubernetes_manifests_are_valid(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def strict(schema: Any) -> Any:
    """A schema that refuses unknown keys, which Kubernetes would silently drop."""
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


def test_what_kubernetes_matches_by_name_is_there() -> None:
    kinds = {each["kind"]: each["spec"] for each in (*MANIFESTS, POD_MONITOR)}
    labels = kinds["Deployment"]["template"]["metadata"]["labels"]
    for selector in (
        kinds["Deployment"]["selector"]["matchLabels"],
        kinds["Service"]["selector"],
        kinds["PodDisruptionBudget"]["selector"]["matchLabels"],
        kinds["NetworkPolicy"]["podSelector"]["matchLabels"],
        kinds["PodMonitor"]["selector"]["matchLabels"],
    ):
        assert selector == labels
    for each in (*MANIFESTS, POD_MONITOR, KSERVE):
        assert each["metadata"] == {"name": "study-score", "labels": labels}
    assert kinds["HorizontalPodAutoscaler"]["scaleTargetRef"]["name"] == "study-score"
    (port,) = POD["containers"][0]["ports"]
    (served,) = kinds["Service"]["ports"]
    (allowed,) = kinds["NetworkPolicy"]["ingress"][0]["ports"]
    (scraped,) = kinds["PodMonitor"]["podMetricsEndpoints"]
    assert served["targetPort"] == allowed["port"] == scraped["port"] == port["name"]
    (path,) = kinds["Ingress"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "study-score", "port": {"name": served["name"]}}
    assert labels[kinds["PodMonitor"]["jobLabel"]] == "study-score"  # the job of alerts.yaml


def kustomized(folder: Path, *wanted: str) -> list[dict[str, Any]]:
    """What kubectl makes of a copy of the folder with the lines uncommented that name these."""
    kubectl = tool("kubectl", KUBECTL)
    shutil.copytree(KUBERNETES, folder)
    file = folder / "kustomization.yaml"
    lines = file.read_text().splitlines(keepends=True)
    text = ""
    for line in lines:
        text += line.replace("# ", "", 1) if any(name in line for name in wanted) else line
    version = subprocess.check_output([kubectl, "version", "--client", "--output=json"], text=True)
    if "kustomizeVersion" not in version:  # before 1.24, as Debian 12's
        text = text.replace("patches:", "patchesStrategicMerge:").replace("- path: ", "- ")
    file.write_text(text)
    rendered = subprocess.check_output([kubectl, "kustomize", str(folder)], text=True)
    return list(yaml.safe_load_all(rendered))


IMAGE_THERE = "registry.example.com/study_score:TAG"


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ([], {each["kind"] for each in read("study-score.yaml")}),
        (["ingress", "podmonitor"], {each["kind"] for each in (*MANIFESTS, POD_MONITOR)}),
        (["patches", "model-volume"], {each["kind"] for each in read("study-score.yaml")}),
        (["kserve"], {each["kind"] for each in (*read("study-score.yaml"), KSERVE)}),
    ],
)
def test_kustomize_puts_one_tag_into_what_is_wanted(
    tmp_path: Path, wanted: list[str], kinds: set[str]
) -> None:
    manifests = kustomized(tmp_path / "copy", *wanted)
    assert {each["kind"] for each in manifests} == kinds
    images = re.findall(r"'image': '([^']+)'", str(manifests))
    assert set(images) == {IMAGE_THERE}
    for each in manifests:
        if each["kind"] not in ("PodMonitor", "InferenceService"):
            kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_the_compose_file_is_valid() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    run = call(*checker, COMPOSE)
    assert run.returncode == 0, run.stdout + run.stderr


def test_compose_passes_every_setting_but_those_that_a_bento_refuses() -> None:
    (service,) = yaml.safe_load(COMPOSE.read_text())["services"].values()
    names = Settings.model_fields.keys() - {"model", "follow"}
    assert set(service["environment"]) == {VARIABLE_PREFIX + name.upper() for name in names}


@contextmanager
def played(folder: Path, port: int, *wanted: str, tag: str = "") -> Iterator[str]:
    """`podman kube play` of what kustomize makes, with the image under its name there; the URL."""
    manifests = kustomized(folder / "copy", *wanted)
    (pod,) = (each["spec"]["template"]["spec"] for each in manifests if "template" in each["spec"])
    (container,) = pod["containers"]
    container["ports"][0]["hostPort"] = port  # or podman takes the host's port 3000
    manifest = folder / "kubernetes.yaml"
    manifest.write_text(
        yaml.safe_dump_all(manifests).replace("value: study_score:TAG", f"value: {tag}")
    )
    secret = POD["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]
    key = folder / "key"
    key.write_text(json.dumps({secret["key"]: base64.b64encode(KEY.encode()).decode()}))
    podman("tag", IMAGE, IMAGE_THERE)
    podman("secret", "create", secret["name"], str(key))
    try:
        podman("kube", "play", str(manifest))
        yield f"http://127.0.0.1:{port}"
    finally:
        podman("kube", "down", str(manifest))
        podman("secret", "rm", secret["name"])
        podman("volume", "rm", "--force", *(volume["name"] for volume in POD["volumes"]))
        podman("untag", IMAGE, IMAGE_THERE)


INSIDE = "study-score-pod-0-study-score"


def test_podman_plays_the_kubernetes_manifest(built: Built, tmp_path: Path, port: int) -> None:
    with played(tmp_path, port) as url:
        wait_until(lambda: right(url, KEY))
        assert requests.post(f"{url}/predict", json={"hours": 4}, timeout=30).status_code == 401
        (container,) = POD["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            path = container[probe]["httpGet"]["path"]
            assert requests.get(f"{url}{path}", timeout=30).status_code == 200  # without a key
        assert podman("exec", INSIDE, "id", "--user") == "1034"
        assert podman("exec", INSIDE, "printenv", "STUDY_SCORE_API_KEY") == KEY
        template = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.EffectiveCaps}}"
        assert podman("inspect", "--format", template, INSIDE) == f"true {256 << 20} []"


@pytest.fixture
def compose(built: Built, port: int) -> Iterator[Callable[..., None]]:
    """Calls podman-compose on compose.yaml, published on a free port."""
    project = [sys.executable, "-m", "podman_compose", "--project-name", f"study-score-{port}"]

    def run_compose(*command: str, image: str = "study_score:latest") -> None:
        home = {
            **built.home,
            "STUDY_SCORE_IMAGE": image,
            "STUDY_SCORE_PORT": f"127.0.0.1:{port}",
            "STUDY_SCORE_API_KEY": KEY,
        }
        done = call(*project, "--file", COMPOSE, *command, env=home, timeout=300)
        assert done.returncode == 0, done.stderr

    yield run_compose
    run_compose("down")


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
    assert call("make", "image", cwd=ROOT, env=built.home, timeout=300).returncode == 0
    second = podman("inspect", "--format", '{{index .Labels "study-score.model"}}', IMAGE)
    assert second != built.model

    try:
        for image, model in ((first, built.model), (IMAGE, second), (first, built.model)):
            compose("up", "--detach", image=image)
            wait_until(partial(serves, f"http://127.0.0.1:{port}", model, KEY))
    finally:
        podman("tag", first, IMAGE)  # for the other tests
