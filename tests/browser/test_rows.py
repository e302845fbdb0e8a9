"""Several at once: rows pasted, typed, dropped and chosen, predicted, copied and saved."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_answers import ask


def paste(page: Page, text: str) -> None:
    column = page.get_by_label("Paste a column of hours")
    column.evaluate("(column, text) => { column.value = text; }", text)
    column.dispatch_event("input")
    page.get_by_role("button", name="Predict").click()


def hours(page: Page) -> list[str]:
    return page.locator("#table tbody td:first-child").all_inner_texts()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.234,5\n7", ["1,234.5", "7"]),
        ("1\u202f234,5\n1\u00a0000", ["1,234.5", "1,000"]),
        ("1e3\n.5\n\u200e2.5", ["1,000", "0.5", "2.5"]),
        ("\n3\n\n", ["3"]),
        ("1\n\n2", ["1", "", "2"]),
        ("\uff11\uff0e\uff15\n\uff12", ["1.5", "2"]),
        ("4h\n5 hours\n6", ["4", "5", "6"]),
        ("[1, 2, 3]", ["1", "2", "3"]),
        ("hours = [4, 5, 6]", ["4", "5", "6"]),
        ('{"hours": [1, 2, 3]}', ["1", "2", "3"]),
        ("4h, 5, 6h", ["4", "5", "6"]),
        ("1,5; 2,5; 3", ["1.5", "2.5", "3"]),
        ("1 2.5 4", ["1", "2.5", "4"]),
        ("2,5\n4,0\n5,5\n6", ["2.5", "4", "5.5", "6"]),
    ],
)
def test_a_line_is_a_row_however_people_write_numbers(
    page: Page, text: str, read: list[str]
) -> None:
    paste(page, text)
    expect(page.locator("#column-note")).to_contain_text("predicted.")
    assert hours(page) == read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste at least one number of hours."),
        ("1\n1,234", "Line 2: “1,234” can be 1234 or 1.234. Write it in one of these ways."),
        ("2,000\n1,234", "Line 1: “2,000” can be 2000 or 2. Write it in one of these ways."),
        ("1:30\n2", "Line 1: “1:30” is not a number of hours such as 1.5."),
        ("1\nabsent\n2", "Line 2: “absent” is not a number of hours such as 1.5."),
        ("absent", "Line 1: “absent” is not a number of hours such as 1.5."),
        ("1\n0x10", "Line 2: “0x10” is not a number of hours such as 1.5."),
        ("٣\n2", "Line 1: “٣” is not a number of hours such as 1.5."),
        ("name;hours\nKim;\nLee;2", "Line 2: There are no hours."),
        ("1, 2, x", "Item 3: “x” is not a number of hours such as 1.5."),
        ("name,score\nKim,2", "Line 1: There is no number of hours, and no heading “hours”."),
        ("Score\n50\n60", "Line 1: There is no number of hours, and no heading “hours”."),
        ('{"score": [50, 60]}', "There is no number of hours, and no heading “hours”."),
        ("score = [50, 60]", "This is a list of “score”, and not of hours."),
        ("[1, 2]\n[3, 4]", "This is not a list such as [1, 2.5, 4]."),
        ("c(1, 2, 3)\nc(4, 5, 6)", "This is not a list such as [1, 2.5, 4]."),
        ('"hours": [1, 2, 3]', "This is not a list such as [1, 2.5, 4]."),
        ("hours 4, 5", "Line 1: “hours 4” is left over. Write a row on each line, or a list"),
        ("4 hours 30 min", "Line 1: “4 hours 30 min” is not a number of hours such as 1.5."),
        ("name,hours\nKim,2,5", "Line 2: There are 3 cells, and the first line has 2."),
        ("1,5\n2.5\n3", "Line 2: “2.5” has a decimal point, and “1,5” a decimal comma."),
        ("4\t5\n6\t7", "Line 1: There are 2 columns of numbers. Choose the one with the hours"),
        ("1,4\n2,5\n3,6\n4,2", "Line 1: “1,4” can be one number or several."),
        ("1\n-3", "Line 2: Hours cannot be below 0."),
        ("8784.5", "Line 1: Hours cannot be above 8784, the hours in a year."),
        ("1\n" * 10_001, "Line 10001: This is one too many: at most 10,000 rows at once."),
    ],
)
def test_a_refusal_names_the_line(page: Page, text: str, sentence: str) -> None:
    paste(page, text)
    problem = page.locator("#column-problem").inner_text()
    assert problem.replace("\u2068", "").replace("\u2069", "").startswith(sentence)


@pytest.mark.parametrize(
    ("text", "button", "read"),
    [
        ("1,4\n2,5\n3,6\n4,2", "1.4; 2.5; 3.6; …", ["1.4", "2.5", "3.6", "4.2"]),
        ("1,4\n2,5\n3,6\n4,2", "column 1: 1; 2; 3; …", ["1", "2", "3", "4"]),
        ("4,58\n5,61\n6,70", "column 2: 58; 61; 70", ["4", "5", "6"]),
        ("1,234", "1.234", ["1.234"]),
        ("1,234", "1; 234", ["1", "234"]),
        ("sleep hours\tstudy hours\n8\t2\n7\t3", "study hours: 2; 3", ["8", "7"]),
    ],
)
def test_what_can_be_read_in_several_ways_is_chosen_from_buttons(
    page: Page, text: str, button: str, read: list[str]
) -> None:
    paste(page, text)
    expect(page.locator("#table tbody tr")).to_have_count(0)
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#column-note")).to_contain_text("predicted.")
    assert hours(page) == read
    expect(page.locator("#choices button")).to_have_count(0)
    expect(page.locator("#column-problem")).to_be_empty()


def test_one_absent_pupil_among_forty_is_named_and_the_others_are_predicted(page: Page) -> None:
    lines = [f"Pupil {i}\t{i / 2}" for i in range(39)]
    paste(page, "\n".join(["name\thours", *lines[:6], "Lee\tabsent", *lines[6:], "Kim\t-1"]))
    expect(page.locator("#column-problem")).to_have_text(
        "Line 8: “\u2068absent\u2069” is not a number of hours such as 1.5.\n"
        "Line 42: Hours cannot be below 0."
    )
    expect(page.locator("#column-note")).to_contain_text("39 of 41 rows predicted; 2 left out.")
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(41)
    expect(rows.nth(6)).to_have_text("Leeabsentleft out")
    expect(rows.nth(7).locator("td").nth(1)).to_have_text("3")
    paste(page, "\n".join(["name\thours", *lines[:12], *["Lee\tabsent"] * 11]))
    expect(page.locator("#column-problem")).to_contain_text("…and 1 more.")
    paste(page, "\n".join(["name\thours", *lines[:11], *["Lee\tabsent"] * 12]))
    expect(page.locator("#column-problem")).to_contain_text("…and 2 more.")
    expect(rows).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("name,study_hours\nLee,4", "study_hours"),
        ("id,Hours_Studied,score\n1,4,50", "Hours_Studied"),
        ("이름\t공부한 시간\n이민수\t4", "공부한 시간"),
        ("이름\t\u1109\u1175\u1100\u1161\u11ab\n이민수\t4", "시간"),  # decomposed, as macOS does
        ("Name\tStunden\nLee\t4", "Stunden"),
        ("name;Lernzeit;score\nLee;4;50", "Lernzeit"),
        ('sep=;\nname;hours\nLee;"4"', "hours"),
        ('Name\tHours\n"Lee\nAnn"\t4', "Hours"),
        ('"Full\nname","Hours a week"\nLee,4', "Hours a week"),
    ],
)
def test_the_column_of_hours_is_found_by_its_word_and_said(
    page: Page, text: str, column: str
) -> None:
    paste(page, text)
    note = f"The hours are in the column “\u2068{column}\u2069”."
    expect(page.locator("#column-note")).to_contain_text(note)
    expect(page.locator("#table tbody tr")).to_have_count(1)
    expect(page.locator("#table tbody td").nth(1)).to_have_text("4")


def test_names_are_aligned_as_words_and_scores_that_came_are_told_apart(page: Page) -> None:
    paste(page, "name,hours,score\nLee,4,50")
    expect(page.locator("#table th")).to_have_text(
        ["name", "hours", "score", "predicted score", "low", "high"]
    )
    for i, align in enumerate(["left", "right", "right", "right"]):
        expect(page.locator("#table tbody td").nth(i)).to_have_css("text-align", align)


def test_no_old_answer_stands_beside_new_rows(page: Page) -> None:
    paste(page, "1\n2")
    expect(page.locator("#table tbody tr")).to_have_count(2)
    page.locator("#column").press_sequentially("x")
    expect(page.locator("#table tbody tr")).to_have_count(0)
    for name in ("Copy table", "Save as CSV"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()


def test_a_pasted_column_gives_a_table_to_copy(page: Page, url: str) -> None:
    paste(page, "Hours\n1\n2.5\n40")
    expect(page.locator("#column-note")).to_contain_text("Line 1, “\u2068Hours\u2069”, was passed")
    answers = {hours: ask(url, "predict", hours=hours) for hours in (1, 2.5, 40)}
    rows = page.get_by_role("region", name="Predictions").get_by_role("row")
    assert 1 < min(answer["high"] - answer["low"] for answer in answers.values()) < 10
    shown = [  # so a decimal is the second digit of what they are uncertain by
        f"{hours:g}{answer['score']:.1f}{answer['low']:.1f}{answer['high']:.1f}"
        for hours, answer in answers.items()
    ]
    expect(rows).to_have_text(["Hoursscorelowhigh", *shown[:2], f"{shown[2]}extrapolation"])

    page.get_by_role("button", name="Copy table").click()
    expect(page.get_by_text("Copied. Paste it into a spreadsheet.")).to_be_visible()
    column = page.locator("#column")
    column.fill("")
    column.press("ControlOrMeta+v")
    head, *copied = (line.split("\t") for line in column.input_value().splitlines())
    assert head == ["Hours", "score", "low", "high", "extrapolated"]
    assert [[json.loads(cell) for cell in line] for line in copied] == [
        [hours, *answer.values()] for hours, answer in answers.items()
    ]


def test_ten_thousand_rows_are_drawn_as_far_as_somebody_looks(page: Page) -> None:
    paste(page, "\n".join(f"Pupil {i}\t{i % 24}" for i in range(10_000)))
    rows = page.locator("#table tbody tr")
    expect(page.get_by_text("10,000 rows predicted.")).to_be_visible()
    assert rows.count() < 1000
    drawn = rows.count()
    rows.last.scroll_into_view_if_needed()
    expect(rows.nth(drawn)).to_be_attached()
    page.get_by_role("button", name="Copy table").click()
    page.locator("#column").fill("")
    page.locator("#column").press("ControlOrMeta+v")
    assert page.locator("#column").input_value().count("\n") == 10_000
