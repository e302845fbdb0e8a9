from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bentoml
import pytest
from bentoml.exceptions import BentoMLException

from models import store
from models.study_score import StudyScore


def folder_of(tag: bentoml.Tag) -> Path:
    return Path(bentoml.models.get(tag).path)


def stored_with(content: bytes) -> bentoml.Tag:
    with bentoml.models.create(store.NAME) as model:
        Path(model.path_of(store.FILE)).write_bytes(content)
    return model.tag


@pytest.fixture(autouse=True)
def _tidy() -> Iterator[None]:
    """BentoML cannot list a store in which one model is damaged, nor empty it."""
    yield
    folder = Path(os.environ["BENTOML_HOME"], "models", store.NAME)
    shutil.rmtree(folder, ignore_errors=True)


def test_what_is_saved_and_read_again_is_the_same_model(lab_model: StudyScore) -> None:
    tag = store.save(lab_model)
    assert store.load(tag) == (str(tag), lab_model)
    assert store.load(store.LATEST).tag == str(bentoml.models.get(store.LATEST).tag) == str(tag)


def test_other_users_can_read_a_saved_model(lab_model: StudyScore) -> None:
    folder = folder_of(store.save(lab_model))
    assert folder.stat().st_mode & 0o777 == 0o755
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in folder.iterdir())


def test_a_stored_model_is_one_json_file_and_no_pickle(lab_model: StudyScore) -> None:
    folder = folder_of(store.save(lab_model))
    assert {path.name for path in folder.rglob("*")} == {"model.yaml", store.FILE}


def test_bentoml_tells_what_a_model_is(lab_model: StudyScore) -> None:
    info = bentoml.models.get(store.save(lab_model)).info
    metadata: dict[str, Any] = info.metadata
    assert info.labels["source"] == "lab"
    assert (metadata["W"], metadata["b"], metadata["rows"]) == (2.0, 0.0, 3)
    assert (metadata["r2"], metadata["cv_rmse"]) == (1.0, 0.0)
    assert (metadata["interval"], metadata["spread"]) == ("normal", "even")
    assert metadata["sources"][0]["sha256"] == lab_model.sources[0].sha256


def test_what_is_not_known_of_a_model_is_left_out(lab_model: StudyScore) -> None:
    fields = {name: getattr(lab_model, name) for name in StudyScore.model_fields}
    unsure = StudyScore(**{**fields, "cv_lines": ()})
    info = bentoml.models.get(store.save(unsure)).info
    assert "W" in info.metadata
    assert not {"cv_rmse", "cv_r2"} & info.metadata.keys()


def test_a_missing_model_is_reported_with_the_next_step(lab_model: StudyScore) -> None:
    with pytest.raises(store.ModelMissing, match=r"study_score:latest.*python -m training"):
        store.load(store.LATEST)
    store.save(lab_model)
    for tag in ("study_score:nothing", "other:nothing"):
        with pytest.raises(store.ModelMissing, match=tag):
            store.load(tag)


@pytest.mark.parametrize("found", [1, 2, 4, "3"])
def test_another_format_is_refused_by_name(lab_model: StudyScore, found: object) -> None:
    document = {**json.loads(lab_model.model_dump_json()), "format": found, "novelty": True}
    refusal = f"it has format {found!r}, and this version reads format 3; train again"
    with pytest.raises(store.ModelDamaged, match=refusal):
        store.load(stored_with(json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"W": "2"}, "W: "),
        ({"b": None}, "b: "),
        ({"W": 1e308}, "too large"),
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
        store.load(stored_with(json.dumps(document).encode()))


@pytest.mark.parametrize(("least", "most"), [(2, 2), (3, 1), (0, 5e-324), (0, 1e-310), (2, 2.1)])
def test_hours_that_vary_by_more_than_their_range_are_refused(
    lab_model: StudyScore, least: float, most: float
) -> None:
    document = json.loads(lab_model.model_dump_json())
    for fold in filter(None, document["folds"]):
        fold.update(min_x=least, max_x=most)
    with pytest.raises(store.ModelDamaged, match=r"hours (vary by more than|never vary)"):
        store.load(stored_with(json.dumps(document).encode()))


@pytest.mark.parametrize("digits", [400, 4000, 100_000])
def test_a_number_of_rows_beyond_all_numbers_is_refused(lab_model: StudyScore, digits: int) -> None:
    whole = lab_model.model_dump_json()
    text = whole.replace('"n":1,', f'"n":1{"0" * digits},', 1)
    assert text != whole
    with pytest.raises(store.ModelDamaged, match=r"is not a study-score model: ."):
        store.load(stored_with(text.encode()))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\x00", b"\xff", b'{"format": 1}', b"[" * 100_000],
)
def test_what_is_no_model_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(
        store.ModelDamaged, match=r"study_score\.json is not a study-score model: ."
    ):
        store.load(stored_with(content))


