"""What is in the image, and what is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from models import VERSION
from tests.container.conftest import Built
from tests.container.podman import BASE, IMAGE, locked, podman
from tests.processes import ROOT, Home, call

INSTALLED = """
import importlib.metadata as metadata
for each in metadata.distributions(path=["/app/.venv/lib/python3.11/site-packages"]):
    print(f"{each.name}=={each.version}".lower().replace("_", "-"))
"""


def inside(*command: str) -> str:
    return podman("run", "--rm", IMAGE, *command)


def test_the_image_adds_at_most_160_mb_to_its_base(built: Built) -> None:
    size, base = (int(podman("inspect", "-f", "{{.Size}}", image)) for image in (IMAGE, BASE))
    assert size - base <= 160e6


def test_the_packages_are_the_locked_ones_and_no_others(built: Built) -> None:
    installed = inside("python", "-c", INSTALLED).split()
    assert set(installed) == set(locked())
    assert not any(name.startswith("torch") for name in installed)


def test_pip_checks_the_hash_of_each_package(built: Built) -> None:
    environment = built.bento / "env"
    requirements = (environment / "python/requirements.txt").read_text().replace("\\\n", "")
    hashed = {line.split()[0] for line in requirements.splitlines() if " --hash=sha256:" in line}
    assert hashed == set(locked())
    dockerfile = (environment / "docker/Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert dockerfile.count(f"FROM {BASE.removeprefix('docker.io/library/')} ") == 1


def test_the_sbom_lists_the_packages_of_the_image_with_their_licences(built: Built) -> None:
    text = (built.bento / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    sbom = json.loads(text)
    name = sbom["metadata"]["component"]["name"]
    assert (sbom["bomFormat"], name) == ("CycloneDX", "study-score")
    packages = {each["purl"] for each in sbom["components"]}
    assert packages == {f"pkg:pypi/{each.replace('==', '@')}" for each in locked()}
    unlicensed = {each["name"] for each in sbom["components"] if "licenses" not in each}
    assert unlicensed <= {"simple-di"}  # whose own metadata name none


def test_kubernetes_can_tell_that_its_user_is_not_root(built: Built) -> None:
    assert podman("inspect", "--format", "{{.Config.User}}", IMAGE) == "1034"


@pytest.mark.parametrize("program", ["cc", "gcc", "git", "make", "uv"])
def test_no_build_tool_is_in_the_image(built: Built, program: str) -> None:
    assert inside("sh", "-c", f"command -v {program} || echo none") == "none"


def test_the_python_of_the_service_has_no_pip(built: Built) -> None:
    assert inside("python", "-c", "import importlib.util as u; print(u.find_spec('pip'))") == "None"


def test_no_rooms_but_the_service_and_the_models_are_in_the_image(built: Built) -> None:
    assert inside("ls", "src").split() == ["LICENSE", "bentofile.yaml", "models", "service"]


def test_labels_say_what_was_built_from_what(built: Built) -> None:
    labels = json.loads(podman("inspect", "--format", "{{json .Labels}}", IMAGE))
    revision = call("git", "rev-parse", "HEAD", cwd=ROOT)
    assert labels["org.opencontainers.image.title"] == "study score"
    assert labels["org.opencontainers.image.version"] == VERSION
    label = labels["org.opencontainers.image.revision"]
    assert label.removesuffix("-dirty") == revision.stdout.strip()
    assert labels["study-score.model"] == built.model
    assert podman("image", "exists", f"study_score:{built.bento.name}") == ""


def test_usage_statistics_are_off(built: Built) -> None:
    code = "from bentoml._internal.utils.analytics.usage_stats import do_not_track as d; print(d())"
    assert inside("python", "-c", code) == "True"


def image_with(home: Home, folder: Path, script: str, *engines: str) -> str:
    """What image.sh says when it fails, because the engines' clients are this script."""
    for name in engines:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    run = call(ROOT / "service/deploy/image.sh", env={**home, "PATH": path})
    assert run.returncode == 1
    return run.stderr


def test_without_a_container_engine_image_sh_says_what_to_install(
    home: Home, tmp_path: Path
) -> None:
    error = image_with(home, tmp_path, "exit 1", "docker", "podman")
    assert error.startswith("image: no container engine runs here; install and start docker")


def test_a_docker_without_buildx_gets_a_sentence(home: Home, tmp_path: Path) -> None:
    # as Docker 23 and later without the component
    error = image_with(home, tmp_path, '[ "$1" = info ]', "docker")
    assert error.startswith("image: this docker cannot build: it has no buildx; install it")
