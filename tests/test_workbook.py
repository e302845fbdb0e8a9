"""Sheets of workbooks that openpyxl and LibreOffice wrote."""

from __future__ import annotations

import os
import re
import shutil
import signal
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.data import CARS_DIST, CARS_SPEED, FILES, assert_refused, read_rows, write_parquet
from training import workbook
from training.columns import Columns
from training.engine import Engine
from training.errors import DataError
from training.limited_process import Died

FILTERED = 'table:visibility="filter"'
BOOKS = ["openpyxl.xlsx", "calc.xlsx", "calc.xls", "calc.ods"]


def read(path: str | Path, name: str | None = None) -> workbook.Sheet:
    return workbook.read(Path(path).name, str(path), name, Columns())


def sheet(book: str, name: str | None = None) -> workbook.Sheet:
    return read(FILES / book, name)


def saved(book: Any, folder: Path, name: str | None = None) -> workbook.Sheet:
    book.save(folder / "marks.xlsx")
    return read(folder / "marks.xlsx", name)


def book_of(*rows: Sequence[Any]) -> Any:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def table(*rows: tuple[Any, Any], formats: tuple[str, str] = ("General", "General")) -> Any:
    """A workbook whose cells below the header have these formats."""
    book = book_of(("hours", "score"), *rows)
    for cells in book.active.iter_rows(min_row=2):
        for cell, kind in zip(cells, formats, strict=True):
            if kind != "General":
                cell.number_format = kind
    return book


def edited(path: Path, entry: str, edit: Callable[[str], str]) -> str:
    """The path of a copy of a workbook in which one entry is another."""
    copy = path.with_name(f"edited-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, edit(text.decode()) if name == entry else text)
    return str(copy)


@pytest.mark.parametrize("book", BOOKS)
def test_the_first_sheet_is_read_numbers_and_text_that_is_a_number(book: str) -> None:
    found = sheet(book)
    assert (found.read_as, found.names) == ("sheet 'Klasse 9b'", ("Hours", "SCORE"))
    assert list(map(float, found.hours)) == (CARS_SPEED / 2).tolist()
    assert list(map(float, found.scores)) == (CARS_DIST / 2).tolist()
    assert (found.letters, found.rows) == (("B", "C"), list(range(2, 52)))
    assert set(found.faults) == {None}


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


def test_a_title_above_the_table_and_blank_rows_are_passed_over(tmp_path: Path) -> None:
    book = book_of(["Class 9b"], [], [None, "score", "hours"], [], [None, 20, True])
    found = saved(book, tmp_path)
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
    message = "sheet 'Klasse 9b': no column 'Stunden'; the columns are: Schüler, Hours, SCORE; --ho"
    assert_refused(message, FILES / "calc.xlsx", columns=Columns("Stunden", "SCORE"))


def test_the_columns_after_z_are_aa_and_so_on() -> None:
    pairs = {1: "A", 26: "Z", 27: "AA", 702: "ZZ", 703: "AAA", 16384: "XFD"}
    for column, letters in pairs.items():
        assert openpyxl.utils.get_column_letter(column) == letters == workbook._letters(column)


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ([(1, "=10*2"), (2, 31), (4, 48)], {"B2"}),
        ([(1, 20), (2, 31), ("=2+2", "=A4*10")], {"A4"}),  # the last row has no value at all
        ([(1, 20), ("=1+1", 31), ("=2+2", "=A4*10"), (5, 60)], {"A3", "A4"}),
    ],
)
def test_a_formula_that_was_never_computed_is_bad(
    tmp_path: Path, rows: list[tuple[Any, Any]], cells: set[str]
) -> None:
    found = saved(table(*rows), tmp_path)
    assert len(found.rows) == len(rows)
    faults = [fault for fault in found.faults if fault]
    assert {fault.split()[0] for fault in faults} == cells
    assert_refused(r"row \d: .* open the workbook once in Excel or L", tmp_path / "marks.xlsx")


def test_0_is_not_a_value_of_a_formula_that_was_never_computed(tmp_path: Path) -> None:
    saved(table((1, "=10*2"), (2, "=A3*0"), (3, "=A4*10"), (4, 5)), tmp_path)
    values = iter(["0", "0", "30"])

    def store(text: str) -> str:
        return re.sub("<v ?/>|<v></v>", lambda _: f"<v>{next(values)}</v>", text)

    def without_request(text: str) -> str:
        return text.replace(' fullCalcOnLoad="1"', "")

    stored = edited(tmp_path / "marks.xlsx", "xl/worksheets/sheet1.xml", store)
    assert [bool(fault) for fault in read(stored).faults] == [True, True, False, False]
    assert not any(read(edited(Path(stored), "xl/workbook.xml", without_request)).faults)


@pytest.mark.parametrize(
    ("book", "what"),
    [
        ("openpyxl.xlsx", "is a formula whose value was never computed; open the"),
        *((book, "is a formula that ended in an error") for book in ("calc.xlsx", "calc.ods")),
    ],
)
def test_a_formula_that_ended_in_an_error_is_named(book: str, what: str) -> None:
    (fault,) = filter(None, sheet(book, "faulty").faults)
    assert fault.startswith(f"B19 {what}")


def test_hidden_rows_are_read_and_counted(tmp_path: Path) -> None:
    book = table((1, 20), (2, 31), (4, 48))
    for row in (3, 4, 9):
        book.active.row_dimensions[row].hidden = True
    found = saved(book, tmp_path)
    assert (len(found.rows), found.read_as) == (3, "sheet 'Sheet', 2 rows of it hidden")
    ods = edited(
        Path(shutil.copy(FILES / "calc.ods", tmp_path)),
        "content.xml",
        lambda text: text.replace("<table:table-row ", f"<table:table-row {FILTERED} ", 4),
    )
    assert read(ods).read_as == "sheet 'Klasse 9b', 3 rows of it hidden"


