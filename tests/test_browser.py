"""The pages in headless Chromium, as a school has them: by a host name, over plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    expect,
)

from service.pages import FILES
from tests.chromium import chromium
from tests.processes import Home, run, serving

TIMES = "\N{MULTIPLICATION SIGN}"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def url(browser: Browser, module_home: Home) -> Iterator[str]:
    """The service with the lesson's own model: its line misses the rows by a little."""
    assert run(module_home, "training", "--raw", "--force").returncode == 0
    with serving(module_home) as url:
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
        if response.status in (404, 405, 415) or response.status >= 500:
            complaints.append(f"{response.status} {response.url}")

    def check_request(request: Request) -> None:
        if not request.url.startswith(("http://school.test:", "data:")):
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


def predicted(url: str, hours: float) -> Any:
    return requests.post(f"{url}/predict", json={"hours": hours}, timeout=5).json()


def test_the_page_tells_what_the_model_learned(opened: Open, url: str) -> None:
    page = opened()
    card = requests.get(f"{url}/model", timeout=5).json()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Each hour of study is worth 1.97 points."
    )
    expect(page.locator("#equation")).to_have_text(f"score = 1.971 {TIMES} hours + 0.06626")
    expect(page.get_by_role("img", name="trained on 1 to 3 hours")).to_be_visible()
    expect(page.get_by_role("img", name="the cost falls from 18.7 to 6·10⁻⁴")).to_be_visible()
    points = requests.get(f"{url}/training", timeout=5).json()["points"]
    expect(page.locator("#fit .row")).to_have_count(len(points))
    expect(page.locator("#tag")).to_have_text(card["tag"])
    expect(page.locator("#rows")).to_have_text("3")
    expect(page.locator("#sources")).to_have_text("lab (3 rows)")


def test_the_page_asks_for_each_of_its_files_once_and_for_what_it_shows(opened: Open) -> None:
    asked: list[str] = []
    page = opened(
        prepare=lambda page: page.on("request", lambda each: asked.append(urlsplit(each.url).path))
    )
    expect(page.locator("#answer")).to_be_visible()
    files = {f"/ui/{name}" for name in FILES if name != "page.html"}
    assert sorted(asked[1:-3]) == sorted(files)
    assert [asked[0], *asked[-3:]] == ["/ui", "/model", "/training", "/predict"]


@pytest.mark.parametrize("hours", [0, 2.5, 4, 8784])
def test_the_field_gives_the_services_own_numbers(opened: Open, url: str, hours: float) -> None:
    page = opened()
    page.get_by_role("spinbutton", name="Hours of study").fill(str(hours))
    answer = predicted(url, hours)
    low, high = (f"{answer[end]:,.2f}" for end in ("low", "high"))
    expect(page.locator("#score")).to_have_text(f"{answer['score']:,.2f}")
    expect(page.locator("#interval")).to_have_text(
        f"95% of people who study this long should score between {low} and {high}."
    )
    if answer["extrapolated"]:
        expect(page.locator("#extrapolated")).to_contain_text("the model saw 1 to 3 hours only")
    else:
        expect(page.locator("#extrapolated")).to_be_hidden()


def test_the_slider_moves_the_marker_and_the_field_along(opened: Open, url: str) -> None:
    page = opened()
    expect(page.locator("#score")).to_have_text(f"{predicted(url, 2.2)['score']:.2f}")
    slider = page.get_by_role("slider", name="Hours of study")
    before = float(page.locator("#marker circle").get_attribute("cx") or 0)
    for _ in range(3):
        slider.press("ArrowRight")
    hours = float(slider.input_value())
    assert hours > 2.2
    expect(page.get_by_role("spinbutton")).to_have_value(f"{hours:g}")
    expect(page.locator("#score")).to_have_text(f"{predicted(url, hours)['score']:.2f}")
    expect(slider).to_have_attribute("aria-valuetext", f"{hours:g} hours")
    assert float(page.locator("#marker circle").get_attribute("cx") or 0) > before


def test_a_tap_on_the_chart_asks_for_the_hours_there(opened: Open) -> None:
    page = opened()
    expect(page.locator("#answer")).to_be_visible()
    three = page.locator("#fit text").get_by_text("3", exact=True).bounding_box()
    chart = page.locator("#fit").bounding_box()
    assert three and chart
    x = three["x"] + three["width"] / 2 - chart["x"]
    page.locator("#fit").click(position={"x": x, "y": chart["height"] / 2})
    expect(page.get_by_role("spinbutton")).to_have_value("3")
    expect(page.locator("#score")).to_have_text("5.98")


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ("", "Type a number of hours, such as 4."),
        ("-1", "Hours cannot be below 0."),
        ("9000", "Hours cannot be above 8784, the hours in a year."),
    ],
)
def test_wrong_hours_get_a_sentence_and_no_score(opened: Open, hours: str, sentence: str) -> None:
    page = opened()
    expect(page.locator("#answer")).to_be_visible()
    field = page.get_by_role("spinbutton")
    field.fill(hours)
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
    expect(page.locator("#answer")).to_be_hidden()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("3")
    expect(page.locator("#score")).to_have_text("5.98")
    expect(page.locator("#answer")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "false")