def test_a_model_over_a_megabyte_is_refused_before_it_is_read(lab_model: StudyScore) -> None:
    text = lab_model.model_dump_json().encode()
    just = stored_with(text.ljust(1 << 20))
    assert store.load(just).model == lab_model
    for size in ((1 << 20) + 1, 1 << 40):
        tag = stored_with(text)
        os.truncate(folder_of(tag) / store.FILE, size)
        with pytest.raises(store.ModelDamaged, match="longer than 1048576 bytes"):
            store.load(tag)


def test_a_model_that_could_not_be_read_back_is_not_saved(lab_model: StudyScore) -> None:
    many = lab_model.model_copy(update={"sources": lab_model.sources * 10_000})
    with pytest.raises(BentoMLException, match=r"lists 10000 files.*join the files into fewer"):
        store.save(many)
    assert bentoml.models.list() == []


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "loop", "device"])
def test_what_is_no_file_is_refused(lab_model: StudyScore, kind: str) -> None:
    tag = store.save(lab_model)
    for name in (store.FILE, "../latest"):
        path = folder_of(tag) / name
        path.unlink()
        place(path, kind)
        with pytest.raises(store.ModelDamaged if name == store.FILE else BentoMLException):
            store.load(tag if name == store.FILE else store.LATEST)


def place(path: Path, kind: str) -> None:
    """Something that is not a file."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("content", [b"", b"../..", b"a b\nc", b"\x00", b"\xff", b"x" * 200])
def test_a_latest_that_names_no_version_is_refused_in_one_line(
    lab_model: StudyScore, content: bytes
) -> None:
    latest = folder_of(store.save(lab_model)).parent / "latest"
    latest.write_bytes(content)
    with pytest.raises(store.ModelDamaged, match="the store's file `latest` is wrong: ") as refusal:
        store.load(store.LATEST)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("name", ["nope", "latest", "other:latest"])
def test_a_model_of_another_name_is_none_of_ours(lab_model: StudyScore, name: str) -> None:
    store.save(lab_model)
    with pytest.raises(store.ModelMissing, match=name):
        store.load(name)


def test_looking_for_a_model_that_has_yet_to_arrive_leaves_latest_alone(
    lab_model: StudyScore,
) -> None:
    latest = folder_of(store.save(lab_model)).parent / "latest"
    latest.write_text("on-its-way")
    with pytest.raises(store.ModelMissing, match="study_score:on-its-way"):
        store.load(store.LATEST)
    assert latest.read_text() == "on-its-way"


def test_without_latest_the_newest_model_is_the_latest(lab_model: StudyScore) -> None:
    store.save(lab_model)
    year = lab_model.fit.created.replace(year=2999)
    newest = lab_model.model_copy(
        update={"fit": lab_model.fit.model_copy(update={"created": year})}
    )
    tag = store.save(newest)
    store.save(lab_model)
    (folder_of(tag).parent / "latest").unlink()
    assert store.load(store.LATEST) == (str(tag), newest)


@pytest.mark.parametrize("description", [b"a: [1,\n", b"labels: 5\n", b"", b"\xff", None], ids=str)
def test_a_damaged_description_is_no_obstacle_to_any_model(
    lab_model: StudyScore, description: bytes | None
) -> None:
    tag = store.save(lab_model)
    path = folder_of(tag) / "model.yaml"
    path.unlink()
    if description is None:
        os.mkfifo(path)
    else:
        path.write_bytes(description)
    (path.parent.parent / "no-model").mkdir()
    (path.parent.parent / "A B").mkdir()
    assert store.load(store.LATEST) == (str(tag), lab_model)
    assert store.readable() == [(str(tag), lab_model)]


def test_a_model_is_saved_beside_a_latest_one_that_bentoml_cannot_read(
    lab_model: StudyScore,
) -> None:
    (folder_of(store.save(lab_model)) / "model.yaml").write_text("a: [1,\n")
    tag = store.save(lab_model)
    assert store.load(store.LATEST) == (str(tag), lab_model)


def test_a_model_is_the_latest_although_another_is_dated_in_the_future(
    lab_model: StudyScore,
) -> None:
    path = folder_of(store.save(lab_model)) / "model.yaml"
    text = path.read_text()
    future = re.sub(r"creation_time: '?\d{4}", "creation_time: '2999", text)
    assert future != text
    path.write_text(future)
    tag = store.save(lab_model)
    assert store.load(store.LATEST).tag == str(bentoml.models.get(store.LATEST).tag) == str(tag)


def test_a_disk_that_is_full_fails_the_save_and_leaves_the_latest_model(
    lab_model: StudyScore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.save(lab_model)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(OSError, match="No space left"):
        store.save(lab_model)
    assert store.load(store.LATEST).tag == str(first)
    assert len(bentoml.models.list()) == 1
