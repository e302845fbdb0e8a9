"""The page in headless Chromium, as a school has it: by a host name, over plain HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bentoml
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from models import store
from models.study_score import StudyScore
from tests.chromium import chromium
from tests.conftest import environment
from tests.data import Array, rows_of
from tests.processes import Home, run, serving, wait_until
from training.fit import fit

Open = Callable[..., Page]
Put = Callable[..., StudyScore]


@pytest.fixture(scope="package")  # playwright's event loop must not outlive this folder's tests
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def school(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The lesson's own model: its line misses the rows by a little."""
    home = environment(tmp_path_factory.mktemp("school"))
    home |= {"STUDY_SCORE_ACCESS_LOG": "off", "STUDY_SCORE_TIMEOUT_SECONDS": "30"}
    assert run(home, "training", "--raw", "--force").returncode == 0
    return home


@pytest.fixture(scope="package")
def url(browser: Browser, school: Home) -> Iterator[str]:
    with serving(school) as url:
        yield url


@pytest.fixture
def opened(browser: Browser, url: str) -> Iterator[Open]:
    """Opens a page in a tab of its own; it must have no error and ask no other host."""
    contexts = []
    complaints = []

    def check_console(message: ConsoleMessage) -> None:
        # what the page itself shows as a sentence, such as a 400
        if message.type in ("error", "warning") and "Failed to load" not in message.text:
            complaints.append(message.text)

    def check_response(response: Response) -> None:
        if response.status in (404, 405, 415, 500):
            complaints.append(f"{response.status} {response.url}")

    def check_request(request: Request) -> None:
        if not request.url.startswith(("http://school.test:", "data:", "blob:")):
            complaints.append(request.url)

    def open_page(path: str = "/ui", prepare: Any = None, url: str = url, **settings: Any) -> Page:
        context = browser.new_context(**{"locale": "en-US", "reduced_motion": "reduce", **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", check_console)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", check_request)
        page.on("response", check_response)
        if prepare:
            prepare(page)
        page.goto(url.replace("127.0.0.1", "school.test") + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def ready(opened: Open) -> Open:
    """Opens a page and waits for its first score."""

    def open_page(path: str = "/ui", **settings: Any) -> Page:
        page = opened(path, **settings)
        expect(page.locator("#score")).to_be_visible()
        return page

    return open_page


@pytest.fixture
def page(ready: Open) -> Page:
    return ready()


def touch(page: Page, *way: tuple[float, float]) -> None:
    """A finger that comes down at the first place, moves to the others and is lifted."""
    session = page.context.new_cdp_session(page)
    kinds = ["touchStart", *["touchMove"] * (len(way) - 1)]
    for kind, (x, y) in zip(kinds, way, strict=True):
        event = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
        session.send("Input.dispatchTouchEvent", event)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def check_with_axe(page: Page) -> None:
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


@pytest.fixture
def put(school: Home, url: str, tmp_path: Path) -> Iterator[Put]:
    """Trains on hours and scores and serves that model until the test is over."""
    models = Path(school["BENTOML_HOME"], "models", "study_score")
    before = (models / "latest").read_text()
    added = []

    def serve(version: str) -> None:
        (models / "new").write_text(version)
        (models / "new").replace(models / "latest")
        wait_until(lambda: requests.get(f"{url}/model", timeout=30).json()["tag"].endswith(version))

    def put(hours: Array, scores: Array, score_range: Any = None) -> StudyScore:
        rows = rows_of(tmp_path, hours, scores)._replace(score_range=score_range)
        model = fit(rows, 0.1, 1000)
        tag = store.save(model)
        path = Path(bentoml.models.get(tag).path)
        added.append(shutil.copytree(path, models / path.name))
        bentoml.models.delete(tag)
        serve(path.name)
        return model

    yield put
    serve(before)
    for path in added:
        shutil.rmtree(path)
