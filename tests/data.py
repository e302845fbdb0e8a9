"""Published data, and plain rows for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from training import rows
from training.columns import Columns
from training.errors import DataError
from training.reduce import ReadOptions
from training.rows import Summary

Array = NDArray[np.float64]
FILES = Path(__file__).parent / "files"  # as other programs write them; make.sh makes them


def _numbers(text: str) -> Array:
    return np.array(text.split(), dtype=np.float64)


# R's `cars`: speed (mph) and stopping distance (ft), from Ezekiel (1930), "Methods of Correlation
# Analysis". R prints for lm(dist ~ speed): -17.579095 + 3.932409 speed, residual sd 15.38.
CARS_SPEED = _numbers(
    """
    4 4 7 7 8 9 10 10 10 11 11 12 12 12 12 13 13 13 13 14 14 14 14 15 15 15 16 16 17 17 17 18 18
    18 18 19 19 19 20 20 20 20 20 22 23 24 24 24 24 25
    """
)
CARS_DIST = _numbers(
    """
    2 10 4 22 16 10 18 26 34 17 28 14 20 24 28 26 34 34 46 26 36 60 80 20 26 54 32 40 32 40
    50 42 56 76 84 36 46 68 32 48 52 56 64 66 54 70 92 93 120 85
    """
)

# R's `women`: height (in) and weight (lb), from The World Almanac and Book of Facts (1975).
WOMEN_HEIGHT = np.arange(58.0, 73.0)
WOMEN_WEIGHT = _numbers("115 117 120 123 126 129 132 135 139 142 146 150 154 159 164")
# The first of Anscombe's quartet (1973), "Graphs in statistical analysis".
ANSCOMBE_X = _numbers("10 8 13 9 11 14 6 4 12 7 5")
ANSCOMBE_Y = _numbers("8.04 6.95 7.58 8.81 8.33 9.96 7.24 4.26 10.84 4.82 5.68")
# NIST's Norris (StRD, linear regression, lower difficulty): calibration of ozone monitors.
NORRIS_X = _numbers(
    """
    0.2 337.4 118.2 884.6 10.1 226.5 666.3 996.3 448.6 777.0 558.2 0.4 0.6 775.5 666.9 338.0 447.5
    11.6 556.0 228.1 995.8 887.6 120.2 0.3 0.3 556.8 339.1 887.2 999.0 779.0 11.1 118.3 229.2 669.1
    448.9 0.5
    """
)
NORRIS_Y = _numbers(
    """
    0.1 338.8 118.1 888.0 9.2 228.1 668.5 998.5 449.1 778.9 559.2 0.3 0.1 778.1 668.8 339.3 448.9
    10.8 557.7 228.3 998.0 888.8 119.6 0.3 0.6 557.6 339.3 888.0 998.5 778.9 10.2 117.6 228.9 668.4
    449.2 0.2
    """
)
DATA_SETS = [(CARS_SPEED, CARS_DIST), (WOMEN_HEIGHT, WOMEN_WEIGHT), (ANSCOMBE_X, ANSCOMBE_Y)]


def write(folder: Path, content: bytes | str, name: str = "scores.csv") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def write_csv(path: Path, x: Array, y: Array) -> str:
    lines = [f"{float(a)!r},{float(b)!r}\n" for a, b in zip(x, y, strict=True)]
    return write(path.parent, "".join(["hours,score\n", *lines]), path.name)


def write_parquet(path: Path, columns: Any, row_group: int = 1 << 20) -> str:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, path, row_group_size=row_group)
    return str(path)


def read_rows(
    paths: Sequence[str | Path], columns: Columns | None = None, **options: Any
) -> Summary:
    return rows.read_rows([*map(str, paths)], ReadOptions(columns or Columns(), **options))


def rows_of(folder: Path, x: Array, y: Array, folds: int = 10) -> Summary:
    return read_rows([write_csv(folder / "rows.csv", x, y)], folds=folds)


def assert_refused(message: str, *paths: str | Path, **options: Any) -> str:
    """Reading these rows must end with a message that this pattern matches; returns all of it."""
    with pytest.raises(DataError, match=message) as error:
        read_rows(paths, **options)
    return str(error.value)
