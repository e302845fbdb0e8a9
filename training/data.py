"""Rows in: the lab's three, or CSV files, reduced to moments as they stream by."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.csv

from models.moments import Moments, merged
from models.study_score import HOURS_MAX, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LAB = "lab"
LAB_CSV = b"hours,score\n1,2\n2,4\n3,6\n"
SCORE_MAX = 1e100  # squares of scores, and sums of them, stay far from overflow
BLOCK_BYTES = 1 << 20  # what is read at once; no row may be longer
NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


class DataError(Exception):
    """The rows cannot be used: names the file, and where it can the row, the value and the rule."""


class Columns(NamedTuple):
    """The names of the two columns that are read."""

    hours: str = "hours"
    score: str = "score"


DEFAULT_COLUMNS = Columns()


class Rows(NamedTuple):
    """All rows of a run: their moments by fold (folds that got no row left out), and where from."""

    folds: tuple[Moments, ...]
    sources: tuple[Source, ...]


def read_rows(
    paths: Sequence[str],
    columns: Columns = DEFAULT_COLUMNS,
    folds: int = 10,
    advance: Callable[[int], None] = lambda rows: None,
) -> Rows:
    """Read every file once, in a stream; no path means the lab's three rows.

    A row's fold is (crc32(file name) + row number) mod `folds`, so it does not depend on the order
    or the place of the files. `advance` is told the number of rows of each batch.

    Raises DataError.
    """
    parts: list[list[Moments]] = [[] for _ in range(folds)]
    sources = []
    for path in paths or [LAB]:
        file = _open(path) if paths else io.BytesIO(LAB_CSV)
        with file:
            hashed = _Hashed(file)
            first = zlib.crc32(Path(path).name.encode())
            rows = 0
            for x, y in _batches(path, hashed, columns):
                for k in range(min(folds, len(x))):
                    moments = Moments.of(x[k::folds], y[k::folds])
                    parts[(first + rows + k) % folds].append(moments)
                rows += len(x)
                advance(len(x))
        if not rows:
            raise DataError(f"{path}: no rows below the header")
        digest = hashed.sha256.hexdigest()
        sources.append(Source(name=path, rows=rows, bytes=hashed.bytes, sha256=digest))
    return Rows(tuple(merged(part) for part in parts if part), tuple(sources))


class _Hashed(io.RawIOBase):
    """A file that keeps the SHA-256 of what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sha256.update(data)
        self.bytes += len(data)
        return data


def _open(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error


def _batches(
    path: str, file: _Hashed, columns: Columns
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Batches of (hours, scores), each of shape (rows,), from a CSV file open at its start."""
    _check_header(path, file.file, columns)
    try:
        batches = pyarrow.csv.open_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.float64()),
                null_values=[],
            ),
        )
        for batch in batches:
            x, y = batch.column(0).to_numpy(), batch.column(1).to_numpy()
            if not (((x >= 0) & (x <= HOURS_MAX)).all() and (abs(y) <= SCORE_MAX).all()):
                raise pa.ArrowInvalid("a number is outside its bounds")
            yield x, y
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return  # a header without so much as a line end
        _name_the_bad_row(path, file.file, columns, error)


def _check_header(path: str, file: IO[bytes], columns: Columns) -> None:
    """Raises DataError unless the header names each column once; leaves the file at its start."""
    line = file.readline(BLOCK_BYTES).decode("utf-8-sig", "backslashreplace")
    file.seek(0)
    header = next(csv.reader([line]), [])
    if not header:
        raise DataError(f"{path}: the file is empty; its first line must name the columns")
    for column in columns:
        if header.count(column) != 1:
            found = ", ".join(header)
            problem = f"two columns {column!r}" if column in header else f"no column {column!r}"
            raise DataError(f"{path}: {problem}; the columns are: {found}")


def _name_the_bad_row(path: str, file: IO[bytes], columns: Columns, error: Exception) -> NoReturn:
    """Read a file again, slowly, for its first bad row; the header is row 1."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", "backslashreplace", newline="")
    lines = iter(lambda: text.readline(BLOCK_BYTES), "")
    records = enumerate(csv.reader(lines), start=1)
    try:
        _, header = next(records)
        for number, record in records:
            if not record:
                continue  # a blank line
            if len(record) != len(header):
                raise DataError(
                    f"{path}, row {number}: {len(record)} values; the header names {len(header)}"
                )
            row: dict[str, Any] = dict(zip(header, record, strict=True))
            _check(path, number, columns.hours, row, 0, HOURS_MAX)
            _check(path, number, columns.score, row, -SCORE_MAX, SCORE_MAX)
    except csv.Error as problem:
        error = problem
    raise DataError(f"{path}: {error}") from None


def _check(
    path: str, number: int, column: str, row: dict[str, str], low: float, high: float
) -> None:
    value = row[column]
    if not NUMBER.fullmatch(value) or not low <= float(value) <= high:
        raise DataError(
            f"{path}, row {number}: {column} is {value!r};"
            f" {column} must be a number from {low:g} to {high:g}"
        )
