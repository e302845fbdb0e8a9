"""The image is built once, by the command that the README gives, in a store of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.container.podman import HERE, INSTALL, environment, podman
from tests.processes import ROOT, run
from tests.tools import tool


class Built(NamedTuple):
    home: dict[str, str]
    model: str
    bento: Path
    seconds: float


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    tool("podman", INSTALL)
    store = tmp_path_factory.mktemp("built") / "bentoml"
    home = {**environment(), "BENTOML_HOME": str(store)}
    home.pop("PROMETHEUS_MULTIPROC_DIR")
    subprocess.run([HERE / "base.sh"], env=home, timeout=300, check=True)
    start = time.monotonic()
    made = subprocess.run(
        ["make", "image"], cwd=ROOT, env=home, capture_output=True, text=True, timeout=300
    )
    assert made.returncode == 0, made.stdout + made.stderr
    seconds = time.monotonic() - start
    (bento,) = (store / "bentos" / "study_score").glob("*/bento.yaml")
    model = (store / "models" / "study_score" / "latest").read_text()
    assert run(home, "training", "--raw").returncode == 0  # newer, and not in the image
    yield Built(home, f"study_score:{model}", bento.parent, seconds)
    images = podman("images", "--quiet", "--filter=reference=localhost/study_score")
    podman("rmi", "--force", *set(images.split()))
