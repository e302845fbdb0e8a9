"""The query that sums up rows by fold, and the reader that runs it over a process's sources."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb
import numpy as np

from models.moments import Line, Moments, plus
from models.products import PRODUCTS
from models.study_score import HOURS_MAX
from training import bad_rows, sources
from training.bad_rows import BadRows, Limit
from training.columns import Columns
from training.diagnosis import SAMPLED
from training.dialect import NO_OPTIONS, Options
from training.engine import Engine
from training.errors import DataError, one_line
from training.folds import HASHED
from training.open_table import open_table
from training.processes import Group
from training.sample import DRAWS, EXTREMES, Draw, Row
from training.tables import Context, Table

SCORES = -1e18, 1e18  # `position` of larger ones would have too few digits
HEAD_ROWS = 10_000  # the reference line is the least-squares line of these
BATCH_FILES = 200  # small files that one query reads
FLAT = Line(0.0, 0.0, 0.0)
ALONE = Group()

# The draws of all rows, added up as whole numbers, identify the rows in any order.
IDENTITY = "sum((draw * 4294967295)::UINTEGER)"
# Answers one row for each fold. x is a row's hours minus those of the reference point, r is its
# score minus the reference line, and the sums are those of `Moments`. fsum keeps the digits that
# sum would lose (Kahan). UTINYINT lets the engine index the groups instead of hashing them.
SUMS = f"""
    SELECT floor(position * $folds)::UTINYINT AS fold, count(*), {IDENTITY},
           min(hours), max(hours), min(score), max(score),
           {", ".join(f"fsum({'*'.join(names)})" for names in PRODUCTS)}
    FROM (SELECT *, hours - $x AS x, score - $y - $slope * (hours - $x) AS r
          FROM ({HASHED}))
    GROUP BY fold"""
BY_FILE = f"SELECT file, count(*), {IDENTITY} FROM ({HASHED}) GROUP BY file"


class ReadOptions(NamedTuple):
    """How rows are read, according to the options of the command line.

    A score outside `score_range` cannot be used. `with_sample` draws a sample in any case.
    """

    columns: Columns = Columns()
    folds: int = 10
    skip_bad_rows: bool = False
    with_sample: bool = False
    score_range: tuple[float, float] | None = None
    file_options: Options = NO_OPTIONS

    @property
    def limits(self) -> tuple[Limit, Limit]:
        """What hours and scores must lie between."""
        low, high = self.score_range or SCORES
        hours, score = (f"column {name}" if name.isdigit() else name for name in self.columns)
        return (
            Limit(hours, 0.0, HOURS_MAX),
            Limit(score, max(low, SCORES[0]), min(high, SCORES[1])),
        )


class Sums(NamedTuple):
    """Sums of some rows: moments by fold (None for an empty one), and the rows' identity."""

    folds: list[Moments | None]
    rows: int = 0
    identity: int = 0

    def plus(self, other: Sums) -> Sums:
        """The sums of both."""
        folds = [plus(*both) for both in zip(self.folds, other.folds, strict=True)]
        return Sums(folds, *map(sum, zip(self[1:], other[1:], strict=True)))


class OutOfRange(Exception):
    """A number is missing or out of range."""


