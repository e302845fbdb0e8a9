"""Slow links, silent services, models that change and services that want a key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Put, check_with_axe
from tests.processes import Home, run, serving

SILENT = "The service does not answer. The page keeps trying."


class Held:
    """Requests to an address, kept until they are let go."""

    def __init__(self, page: Page, address: str) -> None:
        self.routes: list[Route] = []
        self.free = False
        page.route(address, self.meet)

    def meet(self, route: Route) -> None:
        self.routes.append(route)
        if self.free:
            self.let_one_go()

    def let_one_go(self) -> None:
        self.routes.pop(0).continue_()

    def let_go(self) -> None:
        self.free = True
        while self.routes:
            self.let_one_go()


def test_the_frame_is_there_before_the_model_is(opened: Open) -> None:
    held: list[Held] = []
    page = opened(prepare=lambda page: held.append(Held(page, "**/model")))
    expect(page.get_by_role("heading", level=1)).to_have_text("What is an hour of study worth?")
    expect(page.get_by_role("heading", name="Can I trust this?")).to_be_visible()
    expect(page.locator("#answer .awaited")).to_be_visible()
    page.locator("#hours").fill("2,5")
    held[0].let_go()
    expect(page.locator("#score")).to_have_text("5.0")
    expect(page.locator("#hours")).to_have_value("2,5")


@pytest.mark.parametrize("part", ["numbers.js", "page.js", "page.css"])
def test_a_part_of_the_page_that_did_not_arrive_is_fetched_again(opened: Open, part: str) -> None:
    """As when the network changes, say from one Wi-Fi to another, while the page loads."""

    def break_it(page: Page) -> None:
        page.route(f"**/ui/{part}", lambda route: route.abort())
        page.once("load", lambda _: page.unroute(f"**/ui/{part}"))

    page = opened(prepare=break_it)
    expect(page.locator("#score")).to_have_text("4.4")
    expect(page.locator("#main")).to_have_css("padding-bottom", "48px")


def test_an_answer_that_is_awaited_is_marked_until_it_comes(page: Page) -> None:
    expect(page.locator("#score")).to_have_text("4.4")
    held = Held(page, "**/predict")
    page.locator("#hours").fill("3")
    expect(page.locator("#answer .awaited")).to_be_visible()
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    page.locator("#hours").fill("1")  # what is wanted last is answered last
    held.let_one_go()
    expect(page.locator("#score")).to_have_text("6.0")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    held.let_go()
    expect(page.locator("#score")).to_have_text("2.0")
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "false")


def test_what_was_asked_offline_is_answered_when_there_is_a_network_again(page: Page) -> None:
    page.context.set_offline(True)
    page.locator("#hours").fill("3")
    page.locator("#column").fill("1\n3")
    page.locator("#batch button").click()
    expect(page.get_by_text(SILENT)).to_be_visible()
    at_the_button = page.get_by_text("These rows are asked about again until it does.")
    expect(at_the_button).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#score")).to_have_text("6.0")
    expect(page.locator("#table tbody tr")).to_have_count(2)
    expect(at_the_button).to_be_hidden()
    expect(page.get_by_text(SILENT)).to_be_hidden()


def test_an_error_or_a_proxys_page_is_asked_again(page: Page) -> None:
    answers = iter([(429, "{}"), (503, "busy"), (200, "<html>Log in to the network</html>")])

    def in_the_way(route: Route) -> None:
        status, body = next(answers, (0, ""))
        if status:
            route.fulfill(status=status, body=body)
        else:
            route.continue_()

    page.route("**/predict", in_the_way)
    page.locator("#hours").fill("3")
    expect(page.get_by_text(SILENT)).to_be_visible()
    expect(page.locator("#score")).to_have_text("6.0")
    expect(page.get_by_text(SILENT)).to_be_hidden()
    assert next(answers, None) is None


def test_a_retrained_model_appears_and_goes_when_it_is_deleted(
    page: Page, school: Home, tmp_path: Path
) -> None:
    page.locator("#hours").fill("2")
    page.locator("#column").fill("3")
    page.locator("#batch button").click()
    expect(page.locator("#table td")).to_contain_text(["3", "6.0"])

    (tmp_path / "two.csv").write_text("hours,score\n1,40\n3,60\n")
    trained = run(school, "training", str(tmp_path / "two.csv"))
    assert trained.returncode == 0, trained.stderr
    expect(page.locator("#score")).to_have_text("50")
    expect(page.get_by_text("A new model was put in place")).to_be_visible()
    old = page.get_by_text("These are the predictions of the model before.")
    expect(old).to_be_visible()
    expect(page.locator("#table td")).to_contain_text(["3", "6.0"])
    page.get_by_role("button", name="Predict with the new one").click()
    expect(page.locator("#table td")).to_contain_text(["3", "60"])
    expect(old).to_be_hidden()

    tag = page.locator("#tag").inner_text()
    assert run(school, "bentoml", "models", "delete", "-y", tag).returncode == 0
    expect(page.locator("#score")).to_have_text("4.0")


def test_an_answer_of_another_model_than_the_one_shown_is_not_shown(ready: Open, put: Put) -> None:
    page = ready()
    held = Held(page, "**/model")  # so the page cannot know of the new one
    put(np.array([1.0, 3.0]), np.array([40.0, 60.0]))
    with page.expect_response("**/predict") as answered:
        page.locator("#hours").fill("2")
    assert answered.value.json()["score"] == 50
    expect(page.locator("#answer")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#score")).not_to_have_text("50")
    held.let_go()
    expect(page.locator("#score")).to_have_text("50")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Two rows")


def test_a_service_with_a_key_asks_for_it_and_the_tab_keeps_it(opened: Open, school: Home) -> None:
    with serving({**school, "STUDY_SCORE_API_KEY": "sesame"}) as guarded:
        page = opened(url=guarded)
        door = page.get_by_role("dialog", name="This service needs a key")
        key = door.get_by_label("API key")
        expect(door).to_be_visible()
        check_with_axe(page)
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(door).to_be_visible()
        for wrong in ("열쇠", "wrong"):
            key.fill(wrong)
            key.press("Enter")
            expect(door.get_by_text("The service does not accept this key.")).to_be_visible()
        key.fill("sesame")
        door.get_by_role("button", name="Open").click()
        expect(page.locator("#score")).to_be_visible()
        expect(door).to_be_hidden()
        page.reload()
        expect(page.locator("#score")).to_be_visible()
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        page.evaluate("sessionStorage.apiKey = 'rotated'")  # and is refused in the middle
        page.locator("#hours").fill("3")
        key.fill("sesame")
        key.press("Enter")
        expect(page.locator("#score")).to_have_text("6.0")
