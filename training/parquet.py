"""The rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from training.batches import NO_ROWS, Batch
from training.columns import Columns
from training.errors import DataError, one_line
from training.processes import Group

BATCH_ROWS = 1 << 18


def read(name: str, columns: Columns, share: Group) -> tuple[tuple[str, str], Iterator[Batch]]:
    """What both columns are called, and this process's share of the rows; raises DataError."""
    try:
        file = pl.scan_parquet(name, glob=False, hive_partitioning=False)
        schema = file.collect_schema()
        hours, score = columns.indexes(name, schema.names())
        names = schema.names()[hours], schema.names()[score]
        for column in names:
            if not schema[column].is_numeric():
                raise DataError(
                    f"{name}: column {column!r} holds {schema[column]}; it must hold numbers"
                )
        rows = file.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{name}: {one_line(error)}") from None
    frame = file.select(hours=pl.nth(hours), score=pl.nth(score))
    start, end = (rows * rank // share.size for rank in (share.rank, share.rank + 1))
    return names, _after(start, in_batches(name, frame.slice(start, end - start)))


def _after(rows: int, batches: Iterator[Batch]) -> Iterator[Batch]:
    if rows:
        yield Batch(NO_ROWS, rows)
    yield from batches


def in_batches(name: str, frame: pl.LazyFrame) -> Iterator[Batch]:
    """A frame's rows, always cut at the same places; raises DataError."""
    try:
        for batch in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield Batch(batch, len(batch))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{name}: {one_line(error)}") from None
