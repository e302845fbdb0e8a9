"""On a phone, a desk and paper, in both languages, in the dark, and for those who see no chart."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from models.findings import SENTENCES
from service.pages import FILES
from tests.browser.conftest import Open, check_with_axe

HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7a3]")


def use(page: Page) -> None:
    """Something in every place that can be filled."""
    page.locator("#hours").fill("8784")
    page.locator("#goal").fill("5")
    page.locator("#column").fill("1\n40\n8784")
    page.locator("#batch button").click()
    page.locator("summary").click()
    expect(page.locator("#score")).to_contain_text("17,312")
    expect(page.locator("#takes-hours")).to_be_visible()
    expect(page.locator("#table table")).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("width", [320, 720, 1440])  # 720 is 1440 at a zoom of 200 %
def test_it_fits_a_phone_and_a_desk(opened: Open, width: int, locale: str) -> None:
    page = opened(locale=locale, viewport={"width": width, "height": 800})
    use(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, scheme: str, locale: str) -> None:
    page = opened(color_scheme=scheme, locale=locale)
    use(page)
    check_with_axe(page)
    for field in ("#hours", "#goal", "#column"):
        page.locator(field).fill("x")
    page.locator("#batch button").click()
    expect(page.locator(".problem:visible")).to_have_count(3)
    check_with_axe(page)
    for lesson in ("attempt", "replay"):
        page.locator(f"#open-{lesson}").click()
        page.locator("#column").fill("1,4\n2,5" if lesson == "replay" else "hours,score\n1,2\n2,9")
        page.locator("#batch button").first.click()
        expect(page.locator(f"#{lesson}")).to_be_visible()
        check_with_axe(page)


def test_it_speaks_the_browsers_language_or_the_one_chosen_for_the_tab(opened: Open) -> None:
    page = opened(locale="ko-KR")
    headline = page.get_by_role("heading", level=1)
    expect(headline).to_have_text("한 시간 더 공부한 사람의 점수는 1.58~2.36점 높아요.")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.locator("#hours").fill("9000")
    expect(page.get_by_text("공부 시간은 8784(1년의 시간) 이하여야 해요.")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(headline).to_have_text("One more hour goes with 1.58 to 2.36 points more.")
    expect(page.get_by_text("Hours cannot be above 8784, the hours in a year.")).to_be_visible()
    page.reload()
    expect(headline).to_have_text("One more hour goes with 1.58 to 2.36 points more.")


def test_the_address_says_the_language_and_keeps_it(opened: Open) -> None:
    page = opened("/ui?lang=ko&hours=2")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#interval")).to_have_text(
        re.compile("이만큼 공부한 사람의 95%\u2060는 .* 사이의 점수를 받을 거예요.")
    )
    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(re.compile(r"\?lang=en&hours=2$"))
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_chart_is_no_taller_than_wide_and_most_of_it_is_no_extrapolation(
    ready: Open, width: int
) -> None:
    page = ready(viewport={"width": width, "height": 1024})
    chart, inside = (page.locator(each).bounding_box() for each in ("#fit", "#fit .inside"))
    outside = [each.bounding_box() for each in page.locator("#fit rect[fill^=url]").all()]
    assert chart and inside
    assert chart["height"] <= chart["width"]
    assert inside["width"] > sum(each["width"] for each in outside if each)


def test_text_is_as_large_as_the_browser_is_set_to(page: Page) -> None:
    size = "(name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize)"
    names = ("p", "#hours", "#score", "#fit text", ".act", "th", "summary")
    usual = [page.evaluate(size, name) for name in names]
    page.evaluate("document.documentElement.style.fontSize = '24px'")
    assert [page.evaluate(size, name) for name in names] == [1.5 * each for each in usual]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_borders_tracks_and_bands_stand_out_from_what_is_around(ready: Open, scheme: str) -> None:
    page = ready(color_scheme=scheme)
    for name in ("--edge", "--band-edge", "--line", "--mark", "--goal"):
        edge, paper, card = (
            page.evaluate(
                "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)", each
            )
            for each in (name, "--paper", "--card")
        )
        assert contrast(edge, card) >= 3
        assert name == "--band-edge" or contrast(edge, paper) >= 3


def contrast(one: str, other: str) -> float:
    """By WCAG 2.2."""
    lights = []
    for colour in (one, other):
        digits = colour.strip().removeprefix("#")
        if len(digits) == 3:
            digits = "".join(2 * digit for digit in digits)
        parts = [channel / 255 for channel in bytes.fromhex(digits)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        lights.append(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_every_text_is_there_in_both_languages(page: Page) -> None:
    korean, english = page.evaluate(
        """async () => {
          const { KOREAN } = await import("./ui/korean.js");
          const { ENGLISH } = await import("./ui/english.js");
          const keys = (texts) => Object.entries(texts).flatMap(([key, text]) =>
            typeof text === "object" ? keys(text).map((each) => `${key}.${each}`) : [key]);
          return [keys(KOREAN), keys(ENGLISH)];
        }"""
    )
    own = ("page.", "findings.")  # in English they are in page.html, and the service's sentences
    assert sorted(key for key in korean if not key.startswith(own)) == sorted(english)
    html = FILES["/ui"].content.decode()
    static = set(re.findall(r'data-(?:text|label)="(\w+)"', html))
    assert {key.removeprefix("page.") for key in korean if key.startswith("page.")} == static
    spoken = {key.removeprefix("findings.") for key in korean if key.startswith("findings.")}
    assert spoken >= {verdict for verdicts in SENTENCES.values() for verdict in verdicts}


def test_it_can_be_used_with_the_keyboard_in_the_order_it_is_read(page: Page) -> None:
    for button in ("#open-replay", "#predict"):
        expect(page.locator(button)).to_be_enabled()
    order = []
    for _ in range(12):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    stops = (
        "A language hours slider goal open-attempt open-replay SUMMARY column predict file table"
    )
    assert order == stops.split()


def test_it_prints_on_one_page_without_what_only_a_screen_can_do(ready: Open) -> None:
    page = ready(color_scheme="dark", viewport={"width": 1440, "height": 900})
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dots an inch
    page.emulate_media(media="print")
    for gone in ("#slider", "#column", "#goal", "#curl", "nav", "summary"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator(".legend")).to_be_visible()
    card, chart = page.locator(".play").bounding_box(), page.locator("#fit").bounding_box()
    assert card and chart
    assert chart["x"] + chart["width"] <= card["x"] + card["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_every_row_is_printed_and_the_cost_curve_keeps_its_text(ready: Open) -> None:
    page = ready(viewport={"width": 1440, "height": 900})
    page.locator("#column").fill("\n".join(f"Pupil {i}\t{i % 24}" for i in range(500)))
    page.locator("#batch button").first.click()
    expect(page.locator("#table tbody tr").first).to_be_visible()
    assert 8 <= len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 14
    expect(page.locator("#table tbody tr")).to_have_count(500)
    page.set_viewport_size({"width": 794, "height": 1123})
    page.emulate_media(media="print")
    costs = page.locator("#costs")
    box = costs.bounding_box()
    drawn = float((costs.get_attribute("viewBox") or "").split()[2])
    assert box and box["width"] / drawn > 0.6  # of 12 pixels


def test_forced_colours_leave_the_slider_the_legend_and_the_bands(ready: Open) -> None:
    page = ready(forced_colors="active")
    colours = page.evaluate(
        """() => {
          const paper = getComputedStyle(document.body).backgroundColor;
          const fill = (selector) => getComputedStyle(document.querySelector(selector)).fill;
          const key = (name) => getComputedStyle(document.querySelector(name), "::before");
          const keys = [".key-line", ".key-band", ".key-sure", ".key-mark"];
          return [paper, fill("#fit .band"), fill("#fit .sure"), fill("#marker .here"),
                  ...keys.map((name) => key(name).backgroundColor)];
        }"""
    )
    assert len(set(colours[:4])) == 4
    assert colours[0] not in colours[1:]
    check_with_axe(page)


def test_swagger_ui_tries_the_api_out(opened: Open) -> None:
    page = opened("/docs")
    page.get_by_text("/predict", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status")).to_have_text("200")
