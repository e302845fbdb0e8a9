"""The rows of a sheet in a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from unicodedata import normalize

import python_calamine as calamine

from training import markup, summaries
from training.columns import Columns
from training.errors import DataError, counted, one_line

TIME_OF_DAY = (
    "is a time of day; if it means a duration, give the column the format [h]:mm, or write the"
    " hours as numbers"
)
FIRST_YEAR = 1904  # or 1900, from which a workbook counts days
Cells = list[Any]


class Sheet(NamedTuple):
    """What the cells of both columns hold, as text, where they are and what is wrong with a row.

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
    """The sheet of that name, or the first that is not hidden; raises DataError.

    The first row that names both columns is the header; rows without anything are passed over. May
    end the process, for calamine holds every cell up to the last one, also those that are empty.
    """
    try:
        with open(path, "rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            sheet = _named(where, book, name)
            said = markup.read(path, sheet)
            rows, first_column = _rows(book, sheet, said)
            names = _header(rows, columns)
            if not (names or name):
                _refuse_cover(where, book, sheet, columns)
    except DataError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or _is_panic(error):
            reason = one_line(error) or type(error).__name__
            raise DataError(f"{where}: cannot be read as a workbook: {reason}") from None
        raise
    if not rows:
        raise DataError(f"{where}: the sheet {sheet!r} is empty")
    names = names or rows[0]
    texts = [_text(cell) for cell in names[1]]
    h, s = columns.indexes(f"{where}, sheet {sheet!r}", texts)
    below = rows[rows.index(names) + 1 :]
    numbers = [number for number, _ in below]
    hours, scores = ([cells[index] for _, cells in below] for index in (h, s))
    letters = _letters(first_column + h), _letters(first_column + s)
    places = first_column + h + 1, first_column + s + 1
    shown = [[_text(cell) for cell in cells] for _, cells in below]
    labels = summaries.labels(shown, shown, (h, s))
    faults = [
        _fault(number, hour, letters, [said.faults.get((number, place)) for place in places])
        or summaries.fault_of(record, labels)
        for number, hour, record in zip(numbers, hours, shown, strict=True)
    ]
    read_as = [f"sheet {sheet!r}"]
    if hidden := len(said.hidden.intersection(numbers)):
        read_as.append(f"{counted(hidden)} of it hidden")
    hours, lasted = _durations(hours)
    if lasted:
        read_as.append("hours from durations such as 1:30")
    for place, text in zip(places, (texts[h], texts[s]), strict=True):
        if place in said.percent:
            read_as.append(f"{text} in percent: 85 % is 0.85")
    return Sheet(
        ", ".join(read_as),
        (texts[h], texts[s]),
        letters,
        numbers,
        [_text(cell) for cell in hours],
        [_text(cell) for cell in scores],
        faults,
    )


def _is_panic(error: BaseException) -> bool:
    """Whether calamine fell over a damaged file, for which it has no class that can be named."""
    return type(error).__name__ == "PanicException"


def _named(where: str, book: calamine.CalamineWorkbook, name: str | None) -> str:
    """The sheet's name as the workbook writes it; raises DataError."""
    if name:
        for found in book.sheet_names:
            if normalize("NFC", found) == normalize("NFC", name):
                return found
        shown = ", ".join(book.sheet_names)
        raise DataError(f"{where}: no sheet {name!r}; the sheets are: {shown}")
    for sheet in _visible(book):
        return sheet
    raise DataError(
        f"{where}: has no sheet that is not hidden; --sheet NAME says which one is meant"
    )


def _visible(book: calamine.CalamineWorkbook) -> Iterator[str]:
    for sheet in book.sheets_metadata:
        if (sheet.typ, sheet.visible) == (
            calamine.SheetTypeEnum.WorkSheet,
            calamine.SheetVisibleEnum.Visible,
        ):
            yield sheet.name


def _rows(
    book: calamine.CalamineWorkbook, name: str, said: markup.Markup | None = None
) -> tuple[list[tuple[int, Cells]], int]:
    """The rows that hold something, from 1, and the number of their first column, from 0."""
    sheet = book.get_sheet_by_name(name)
    faulty = {row for row, _ in said.faults} if said else set()
    rows = []
    number = 0
    cells: Cells = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number in faulty or (cells.count("") < len(cells) and any(map(_text, cells))):
            rows.append((number, cells))
    # which calamine takes for empty
    rows += [(row, [""] * len(cells)) for row in sorted(faulty) if row > number]
    return rows, sheet.start[1] if sheet.start else 0


def _header(rows: list[tuple[int, Cells]], columns: Columns) -> tuple[int, Cells] | None:
    return next((row for row in rows if columns.among([_text(cell) for cell in row[1]])), None)


def _refuse_cover(
    where: str, book: calamine.CalamineWorkbook, sheet: str, columns: Columns
) -> None:
    """Raises DataError if it is another sheet that has the columns."""
    others = [
        repr(name)
        for name in _visible(book)
        if name != sheet and _header(_rows(book, name)[0], columns)
    ]
    if others:
        raise DataError(
            f"{where}: the sheet {sheet!r} does not have the columns {columns.hours!r} and"
            f" {columns.score!r}; --sheet NAME says which one is meant: {' or '.join(others)}"
        )


def _fault(
    number: int, hours: Any, letters: tuple[str, str], said: Sequence[str | None]
) -> str | None:
    for letter, fault in zip(letters, said, strict=True):
        if fault:
            return f"{letter}{number} {fault}"
    # 25:30 as a time of day is half past one on the day after the first that is counted
    if isinstance(hours, time) or (isinstance(hours, datetime) and hours.year <= FIRST_YEAR):
        return f"{letters[0]}{number} {TIME_OF_DAY}"
    return None


def _durations(cells: Cells) -> tuple[Cells, bool]:
    """Durations as hours, where all cells that hold something hold one."""
    kinds = {type(cell) for cell in cells if cell != ""}
    if kinds != {timedelta}:
        return cells, False
    return [cell if cell == "" else cell / timedelta(hours=1) for cell in cells], True


def _text(cell: Any) -> str:
    """A cell as text, numbers exactly; nothing for an empty cell or a formula's error."""
    return cell.strip() if isinstance(cell, str) else str(cell)


def _letters(column: int) -> str:
    """What the program calls a column: A, B, ... Z, AA, AB, ..."""
    before, last = divmod(column, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
