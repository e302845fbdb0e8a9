"""How far the page says that an answer can be trusted."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Route, expect

from tests.browser.conftest import Open, Put
from tests.browser.test_answers import HOURS, MINUS, NOISE, headline, show
from tests.data import Array


@pytest.mark.parametrize(
    ("hours", "scores", "sentence"),
    [
        (HOURS, 50 + NOISE, "An hour of study may or may not matter: from {low} to {high} points."),
        (
            HOURS,
            90 - 3 * HOURS + NOISE / 9,
            "One more hour goes with {high} to {low} points fewer.",
        ),
        (HOURS, 3 * HOURS, "One more hour goes with 3 points more."),
        (HOURS, 0 * HOURS, "Scores are the same however long people study."),
        (HOURS[:2], HOURS[:2], "Two rows cannot tell what an hour of study is worth."),
    ],
)
def test_the_headline_says_no_more_than_the_rows_do(
    opened: Open, put: Put, url: str, hours: Array, scores: Array, sentence: str
) -> None:
    put(hours, scores)
    page = opened()
    card = requests.get(f"{url}/model", timeout=30).json()
    if "{" in sentence:
        ends = (show(card[end], card["W_high"] - card["W_low"]) for end in ("W_low", "W_high"))
        low, high = (end.replace(MINUS, "") if card["W_high"] < 0 else end for end in ends)
        sentence = sentence.format(low=low, high=high)
    headline(page).to_have_text(sentence)
    expect(page.locator("#score")).to_be_visible()
    if len(hours) == 2:
        expect(page.get_by_text("Two rows explain nothing: any two lie on a line.")).to_be_visible()
        expect(page.get_by_text("A range would need at least 3 training rows.")).to_be_visible()
        expect(page.locator("#fit .band, #fit .sure")).to_have_count(0)


def test_what_doubts_the_line_stands_beside_the_answer(opened: Open, put: Put, url: str) -> None:
    put(HOURS, HOURS**2 + NOISE / 9)
    page = opened()
    findings = requests.get(f"{url}/model", timeout=30).json()["findings"]
    (curved,) = (each["sentence"] for each in findings if each["verdict"] == "curved")
    expect(page.locator("#answer #caveat")).to_contain_text(f"Careful: {curved}")
    doubtful = page.get_by_role("listitem").filter(has_text=curved)
    expect(doubtful.get_by_role("img", name="doubtful")).to_be_visible()
    slope = page.get_by_role("listitem").filter(has_text="An hour more goes with")
    expect(slope.get_by_role("img", name="doubtful")).to_be_visible()
    korean = opened("/ui?lang=ko")
    expect(korean.locator("#caveat")).to_contain_text("주의: 직선이 잘 맞지는 않아요")


def test_a_finding_without_words_in_korean_is_said_in_the_services(opened: Open, url: str) -> None:
    def add_a_finding(route: Route) -> None:
        card = requests.get(f"{url}/model", timeout=30).json()
        finding = {
            "about": "straightness",
            "verdict": "new",
            "sentence": "So it is.",
            "numbers": {},
        }
        route.fulfill(json={**card, "findings": [*card["findings"], finding]})

    page = opened("/ui?lang=ko", prepare=lambda page: page.route("**/model", add_a_finding))
    new = page.get_by_role("region", name="믿어도 될까요?").get_by_text("So it is.")
    expect(new).to_have_attribute("lang", "en")
    expect(page.locator("#caveat")).to_have_text("주의: So it is.")


def test_no_hours_are_named_where_hours_may_not_matter(opened: Open, put: Put) -> None:
    put(HOURS, 50 + NOISE)
    page = opened("/ui?score=55")
    expect(page.locator("#takes-interval")).to_contain_text("cannot tell whether hours matter")
    expect(page.locator("#takes .figure")).to_be_hidden()
    expect(page.locator("#aim .here")).to_have_count(0)


def test_an_answer_that_the_range_of_scores_cuts_says_so(opened: Open, put: Put) -> None:
    model = put(HOURS, 50 + 5 * HOURS + NOISE / 9, score_range=(0, 100))
    page = opened("/ui?hours=9.8")
    expect(page.locator("#interval")).to_contain_text("The range is cut at 100, where scores end.")
    page.locator("#hours").fill("12")
    line = model.W * 12 + model.b
    expect(page.locator("#interval")).to_contain_text(
        f"The line itself says {line:.4g}, but scores end at 100."
    )


def test_few_rows_prove_little_however_well_the_line_fits(opened: Open, put: Put) -> None:
    page = opened()
    few = "With 3 rows that proves little."
    expect(page.locator("#r2-why")).to_contain_text(few)
    put(HOURS[:3], 3 * HOURS[:3])
    expect(page.locator("#interval")).to_have_text(
        f"The line meets every training row, so the 95 % range has no width. {few}"
    )
    put(HOURS, 3 * HOURS)
    expect(page.locator("#interval")).to_contain_text("has no width.")
    expect(page.locator("#interval")).not_to_contain_text("proves little")
