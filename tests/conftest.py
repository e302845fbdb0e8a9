"""Every test has a model store of its own: a temporary one, never the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

_home = tempfile.TemporaryDirectory(prefix="study-score-tests-")
os.environ["BENTOML_HOME"] = _home.name  # read once, when bentoml is first imported
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in training/__main__.py

import bentoml  # noqa: E402
from hypothesis import settings  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

from models import store  # noqa: E402
from models.study_score import StudyScore  # noqa: E402
from service.app import StudyScoreService  # noqa: E402
from tests.data import read_rows  # noqa: E402
from tests.processes import Home, Server, run, start_serving  # noqa: E402
from training.fit import fit  # noqa: E402

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


class Together(LoadFileScheduling):
    """Tests that share fixtures run in one process: those of a file, or of a folder of files."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::")[0])
        return str(file if file.parent.name == "tests" else file.parent)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def empty_store() -> Iterator[None]:
    yield
    for model in bentoml.models.list():
        bentoml.models.delete(model.tag)


def environment(folder: Path) -> Home:
    """An environment with an empty store of its own."""
    return {**os.environ, "BENTOML_HOME": str(folder / "bentoml")}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return environment(tmp_path)


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One for all tests of a module."""
    return environment(tmp_path_factory.mktemp("home"))


@pytest.fixture
def trained(home: Home, lab_model: StudyScore) -> Home:
    """An environment whose store holds the lab's model; no access log."""
    tag = store.save(lab_model)
    shutil.copytree(Path(_home.name, "models"), Path(home["BENTOML_HOME"], "models"))
    bentoml.models.delete(tag)
    return {**home, "STUDY_SCORE_ACCESS_LOG": "off"}


@pytest.fixture(scope="module")
def quick(module_home: Home) -> Home:
    """An environment with the lab's model, whose requests have half a second."""
    assert run(module_home, "training").returncode == 0
    return {
        **module_home,
        "STUDY_SCORE_ACCESS_LOG": "off",
        "STUDY_SCORE_TIMEOUT_SECONDS": "0.5",
        "STUDY_SCORE_KEEP_ALIVE_SECONDS": "0.2",
    }


@pytest.fixture(scope="module")
def server(quick: Home) -> Iterator[Server]:
    with start_serving(quick) as server:
        yield server


@pytest.fixture(scope="session")
def lab_model() -> StudyScore:
    return fit(read_rows([]), lr=0.1, epochs=1000)


@pytest.fixture(scope="session")
def app() -> Any:
    """The service's ASGI application: one for all tests, because it is made once."""
    service: Any = StudyScoreService
    return service.to_asgi()


@pytest.fixture
def client(app: Any, lab_model: StudyScore) -> Iterator[TestClient]:
    """The service in-process, with the lab's model."""
    store.save(lab_model)
    with TestClient(app) as client:
        yield client
