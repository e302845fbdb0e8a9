"""How a text file is written, detected from its beginning by the rules in training/README.md."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator

from training import header
from training.columns import Columns
from training.dialect import NO_OPTIONS, Dialect, Options, csv_reader, is_ascii_compatible
from training.errors import DataError

HEAD_BYTES = 1 << 18  # length of the beginning
NUMBERED_ROWS = 10  # enough to see that rows begin with their numbers
SEPARATOR_LINE = re.compile(r"(?i:sep)=([,;\t |:^~])(?:\r\n?|\n)")  # as Excel writes and reads it
DECIMAL = re.compile(r"[-+]?\d*([.,])\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")  # which may also be decimals


def detect(
    name: str, head: bytes, whole: bool, columns: Columns, options: Options = NO_OPTIONS
) -> Dialect:
    r"""How a text is written that begins with `head`, or (`whole`) consists of it.

    The header decides the encoding and the separator, the first numbers decide the decimal mark.
    Raises DataError.

    >>> found = detect("marks.csv", b"Name;Hours;Score\nKim;1,5;20\n", True, Columns())
    >>> found.names, found.indexes, found.separator, found.decimal
    (('Name', 'Hours', 'Score'), (1, 2), ';', ',')
    """
    given = options.encoding
    recoded = given if given and not is_ascii_compatible(given) else _utf_16(head)
    if recoded:
        try:
            decoder = codecs.getincrementaldecoder(recoded)("ignore")
            head = decoder.decode(head).encode("utf-8", "replace")
        except UnicodeError as error:
            raise DataError(f"{name}: is not written in {recoded}: {error}") from None
        options = options._replace(encoding="utf-8")
    head = head.removeprefix(b"\xef\xbb\xbf")
    text = head.decode("latin-1")  # one character for each byte, since all syntax is ASCII
    lines, line_end = header.first_lines(name, text, whole)
    if separator_line := SEPARATOR_LINE.match(text):
        options = options._replace(separator=options.separator or separator_line[1])
        lines = lines[1:]
    line, separator, encoding, names = header.find(name, head, lines, columns, options)
    row, rest = line.row, text[line.end :]
    if columns.is_data(names):
        row, rest = row - 1, text[line.start :]
        names = tuple(f"column {k}" for k in range(1, len(names) + 1))
    elif _has_row_numbers(rest, separator, len(names)):
        names = ("", *names)
    indexes = columns.indexes(name, names)
    values = (
        (number, record[index].strip())
        for number, record in enumerate(records(rest, separator, whole), row + 1)
        for index in indexes
        if index < len(record)
    )
    decimal = options.decimal or _decimal(name, values, separator, whole)
    return Dialect(names, indexes, separator, decimal, recoded or encoding, line_end, row)


def _utf_16(head: bytes) -> str | None:
    """The kind of UTF-16, by its byte order mark or because every other byte is 0."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if re.fullmatch(rb"([^\0]\0)+[^\0]?", head[:16]):
        return "utf-16-le"
    return "utf-16-be" if re.fullmatch(rb"(\0[^\0])+\0?", head[:16]) else None


def records(text: str, separator: str, whole: bool = True) -> Iterator[list[str]]:
    """The rows of a text, up to one that csv cannot read or (not `whole`) that may be cut."""
    file = io.StringIO(text, newline="")
    with contextlib.suppress(csv.Error):
        for record in csv_reader(file, separator):
            if whole or file.tell() < len(text):
                yield record


def _has_row_numbers(rest: str, separator: str, width: int) -> bool:
    """Whether each row begins with its number between quotes, a column that R does not name."""
    rows = itertools.islice(records(rest, separator), NUMBERED_ROWS)
    return rest.startswith('"') and all(
        len(record) == width + 1 and record[0] == str(number)
        for number, record in enumerate(filter(None, rows), 1)
    )


def _decimal(name: str, values: Iterator[tuple[int, str]], separator: str, whole: bool) -> str:
    """The decimal mark of the first unambiguous number; raises DataError if all are ambiguous."""
    doubtful = None
    for row, text in values:
        if match := DECIMAL.fullmatch(text):
            if (separator == "," and match[1] == ".") or not THOUSANDS.fullmatch(text):
                return match[1]
            doubtful = doubtful or (row, text, match[1])
    if doubtful:
        row, text, mark = doubtful
        digits = text.replace(mark, "")
        question = f"{name}, row {row}: is {text!r} {text.replace(mark, '.')} or {digits}?"
        raise DataError(f"{question} With --decimal '{mark}' it is the first; else write {digits}")
    return "," if separator == ";" and not whole else "."
