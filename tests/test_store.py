from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bentoml
import pytest

from models import store
from models.study_score import StudyScore


def test_what_is_saved_and_read_again_is_the_same_model(lab_model: StudyScore) -> None:
    tag = store.save(lab_model)
    assert store.read(store.get(tag)) == lab_model
    assert store.get(store.LATEST).tag == tag


def test_a_stored_model_is_one_json_file_and_no_pickle(lab_model: StudyScore) -> None:
    folder = Path(store.get(store.save(lab_model)).path)
    assert {path.name for path in folder.rglob("*")} == {"model.yaml", store.FILE}


def test_bentoml_tells_what_a_model_is(lab_model: StudyScore) -> None:
    info = store.get(store.save(lab_model)).info
    metadata: dict[str, Any] = info.metadata
    assert info.labels["source"] == "lab"
    assert (metadata["W"], metadata["b"], metadata["rows"]) == (2.0, 0.0, 3)
    assert (metadata["r2"], metadata["cv_rmse"]) == (1.0, 0.0)
    assert metadata["sources"][0]["sha256"] == lab_model.sources[0].sha256


def test_what_is_not_known_of_a_model_is_left_out(lab_model: StudyScore) -> None:
    unsure = lab_model.model_copy(update={"cv_rmse": None, "cv_r2": None})
    info = store.get(store.save(unsure)).info
    assert "W" in info.metadata
    assert not {"cv_rmse", "cv_r2"} & info.metadata.keys()


def test_a_missing_model_is_reported_with_the_next_step() -> None:
    with pytest.raises(store.ModelMissing, match=r"study_score:latest.*python -m training"):
        store.get(store.LATEST)


def stored_with(text: str) -> bentoml.Model:
    with bentoml.models.create(store.NAME) as model:
        Path(model.path_of(store.FILE)).write_text(text)
    return store.get(model.tag)


def test_a_newer_format_is_refused_by_name(lab_model: StudyScore) -> None:
    document = {**json.loads(lab_model.model_dump_json()), "format": 2, "novelty": True}
    with pytest.raises(store.ModelDamaged, match="has format 2, and this version reads format 1"):
        store.read(stored_with(json.dumps(document)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"W": "2"}, "W: "),
        ({"b": None}, "b: "),
        ({"W": 1e308}, "beyond all numbers|too large"),
        ({"t": None}, "t must be null for fewer than 3 rows"),
        ({"folds": []}, "folds: "),
        ({"surprise": 1}, "surprise: "),
    ],
)
def test_a_damaged_model_is_refused_with_the_field(
    lab_model: StudyScore, change: dict[str, object], reason: str
) -> None:
    document = {**json.loads(lab_model.model_dump_json()), **change}
    with pytest.raises(store.ModelDamaged, match=reason):
        store.read(stored_with(json.dumps(document)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", '{"format": 1}'])
def test_what_is_no_model_at_all_is_refused(text: str) -> None:
    with pytest.raises(store.ModelDamaged, match=r"study_score\.json is not a study-score model"):
        store.read(stored_with(text))


def test_a_model_without_its_file_is_refused() -> None:
    with bentoml.models.create(store.NAME) as model:
        pass
    with pytest.raises(store.ModelDamaged, match="No such file"):
        store.read(store.get(model.tag))
