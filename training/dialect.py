"""How a text file is written, told from its beginning by the rules in training/README.md."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from training.columns import Columns
from training.errors import DataError

HEAD_BYTES = 1 << 18  # what is looked at
LINE_MAX = 1 << 17  # csv.field_size_limit()
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# In each of these the digits and marks of ASCII are the same bytes, and no part of another
# character; so it decides what the columns are called, and nothing about the numbers.
ENCODINGS = {"utf-8": "UTF-8", "cp949": "CP949", "cp1252": "Windows-1252"}
MARKS = '0123456789+-.,;:|\t\r\n"eE '
SEPARATOR_LINE = re.compile(r"(?i:sep)=([,;\t |:^~])(?:\r\n?|\n)")  # as Excel understands it
LINE = re.compile(r'(?:[^"\r\n]|"[^"]*")*')  # up to its end, which is not one between quotes
DECIMAL = re.compile(r"[-+]?\d*([.,])\d+([eE][-+]?\d+)?")
GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")  # which may be thousands


class Asked(NamedTuple):
    """What the options say of how files are written; None is left to be told from the file."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None


class Dialect(NamedTuple):
    """How a text file is written: `names` are its columns' names, `indexes` those of the two.

    Where the encoding is UTF-16, everything else is true of the file's text.
    """

    names: tuple[str, ...]
    indexes: tuple[int, int]
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    line_end: str = "\n"  # also where a carriage return stands before it
    packed: str | None = None  # by gzip or zstd
    header_row: int = 1  # 2 below a line that names the separator

    def __str__(self) -> str:
        """In words; nothing for plain CSV."""
        return ", ".join(
            filter(
                None,
                (
                    "" if self.separator == "," else _called(self.separator),
                    "decimal commas" if self.decimal == "," else "",
                    "" if self.encoding == "utf-8" else _written(self.encoding),
                    "lines that end in CR" if self.line_end == "\r" else "",
                    self.packed,
                ),
            )
        )


PLAIN = Asked()


def is_wide(encoding: str) -> bool:
    """Whether marks and digits are other bytes than ASCII's: it is turned into UTF-8 at first."""
    return MARKS.encode(encoding) != MARKS.encode()


def decoder(encoding: str, errors: str) -> codecs.IncrementalDecoder:
    """What turns the bytes of a text into characters, piece by piece."""
    return codecs.getincrementaldecoder(encoding)(errors)


def tell(name: str, head: bytes, whole: bool, columns: Columns, asked: Asked = PLAIN) -> Dialect:
    """How a text that begins with `head`, or is no more than that, is written; raises DataError."""
    wide = asked.encoding if asked.encoding and is_wide(asked.encoding) else _utf_16(head)
    # One character for each byte, where the encoding does not matter to the structure
    try:
        text = decoder(wide or "latin-1", "ignore").decode(head)
    except UnicodeError as error:
        raise DataError(f"{name}: is not written in {wide}: {error}") from None
    text = text.removeprefix("\ufeff" if wide else "\xef\xbb\xbf")
    separator_line = SEPARATOR_LINE.match(text)
    if separator_line:
        text = text[separator_line.end() :]
        asked = asked._replace(separator=asked.separator or separator_line[1])
    header_row = 2 if separator_line else 1
    where = f"{name}, row {header_row}"
    line, line_end = _first_line(name, where, text, whole)
    encodings = [wide] if wide else _encodings(where, head, line, asked)
    separators = [asked.separator] if asked.separator else list(SEPARATORS)

    def names(separator: str, encoding: str) -> tuple[str, ...]:
        try:
            found = next(csv.reader([line], delimiter=separator))
        except csv.Error:
            raise DataError(f"{where}: a quote must begin and end a column's name") from None
        return tuple(found if wide else (_decoded(each, encoding) for each in found))

    ways = [
        (separator, encoding)
        for encoding in encodings
        for separator in separators
        if columns.among(names(separator, encoding))
    ]
    if len({separator for separator, _ in ways}) > 1:
        which = " and by ".join(dict.fromkeys(_called(separator) for separator, _ in ways))
        raise DataError(
            f"{name}: the first line names both columns if separated by {which};"
            " --separator says which is meant"
        )
    separator, encoding = ways[0] if ways else (max(separators, key=line.count), encodings[0])
    found = names(separator, encoding)
    indexes = columns.indexes(name, found)
    numbers = _numbers(text, whole, separator, indexes, header_row)
    decimal = asked.decimal or _decimal(name, numbers, separator, whole)
    return Dialect(found, indexes, separator, decimal, encoding, line_end, header_row=header_row)


