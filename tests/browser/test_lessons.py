"""A line to fit oneself, the learning to replay, and pasted scores beside the predictions."""

from __future__ import annotations

import re

import numpy as np
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open, Put, touch
from tests.browser.test_rows import paste
from tests.data import CARS_DIST, CARS_SPEED

HOURS, SCORES = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])  # the lab's
LINE = re.compile(r"score = (\S+) × hours ([+−]) (\S+?)[:,] cost ([\d.,]*\d)")  # noqa: RUF001


def read_line(page: Page, where: str) -> tuple[float, float, float]:
    """W, b and the cost, as the page says them."""
    match = LINE.search(page.locator(where).inner_text())
    assert match
    W, sign, b, cost = (each.replace("−", "-").replace(",", "") for each in match.groups())  # noqa: RUF001
    return float(W), float(b) * (-1 if sign == "-" else 1), float(cost)


def test_a_line_of_ones_own_has_the_cost_of_the_rows_and_their_squares(page: Page) -> None:
    page.get_by_role("button", name="Fit it yourself").click()
    assert read_line(page, "#attempt-says") == pytest.approx((0, 4, 2.67))  # the mean for all
    expect(page.locator("#fit path.fit").first).to_be_hidden()
    low, high = (page.get_by_role("slider", name=f"line at {at}") for at in ("1 hour", "3 hours"))
    low.press("ArrowDown")
    low.press("PageDown")
    high.press("ArrowUp")
    W, b, cost = read_line(page, "#attempt-says")
    assert W > 0
    assert cost == pytest.approx(np.mean((W * HOURS + b - SCORES) ** 2), rel=5e-3)
    expect(low).to_have_attribute("aria-valuetext", re.compile(r"^[\d.]+ points, cost [\d.]+$"))
    squares = page.locator("#lesson .square")
    expect(squares).to_have_count(3)
    for square in squares.all():
        assert square.get_attribute("width") == square.get_attribute("height")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator("#fit path.fit").first).to_be_visible()
    page.get_by_role("button", name="Fit it yourself").click()
    expect(page.locator("#lesson > *")).to_have_count(0)
    expect(page.locator("#marker .here")).to_be_visible()


def middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("by", ["mouse", "finger"])
def test_handles_are_dragged_until_the_line_is_as_good_as_sgds(ready: Open, by: str) -> None:
    page = ready(has_touch=by == "finger")
    page.get_by_role("button", name="Fit it yourself").click()
    rows = sorted(map(middle, page.locator("#fit .row").all()))
    for name, end in (("low", rows[0]), ("high", rows[2])):
        start = middle(page.locator(f"#handle-{name}"))
        if by == "finger":
            halfway = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
            touch(page, start, halfway, end)
        else:
            page.mouse.move(*start)
            page.mouse.down()
            page.mouse.move(*end, steps=5)
            page.mouse.up()
    assert read_line(page, "#attempt-says")[:2] == pytest.approx((2, 0), abs=0.1)
    expect(page.locator("#attempt-says")).to_contain_text("As good as SGD’s!")  # noqa: RUF001


def test_a_line_has_its_cost_where_no_row_was_kept(ready: Open, put: Put) -> None:
    put(CARS_SPEED, CARS_DIST)
    page = ready()
    page.get_by_role("button", name="Fit it yourself").click()
    page.locator("#handle-high").press("PageUp")
    W, b, cost = read_line(page, "#attempt-says")
    assert cost == pytest.approx(np.mean((W * CARS_SPEED + b - CARS_DIST) ** 2), rel=5e-3)
    expect(page.locator("#lesson .square")).to_have_count(0)
    best = np.mean((np.polyval(np.polyfit(CARS_SPEED, CARS_DIST, 1), CARS_SPEED) - CARS_DIST) ** 2)
    expect(page.locator("#attempt-says")).to_contain_text(f"SGD’s best: {best:.0f}")  # noqa: RUF001


def test_the_learning_is_replayed_epoch_by_epoch(page: Page, url: str) -> None:
    page.get_by_role("button", name="Replay the learning").click()
    costs = requests.get(f"{url}/training", timeout=30).json()["costs"]
    says, slider = page.locator("#replay-says"), page.get_by_role("slider", name="Epoch")
    expect(says).to_contain_text("Before the step of epoch 0: score = 0 × hours + 0")  # noqa: RUF001
    for _ in range(2):
        slider.press("ArrowRight")
    epoch, cost, W, b = costs[2]
    expect(says).to_contain_text(f"epoch {epoch}:")
    assert read_line(page, "#replay-says") == pytest.approx((W, b, cost), rel=5e-3)
    ghost = page.locator("#lesson .ghost")
    before = ghost.get_attribute("y2")
    slider.press("End")
    expect(says).to_contain_text("epoch 1,000:")
    assert ghost.get_attribute("y2") != before
    expect(
        page.get_by_role("button", name="Play", exact=True)
    ).to_be_hidden()  # for who wants no motion
    expect(page.get_by_label("Learning rate")).to_be_hidden()  # it is the lab's


def test_the_learning_plays_and_the_labs_way_diverges_on_long_hours(ready: Open, put: Put) -> None:
    put(CARS_SPEED, CARS_DIST)
    page = ready(reduced_motion="no-preference")
    page.get_by_role("button", name="Replay the learning").click()
    says = page.locator("#replay-says")
    expect(says).to_contain_text(f"score = 0 × hours + {CARS_DIST.mean():.2f}")  # noqa: RUF001
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(says).to_contain_text("epoch 1,000:")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_label("Learning rate").select_option("1")
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(says).to_contain_text("epoch 0: score = 0 × hours + 0")  # noqa: RUF001
    page.get_by_role("slider", name="Epoch").press("ArrowRight")
    line = read_line(page, "#replay-says")[:2]
    step = 0.01 * 2 * np.array([np.mean(CARS_SPEED * CARS_DIST), CARS_DIST.mean()])
    assert line == pytest.approx(step, rel=5e-3)
    expect(says).to_contain_text("SGD diverges")


def test_pasted_scores_are_drawn_and_compared_and_never_sent(opened: Open, url: str) -> None:
    sent: list[str] = []
    page = opened(
        prepare=lambda page: page.on("request", lambda each: sent.append(each.post_data or ""))
    )
    expect(page.locator("#score")).to_be_visible()
    rows = [("Kim", 1, 2), ("Lee", 2, 97531), ("Park", 2.5, 5), ("Choi", 3, 54.25)]
    paste(page, "\n".join(["name,hours,score", *(f"{n},{h},{s}" for n, h, s in rows)]))
    says = page.locator("#comparison")
    expect(says).to_contain_text("2 of 4 scores lie within the 95 % range.")
    expect(says).to_contain_text(re.compile(r"misses: Lee \(97,531, .*\), Choi \(54.25, predicted"))
    expect(page.locator("#fit .pupil")).to_have_count(4)
    expect(page.locator(".key-pupil")).to_be_visible()
    assert not any("97531" in body or "54.25" in body or "Kim" in body for body in sent)
    paste(page, "hours\n4")
    expect(page.locator("#table tbody td").first).to_have_text("4")
    expect(says).to_be_empty()
    expect(page.locator("#fit .pupil")).to_have_count(0)
