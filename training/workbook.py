"""The rows of a sheet in a workbook: .xlsx, .xlsm, .xlsb, .xls or .ods."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import python_calamine as calamine

from training.columns import Columns
from training.errors import DataError, one_line


class Sheet(NamedTuple):
    """What the cells of both columns hold, as text, and where they are.

    `rows` are numbers of rows as the program shows them, `letters` those of the two columns.
    """

    name: str
    names: tuple[str, str]
    letters: tuple[str, str]
    rows: list[int]
    hours: list[str]
    scores: list[str]


def read(where: str, file: IO[bytes], name: str | None, columns: Columns) -> Sheet:
    """The sheet of that name, or the first that is not hidden; raises DataError.

    The first row that names both columns is the header; rows without anything are passed over.
    """
    file.seek(0)
    try:
        with _without_words_on_stderr(), calamine.CalamineWorkbook.from_filelike(file) as book:
            name = name or _first(where, book)
            if name not in book.sheet_names:
                shown = ", ".join(book.sheet_names)
                raise DataError(f"{where}: no sheet {name!r}; the sheets are: {shown}")
            sheet = book.get_sheet_by_name(name)
            first_column = sheet.start[1] if sheet.start else 0
            filled = [
                (number, cells)
                for number, cells in enumerate(map(_texts, sheet.iter_rows()), start=1)
                if any(cells)
            ]
    except BaseException as error:
        if isinstance(error, calamine.CalamineError | OSError | ValueError) or _is_panic(error):
            raise DataError(f"{where}: cannot be read as a workbook: {one_line(error)}") from None
        raise
    if not filled:
        raise DataError(f"{where}: the sheet {name!r} is empty")
    header = next((i for i, (_, cells) in enumerate(filled) if columns.among(cells)), 0)
    names = filled[header][1]
    indexes = columns.indexes(f"{where}, sheet {name!r}", names)
    below = filled[header + 1 :]
    hours, scores = ([cells[index] for _, cells in below] for index in indexes)
    return Sheet(
        name,
        (names[indexes[0]], names[indexes[1]]),
        (_letters(first_column + indexes[0]), _letters(first_column + indexes[1])),
        [number for number, _ in below],
        hours,
        scores,
    )


def _is_panic(error: BaseException) -> bool:
    """Whether calamine fell over a damaged file, for which it has no class that can be named."""
    return type(error).__name__ == "PanicException"


@contextmanager
def _without_words_on_stderr() -> Iterator[None]:
    """A panic is also told there, at length."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _first(where: str, book: calamine.CalamineWorkbook) -> str:
    for sheet in book.sheets_metadata:
        if (sheet.typ, sheet.visible) == (
            calamine.SheetTypeEnum.WorkSheet,
            calamine.SheetVisibleEnum.Visible,
        ):
            return sheet.name
    raise DataError(
        f"{where}: has no sheet that is not hidden; --sheet NAME says which one is meant"
    )


def _texts(cells: list[Any]) -> list[str]:
    """A row's cells as text, numbers exactly; nothing for an empty cell or a formula's error."""
    return [cell.strip() if isinstance(cell, str) else str(cell) for cell in cells]


def _letters(column: int) -> str:
    """What the program calls a column: A, B, ... Z, AA, AB, ..."""
    before, last = divmod(column, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)
