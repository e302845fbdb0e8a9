"""Files of rows, dropped on the page or chosen, and saved with their predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_answers import ask


def drop(page: Page, name: str, content: bytes) -> None:
    """As from a folder: a file that is let go over the page."""
    expect(page.locator("#predict")).to_be_enabled()
    page.evaluate(
        """([name, bytes]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
          const options = { dataTransfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("drop", options));
        }""",
        [name, list(content)],
    )


def test_a_dropped_file_is_saved_with_its_predictions_as_it_was_written(
    page: Page, url: str, tmp_path: Path
) -> None:
    drop(page, "class.csv", 'name;hours;class\n"Lee; Min";2,5;3A\n김;1;\n'.encode())
    expect(page.locator("#table tbody tr")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "predictions.csv")
    with open(tmp_path / "predictions.csv", encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file, delimiter=";")
    assert head == ["name", "hours", "class", "score", "low", "high", "extrapolated"]
    assert [row[:3] for row in rows] == [["Lee; Min", "2,5", "3A"], ["김", "1", ""]]
    for row, studied in zip(rows, (2.5, 1), strict=True):
        answer = ask(url, "predict", hours=studied)
        assert [json.loads(cell.replace(",", ".")) for cell in row[3:]] == list(answer.values())


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_chosen_file_is_read_as_spreadsheets_write_it(
    opened: Open, tmp_path: Path, encoding: str, locale: str
) -> None:
    page = opened(locale=locale)
    (tmp_path / "반.tsv").write_text("이름\t공부 시간\n김민수\t2,5\n", encoding=encoding)
    expect(page.locator("#predict")).to_be_enabled()
    page.locator("#file").set_input_files(tmp_path / "반.tsv")
    expect(page.locator("#table tbody td").first).to_have_text("김민수")
    expect(page.locator("#table tbody td").nth(1)).to_have_text("2.5")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\3\4xl/workbook.xml", "This is a workbook. Copy its cells and paste them here"),
        (b"%PDF-1.7\n\0\1\2\xff", "This file is not text. Save the table as CSV."),
        (b"1\n" * 2_000_001, "This file is too large: at most 10,000 rows at once."),
    ],
)
def test_a_file_that_is_no_table_is_refused(page: Page, content: bytes, sentence: str) -> None:
    if len(content) < 1000:
        drop(page, "file", content)
    else:
        expect(page.locator("#predict")).to_be_enabled()
        page.locator("#file").set_input_files(
            {"name": "file", "mimeType": "text/plain", "buffer": content}
        )
    expect(page.locator("#column-problem")).to_contain_text(sentence)
