"""Batches of hours and scores, as a CSV or Parquet file streams by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from training import bad_rows
from training.errors import DataError
from training.sources import (
    BLOCK_BYTES,
    Columns,
    Fragment,
    is_parquet,
    open_parquet,
    unreadable,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Batch = tuple[NDArray[np.float64], NDArray[np.float64]]

PARQUET_ROWS = 1 << 16


class Reader:
    """One fragment's (hours, scores), each of shape (rows,), batch by batch.

    What is no number comes out as NaN if `skip` is set, and else raises DataError. When all is
    read, `bytes` and `sha256` are those of the file (of a Parquet file, in its first fragment), and
    `ragged` counts the CSV rows that were left out for having too few values or too many.

    pyarrow reads the file by itself: a Python file in its threads could outlive the interpreter. So
    the digest is taken alongside, block by block from the same pages of the system's cache, while
    pyarrow's thread decodes the next batch.
    """

    def __init__(
        self, fragment: Fragment, columns: Columns, scores: tuple[float, float], skip: bool
    ) -> None:
        self.fragment = fragment
        self.columns = columns
        self.scores = scores
        self.skip = skip
        self.ragged = 0
        self.sha256 = hashlib.sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[Batch]:
        path = self.fragment.path
        try:
            with self.fragment.open() as file:
                if not is_parquet(path):
                    bad_rows.check_header(path, file, self.columns)
                for batch in _ahead(self._parquet() if is_parquet(path) else self._csv()):
                    self._hash(file)
                    if len(batch[0]):
                        yield batch
                while self._hash(file):
                    pass
        except (OSError, pa.ArrowException) as error:
            if isinstance(error, pa.ArrowInvalid) and not is_parquet(path):
                if not self.skip:
                    bad_rows.name_first(path, self.columns, self.scores)
                if "straddling" in str(error):
                    raise DataError(f"{path}: {bad_rows.TOO_LONG}") from error
            raise unreadable(path, error) from error

    def _parquet(self) -> Iterator[Batch]:
        with open_parquet(self.fragment.path) as table:
            _check_schema(self.fragment.path, table.schema_arrow, self.columns)
            batches = table.iter_batches(
                PARQUET_ROWS, row_groups=self.fragment.groups, columns=list(self.columns)
            )
            for batch in batches:
                yield _floats(batch[self.columns.hours]), _floats(batch[self.columns.score])

    def _csv(self) -> Iterator[Batch]:
        kind = pa.binary() if self.skip else pa.float64()
        try:
            batches = pyarrow.csv.open_csv(
                self.fragment.native(),
                read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
                parse_options=pyarrow.csv.ParseOptions(
                    newlines_in_values=True,
                    invalid_row_handler=self._leave_out if self.skip else None,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=list(self.columns),
                    column_types=dict.fromkeys(self.columns, kind),
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return  # a header without so much as a line end
            raise
        for hours, score in batches:
            if self.skip:
                hours, score = bad_rows.numbers(hours), bad_rows.numbers(score)
            yield _floats(hours), _floats(score)

    def _hash(self, file: IO[bytes]) -> int:
        """Take the next block into the digest, which belongs to a file's first fragment."""
        data = file.read(BLOCK_BYTES) if self.fragment.is_first else b""
        self.sha256.update(data)
        self.bytes += len(data)
        return len(data)

    def name_first(
        self, row: int, x: NDArray[np.float64], y: NDArray[np.float64], mask: NDArray[np.bool_]
    ) -> None:
        """Raise DataError for the first bad row of a batch that begins after `row` rows."""
        path = self.fragment.path
        if not is_parquet(path):
            bad_rows.name_first(path, self.columns, self.scores)  # in the file's own words
        first = int(mask.argmin())
        bad_rows.check(
            path, row + first + 1, self.columns, self.scores, str(x[first]), str(y[first])
        )

    def _leave_out(self, row: Any) -> str:
        self.ragged += 1
        return "skip"


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches; the next is being read while the last is being used."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def _floats(column: pa.Array) -> NDArray[np.float64]:
    """As numbers, NaN for null."""
    floats = column.cast(pa.float64(), safe=False)
    if floats.null_count:
        floats = floats.fill_null(math.nan)
    # column.to_numpy() would import pandas, where there is one
    return np.asarray(np.from_dlpack(floats), np.float64)


def _check_schema(path: str, schema: pa.Schema, columns: Columns) -> None:
    """Raises DataError unless a Parquet file has each column once, and numbers in it."""
    bad_rows.check_names(path, schema.names, columns)
    for name in columns:
        kind = schema.field(name).type
        if not any(
            is_kind(kind)
            for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
        ):
            raise DataError(f"{path}: column {name!r} holds {kind}; it must hold numbers")
