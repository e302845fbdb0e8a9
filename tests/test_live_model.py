"""Following the store, in-process: looks are made to come quickly."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


def following(scenario: Callable[[LiveModel], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        live = LiveModel()
        live.load(store.LATEST)
        chore = asyncio.create_task(live.follow())
        try:
            await scenario(live)
            assert not chore.done()
        finally:
            chore.cancel()

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


def test_a_new_model_is_served_and_a_deleted_one_rolls_back(lab_model: StudyScore) -> None:
    first = store.save(lab_model)

    async def scenario(live: LiveModel) -> None:
        assert live.served.tag == str(first)
        second = store.save(steeper(lab_model, 3.0))
        await until(lambda: live.served.tag == str(second))
        assert live.served.model.predict(4) == 12.0
        bentoml.models.delete(second)
        await until(lambda: live.served.tag == str(first))
        assert live.served.model.predict(4) == 8.0

    following(scenario)


def test_a_damaged_model_is_refused_once_and_the_old_one_goes_on(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    first = store.save(lab_model)

    async def scenario(live: LiveModel) -> None:
        damaged = save_text("{")
        await until(lambda: "still serving" in caplog.text)
        await asyncio.sleep(0.05)  # some ten more looks
        assert caplog.text.count("still serving") == 1
        assert damaged in caplog.text
        assert live.served.tag == str(first)
        third = store.save(lab_model)
        await until(lambda: live.served.tag == str(third))

    with caplog.at_level(logging.INFO, "bentoml.serve"):
        following(scenario)


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
def test_whatever_the_damage_the_next_good_model_is_served(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture, file: str, content: bytes
) -> None:
    first, good = store.save(lab_model), store.save(steeper(lab_model, 3.0))

    async def scenario(live: LiveModel) -> None:
        folder = latest_file().parent / save_text("{}").partition(":")[2]
        (folder / file).write_bytes(content)
        await until(lambda: "still serving" in caplog.text)
        shutil.rmtree(folder)
        latest_file().write_text(str(first.version))
        await until(lambda: live.served.tag == str(first))
        (ours,) = (each for each in caplog.records if each.name == "bentoml.serve")
        assert "\n" not in ours.getMessage()

    with caplog.at_level(logging.ERROR, "bentoml.serve"):
        following(scenario)
    assert good != first


def test_a_worker_that_comes_late_serves_the_newest_readable_model(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    store.save(lab_model)
    second = store.save(steeper(lab_model, 3.0))
    damaged = save_text("{}")
    live = LiveModel()
    live.load_newest()
    assert live.served.tag == str(second)
    assert damaged in caplog.text


def test_a_worker_comes_up_beside_models_that_bentoml_cannot_list(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    old, good, damaged = (store.save(steeper(lab_model, W)) for W in (1.0, 2.0, 3.0))
    (latest_file().parent / str(old.version) / "model.yaml").write_text("a: [1,\n")
    (latest_file().parent / str(damaged.version) / store.FILE).write_text("{")
    live = LiveModel()
    live.load_newest()
    assert live.served.tag == str(good)
    assert str(damaged) in caplog.text
    shutil.rmtree(latest_file().parent)


def test_a_number_beyond_all_numbers_does_not_end_the_following(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture
) -> None:
    first = store.save(lab_model)
    text = lab_model.model_dump_json()

    async def scenario(live: LiveModel) -> None:
        save_text(text.replace('"n":1,', f'"n":1{"0" * 400},'))
        await until(lambda: "still serving" in caplog.text)
        assert live.served.tag == str(first)
        second = store.save(steeper(lab_model, 3.0))
        await until(lambda: live.served.tag == str(second))

    following(scenario)


def test_a_latest_that_arrives_before_its_folder_is_served_when_that_is_whole(
    lab_model: StudyScore, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    first, second = store.save(lab_model), store.save(steeper(lab_model, 3.0))
    folder = latest_file().parent / str(second.version)
    shutil.move(folder, tmp_path / "on its way")
    latest_file().write_text(str(first.version))

    async def scenario(live: LiveModel) -> None:
        latest_file().write_text(str(second.version))
        await until(lambda: f"no model {second}" in caplog.text)
        folder.mkdir()
        await until(lambda: "No such file" in caplog.text)
        (folder / store.FILE).write_text("{")
        await until(lambda: caplog.text.count("still serving") == 3)
        assert live.served.tag == str(first)
        shutil.copytree(tmp_path / "on its way", folder, dirs_exist_ok=True)
        await until(lambda: live.served.tag == str(second))
        assert caplog.text.count("still serving") == 3

    following(scenario)


def test_a_model_made_while_the_clock_was_wrong_is_followed_all_the_same(
    lab_model: StudyScore,
) -> None:
    first = store.save(lab_model)
    path = latest_file().parent / str(first.version) / "model.yaml"
    path.write_text(re.sub(r"creation_time: '?\d{4}", "creation_time: '2999", path.read_text()))

    async def scenario(live: LiveModel) -> None:
        second = store.save(steeper(lab_model, 3.0))
        await until(lambda: live.served.tag == str(second))

    following(scenario)


@pytest.mark.parametrize("half_written", ["", "half-of-a-vers", "../..", "a b\nc", "\x00"])
def test_a_half_written_latest_is_read_again(lab_model: StudyScore, half_written: str) -> None:
    store.save(lab_model)

    async def scenario(live: LiveModel) -> None:
        second, third = store.save(lab_model), store.save(steeper(lab_model, 3.0))
        await until(lambda: live.served.tag == str(third))
        latest_file().write_text(half_written)
        await asyncio.sleep(0.02)
        assert live.served.tag == str(third)
        latest_file().write_text(str(second.version))
        await until(lambda: live.served.tag == str(second))

    following(scenario)


def test_without_any_model_left_the_served_one_goes_on(lab_model: StudyScore) -> None:
    first = store.save(lab_model)

    async def scenario(live: LiveModel) -> None:
        bentoml.models.delete(first)
        await asyncio.sleep(0.05)
        assert live.served.tag == str(first)
        second = store.save(steeper(lab_model, 5.0))
        await until(lambda: live.served.tag == str(second))

    following(scenario)
