"""Sheets of workbooks that openpyxl and LibreOffice wrote."""

from __future__ import annotations

import io

import openpyxl
import pytest

from tests.data import CARS_DIST, CARS_SPEED, FILES
from training import workbook
from training.columns import Columns
from training.errors import DataError

BOOKS = ["openpyxl.xlsx", "calc.xlsx", "calc.xls", "calc.ods"]


def sheet(book: str, name: str | None = None) -> workbook.Sheet:
    with (FILES / book).open("rb") as file:
        return workbook.read(book, file, name, Columns())


@pytest.mark.parametrize("book", BOOKS)
def test_the_first_sheet_is_read_numbers_and_text_that_is_a_number(book: str) -> None:
    found = sheet(book)
    assert (found.name, found.names) == ("Klasse 9b", ("Hours", "SCORE"))
    assert list(map(float, found.hours)) == (CARS_SPEED / 2).tolist()
    assert list(map(float, found.scores)) == (CARS_DIST / 2).tolist()
    assert (found.letters, found.rows) == (("B", "C"), list(range(2, 52)))


@pytest.mark.parametrize("book", BOOKS)
def test_another_sheet_is_read_by_its_name_and_its_cells_are_known(book: str) -> None:
    found = sheet(book, "faulty")
    assert found.rows[15:18] == [17, 18, 19]
    assert found.hours[15] == "2026-03-01"
    assert float(found.hours[16]) == 16
    assert found.scores[17] == ""  # 1/0


@pytest.mark.parametrize("book", BOOKS)
def test_a_table_may_stand_anywhere_in_its_sheet(book: str) -> None:
    found = sheet(book, "shifted")
    assert (found.letters, found.rows) == (("D", "C"), [5])
    assert found.hours == ["absent"]
    assert float(found.scores[0]) == 20


def test_a_title_above_the_table_and_blank_rows_are_passed_over() -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for cells in [["Class 9b"], [], [None, "score", "hours"], [], [None, 20, True]]:
        book.active.append(cells)
    book.save(file)
    found = workbook.read("marks.xlsx", file, None, Columns())
    assert (found.letters, found.rows) == (("C", "B"), [5])
    assert (found.hours, found.scores) == (["True"], ["20.0"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "calc.xlsx: no sheet 'nothing'; the sheets are: Klasse 9b, faulty, empty, shi"),
        ("empty", "calc.xlsx: the sheet 'empty' is empty"),
    ],
)
def test_a_sheet_that_is_not_there_or_empty_is_named(name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        sheet("calc.xlsx", name)


def test_a_sheet_without_the_columns_is_named() -> None:
    with (FILES / "calc.xlsx").open("rb") as file, pytest.raises(DataError) as error:
        workbook.read("calc.xlsx", file, None, Columns("Stunden", "SCORE"))
    assert (
        "sheet 'Klasse 9b': no column 'Stunden'; the columns are: Schüler, Hours, SCORE; --ho"
        in str(error.value)
    )


def test_the_columns_after_z_are_aa_and_so_on() -> None:
    for column, letters in [
        (0, "A"),
        (25, "Z"),
        (26, "AA"),
        (701, "ZZ"),
        (702, "AAA"),
        (16383, "XFD"),
    ]:
        assert openpyxl.utils.get_column_letter(column + 1) == letters == workbook._letters(column)
