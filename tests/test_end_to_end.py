"""The whole path as a person walks it, in processes of their own."""

from __future__ import annotations

from pathlib import Path

import bentoml
import pytest
import requests

from tests.processes import Home, run, serving


def test_train_serve_and_predict(home: Home) -> None:
    trained = run(home, "training")
    assert trained.returncode == 0, trained.stderr
    tag = trained.stdout.splitlines()[-1].removeprefix("saved ")
    with serving(home) as url:
        answer = requests.post(f"{url}/predict", json={"hours": 4}, timeout=5)
        assert answer.json()["score"] == pytest.approx(8, abs=1e-9)
        assert answer.json()["extrapolated"] is True
        assert answer.headers["x-model"] == tag
        assert requests.get(f"{url}/model", timeout=5).json()["tag"] == tag
        assert requests.get(f"{url}/predict", timeout=5).status_code == 405
        with bentoml.SyncHTTPClient(url) as client:
            assert client.predict(hours=4)["score"] == answer.json()["score"]
            assert client.predict_batch(hours=[1, 2.5])["score"] == [2.0, 5.0]


def test_serving_without_a_model_ends_at_once_and_says_how_to_train_one(home: Home) -> None:
    served = run(home, "bentoml", "serve", "--port", "0")
    assert served.returncode != 0
    assert "no model study_score:latest; train one with: python -m training" in served.stderr
    assert "Traceback" not in served.stderr


def test_building_without_a_model_says_how_to_train_one(home: Home) -> None:
    built = run(home, "bentoml", "build")
    assert built.returncode != 0
    assert "no model study_score:latest; train one with: python -m training" in built.stderr


def test_a_bento_serves_the_model_it_was_built_with_from_any_folder(
    home: Home, tmp_path: Path
) -> None:
    tag = run(home, "training").stdout.splitlines()[-1].removeprefix("saved ")
    first = run(home, "bentoml", "build", "--output", "tag")
    second = run(home, "bentoml", "build", "--output", "tag")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr

    bentos = sorted(Path(home["BENTOML_HOME"], "bentos", "study_score").glob("*/bento.yaml"))
    packages = [(bento.parent / "env/python/requirements.txt").read_text() for bento in bentos]
    assert len(packages) == 2
    assert packages[0] == packages[1]
    assert "pydantic==" in packages[0]
    assert "torch" not in packages[0]
    for bento in bentos:
        folders = {path.name for path in (bento.parent / "src").iterdir()}
        assert {"service", "models"} <= folders
        assert "training" not in folders
        assert f"tag: {tag}" in bento.read_text()

    assert run(home, "training", "--raw").returncode == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with serving(home, "study_score:latest", cwd=elsewhere) as url:
        answer = requests.post(f"{url}/predict", json={"hours": 4}, timeout=5)
        assert (answer.json()["score"], answer.headers["x-model"]) == (8.0, tag)
