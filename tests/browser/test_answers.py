"""What the page says of a model, and what it answers."""

from __future__ import annotations

from math import floor, log10
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from playwright.sync_api import Page, expect

from service.pages import FILES
from tests.browser.conftest import Open, Put, touch
from tests.data import CARS_DIST, CARS_SPEED

TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
HOURS = np.linspace(1, 10, 40).round(2)
NOISE = np.random.default_rng(1).normal(0, 10, 40)


def ask(url: str, call: str, **body: float) -> Any:
    return requests.post(f"{url}/{call}", json=body, timeout=30).json()


def show(value: float, width: float) -> str:
    """With two digits of what it is uncertain by."""
    return f"{value:,.{max(0, 1 - floor(log10(width)))}f}".replace("-", MINUS)


def score_of(answer: dict[str, float]) -> str:
    return show(answer["score"], answer["high"] - answer["low"])


def headline(page: Page) -> Any:
    return expect(page.get_by_role("heading", level=1))


def test_the_page_tells_what_the_model_learned(page: Page, url: str) -> None:
    card = requests.get(f"{url}/model", timeout=30).json()
    low, high = (show(card[end], card["W_high"] - card["W_low"]) for end in ("W_low", "W_high"))
    headline(page).to_have_text(f"One more hour goes with {low} to {high} points more.")
    expect(page.locator("#equation")).to_have_text(f"score = 1.971 {TIMES} hours + 0.06626")
    points = requests.get(f"{url}/training", timeout=30).json()["points"]
    expect(page.locator("#fit .row")).to_have_count(len(points))
    expect(page.locator("#tag")).to_have_text(card["tag"])
    expect(page.locator("#rows")).to_have_text("3")
    expect(page.locator("#sources")).to_have_text("lab (3 rows)")
    findings = ["✓ " + each["sentence"].replace(" %", "\xa0%") for each in card["findings"]]
    trust = page.get_by_role("region", name="Can I trust this?")
    expect(trust.get_by_role("listitem")).to_have_text(findings)


def test_the_page_asks_for_each_of_its_files_once_and_for_what_it_shows(ready: Open) -> None:
    paths: list[str] = []

    def listen(page: Page) -> None:
        page.on("request", lambda each: paths.append(urlsplit(each.url).path))

    page = ready(prepare=listen)
    files = {path for path in FILES if path.startswith("/ui/")}
    page.wait_for_load_state("networkidle")
    shown = ["/ui", "/model", "/training", "/predict"]
    assert sorted(paths) == sorted([*files, *shown])
    later = {"/ui/rows.js", "/ui/lessons.js", "/ui/reading.js", "/ui/replay.js"}
    assert later <= set(paths[10:])  # for the first answer comes before what it does not need


@pytest.mark.parametrize(
    ("typed", "hours"), [("0", 0), ("2.5", 2.5), ("4,5", 4.5), (" 8784 ", 8784)]
)
def test_the_field_gives_the_services_own_numbers(
    opened: Open, url: str, typed: str, hours: float
) -> None:
    page = opened(locale="de-DE")
    page.get_by_role("textbox", name="Hours of study").fill(typed)
    answer = ask(url, "predict", hours=hours)
    expect(page.locator("#score")).to_have_text(score_of(answer))
    low, high = (show(answer[end], answer["high"] - answer["low"]) for end in ("low", "high"))
    who = "of people who study this long" if 1 <= hours <= 3 else "of people"
    expect(page.locator("#interval")).to_have_text(
        ("" if 1 <= hours <= 3 else "If the line went on this far, ")
        + f"95 % {who} should score between {low} and {high}."
    )
    outside = expect(page.locator("#extrapolated"))
    outside.to_contain_text("the model saw 1 to 3 hours only")
    outside.to_be_visible(visible=answer["extrapolated"])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type a number, such as 4."),
        ("-1", "Hours cannot be below 0."),
        ("9000", "Hours cannot be above 8784, the hours in a year."),
        ("12:30", "“12:30” is not a number such as 4 or 1.5."),
        ("0x10", "“0x10” is not a number such as 4 or 1.5."),
        ("1,234", "“1,234” can be 1234 or 1.234. Write it in one of these ways."),
        ("\u202e5.2", "“[U+202E]5.2” is not a number such as 4 or 1.5."),
    ],
)
def test_wrong_hours_get_a_sentence_and_no_score(page: Page, typed: str, sentence: str) -> None:
    field = page.get_by_role("textbox", name="Hours of study")
    field.fill(typed)
    expect(page.locator("#hours-problem")).to_have_text(
        sentence.replace("“", "“\u2068").replace("”", "\u2069”")
    )
    expect(page.locator("#answer")).to_be_hidden()
    expect(page.locator("#marker circle")).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("3")
    expect(page.locator("#score")).to_have_text("6.0")
    expect(page.locator("#answer")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "false")