PERCENT = ", score in percent: 85 % is 0.85"


@pytest.mark.parametrize(
    ("kind", "words"), [("0%", PERCENT), ("0.0%", PERCENT), ('0 "x"%', PERCENT), ('0 "%"', "")]
)
def test_cells_in_percent_are_reported(tmp_path: Path, kind: str, words: str) -> None:
    found = saved(table((1, 0.85), (2, 0.9), formats=("General", kind)), tmp_path)
    assert found.scores == ["0.85", "0.9"]
    assert found.read_as == f"sheet 'Sheet'{words}"


def test_durations_are_hours(tmp_path: Path) -> None:
    rows = [(timedelta(hours=1.5), 20), (timedelta(hours=25.25), 31), (None, 1), (0.0625, 48)]
    found = saved(table(*rows, formats=("[h]:mm", "General")), tmp_path)
    assert found.hours == ["1.5", "25.25", "", "1.5"]
    assert found.read_as == "sheet 'Sheet', hours from durations such as 1:30"


def test_durations_among_numbers_are_bad_cells(tmp_path: Path) -> None:
    saved(table((timedelta(hours=1.5), 20), (2, 31), (4, 48)), tmp_path)
    assert_refused("A2: hours is '1:30:00'; hours must be a number", tmp_path / "marks.xlsx")


@pytest.mark.parametrize("cell", [time(1, 30), datetime(1900, 1, 1, 1, 30)])
def test_a_time_of_day_is_refused_with_what_to_do(tmp_path: Path, cell: Any) -> None:
    found = saved(table((cell, 20), (2, 31), (4, 48), formats=("h:mm", "General")), tmp_path)
    assert found.faults[0] == (
        "A2 is a time of day; if it means a duration, give the column the format [h]:mm, or write"
        " the hours as numbers"
    )


def test_the_sheet_that_has_the_columns_is_named_where_a_cover_comes_first(tmp_path: Path) -> None:
    book = table((1, 20), (2, 31))
    book.active.title = "Marks"
    book.create_sheet("Cover", 0).append(["Report of class 3"])
    book.create_sheet("Secret", 0).append(["hours", "score"])
    book["Secret"].sheet_state = "hidden"
    book.active = 1
    with pytest.raises(DataError, match=r"the sheet 'Cover' does .* is meant: 'Marks'$"):
        saved(book, tmp_path)
    assert saved(book, tmp_path, "Marks").hours == ["1.0", "2.0"]


def test_a_sheet_is_found_by_a_name_that_looks_the_same(tmp_path: Path) -> None:
    book = table((1, 20), (2, 31))
    names = [unicodedata.normalize("NFC", "시간 é"), unicodedata.normalize("NFD", "시간 é")]
    for name, other in (names, reversed(names)):
        book.active.title = name
        assert len(saved(book, tmp_path, other).rows) == 2


def _stray_in_xlsx(folder: Path) -> str:
    book = table((1, 20), (2, 31))
    book.active["XFD1048576"] = 0
    book.save(folder / "marks.xlsx")
    return str(folder / "marks.xlsx")


def _repeated_in_ods(folder: Path) -> str:
    def repeat(text: str) -> str:
        for each, times in (("cell", 'columns-repeated="1000"'), ("row", 'rows-repeated="20000"')):
            tag = f"<table:table-{each} "
            text = text.replace(tag, f"{tag}table:number-{times} ", 3)
        return text

    return edited(Path(shutil.copy(FILES / "calc.ods", folder)), "content.xml", repeat)


@pytest.mark.parametrize("make", [_stray_in_xlsx, _repeated_in_ods])
def test_a_sheet_that_takes_all_memory_is_refused_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.engine.memory", lambda: 2 << 30)
    path = make(tmp_path)
    assert assert_refused("a sheet takes more memory than there is", path).startswith(path)


def test_one_process_reads_all_workbooks_and_is_gone_afterwards() -> None:
    with Engine() as engine:
        pids = {engine.limited_process.call(os.getpid) for _ in range(3)}
        (pid,) = pids
        assert pid != os.getpid()
        os.kill(pid, signal.SIGINT)
        assert engine.limited_process.call(os.getpid) == pid
        with pytest.raises(Died):
            engine.limited_process.call(os.abort)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_backslashes_in_a_workbooks_archive_do_no_harm(tmp_path: Path) -> None:
    copy = tmp_path / "marks.xlsx"
    with zipfile.ZipFile(FILES / "calc.xlsx") as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("/", "\\"), old.read(name))
    assert read_rows([str(copy)]).moments.n == 50


@pytest.mark.parametrize("label", ["Total", "평균", "Summe"])
def test_a_summary_in_a_sheet_or_in_parquet_is_a_bad_row(tmp_path: Path, label: str) -> None:
    names = [*(f"Pupil {k}" for k in range(12)), label]
    hours, scores = [*range(1, 13), 78], [*(5 * k + 3 for k in range(1, 13)), 426]
    columns = {"Name": names, "hours": hours, "score": scores}
    book_of([*columns], *zip(*columns.values(), strict=True)).save(tmp_path / "marks.xlsx")
    write_parquet(tmp_path / "marks.parquet", columns)
    for name, place in (("marks.xlsx", "row 14"), ("marks.parquet", "row 13")):
        assert_refused(rf"{place}: '{label}' marks a summary of other rows", tmp_path / name)
        assert read_rows([tmp_path / name], skip_bad_rows=True).moments.n == 12
