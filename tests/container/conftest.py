"""The image is built once, by the command that the README gives, in a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.container import podman
from tests.processes import Home, free_port, run
from tests.tools import tool


class Built(NamedTuple):
    home: Home
    model: str
    bento: Path


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    tool("podman", podman.INSTALL)
    folder = tmp_path_factory.mktemp("built")
    with podman.built(folder) as (home, _):
        store = Path(home["BENTOML_HOME"])
        (bento,) = (store / "bentos" / "study_score").glob("*/bento.yaml")
        model = (store / "models" / "study_score" / "latest").read_text()
        (folder / "more.csv").write_text("hours,score\n1,3\n2,5\n3,7\n")
        newer = run(home, "training", str(folder / "more.csv"))  # is not in the image
        assert newer.returncode == 0, newer.stderr
        yield Built(home, f"study_score:{model}", bento.parent)