def test_the_slider_moves_the_marker_and_the_field_along(page: Page, url: str) -> None:
    expect(page.locator("#score")).to_have_text(score_of(ask(url, "predict", hours=2.2)))
    slider = page.get_by_role("slider", name="Hours of study")
    before = float(page.locator("#marker circle").get_attribute("cx") or 0)
    for _ in range(3):
        slider.press("ArrowRight")
    hours = float(slider.input_value())
    assert hours > 2.2
    expect(page.locator("#hours")).to_have_value(f"{hours:g}")
    expect(page.locator("#score")).to_have_text(score_of(ask(url, "predict", hours=hours)))
    expect(slider).to_have_attribute("aria-valuetext", f"{hours:g} hours")
    assert float(page.locator("#marker circle").get_attribute("cx") or 0) > before


def test_a_tap_on_the_chart_asks_for_the_hours_there(ready: Open) -> None:
    page = ready(has_touch=True)
    three = page.locator("#fit text").get_by_text("3", exact=True).bounding_box()
    chart = page.locator("#fit").bounding_box()
    assert three and chart
    x = three["x"] + three["width"] / 2 - chart["x"]
    page.locator("#fit").tap(position={"x": x, "y": chart["height"] / 2})
    expect(page.locator("#hours")).to_have_value("3")
    expect(page.locator("#score")).to_have_text("6.0")


def test_a_swipe_scrolls_past_the_chart_and_a_sideways_drag_asks(opened: Open) -> None:
    page = opened(has_touch=True, viewport={"width": 375, "height": 667})
    expect(page.locator("#score")).to_have_text("4.4")
    page.evaluate("document.querySelector('#ask').scrollIntoView()")
    box = page.locator("#fit").bounding_box()
    assert box
    x, y = box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.8
    before = page.evaluate("scrollY")
    touch(page, *((x + i, y - 20 * i) for i in range(8)))
    page.wait_for_function(f"scrollY > {before} + 50")
    expect(page.locator("#hours")).to_have_value("2.2")
    expect(page.locator("#score")).to_have_text("4.4")
    page.evaluate("document.querySelector('#ask').scrollIntoView()")
    touch(page, *((x - 20 * i, y + i) for i in range(8)))
    expect(page.locator("#hours")).not_to_have_value("2.2")
    assert float(page.locator("#hours").input_value()) < 2


@pytest.mark.parametrize(("width", "height"), [(320, 568), (375, 667), (1280, 800)])
def test_the_answer_is_on_one_screen_with_its_slider(opened: Open, width: int, height: int) -> None:
    page = opened(viewport={"width": width, "height": height})
    expect(page.locator("#score")).to_have_text("4.4")
    page.evaluate("document.querySelector('#ask').scrollIntoView()")
    for part in ("#fit", "#slider", "#score", "#interval"):
        box = page.locator(part).bounding_box()
        assert box and 0 <= box["y"] <= height - box["height"]