class Reducer:
    """Reads the sources of this process; each is known by its number in the whole run.

    `tables` are the sources, `queries` give the usable rows of one source or of several small ones,
    `sums` are their sums, and `bad` are the rows that cannot be used. `error` is the first one.
    """

    def __init__(self, engine: Engine, options: ReadOptions, group: Group) -> None:
        self.engine, self.options, self.group = engine, options, group
        self.tables: dict[int, Table] = {}
        self.queries: dict[tuple[int, ...], str] = {}
        self.sums: dict[int, Sums] = {}
        self.bad: dict[int, BadRows] = {}
        self.error: tuple[int, DataError] | None = None
        self._small: set[int] = set()

    def open(self, inputs: Sequence[sources.Input]) -> None:
        """Find the two columns in each source of this process, up to the first without them."""
        for index, input_ in enumerate(inputs):
            shared = self.group.size > 1 and sources.is_shared(input_)
            if not shared and index % self.group.size != self.group.rank:
                continue
            share = self.group if shared else ALONE
            try:
                context = Context(
                    self.options.columns, self.options.file_options, self.engine, share
                )
                with input_.open() as file:
                    self.tables[index] = open_table(input_, file, context)
                if self.tables[index].as_numbers and sources.is_small(input_):
                    self._small.add(index)
            except DataError as error:
                self.error = index, error
                return

    def line(self) -> Line:
        """The reference line: the least-squares line of the first rows."""
        for table in self.tables.values():
            if not table.as_numbers:
                continue
            query = f"SELECT hours, score FROM ({table.as_numbers}) LIMIT {HEAD_ROWS}"
            try:
                head = np.array(self.engine.rows(query), np.float64).reshape(-1, 2)
            except duckdb.Error:
                continue
            low, high = np.array([limit[1:] for limit in self.options.limits]).T
            head = head[((head >= low) & (head <= high)).all(axis=1)]
            if len(head):
                return Moments.of(*head.T).least_squares
        return FLAT

    def reduce(self, line: Line) -> None:
        """Sum the rows of each source about a line, up to the first source with bad rows."""
        for indexes in self._batches():
            if len(indexes) > 1 and self._reduce_together(indexes, line):
                continue
            for index in indexes:
                try:
                    self.sums[index] = self._reduced(index, line)
                except DataError as error:
                    if not self.error or index < self.error[0]:
                        self.error = index, error
                    return

    def _batches(self) -> Iterator[tuple[int, ...]]:
        """The numbers of the sources in their order, many small ones at a time."""
        for small, indexes in itertools.groupby(self.tables, self._small.__contains__):
            size = BATCH_FILES if small else 1
            while batch := tuple(itertools.islice(indexes, size)):
                yield batch

    def _reduce_together(self, indexes: tuple[int, ...], line: Line) -> bool:
        """Sum small sources by one query; False if one of them has bad rows."""
        if any((index,) in self.queries for index in indexes):
            return False
        if indexes not in self.queries:
            rows = " UNION ALL ".join(
                f"SELECT hours, score, {index} AS file FROM ({self.tables[index].as_numbers})"
                for index in indexes
            )
            table = self.engine.new_name()
            try:
                self.engine.rows(f"CREATE TEMP TABLE {table} AS {rows}")
            except duckdb.Error:
                return False
            self.queries[indexes] = f"FROM {table}"
        try:
            sums = self._sum_up(self.queries[indexes], line)
        except (duckdb.Error, OutOfRange):
            del self.queries[indexes]
            return False
        by_file = BY_FILE.format(rows=self.queries[indexes])
        numbers = {file: numbers for file, *numbers in self.engine.rows(by_file)}
        for index in indexes:
            self.sums[index] = Sums([None] * self.options.folds, *numbers.get(index, (0, 0)))
        self.sums[indexes[0]] = self.sums[indexes[0]]._replace(folds=sums.folds)
        return True

    def _reduced(self, index: int, line: Line) -> Sums:
        table = self.tables[index]
        try:
            if (index,) not in self.queries and table.as_numbers:
                # if a row is bad or not a plain number, the rows are read as text below
                with contextlib.suppress(duckdb.Error, OutOfRange):
                    sums = self._sum_up(table.as_numbers, line)
                    self.queries[index,] = table.as_numbers
                    return sums
            if (index,) not in self.queries:
                self.queries[index,] = self._good_rows(index, table)
            return self._sum_up(self.queries[index,], line)
        except duckdb.Error as error:
            raise DataError(f"{table.name}: {one_line(error)}") from None

    def _good_rows(self, index: int, table: Table) -> str:
        """The query for the rows that can be used, once the others are counted and named."""
        rows, bad, notation = bad_rows.separate(self.engine, table, self.options.limits)
        if bad.counts and not self.options.skip_bad_rows:
            raise bad.error()
        self.bad[index] = bad
        if notation:
            read_as = ", ".join(filter(None, (table.read_as, notation.name)))
            self.tables[index] = table._replace(read_as=read_as)
        return rows

    def _sum_up(self, rows: str, line: Line) -> Sums:
        """The sums of a query's rows (hours, score); raises duckdb.Error and OutOfRange."""
        (_, h0, h1), (_, s0, s1) = self.options.limits
        values = {**line._asdict(), "folds": self.options.folds}
        total = Sums([None] * self.options.folds)
        for fold, n, identity, *numbers in self.engine.rows(SUMS.format(rows=rows), values):
            min_x, max_x, min_y, max_y, *products = numbers
            if fold is None or not (h0 <= min_x and max_x <= h1 and s0 <= min_y and max_y <= s1):
                raise OutOfRange
            extremes = {"min_x": min_x, "max_x": max_x, "min_y": min_y, "max_y": max_y}
            total.folds[fold] = Moments(line=line, n=n, sums=tuple(products), **extremes)
            total = total._replace(rows=total.rows + n, identity=total.identity + identity)
        return total

    def draws(self) -> list[Draw]:
        """The rows of each source with the lowest draws."""
        draws = []
        for indexes, rows in self.queries.items():
            n = sum(self.sums[index].rows for index in indexes)
            # 8 times as many as needed, which are too few only if most rows are repeated
            below = 8 * SAMPLED / max(n, 1)
            lowest = self.engine.rows(DRAWS.format(rows=rows), {"below": below})
            if len(lowest) < SAMPLED and below < 1:
                lowest = self.engine.rows(DRAWS.format(rows=rows), {"below": 1.0})
            draws += lowest
        return draws

    def extremes(self, line: Line) -> list[Row]:
        """The rows of each source with the fewest hours, the most, and furthest from a line."""
        return [
            row
            for rows in self.queries.values()
            for row in self.engine.rows(EXTREMES.format(rows=rows), line._asdict())
        ]
