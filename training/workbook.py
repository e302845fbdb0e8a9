"""The rows of a sheet in a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from unicodedata import normalize

import python_calamine as calamine

from training import markup, summaries
from training.columns import Columns
from training.errors import DataError, counted, one_line

IS_TIME_OF_DAY = (
    "is a time of day; if it means a duration, give the column the format [h]:mm, or write the"
    " hours as numbers"
)
FIRST_YEAR = 1904  # or 1900: the year from which a workbook counts days
Book = calamine.CalamineWorkbook
Row = tuple[int, list[Any]]  # its number, from 1, and its cells


class Sheet(NamedTuple):
    """The cells of both columns as text, with the number and the fault, if any, of each row.

    `rows` are numbers of rows as the program shows them, `letters` those of the two columns.
    """

    read_as: str
    names: tuple[str, str]
    letters: tuple[str, str]
    rows: list[int]
    hours: list[str]
    scores: list[str]
    faults: list[str | None]


def read(where: str, path: str, name: str | None, columns: Columns) -> Sheet:
    """Read the sheet of that name, or the first visible one; raises DataError.

    The first row that names both columns is the header; empty rows are skipped. This may end the
    process, because calamine keeps every cell up to the last one in memory, empty ones too.
    """
    try:
        with open(path, "rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            sheet = _named(where, book, name)
            marked = markup.read(path, sheet)
            rows, first_column = _rows(book, sheet, {row for row, _ in marked.faults})
            header = _header(rows, columns)
            if not (header or name):
                _refuse_cover(where, book, sheet, columns)
    except DataError:
        raise
    except BaseException as error:
        # on a damaged file, calamine raises a class that it does not export
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            reason = one_line(error) or type(error).__name__
            raise DataError(f"{where}: cannot be read as a workbook: {reason}") from None
        raise
    if not rows:
        raise DataError(f"{where}: the sheet {sheet!r} is empty")
    header = header or rows[0]
    below = rows[rows.index(header) + 1 :]
    names = [_text(cell) for cell in header[1]]
    indexes = columns.indexes(f"{where}, sheet {sheet!r}", names)
    return _sheet(sheet, names, below, indexes, first_column, marked)


def _sheet(
    sheet: str,
    names: list[str],
    rows: list[Row],
    indexes: tuple[int, int],
    first_column: int,
    marked: markup.Markup,
) -> Sheet:
    """The columns with these indexes in the rows below the header."""
    numbers = [number for number, _ in rows]
    hours, scores = ([cells[index] for _, cells in rows] for index in indexes)
    columns = [first_column + index + 1 for index in indexes]
    letters = _letters(columns[0]), _letters(columns[1])
    texts = [[_text(cell) for cell in cells] for _, cells in rows]
    labels = summaries.find_labels(texts, texts, indexes)
    faults = [
        _fault(number, hour, columns, marked.faults) or summaries.fault_of(row, labels)
        for number, hour, row in zip(numbers, hours, texts, strict=True)
    ]
    read_as = [f"sheet {sheet!r}"]
    if hidden := len(marked.hidden.intersection(numbers)):
        read_as.append(f"{counted(hidden)} of it hidden")
    if {type(cell) for cell in hours if cell != ""} == {timedelta}:
        hours = [cell if cell == "" else cell / timedelta(hours=1) for cell in hours]
        read_as.append("hours from durations such as 1:30")
    for column, index in zip(columns, indexes, strict=True):
        if column in marked.percent:
            read_as.append(f"{names[index]} in percent: 85 % is 0.85")
    both = names[indexes[0]], names[indexes[1]]
    h, s = ([_text(cell) for cell in column] for column in (hours, scores))
    return Sheet(", ".join(read_as), both, letters, numbers, h, s, faults)


def _named(where: str, book: Book, name: str | None) -> str:
    """The sheet's name as the workbook writes it; raises DataError."""
    if name:
        for sheet in book.sheet_names:
            if normalize("NFC", sheet) == normalize("NFC", name):
                return sheet
        shown = ", ".join(book.sheet_names)
        raise DataError(f"{where}: no sheet {name!r}; the sheets are: {shown}")
    if visible := _visible(book):
        return visible[0]
    raise DataError(f"{where}: no sheet is visible; --sheet NAME says which one is meant")


def _visible(book: Book) -> list[str]:
    wanted = calamine.SheetTypeEnum.WorkSheet, calamine.SheetVisibleEnum.Visible
    return [each.name for each in book.sheets_metadata if (each.typ, each.visible) == wanted]


def _rows(book: Book, name: str, faulty: Set[int] = frozenset()) -> tuple[list[Row], int]:
    """The rows that are not empty, numbered from 1, and the number of their first column, from 0.

    `faulty` rows are kept too: calamine may see them as empty.
    """
    sheet = book.get_sheet_by_name(name)
    rows = []
    number = 0
    cells: list[Any] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number in faulty or (cells.count("") < len(cells) and any(map(_text, cells))):
            rows.append((number, cells))
    rows += [(row, [""] * len(cells)) for row in sorted(faulty) if row > number]
    return rows, sheet.start[1] if sheet.start else 0


def _header(rows: list[Row], columns: Columns) -> Row | None:
    return next((row for row in rows if columns.among([_text(cell) for cell in row[1]])), None)


def _refuse_cover(where: str, book: Book, sheet: str, columns: Columns) -> None:
    """Raises DataError if another sheet has the columns."""
    others = [name for name in _visible(book) if name != sheet]
    if found := [repr(name) for name in others if _header(_rows(book, name)[0], columns)]:
        raise DataError(
            f"{where}: the sheet {sheet!r} does not have the columns {columns.hours!r} and"
            f" {columns.score!r}; --sheet NAME says which one is meant: {' or '.join(found)}"
        )


def _fault(row: int, hours: Any, columns: Sequence[int], faults: markup.Faults) -> str | None:
    """What is wrong with a row: one of the faults of its two cells, or hours as a time of day."""
    for column in columns:
        if (row, column) in faults:
            return f"{_letters(column)}{row} {faults[row, column]}"
    # a workbook stores the time 25:30 as 1:30 on its second day
    if isinstance(hours, time) or (isinstance(hours, datetime) and hours.year <= FIRST_YEAR):
        return f"{_letters(columns[0])}{row} {IS_TIME_OF_DAY}"
    return None


def _text(cell: Any) -> str:
    """A cell as text, numbers exactly; nothing for an empty cell or a formula's error."""
    return cell.strip() if isinstance(cell, str) else str(cell)


def _letters(column: int) -> str:
    """What the program calls a column, of which 1 is the first: A, B, ... Z, AA, AB, ..."""
    before, last = divmod(column - 1, 26)
    return (_letters(before) if before else "") + chr(ord("A") + last)
