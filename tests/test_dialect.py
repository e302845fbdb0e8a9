"""How a text file is written is told from its beginning, or refused."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import FILES, assert_refused, read_rows, write
from tests.tools import tool
from training.columns import Columns
from training.detect import detect
from training.dialect import Dialect, Options
from training.errors import DataError


def told(
    content: bytes | str, columns: Columns | None = None, whole: bool = True, **options: str
) -> Dialect:
    head = content if isinstance(content, bytes) else content.encode()
    return detect("marks.csv", head, whole, columns or Columns(), Options(**options))


@pytest.mark.parametrize(
    ("name", "indexes", "words"),
    [
        ("r-csv.csv", (2, 3), ""),
        ("r-csv2.csv", (1, 2), "semicolons, decimal commas, Windows-1252"),
        ("r-utf16.txt", (1, 2), "tabs, UTF-16"),
        ("r-cr.csv", (0, 1), "lines that end in CR"),
        ("calc-1252.csv", (1, 2), "semicolons, decimal commas, Windows-1252"),
        ("calc-utf16.csv", (1, 2), "tabs, decimal commas, UTF-16"),
    ],
)
def test_other_programs_files_are_detected(name: str, indexes: tuple[int, int], words: str) -> None:
    found = told((FILES / name).read_bytes())
    assert (found.indexes, str(found)) == (indexes, words)
    assert "Schüler" in found.names or name == "r-cr.csv"


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        *(("UTF-8", ""), ("EUC-KR", "CP949"), ("CP949", "CP949")),
        *(("UTF-16", "UTF-16"), ("UTF-16LE", "UTF-16"), ("UTF-16BE", "UTF-16")),
    ],
)
def test_what_iconv_makes_of_korean_names_is_detected(encoding: str, word: str) -> None:
    text = "score,hours,이름\r\n20,1,김철수\r\n41,2.5,이영희\r\n"
    iconv = [tool("iconv", "apt-get install libc-bin"), "-f", "UTF-8", "-t", encoding]
    found = told(subprocess.check_output(iconv, input=text.encode()))
    assert (found.names, found.indexes) == (("score", "hours", "이름"), (1, 0))
    assert str(found) == word


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_columns_are_found_by_names_in_any_encoding(encoding: str) -> None:
    content = "이름;점수;공부 시간\n김;50;1,5\n".encode(encoding)
    found = told(content, Columns("공부 시간", "점수"))
    assert (found.indexes, found.separator, found.decimal) == ((2, 1), ";", ",")


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("hours,score\n1,2\n", ","),
        ("hours;score\n1;2\n", ";"),
        ("hours\tscore\n1\t2\n", "\t"),
        ('"last, first";hours;score\nx;1;2\n', ";"),
        ("a;b;c,hours,score\nx,1,2\n", ","),
        ('"na\nme",hours,score\nx,1,2\n', ","),
    ],
)
def test_the_separator_makes_the_first_line_name_both_columns(content: str, separator: str) -> None:
    assert told(content).separator == separator


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_line_that_names_the_separator_is_not_a_row(tmp_path: Path, encoding: str) -> None:
    content = "sep=|\r\nPrüfung|hours|score\r\nx|1,5|20\r\ny|2|30\r\n".encode(encoding)
    found = told(content)
    assert (found.separator, found.decimal, found.header_row) == ("|", ",", 2)
    assert found.names == ("Prüfung", "hours", "score")
    moments = read_rows([write(tmp_path, content)]).moments
    assert (moments.n, moments.mean_x, moments.mean_y) == (2, 1.75, 25)


@pytest.mark.parametrize(
    ("content", "decimal"),
    [
        ("hours;score\n1;20\n1,5;30\n", ","),
        ("hours;score\n1;20\n1.5;30\n", "."),
        ("hours;score\n1;20\n", "."),
        ("hours;score\n1,204;20\n,5;30\n", ","),  # nobody begins a group with nothing
        ("hours;score\n0,204;20\n", ","),  # or with 0
        ("hours;score\n1.204;20,5\n", ","),  # so the first number is not one; it will be named
        ("hours;score;x\n1.5;20;1,7\n", "."),
        ("x;hours;score\n1,7;1.5;20\n", "."),  # only the two columns count
        ("hours\tscore\n1,5\t20\n", ","),
        ("hours\tscore\n1.5\t20\n", "."),
        ("hours,score\n1.204,20\n", "."),
        ('hours,score\n"1,5",20\n', ","),
        ("hours,score\n1,204\n", "."),  # two numbers: commas separate, as the first line shows
    ],
)
def test_the_first_unambiguous_number_decides_the_decimal_mark(content: str, decimal: str) -> None:
    assert told(content).decimal == decimal


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hours;score\n1;20\n1,204;30\n", r"marks\.csv, row 3: is '1,204' 1\.204 or 1204\? With"),
        ("hours;score\n1.204;20\n", r"row 2: is '1\.204' 1\.204 or 1204\? With --decimal '\.'"),
        ('hours,score\n"1,204",20\n', r"row 2: is '1,204' 1\.204 or 1204\?"),
        ("hours\tscore\n2\t-1,204\n", r"row 2: is '-1,204' -1\.204 or -1204\?"),
        ("hours,score,x;hours;score\n", "separated by commas and by semicolons; --separator"),
        ("Hours,HOURS,score\n", r"2 columns 'hours'; the columns are: Hours, HOURS, score; --hou"),
        ("", "the file is empty; its first line must name the columns"),
        ("\ufeff\n \n", "the file is empty"),
        ('hours,"score\n1,2\n', r"row 1: the line.* does not end .*; is a quote left open\?"),
        ('na"me\n",hours,score\n', "row 1: a quote must begin and end a column's name"),
        ("hours," + "x" * 200_000, "does not end within 128 KiB"),
        ("hours,score\n1,2\n\0\0\0", "is not a text: it holds bytes of 0"),
        (b"n\x81\x20me,hours,score\n", "row 1: is not written in UTF-8, CP949, Windows-1252; --e"),
        ("Stunden;Punkte\n", "no column 'hours' and no column 'score'; the columns are: Stund"),
    ],
)
def test_what_is_ambiguous_is_refused_with_the_option(content: bytes | str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        told(content)


def test_the_options_decide_what_could_be_read_in_two_ways() -> None:
    assert told("hours;score\n1,204;20\n", decimal=",").decimal == ","
    assert told("hours;score\n1.204;20\n", decimal=".").decimal == "."
    assert told("hours,score,x;hours;score\n", separator=";").indexes == (1, 2)
    assert told("hours|score\n1|2\n", separator="|").indexes == (0, 1)
    assert str(told("hours,score\n1,2\n".encode("utf-32"), encoding="utf-32")) == "utf-32"
    assert told("hours;Änderung;score\n".encode("cp1252"), encoding="cp1252").names[1] == "Änderung"
    with pytest.raises(DataError, match="row 1: is not written in UTF-8; --encoding says"):
        told("hours;Prüfung;score\n".encode("cp1252"), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "cp949", "utf-8", "mac-roman"])
def test_what_comes_after_the_beginning_cannot_change_how_numbers_are_read(encoding: str) -> None:
    """Only the first line is decoded, so an umlaut may come after any number of plain rows."""
    content = "name,hours,score\n" + "x,1.5,20\n" * 10 + "ß,1.5,20\n"
    assert str(told(content.encode(encoding))) == ""


def test_a_beginning_that_is_cut_anywhere_gives_what_the_whole_gives() -> None:
    text = "Prüfung;hours;score\r\n" + 'ü "x";1,25;20\r\n' * 3
    for encoding in ("utf-8", "cp1252", "utf-16"):
        content = text.encode(encoding)
        for end in range(len(text.encode(encoding)) // 2, len(content)):
            found = told(content[:end], whole=False)
            assert (found.separator, found.decimal, found.names[0]) == (";", ",", "Prüfung")


def test_a_number_that_is_cut_decides_nothing() -> None:
    assert told("hours;score\n1,25;1,5\n", whole=False).decimal == ","
    assert told("hours;score\n20;1,2", whole=False).decimal == ","  # as semicolons suggest
    assert told("hours;score\n20;1.2", whole=False).decimal == ","
    assert told("hours\tscore\n20\t1,2", whole=False).decimal == "."


names = st.text(st.characters(codec="cp949", categories=("L", "N", "P", "Zs")), max_size=8)


@given(
    rows=st.lists(st.tuples(names, st.floats(0, 99), st.floats(-99, 99)), max_size=6),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp949", "utf-16"]),
    marks=st.tuples(*map(st.sampled_from, (",;\t", ["\n", "\r\n", "\r"], ".,"))),
    first=names,
)
def test_what_pythons_own_writer_writes_is_detected_or_refused(
    rows: list[tuple[str, float, float]], encoding: str, marks: tuple[str, str, str], first: str
) -> None:
    separator, line_end, decimal = marks
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end)
    writer.writerow([first, "hours", "score"])
    for name, *numbers in rows:
        writer.writerow([name, *(f"{value:.4f}".replace(".", decimal) for value in numbers)])
    try:
        found = told(text.getvalue().encode(encoding))
    except DataError as error:
        assert "2 columns" in str(error)
        return
    assert (found.separator, found.line_end) == (separator, line_end[-1])
    assert found.names == (first, "hours", "score")
    assert not rows or found.decimal == decimal


@pytest.mark.parametrize(
    ("above", "row"),
    [
        *(("Marks of class 3\n", 2), ('"Marks, of\nclass 3"\n', 2), ("\n\n", 3), ("GP,F,2\n", 2)),
        ("# made by tool, 2026\n# hours are per week\n", 3),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_header_is_found_below_titles(tmp_path: Path, above: str, row: int, quote: str) -> None:
    content = f"{above}hours,score,{quote}x{quote}\n1,20,a\n2,31,b\n"
    assert told(content).header_row == row
    (source,) = read_rows([write(tmp_path, content)]).sources
    assert (source.rows, source.read_as) == (2, f"header in row {row}")


def test_a_header_that_is_ambiguous_is_refused_with_the_likeliest_line() -> None:
    with pytest.raises(DataError, match="rows 2 and 4 both name the columns"):
        told("title\nhours,score\n1,2\nhours,score\n3,4\n")
    with pytest.raises(DataError, match="row 2, which is most like a header: no column 'hours'"):
        told("GP,F,2,1\nschool,sex,studytime,G3\nGP,F,2,1\n")


def test_a_header_one_name_short_is_understood_as_r_means_it(tmp_path: Path) -> None:
    path = write(tmp_path, '"hours","score"\n"1",1.5,20\n"2",2.5,31\n"3",4,48\n')
    moments = read_rows([path]).moments
    assert (moments.n, moments.min_x, moments.max_y) == (3, 1.5, 48)
    decimals = write(tmp_path, "hours,score\n1,5,20\n2,5,31\n", "decimals.csv")
    assert_refused("3 values, and the header names 2", decimals)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("hours   score\n1.0      20\n", ("--separator", " ")),
        ("hours^score\n1^20\n", ("--separator", "^")),
        ("時間,点数\n1,2\n".encode("cp932"), ("--encoding", "cp932")),
    ],
)
def test_the_hint_is_about_the_cause(content: bytes | str, options: tuple[str, str]) -> None:
    columns = Columns("時間", "点数") if isinstance(content, bytes) else Columns()
    with pytest.raises(DataError, match=options[0]) as error:
        told(content, columns)
    assert error.value.options == options


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("hours|score\n1|20\n2|31\n", Options()),
        ("  hours   score\n    1.0     20\n   2.0   31  \n", Options(separator=" ")),
        ("hours,score\n1,20\n2,31\n\x1a", Options()),
        ("hours,score\n1,20\n   \n2,31\n", Options()),
    ],
)
def test_files_of_odd_programs_are_read(tmp_path: Path, content: str, options: Options) -> None:
    moments = read_rows([write(tmp_path, content)], file_options=options).moments
    assert (moments.n, moments.min_x, moments.max_y) == (2, 1, 31)


def test_utf_16_that_is_cut_inside_a_character_is_not_a_shorter_number(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n1,20\n2,62".encode("utf-16")[:-1])
    assert_refused(r"row 3: score is '6.'", path)
