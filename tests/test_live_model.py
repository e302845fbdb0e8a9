"""Following the store, in-process, with short intervals."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import bentoml
import pytest

from models import store
from models.study_score import StudyScore
from service.live_model import LiveModel


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.live_model.POLL_SECONDS", 0.005)


def steeper(model: StudyScore, W: float) -> StudyScore:
    """Another model, trained later."""
    fit = model.fit.model_copy(update={"created": datetime.now(UTC)})
    return model.model_copy(update={"W": W, "fit": fit})


def latest_file() -> Path:
    return Path(os.environ["BENTOML_HOME"], "models", store.NAME, "latest")


def save_text(text: str) -> str:
    """Save a model of this text; its tag."""
    with bentoml.models.create(store.NAME) as model:
        Path(model.path_of(store.FILE)).write_text(text)
    return str(model.tag)


@pytest.fixture
async def live(lab_model: StudyScore) -> AsyncIterator[LiveModel]:
    """Follows the store, which has the lab's model."""
    store.save(lab_model)
    live = LiveModel()
    live.load(store.LATEST)
    chore = asyncio.create_task(live.follow())
    yield live
    assert not chore.done()
    chore.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


async def serves(live: LiveModel, tag: object) -> None:
    await until(lambda: live.served.tag == str(tag))


async def test_a_new_model_is_served_and_a_deleted_one_rolls_back(
    live: LiveModel, lab_model: StudyScore
) -> None:
    first = live.served.tag
    second = store.save(steeper(lab_model, 3.0))
    await serves(live, second)
    assert live.served.model.predict(4) == 12.0
    bentoml.models.delete(second)
    await serves(live, first)
    assert live.served.model.predict(4) == 8.0


async def test_a_damaged_model_is_refused_once_and_the_old_one_goes_on(
    live: LiveModel, lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bentoml.serve")
    first = live.served.tag
    damaged = save_text("{")
    await until(lambda: "still serving" in caplog.text)
    await asyncio.sleep(0.05)  # about ten more polls
    assert caplog.text.count("still serving") == 1
    assert damaged in caplog.text
    assert live.served.tag == first
    await serves(live, store.save(lab_model))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (store.FILE, b"{"),
        (store.FILE, b"[" * 100_000),
        (store.FILE, b'{"n": 1%s}' % (b"0" * 10_000)),
        (store.FILE, b" " * (1 << 21)),
        ("model.yaml", b"a: [1,\n"),
        ("model.yaml", b"labels: 5\n"),
        ("model.yaml", b""),
        ("../latest", b"\xff\xfe"),
        ("../latest", b"../../x"),
    ],
)
async def test_whatever_the_damage_the_next_good_model_is_served(
    live: LiveModel, caplog: pytest.LogCaptureFixture, file: str, content: bytes
) -> None:
    caplog.set_level(logging.ERROR, "bentoml.serve")
    first = live.served.tag
    await serves(live, store.save(steeper(live.served.model, 3.0)))
    folder = latest_file().parent / save_text("{}").partition(":")[2]
    (folder / file).write_bytes(content)
    await until(lambda: "still serving" in caplog.text)
    shutil.rmtree(folder)
    latest_file().write_text(first.partition(":")[2])
    await serves(live, first)
    (ours,) = (each for each in caplog.records if each.name == "bentoml.serve")
    assert "\n" not in ours.getMessage()


def test_a_worker_starts_with_the_newest_model_that_can_be_read(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    old, good, damaged = (store.save(steeper(lab_model, W)) for W in (1.0, 2.0, 3.0))
    (latest_file().parent / str(old.version) / "model.yaml").write_text("a: [1,\n")
    (latest_file().parent / str(damaged.version) / store.FILE).write_text("{")
    live = LiveModel()
    live.load_newest()
    assert live.served.tag == str(good)
    assert str(damaged) in caplog.text
    shutil.rmtree(latest_file().parent)  # BentoML cannot list it


async def test_a_number_too_large_for_any_float_does_not_end_the_following(
    live: LiveModel, lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    first = live.served.tag
    save_text(lab_model.model_dump_json().replace('"n":1,', f'"n":1{"0" * 400},'))
    await until(lambda: "still serving" in caplog.text)
    assert live.served.tag == first
    await serves(live, store.save(steeper(lab_model, 3.0)))


async def test_a_latest_that_arrives_before_its_folder_is_served_when_that_is_whole(
    live: LiveModel, lab_model: StudyScore, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    first, second = live.served.tag, store.save(steeper(lab_model, 3.0))
    await serves(live, second)
    latest_file().write_text(first.partition(":")[2])
    await serves(live, first)
    folder = latest_file().parent / str(second.version)
    shutil.move(folder, tmp_path / "on its way")
    latest_file().write_text(str(second.version))
    await until(lambda: f"no model {second}" in caplog.text)
    folder.mkdir()
    await until(lambda: "No such file" in caplog.text)
    (folder / store.FILE).write_text("{")
    await until(lambda: caplog.text.count("still serving") == 3)
    assert live.served.tag == first
    shutil.copytree(tmp_path / "on its way", folder, dirs_exist_ok=True)
    await serves(live, second)
    assert caplog.text.count("still serving") == 3


async def test_a_model_made_while_the_clock_was_wrong_is_followed_all_the_same(
    live: LiveModel, lab_model: StudyScore
) -> None:
    path = latest_file().parent / live.served.version / "model.yaml"
    path.write_text(re.sub(r"creation_time: '?\d{4}", "creation_time: '2999", path.read_text()))
    await serves(live, store.save(steeper(lab_model, 3.0)))


@pytest.mark.parametrize("half_written", ["", "half-of-a-vers", "../..", "a b\nc", "\x00"])
async def test_a_half_written_latest_is_read_again(
    live: LiveModel, lab_model: StudyScore, half_written: str
) -> None:
    first, second = live.served, store.save(steeper(lab_model, 3.0))
    await serves(live, second)
    latest_file().write_text(half_written)
    await asyncio.sleep(0.02)
    assert live.served.tag == str(second)
    latest_file().write_text(first.version)
    await serves(live, first.tag)


async def test_without_any_model_left_the_served_one_goes_on(
    live: LiveModel, lab_model: StudyScore
) -> None:
    first = live.served.tag
    bentoml.models.delete(first)
    await asyncio.sleep(0.05)
    assert live.served.tag == first
    await serves(live, store.save(steeper(lab_model, 5.0)))
