"""What is wrong with rows that cannot be used, and which are meant."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from models.study_score import HOURS_MAX
from training.errors import DataError
from training.sources import BLOCK_BYTES, Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCORES = -1e100, 1e100  # squares of scores, and sums of them, stay far from overflow
# What pyarrow's CSV reader takes for a finite number, written for its and Python's expressions
NUMBER = r"^[ \t]*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?[ \t]*$"


TOO_LONG = "a row is longer than 512 KiB; is a quote left open?"
DECIMAL_POINT = "; decimals are written with a point"


def usable(
    x: NDArray[np.float64], y: NDArray[np.float64], scores: tuple[float, float]
) -> NDArray[np.bool_] | None:
    """Which rows are within bounds, NaN being outside; None if all are."""
    low, high = scores
    if x.min() >= 0 and x.max() <= HOURS_MAX and y.min() >= low and y.max() <= high:
        return None
    mask: NDArray[np.bool_] = (x >= 0) & (x <= HOURS_MAX) & (y >= low) & (y <= high)
    return mask


def numbers(texts: pa.Array) -> pa.Array:
    """The values of a CSV column as numbers, null for what is none."""
    is_number = pc.match_substring_regex(texts, NUMBER)
    numbers = pc.if_else(is_number, texts, None).cast(pa.string())
    return pc.utf8_trim_whitespace(numbers).cast(pa.float64())


def check_header(path: str, file: IO[bytes], columns: Columns) -> None:
    """Raises DataError unless a CSV header names each column once; leaves the file at its start."""
    if not file.seekable():
        raise DataError(f"{path}: is a pipe; rows must be in a file, which can be read again")
    line = file.readline(BLOCK_BYTES).decode("utf-8-sig", "backslashreplace")
    file.seek(0)
    header = next(csv.reader([line]), [])
    if not header:
        raise DataError(f"{path}: the file is empty; its first line must name the columns")
    check_names(path, header, columns)


def check_names(path: str, names: Sequence[str], columns: Columns) -> None:
    """Raises DataError unless each column is there once."""
    for column in columns:
        if names.count(column) != 1:
            problem = f"two columns {column!r}" if column in names else f"no column {column!r}"
            found = ", ".join(names)
            hint = ""
            if len(names) == 1 and re.search(r"[;\t]", found):
                hint = "; commas must separate the columns, and a point the decimals"
            raise DataError(f"{path}: {problem}; the columns are: {found}{hint}")


def check(
    path: str,
    number: int,
    columns: Columns,
    scores: tuple[float, float],
    hours: str,
    score: str,
) -> None:
    """Raises DataError, with the row's number, unless both values are numbers within bounds."""
    for column, text, low, high in (
        (columns.hours, hours, 0.0, HOURS_MAX),
        (columns.score, score, *scores),
    ):
        if not re.fullmatch(NUMBER, text) or not low <= float(text) <= high:
            comma = re.fullmatch(r"\s*-?\d+,\d+\s*", text)
            raise DataError(
                f"{path}, row {number}: {column} is {text!r}; {column} must be a number"
                f" from {low:g} to {high:g}" + DECIMAL_POINT * bool(comma)
            )


def check_share(skipped: int, rows: int) -> None:
    """Raises DataError if more than half of the rows were skipped."""
    if skipped > rows:
        raise DataError(
            f"{skipped:,} of {skipped + rows:,} rows cannot be used, more than half;"
            " without --skip-bad-rows the first is named"
        )


def name_first(path: str, columns: Columns, scores: tuple[float, float]) -> None:
    """Read a CSV file again, slowly, and raise DataError for its first bad row; header is row 1."""
    csv.field_size_limit(BLOCK_BYTES)
    number = 0
    with open(path, encoding="utf-8-sig", errors="backslashreplace", newline="") as text:
        records = csv.reader(_lines(text))
        try:
            for number, record in enumerate(records, start=1):
                if number == 1:
                    header = record
                elif record:  # not a blank line
                    _check_record(path, number, header, record, columns, scores)
        except csv.Error:
            raise DataError(f"{path}, row {number + 1}: {TOO_LONG}") from None


def _lines(text: io.TextIOBase) -> Iterator[str]:
    while line := text.readline(BLOCK_BYTES):
        if len(line) == BLOCK_BYTES:
            raise csv.Error
        yield line


def _check_record(
    path: str,
    number: int,
    header: list[str],
    record: list[str],
    columns: Columns,
    scores: tuple[float, float],
) -> None:
    if len(record) != len(header):
        raise DataError(
            f"{path}, row {number}: {len(record)} values; the header names {len(header)}"
            + DECIMAL_POINT * (len(record) > len(header))
        )
    row = dict(zip(header, record, strict=True))
    check(path, number, columns, scores, row[columns.hours], row[columns.score])
