"""The line of a text file that names its columns."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from training.columns import Columns, looks_numeric
from training.dialect import ALL_SEPARATORS, ENCODINGS, LINE_MAX, SEPARATORS, Options, csv_reader
from training.errors import DataError

HEADER_LINES = 30  # the header is one of these first lines
OTHER_ENCODINGS = "cp932", "gb18030", "big5", "cp1250", "cp1251", "cp1253", "cp1254", "mac-roman"
LINE = re.compile(r'((?:[^"\r\n]|"[^"]*")*)(\r?\n|\r|)')  # a quoted line end is part of the line


class TextLine(NamedTuple):
    """One of the first lines; `start` and `end` (after its line end) are offsets in the text."""

    row: int
    text: str
    start: int
    end: int


Lines = Sequence[TextLine]


class Header(NamedTuple):
    """A line, read as the names of columns."""

    line: TextLine
    separator: str
    encoding: str
    names: tuple[str, ...]


def first_lines(name: str, text: str, whole: bool) -> tuple[list[TextLine], str]:
    """The lines that may be the header, and the line end; raises DataError."""
    if "\0" in text:
        raise DataError(
            f"{name}: is not a text: it holds bytes of 0; a table must be saved as CSV, and"
            " --encoding utf-16-le may read text that has two bytes for each character"
        )
    if not text.strip():
        raise DataError(f"{name}: the file is empty; its first line must name the columns")
    lines: list[TextLine] = []
    line_end = ""
    for match in itertools.islice(LINE.finditer(text), HEADER_LINES):
        line, after = match.groups()
        is_cut = not after and not (line and whole and match.end() == len(text))
        if is_cut or len(line) > LINE_MAX or (after == "\r" and line_end == "\n"):
            break
        line_end = line_end or after[-1:]
        lines.append(TextLine(len(lines) + 1, line, *match.span()))
    if not any(line.text.strip() for line in lines):
        what = f"row {len(lines) + 1}: the line does not end within {LINE_MAX >> 10} KiB"
        raise DataError(f"{name}, {what}; is a quote left open?")
    return lines, line_end or "\n"


def find(name: str, head: bytes, lines: Lines, columns: Columns, options: Options) -> Header:
    """The line that names both columns, in a text that begins with `head`; raises DataError."""
    headers = _readings(head, lines, options)
    if not any(columns.among(each.names) for each in headers):
        _refuse_other_encoding(name, head, lines, columns, options)
    if not headers:
        raise _unreadable(name, head, lines, options)
    usual = [each for each in headers if each.separator in SEPARATORS] or headers
    both = [each for each in usual if columns.among(each.names)]
    both = [each for each in both if columns.is_named(each.names)] or both
    if not both:
        raise _not_named(name, headers, columns, options)
    rows = sorted({each.line.row for each in both})
    if len(rows) > 1 and columns.is_named(both[0].names) and rows[0] != headers[0].line.row:
        what = f"rows {rows[0]} and {rows[1]} both name the columns"
        raise DataError(f"{name}: {what}; delete all lines above the header")
    found = {each.separator for each in both if each.line.row == rows[0]}
    if len(found) > 1:
        names = " and by ".join(ALL_SEPARATORS[each] for each in ALL_SEPARATORS if each in found)
        what = f"row {rows[0]} names both columns if separated by {names}"
        raise DataError(f"{name}: {what}; --separator says which is meant")
    return both[0]


def _readings(head: bytes, lines: Lines, options: Options) -> list[Header]:
    """Every way to read one of the first lines as a header, the likeliest encoding first."""
    separators = [options.separator] if options.separator else [*ALL_SEPARATORS]
    return [
        Header(line, separator, encoding, names)
        for line in lines
        if line.text.strip()
        for encoding in _encodings(head, line, options)
        for separator in separators
        if (names := _names(line, separator, encoding))
    ]


def _encodings(head: bytes, line: TextLine, options: Options) -> list[str]:
    """The encodings that a line can be in, the likeliest first."""
    if line.text.isascii() and not options.encoding:
        return ["utf-8"]  # any would do
    data = line.text.encode("latin-1")
    fitting = [encoding for encoding in _possible(options) if _fits(data, encoding)]
    return sorted(fitting, key=lambda encoding: not _fits(head, encoding, cut=4))


def _possible(options: Options) -> Sequence[str]:
    return [options.encoding] if options.encoding else list(ENCODINGS)


def _fits(data: bytes, encoding: str, cut: int = 0) -> bool:
    """Whether data can be in an encoding; its last `cut` bytes may be part of a character."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(data) - cut
    return True


def _names(line: TextLine, separator: str, encoding: str) -> tuple[str, ...]:
    """The names in a line; none if a quote is inside a name."""
    text = line.text.encode("latin-1").decode(encoding)
    try:
        return tuple(next(csv_reader([text.strip(" ") if separator == " " else text], separator)))
    except csv.Error:
        return ()


def _not_named(name: str, headers: list[Header], columns: Columns, options: Options) -> DataError:
    """The error, with its likely cause, if no line names both columns."""
    usual = {each.line.row for each in headers if each.separator in SEPARATORS and each.names[1:]}

    def likeness(header: Header) -> tuple[int, bool, int, int, int]:
        words, texts = columns.likeness(header.names)
        return words, header.separator in SEPARATORS, texts, -header.line.row, len(header.names)

    line, separator, _, names = max(
        (each for each in headers if each.separator in SEPARATORS or each.line.row not in usual),
        key=likeness,
    )
    where, hint, advice = name, "", []
    if line.row != headers[0].line.row:
        where = f"{name}, row {line.row}, which is most like a header"
    if not options.separator and separator not in SEPARATORS:
        advice = ["--separator", separator]
        hint = f"--separator {separator!r} reads columns between {ALL_SEPARATORS[separator]}"
        if columns.among(names):
            separators = " or ".join(SEPARATORS.values())
            message = f"{where}: names both columns, but not between {separators}; {hint}"
            return DataError(message, options=advice)
    elif sum(map(looks_numeric, names)) > 1:
        advice = ["--hours-column", "1", "--score-column", "2"]
        hint = f"this line looks like data, not a header; {' '.join(advice)} count columns"
        advice *= len(names) == 2
    elif options.separator and len(names) == 1:
        hint = "--separator says what stands between columns"
    elif not columns.likeness(names)[0] and (options.encoding or not "".join(names).isascii()):
        hint = "if names look wrong, --encoding says how they are written"
    return columns.not_found(where, names, hint, advice)


def _refuse_other_encoding(
    name: str, head: bytes, lines: Lines, columns: Columns, options: Options
) -> None:
    """Raises DataError if a line names both columns in an encoding that needs an option."""
    if options.encoding or "".join(columns).isascii():
        return
    for encoding in OTHER_ENCODINGS:
        headers = _readings(head, lines, options._replace(encoding=encoding))
        if any(columns.among(each.names) for each in headers):
            what = f"names both columns in {encoding}; --encoding {encoding} reads it"
            raise DataError(f"{name}: {what}", options=("--encoding", encoding))


def _unreadable(name: str, head: bytes, lines: Lines, options: Options) -> DataError:
    """The error if no line can be read as names of columns."""
    where = f"{name}, row {lines[0].row if lines else 2}"
    if not any(line.text.strip() for line in lines):
        return DataError(f"{where}: the line is empty; the first must name the columns")
    if any(_encodings(head, line, options) for line in lines):
        return DataError(f"{where}: a quote must begin and end a column's name")
    names = ", ".join(ENCODINGS.get(each, each) for each in _possible(options))
    return DataError(f"{where}: is not written in {names}; --encoding says in which it is")
