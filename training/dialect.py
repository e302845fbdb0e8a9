"""How a text file is written, told from its beginning by the rules in training/README.md."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from training.columns import Columns, is_number
from training.errors import DataError

HEAD_BYTES = 1 << 18  # what is looked at
LINE_MAX = 1 << 17  # csv.field_size_limit()
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
OTHER_SEPARATORS = {" ": "blanks", ":": "colons", "^": "carets", "~": "tildes"}  # if asked for
HEADER_WITHIN = 30  # lines
ROW_NAMES = 10  # that are looked at
OTHER_ENCODINGS = "cp932", "gb18030", "big5", "cp1250", "cp1251", "cp1253", "cp1254", "mac-roman"
# In each of these the digits and marks of ASCII are the same bytes, and no part of another
# character; so it decides what the columns are called, and nothing about the numbers.
ENCODINGS = {"utf-8": "UTF-8", "cp949": "CP949", "cp1252": "Windows-1252"}
MARKS = '0123456789+-.,;:|\t\r\n"eE '
SEPARATOR_LINE = re.compile(r"(?i:sep)=([,;\t |:^~])(?:\r\n?|\n)")  # as Excel understands it
LINE = re.compile(r'(?:[^"\r\n]|"[^"]*")*')  # up to its end, which is not one between quotes
LINE_END = re.compile(r"\r?\n|\r|")
BLANKS = re.compile(" +")
DECIMAL = re.compile(r"[-+]?\d*([.,])\d+([eE][-+]?\d+)?")
GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")  # which may be thousands


_HEADERS = {0: "no header", 1: ""}


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
    header_row: int = 1  # 0 if there is none

    def __str__(self) -> str:
        """In words; nothing for plain CSV."""
        return ", ".join(
            filter(
                None,
                (
                    _HEADERS.get(self.header_row, f"header in row {self.header_row}"),
                    "" if self.separator == "," else _called(self.separator),
                    "decimal commas" if self.decimal == "," else "",
                    "" if self.encoding == "utf-8" else _written(self.encoding),
                    "lines that end in CR" if self.line_end == "\r" else "",
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
    lines, line_end = _first_lines(name, text, whole)
    first = 0
    if separator_line := SEPARATOR_LINE.match(text):
        asked = asked._replace(separator=asked.separator or separator_line[1])
        first = 1
    headers = _headers(head, lines, first, wide, asked)
    is_named = any(columns.among(each.names) for each in headers)
    if not (is_named or wide or asked.encoding or "".join(columns).isascii()):
        _check_encodings(name, head, lines, first, columns, asked)
    if not headers:
        raise _not_readable(f"{name}, row {first + 1}", head, lines[first:], asked)
    header = _header(name, headers, columns)
    _check_header(name, headers, header, columns, asked)
    row, separator, encoding, names = header
    rest = text[lines[row - 1].end :]
    if columns.is_data(names):
        row, names = row - 1, tuple(f"column {k}" for k in range(1, len(names) + 1))
        rest = text[lines[row].start :]
    elif _has_row_names(rest, separator, len(names)):
        names = ("", *names)
    indexes = columns.indexes(name, names)
    numbers = (
        (number, record[at].strip())
        for number, record in enumerate(records(rest, separator, whole), row + 1)
        for at in indexes
        if at < len(record)
    )
    decimal = asked.decimal or _decimal(name, numbers, separator, whole)
    return Dialect(names, indexes, separator, decimal, encoding, line_end, header_row=row)


class _Line(NamedTuple):
    """A line, and where it begins and the next one does."""

    text: str
    start: int
    end: int


class _Header(NamedTuple):
    """A line as one that names the columns."""

    row: int
    separator: str
    encoding: str
    names: tuple[str, ...]


def _headers(
    head: bytes, lines: list[_Line], first: int, wide: str | None, asked: Asked
) -> list[_Header]:
    """Every way to read one of the first lines as a header, the likeliest encoding first."""
    separators = [asked.separator] if asked.separator else [*SEPARATORS, *OTHER_SEPARATORS]
    return [
        _Header(row, separator, encoding, names)
        for row, line in enumerate(lines[first:], first + 1)
        if line.text.strip()
        for encoding in ([wide] if wide else _encodings(head, line.text, asked))
        for separator in separators
        if (names := _names(line.text, separator, "" if wide else encoding))
    ]


def _names(line: str, separator: str, encoding: str) -> tuple[str, ...]:
    """What it names; nothing where a quote does not begin and end a name."""
    if separator == " ":
        line, separator = BLANKS.sub("\t", line.strip(" ")), "\t"
    try:
        found = next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return ()
    return tuple(_decoded(each, encoding) if encoding else each for each in found)


def _header(name: str, headers: list[_Header], columns: Columns) -> _Header:
    """The one that names both columns, or what is most like it; raises DataError."""
    usual = [each for each in headers if each.separator in SEPARATORS] or headers
    both = [each for each in usual if columns.among(each.names)]
    named = [each for each in both if columns.is_named(each.names)]
    rows = sorted({each.row for each in named or both})
    if not rows:
        parted = {each.row for each in headers if each in usual and len(each.names) > 1}
        possible = [each for each in headers if each in usual or each.row not in parted]
        return max(possible, key=lambda each: _likeness(each, columns))
    if len(rows) > 1 and named and rows[0] != headers[0].row:
        raise DataError(
            f"{name}: rows {rows[0]} and {rows[1]} both name the columns; delete what stands above"
            " the one that is meant"
        )
    ways = [each for each in named or both if each.row == rows[0]]
    if len({each.separator for each in ways}) > 1:
        which = " and by ".join(dict.fromkeys(_called(each.separator) for each in ways))
        raise DataError(
            f"{name}: row {rows[0]} names both columns if separated by {which};"
            " --separator says which is meant"
        )
    return ways[0]


def _likeness(header: _Header, columns: Columns) -> tuple[int, bool, int, int, int]:
    words, texts = columns.likeness(header.names)
    return words, header.separator in SEPARATORS, texts, -header.row, len(header.names)


def _check_header(
    name: str, headers: list[_Header], header: _Header, columns: Columns, asked: Asked
) -> None:
    """Raises DataError with what may be the cause if it does not name both columns."""
    _, separator, _, names = header
    words, _ = columns.likeness(names)
    where, hint, options = name, "", []
    if header.row != headers[0].row:
        where = f"{name}, row {header.row}, which is most like a header"
    if not asked.separator and separator not in SEPARATORS:
        hint = f"--separator {separator!r} reads columns between {_called(separator)}"
        options = ["--separator", separator]
        if columns.among(names):
            raise DataError(
                f"{where}: names both columns, but not between commas; {hint}", (), options
            )
    elif columns.among(names):
        return
    elif sum(map(is_number, names)) > 1:
        options = ["--hours-column", "1", "--score-column", "2"]
        hint = f"this line looks like data, not a header; {' '.join(options)} count columns"
        options *= len(names) == 2
    elif asked.separator and len(names) == 1:
        hint = "--separator says what stands between columns"
    elif not words and (asked.encoding or not "".join(names).isascii()):
        hint = "if names look wrong, --encoding says how they are written"
    columns.indexes(where, names, hint, options)


def _check_encodings(
    name: str, head: bytes, lines: list[_Line], first: int, columns: Columns, asked: Asked
) -> None:
    """Raises DataError if a line names both columns in an encoding that has to be asked for."""
    for other in OTHER_ENCODINGS:
        headers = _headers(head, lines, first, None, asked._replace(encoding=other))
        if any(columns.among(each.names) for each in headers):
            raise DataError(
                f"{name}: names both columns if it is written in {other}; --encoding {other} says"
                " that it is",
                options=("--encoding", other),
            )


def _has_row_names(rest: str, separator: str, width: int) -> bool:
    """Whether each row begins with its number between quotes, which R writes and gives no name."""
    found = list(filter(None, itertools.islice(records(rest, separator), ROW_NAMES)))
    return rest.startswith('"') and all(
        len(record) == width + 1 and record[0] == str(number)
        for number, record in enumerate(found, 1)
    )


def _called(separator: str) -> str:
    return (SEPARATORS | OTHER_SEPARATORS).get(separator, repr(separator))


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


def _first_lines(name: str, text: str, whole: bool) -> tuple[list[_Line], str]:
    """Those that may name the columns, and what lines end in; raises DataError."""
    if "\0" in text:
        raise DataError(
            f"{name}: is no text: it holds bytes of 0; a table must be saved as CSV, and"
            " --encoding utf-16-le may read text that has two bytes for each character"
        )
    if not text.strip():
        raise DataError(f"{name}: the file is empty; its first line must name the columns")
    lines: list[_Line] = []
    line_end, end = "", 0
    while len(lines) < HEADER_WITHIN and end < len(text):
        start, line = end, LINE.match(text, end)[0]  # type: ignore[index]
        end += len(line)
        after = LINE_END.match(text, end)[0]  # type: ignore[index]
        is_cut = not after and not (whole and end == len(text))
        if is_cut or len(line) > LINE_MAX or (after == "\r" and line_end == "\n"):
            break
        line_end = line_end or after[-1:]
        end += len(after)
        lines.append(_Line(line, start, end))
    if not any(line.text.strip() for line in lines):
        raise DataError(
            f"{name}, row {len(lines) + 1}: the line, which must name the columns, does not end"
            f" within {LINE_MAX >> 10} KiB; is a quote left open?"
        )
    return lines, line_end or "\n"


def _encodings(head: bytes, line: str, asked: Asked) -> list[str]:
    """Those that a line can be in, the likeliest first."""
    if line.isascii() and not asked.encoding:
        return ["utf-8"]  # or any other
    possible = [asked.encoding] if asked.encoding else list(ENCODINGS)
    fitting = [encoding for encoding in possible if _fits(line.encode("latin-1"), encoding)]
    return sorted(fitting, key=lambda encoding: not _fits(head, encoding, 4))


def _not_readable(where: str, head: bytes, lines: list[_Line], asked: Asked) -> DataError:
    """The error where none of the lines can name columns."""
    if not any(line.text.strip() for line in lines):
        return DataError(f"{where}: the line is empty; the first must name the columns")
    if any(_encodings(head, line.text, asked) for line in lines):
        return DataError(f"{where}: a quote must begin and end a column's name")
    possible = [asked.encoding] if asked.encoding else list(ENCODINGS)
    tried = ", ".join(_written(encoding) for encoding in possible)
    return DataError(f"{where}: is not written in {tried}; --encoding says in which it is")


def _decoded(latin_1: str, encoding: str) -> str:
    return latin_1.encode("latin-1").decode(encoding, "replace")


def _fits(data: bytes, encoding: str, cut: int = 0) -> bool:
    """Whether it can be in that encoding, its last bytes being of a character that is cut."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - cut
    return True


def records(rest: str, separator: str, whole: bool = True) -> Iterator[list[str]]:
    """Those of a text, but for what is cut at its end, up to one that whoever reads them names."""
    lines = io.StringIO(rest, newline="")
    with contextlib.suppress(csv.Error):
        for record in csv.reader(lines, delimiter=separator):
            if whole or lines.tell() < len(rest):
                yield record


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
