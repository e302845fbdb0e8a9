"""A browser below a path of a proxy, and on a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.processes import Home, serving, wait_until
from tests.tools import listening, proxying


@pytest.fixture(scope="module")
def behind(school: Home) -> Iterator[str]:
    with serving({**school, "STUDY_SCORE_TRUSTED_PROXIES": "127.0.0.1"}) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(locale="en-US") as context:
        yield context.new_page()


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
@pytest.mark.parametrize("path", ["/score", "/kept"])
def test_page_and_documentation_work_below_a_path(
    page: Page, behind: str, tmp_path: Path, kind: str, path: str
) -> None:
    with proxying(kind, behind, tmp_path) as proxy:
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{proxy}{path}/")
        expect(page).to_have_url(f"{proxy}{path}/ui")
        page.locator("#hours").fill("4")
        wait_until(lambda: f"{proxy}{path}/predict" in urls)
        page.goto(f"{proxy}{path}/docs")
        page.locator("#operations-default-predict .opblock-summary-control").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text(
            "200"
        )
        assert all(url.startswith((f"{proxy}{path}/", "data:")) for url in urls)
        servers = requests.get(f"{proxy}{path}/docs.json", timeout=30).json()["servers"]
        assert servers == [{"url": "/kept" if path == "/kept" else "/"}]
        slash = requests.get(f"{proxy}{path}/model/", timeout=30, allow_redirects=False)
        assert (slash.status_code, set(slash.json())) == (404, {"error"})


class Empty(BaseHTTPRequestHandler):
    """An empty page, which is not the service's."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()


FETCH = """async ([url, key, body]) => {
    const headers = { "Content-Type": "application/json" };
    if (key) headers.Authorization = `Bearer ${key}`;
    try {
        const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
        return [answer.status, await answer.json(), answer.headers.get("X-Model")];
    } catch (error) { return [0, String(error), null]; }
}"""


def fetched(page: Page, url: str, key: str | None, body: Any) -> Any:
    return page.evaluate(FETCH, [f"{url}/predict", key, body])


def test_a_page_of_a_named_origin_may_ask_and_is_told_what_is_wrong(
    page: Page, school: Home
) -> None:
    with listening(Empty) as named, listening(Empty) as unnamed:
        settings = {"STUDY_SCORE_CORS_ORIGINS": named, "STUDY_SCORE_API_KEY": "key"}
        with serving({**school, **settings}) as url:
            page.goto(named)
            status, answer, model = fetched(page, url, "key", {"hours": 4})
            assert (status, answer["extrapolated"]) == (200, True)
            assert model.startswith("study_score:")
            for key, body, wrong in ((None, {"hours": 4}, 401), ("key", {"hours": "x"}, 400)):
                status, answer, _ = fetched(page, url, key, body)
                assert (status, "error" in answer) == (wrong, True)
            page.goto(unnamed)
            assert fetched(page, url, "key", {"hours": 4})[0] == 0


def test_by_default_no_page_of_another_origin_may_ask(page: Page, url: str) -> None:
    with listening(Empty) as other:
        page.goto(other)
        assert fetched(page, url, None, {"hours": 4})[0] == 0
