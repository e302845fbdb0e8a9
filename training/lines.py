"""The rows of a text file, read line by line if the engine cannot read them."""

from __future__ import annotations

import csv
import itertools
import re
from collections import deque
from collections.abc import Iterator
from typing import IO

from training import summaries
from training.dialect import LINE_MAX, Dialect, csv_reader
from training.engine import TextRow
from training.summaries import Labels

LEFT_OPEN = "a quote in it is not closed"
TOO_LONG = f"it is longer than {LINE_MAX >> 10} KiB"
BROKEN = "a line ends in the middle of it"
QUOTE_IT = "a value that holds the separator must stand between quotes"
USE_POINTS = "decimals are written with a point where commas separate"
BLANKS = " \t\x1a"  # and Ctrl-Z, with which DOS ends a text
WHOLE_NUMBERS = re.compile(r"[-\d\s]*")


def rows(path: str, dialect: Dialect, labels: Labels) -> Iterator[TextRow]:
    """(row, hours, score, fault) of each row that is not blank.

    After a faulty row, reading goes on in the line after the one in which it began.
    """
    taken: list[str] = []
    waiting: deque[str] = deque()
    with open(path, encoding="latin-1", newline=dialect.line_end) as file:
        reader = csv_reader(_lines(file, waiting, taken), dialect.separator)
        for row in itertools.count(1):
            taken.clear()
            record, fault = [], None
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault = BROKEN
                if "limit" in str(error):
                    fault = TOO_LONG if len(taken) == 1 else LEFT_OPEN
            if len(taken[0]) > LINE_MAX:
                fault = fault or TOO_LONG
            elif not taken[-1]:
                fault = fault or LEFT_OPEN
            if fault:
                _give_back(file, waiting, taken)
                reader = csv_reader(_lines(file, waiting, taken), dialect.separator)
            if row > dialect.header_row and (fault or "".join(record).strip(BLANKS)):
                cells = [dialect.decode(value) for value in record]
                hours, score = (cells[k] if k < len(cells) else "" for k in dialect.indexes)
                fault = fault or _excess(cells, dialect) or summaries.fault_of(cells, labels)
                yield row, hours, score, fault


def _lines(file: IO[str], waiting: deque[str], taken: list[str]) -> Iterator[str]:
    """The waiting lines, then those of the file; appends each to `taken`, and '' at the end."""
    while True:
        taken.append(waiting.popleft() if waiting else file.readline(LINE_MAX + 1))
        if not taken[-1]:
            return
        yield taken[-1]


def _give_back(file: IO[str], waiting: deque[str], taken: list[str]) -> None:
    """Put back all taken lines but the first, and skip the other pieces of that one, if any."""
    waiting.extendleft(reversed(taken[1:]))
    piece = taken[0]
    while piece and not piece.endswith(("\n", "\r")):
        piece = waiting.popleft() if waiting else file.readline(LINE_MAX)


def _excess(cells: list[str], dialect: Dialect) -> str | None:
    """What is wrong with a row, if it has too many values."""
    width = len(dialect.names)
    if not "".join(cells[width:]).strip():
        return None
    hint = USE_POINTS if WHOLE_NUMBERS.fullmatch("".join(cells)) else QUOTE_IT
    return f"{len(cells)} values, and the header names {width}; {hint}"
