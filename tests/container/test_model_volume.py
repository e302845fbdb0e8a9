"""A model from a volume beside the image, as the README has it."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.container.conftest import Built
from tests.container.podman import HARDENED, environment, podman, running, serves
from tests.container.test_deploy import KEY, played
from tests.processes import ROOT, free_port, wait_until

COMMAND = ("bentoml", "serve", "--working-dir", "src")
VOLUME = "study-score-models"


@pytest.fixture
def store(built: Built, tmp_path: Path) -> Path:
    """A folder that was training's BENTOML_HOME; its latest model is not the image's."""
    store = Path(shutil.copytree(built.home["BENTOML_HOME"], tmp_path / "store"))
    subprocess.run(["chmod", "-R", "a+rX", store], check=True)
    return store


def newest(store: Path) -> str:
    return f"study_score:{(store / 'models/study_score/latest').read_text()}"


@pytest.mark.parametrize("user", ["1034", "1000660000:0"])
def test_the_model_of_a_tag_is_served_from_a_volume(built: Built, store: Path, user: str) -> None:
    options = (f"--volume={store}:/models:ro", "--env=BENTOML_HOME=/models", f"--user={user}")
    tag = f"--env=STUDY_SCORE_MODEL={built.model}"
    assert newest(store) != built.model
    with running(*HARDENED, *options, tag, command=COMMAND) as container:
        assert serves(container.url, built.model, KEY)
    shown = (ROOT / "service/deploy/README.md").read_text()
    for words in (":/models:ro", "BENTOML_HOME=/models", " ".join(COMMAND)):
        assert words in shown


def test_without_a_tag_the_latest_of_the_volume_is_followed(built: Built, store: Path) -> None:
    later = newest(store)
    latest = store / "models/study_score/latest"
    latest.write_text(built.model.partition(":")[2])
    options = (f"--volume={store}:/models:ro", "--env=BENTOML_HOME=/models")
    with running(*HARDENED, *options, command=COMMAND) as container:
        assert serves(container.url, built.model, KEY)
        latest.write_text(later.partition(":")[2])
        wait_until(partial(serves, container.url, later, KEY), seconds=10)


def test_a_model_is_rolled_out_from_a_claim_of_kubernetes(
    built: Built, store: Path, tmp_path: Path
) -> None:
    later = newest(store)
    tar = tmp_path / "store.tar"
    subprocess.run(["tar", "-C", store, "-cf", tar, "."], check=True)
    podman("volume", "create", VOLUME)
    try:
        subprocess.run(["podman", "volume", "import", VOLUME, tar], env=environment(), check=True)
        for model in (built.model, later):
            folder = tmp_path / model.partition(":")[2]
            folder.mkdir()
            wanted = ("patches", "model-volume")
            with played(folder, free_port(), *wanted, tag=model) as url:
                wait_until(partial(serves, url, model, KEY))
    finally:
        podman("volume", "rm", "--force", VOLUME)