def test_a_score_gets_its_hours_their_interval_and_a_place_on_the_chart(
    opened: Open, put: Put, url: str
) -> None:
    put(CARS_SPEED, CARS_DIST)
    page = opened()
    page.get_by_role("textbox", name="How many hours for a score of").fill("60")
    answer = ask(url, "hours_for", score=60)
    expect(page.locator("#takes-hours")).to_have_text(f"{answer['hours']:.0f}")
    expect(page.locator("#takes-interval")).to_have_text(
        f"The 95 % range holds this score from {answer['low']:.0f} to {answer['high']:.0f} hours."
    )
    expect(page.locator("#aim .here")).to_be_visible()
    page.locator("#goal").fill("-1000")
    above = "The line is above this score at 0 hours already: \N{MINUS SIGN}17.6 points."
    expect(page.get_by_text(above)).to_be_visible()
    page.locator("#goal").fill("1000000")
    expect(page.get_by_text("does not reach this score between 0 and 8,784 hours")).to_be_visible()
    expect(page.locator("#aim .here")).to_have_count(0)
    page.locator("#goal").fill("sixty")
    expect(page.locator("#goal-problem")).to_contain_text("is not a number")
    expect(page.locator("#takes")).to_be_hidden()


def test_the_address_carries_what_was_asked(opened: Open) -> None:
    page = opened("/ui?hours=1.5&score=5")
    expect(page.locator("#score")).to_have_text("3.0")
    expect(page.locator("#takes-hours")).to_have_text("2.50")
    page.locator("#hours").fill("2,5")
    page.locator("#hours").press("Tab")
    expect(page).to_have_url(f"{page.url.split('?')[0]}?hours=2.5&score=5")
    page.locator("#goal").fill("")
    page.get_by_role("slider").press("ArrowLeft")
    hours = page.locator("#slider").input_value()
    expect(page).to_have_url(f"{page.url.split('?')[0]}?hours={hours}")
    opened("/ui?hours=soon")


def test_scores_of_a_trillion_stay_within_the_chart(opened: Open, put: Put) -> None:
    put(HOURS, (50 + 4 * HOURS) * 1e12 + 1e12 * NOISE)
    page = opened(viewport={"width": 320, "height": 700})
    expect(page.locator("#score")).to_contain_text("T")
    for chart in ("#fit", "#costs"):
        edge = page.locator(chart).bounding_box()
        assert edge
        for label in page.locator(f"{chart} text").all():
            box = label.bounding_box()
            assert box and edge["x"] - 1 <= box["x"] <= edge["x"] + edge["width"] - box["width"] + 1
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_numbers_of_the_chart_are_there_as_a_table(page: Page, url: str) -> None:
    page.get_by_text("The chart as a table").click()
    table = page.get_by_role("region", name="The chart as a table")
    for row in table.get_by_role("row").all()[1:]:
        hours, score, *_ = row.locator("td").all_inner_texts()
        assert score == score_of(ask(url, "predict", hours=float(hours)))
    chart = page.get_by_role("img", name="Score by hours of study")
    expect(chart).to_have_accessible_description(
        f"score = 1.971 {TIMES} hours + 0.06626, trained on 1 to 3 hours, 3 training rows shown."
    )
    costs = page.get_by_role("img", name="Cost by epoch")
    expect(costs).to_have_accessible_description(
        "The cost falls from 18.7 to 6·10⁻⁴ over 1,000 epochs."
    )


def test_a_call_is_copied_for_a_terminal_without_the_key(page: Page, url: str) -> None:
    page.evaluate("sessionStorage.apiKey = 'sesame'")
    expect(page.locator("#score")).to_be_visible()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    page.locator("#column").press("ControlOrMeta+v")
    address = url.replace("127.0.0.1", "school.test")
    expect(page.locator("#column")).to_have_value(
        f"curl '{address}/predict' -H 'Content-Type: application/json'"
        ' -H "Authorization: Bearer $STUDY_SCORE_API_KEY"'
        """ -d '{"hours":2.2}'"""
    )