def test_a_pasted_column_gives_a_table_to_copy(opened: Open, url: str) -> None:
    page = opened()
    column = page.get_by_label("Paste hours")
    column.fill("Hours\n1\n2.5\n40")
    page.get_by_role("button", name="Predict").click()
    answers = {hours: predicted(url, hours) for hours in (1, 2.5, 40)}
    rows = page.get_by_role("region", name="Predictions").get_by_role("row")
    shown = [
        f"{hours:g}{answer['score']:.2f}{answer['low']:.2f}{answer['high']:.2f}"
        for hours, answer in answers.items()
    ]
    expect(rows).to_have_text(["hoursscorelowhigh", *shown[:2], f"{shown[2]}extrapolation"])

    page.get_by_role("button", name="Copy table").click()
    expect(page.get_by_text("Copied. Paste it into a spreadsheet.")).to_be_visible()
    column.fill("")
    column.press("ControlOrMeta+v")
    head, *copied = (line.split("\t") for line in column.input_value().splitlines())
    assert head == ["hours", "score", "low", "high", "extrapolated"]
    assert [[json.loads(cell) for cell in line] for line in copied] == [
        [hours, *answer.values()] for hours, answer in answers.items()
    ]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("hours", "Paste at least one number of hours."),
        ("1, 2, x", "Number 3 is “x”. Hours are numbers such as 2.5."),
        ("1 2 -3", "Number 3: Hours cannot be below 0."),
        ("1 " * 10_001, "At most 10,000 hours at once."),
    ],
)
def test_a_column_that_is_wrong_gets_a_sentence(opened: Open, column: str, sentence: str) -> None:
    page = opened()
    expect(page.locator("#answer")).to_be_visible()
    page.get_by_label("Paste hours").fill(column)
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#column-problem")).to_have_text(sentence)


def test_it_speaks_the_browsers_language_or_the_one_chosen_for_the_tab(opened: Open) -> None:
    page = opened(locale="ko-KR")
    headline = page.get_by_role("heading", level=1)
    expect(headline).to_have_text("한 시간 더 공부할 때마다 1.97점씩 올라요.")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_role("spinbutton").fill("9000")
    expect(page.get_by_text("공부 시간은 8784(1년의 시간) 이하여야 해요.")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(headline).to_have_text("Each hour of study is worth 1.97 points.")
    expect(page.get_by_text("Hours cannot be above 8784, the hours in a year.")).to_be_visible()
    page.reload()
    expect(headline).to_have_text("Each hour of study is worth 1.97 points.")


def test_a_service_that_falls_silent_is_reported_until_it_answers_again(opened: Open) -> None:
    page = opened()
    expect(page.locator("#answer")).to_be_visible()

    def silent(route: Route) -> None:
        route.abort()

    page.route("**/model", silent)
    trouble = page.get_by_text("The service does not answer. The page keeps trying.")
    expect(trouble).to_be_visible()
    page.unroute("**/model", silent)
    expect(trouble).to_be_hidden()


def test_a_retrained_model_appears_without_a_reload_and_goes_when_it_is_deleted(
    opened: Open, module_home: Home, tmp_path: Path
) -> None:
    page = opened()
    page.locator("#hours").fill("2")
    page.locator("#column").fill("3")
    page.locator("#batch button").click()
    expect(page.locator("td")).to_contain_text(["3", "5.98"])

    (tmp_path / "two.csv").write_text("hours,score\n1,40\n3,60\n")
    trained = run(module_home, "training", str(tmp_path / "two.csv"))
    assert trained.returncode == 0, trained.stderr
    expect(page.get_by_role("heading", level=1)).to_contain_text("is worth 10 points.")
    expect(page.locator("#score")).to_have_text("50.0")
    expect(page.get_by_text("A range would need at least 3 training rows.")).to_be_visible()
    expect(page.get_by_text("A new model was put in place")).to_be_visible()
    expect(page.locator("td")).to_contain_text(["3", "60.0"])
    assert page.locator("#fit .band").count() == 0

    tag = page.locator("#tag").inner_text()
    assert run(module_home, "bentoml", "models", "delete", "-y", tag).returncode == 0
    expect(page.get_by_role("heading", level=1)).to_contain_text("is worth 1.97 points.")


def test_a_service_with_a_key_asks_for_it_and_the_tab_keeps_it(
    opened: Open, module_home: Home, url: str
) -> None:
    with serving({**module_home, "STUDY_SCORE_API_KEY": "sesame"}) as guarded:
        page = opened(url=guarded)
        door = page.get_by_role("dialog", name="This service needs a key")
        key = door.get_by_label("API key")
        expect(door).to_be_visible()
        assert Axe().run(page).violations_count == 0
        for wrong in ("열쇠", "wrong"):
            key.fill(wrong)
            key.press("Enter")
            expect(door.get_by_text("The service does not accept this key.")).to_be_visible()
        key.fill("sesame")
        door.get_by_role("button", name="Open").click()
        expect(page.locator("#answer")).to_be_visible()
        expect(door).to_be_hidden()
        page.reload()
        expect(page.locator("#answer")).to_be_visible()
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_a_phone_and_a_desk(opened: Open, width: int, locale: str) -> None:
    page = opened(locale=locale, viewport={"width": width, "height": 800})
    page.locator("#hours").fill("8784")
    expect(page.locator("#score")).to_contain_text("17,312")
    page.locator("#column").fill("1 40 8784")
    page.locator("#batch button").click()
    expect(page.locator("table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hours", ["4", "9000"])
def test_axe_finds_nothing(opened: Open, scheme: str, hours: str) -> None:
    page = opened(color_scheme=scheme)
    page.locator("#hours").fill(hours)
    expect(page.locator("#extrapolated:visible, #hours-problem:visible")).to_contain_text("ours")
    page.locator("#column").fill("1 40")
    page.locator("#batch button").click()
    expect(page.locator("table")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_swagger_ui_tries_the_api_out(opened: Open) -> None:
    page = opened("/docs")
    page.get_by_text("/predict", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")