def _called(separator: str) -> str:
    return SEPARATORS.get(separator, repr(separator))


def _written(encoding: str) -> str:
    return ENCODINGS.get(encoding, "UTF-16" if is_wide(encoding) else encoding)


def _utf_16(head: bytes) -> str | None:
    """Told by its byte order mark, or by every second of its first bytes being 0."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    odd, even = head[1:16:2], head[0:16:2]
    if odd and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if odd and not any(even) and all(odd) else None


def _first_line(name: str, where: str, text: str, whole: bool) -> tuple[str, str]:
    """The line that names the columns, and what lines end in; raises DataError."""
    if "\0" in text:
        raise DataError(f"{name}: is no text: it holds bytes of 0; a table must be saved as CSV")
    if not text.strip():
        raise DataError(f"{name}: the file is empty; its first line must name the columns")
    line = LINE.match(text)[0]  # type: ignore[index]
    if not line.strip():
        raise DataError(f"{where}: the line is empty; the first must name the columns")
    rest = text[len(line) : len(line) + 2]
    if rest.startswith('"') or (not rest and not whole) or len(line) > LINE_MAX:
        raise DataError(
            f"{where}: the line, which must name the columns, does not end within"
            f" {LINE_MAX >> 10} KiB; is a quote left open?"
        )
    return line, "\r" if rest[:1] == "\r" and rest != "\r\n" else "\n"


def _encodings(where: str, head: bytes, line: str, asked: Asked) -> list[str]:
    """Those that the first line can be in, the likeliest first; raises DataError."""
    if line.isascii() and not asked.encoding:
        return ["utf-8"]  # or any other
    possible = [asked.encoding] if asked.encoding else list(ENCODINGS)
    fitting = [encoding for encoding in possible if _fits(line.encode("latin-1"), encoding)]
    if not fitting:
        tried = ", ".join(_written(encoding) for encoding in possible)
        raise DataError(f"{where}: is not written in {tried}; --encoding says in which it is")
    return sorted(fitting, key=lambda encoding: not _fits(head, encoding, 4))


def _decoded(latin_1: str, encoding: str) -> str:
    return latin_1.encode("latin-1").decode(encoding, "replace")


def _fits(data: bytes, encoding: str, cut: int = 0) -> bool:
    """Whether it can be in that encoding, its last bytes being of a character that is cut."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - cut
    return True


def _numbers(
    text: str, whole: bool, separator: str, indexes: tuple[int, int], header_row: int
) -> Iterator[tuple[int, str]]:
    """What both columns hold, each value with the number of its row."""
    lines = io.StringIO(text, newline="")
    try:
        for number, record in enumerate(csv.reader(lines, delimiter=separator), header_row):
            if number > header_row and (whole or lines.tell() < len(text)):
                yield from ((number, record[at].strip()) for at in indexes if at < len(record))
    except csv.Error:
        pass  # a value too long for it, which whoever reads the rows will name


def _decimal(name: str, numbers: Iterator[tuple[int, str]], separator: str, whole: bool) -> str:
    """The mark of the first number that can be read in one way only; raises DataError."""
    doubtful = None
    for number, text in numbers:
        if match := DECIMAL.fullmatch(text):
            if (separator == "," and match[1] == ".") or not GROUPED.fullmatch(text):
                return match[1]
            doubtful = doubtful or (number, text, match[1])
    if doubtful:
        number, text, mark = doubtful
        digits = text.replace(mark, "")
        raise DataError(
            f"{name}, row {number}: is {text!r} {text.replace(mark, '.')} or {digits}? With"
            f" --decimal '{mark}' it is the first; the second must be written as {digits}"
        )
    return "," if separator == ";" and not whole else "."
