"""How a text file is written, and what the options say about it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LINE_MAX = 1 << 17  # csv.field_size_limit()
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
ALL_SEPARATORS = SEPARATORS | {" ": "blanks", ":": "colons", "^": "carets", "~": "tildes"}
# In these encodings, digits and separators are the same bytes as in ASCII, and never part of
# another character. So the encoding matters only to the names of columns.
ENCODINGS = {"utf-8": "UTF-8", "cp949": "CP949", "cp1252": "Windows-1252"}
SYNTAX = '0123456789+-.,;:|\t\r\n"eE '  # what numbers and separators are written with


class Options(NamedTuple):
    """How files are written, according to the options; None means that the file decides."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None


NO_OPTIONS = Options()


class Dialect(NamedTuple):
    """How a text file is written.

    `names` are the names of all columns, `indexes` the positions of hours and score among them.
    A file in UTF-16 is copied to UTF-8 first; all but `encoding` describes that copy.
    """

    names: tuple[str, ...]
    indexes: tuple[int, int]
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    line_end: str = "\n"  # also if a carriage return stands before it
    header_row: int = 1  # 0 if there is none

    def __str__(self) -> str:
        """What differs from plain CSV, in words."""
        header = {0: "no header", 1: ""}.get(self.header_row, f"header in row {self.header_row}")
        differences = (
            header,
            "" if self.separator == "," else ALL_SEPARATORS[self.separator],
            "decimal commas" if self.decimal == "," else "",
            "" if self.encoding == "utf-8" else encoding_name(self.encoding),
            "lines that end in CR" if self.line_end == "\r" else "",
        )
        return ", ".join(filter(None, differences))

    def decode(self, text: str) -> str:
        """The characters of a piece of the file that was read as Latin-1."""
        if text.isascii():
            return text
        encoding = self.encoding if is_ascii_compatible(self.encoding) else "utf-8"
        return text.encode("latin-1").decode(encoding, "backslashreplace")


def encoding_name(encoding: str) -> str:
    """What an encoding is called in messages."""
    return ENCODINGS.get(encoding, "UTF-16" if encoding.startswith("utf-16") else encoding)


def is_ascii_compatible(encoding: str) -> bool:
    """Whether digits and separators are the same bytes as in ASCII; in UTF-16 they are not."""
    return SYNTAX.encode(encoding) == SYNTAX.encode()


def csv_reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Python's reader of rows; raises csv.Error."""
    return csv.reader(lines, delimiter=separator, skipinitialspace=separator == " ")
