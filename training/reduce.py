"""Rows to moments by fold: one query, in one process or many."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import numpy as np

from models.findings import SURE
from models.moments import LEAST, Line, Moments, merged, plus
from models.products import PRODUCTS
from models.record import Source
from models.study_score import HOURS_MAX
from training import bad_rows, sources
from training.bad_rows import BadRows, Limit
from training.columns import Columns
from training.diagnosis import DISTANCE, SAMPLED, diagnose, kurtosis_of
from training.dialect import NO_OPTIONS, Options
from training.engine import Engine
from training.errors import DataError, counted, one_line
from training.identity import same_twice
from training.opening import opened
from training.processes import Group
from training.tables import Reader, Table
from training.ways import Way, find_duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Row = tuple[float, float]
Drawn = tuple[
    int, float, float, int
]  # the draw by its hash, hours, score, and how often the row is there
SCORES = -1e70, 1e70  # their fourth powers, and sums of them, stay far from overflow
HEAD_ROWS = 10_000  # the reference line is the least-squares line of these
MINUTES = 45  # hours in the middle, all whole, that look like these
BATCH_FILES = 200  # small files that one query reads
FLAT = Line(0.0, 0.0, 0.0)
ALONE = Group()

# A row's hash is universal (Carter and Wegman 1979, "Universal classes of hash functions"): of the
# upper and lower 32 bits of both numbers, each times a factor under 2^29, so that no sum overflows.
FACTORS = 0x1B873593, 0x0CC9E2D5, 0x1F123BB5, 0x159A55E5
PRIME = 4294967311

# One row of the answer for each fold: -0 is hashed as 0; rows that cannot be used get no fold, and
# of those only the number counts. fsum adds without losing digits (Kahan). Squares of hashes add
# up to an identity of the rows that knows nothing of their order; hashes themselves, being linear
# in the numbers, would not see two scores change places.
HASHED = """
    SELECT * EXCLUDE (h, s), ({} * (h >> 32) + {} * (h & 4294967295)
                        + {} * (s >> 32) + {} * (s & 4294967295)) % {} AS hash
    FROM (SELECT *, (hours + 0.0)::BIT::UBIGINT AS h, (score + 0.0)::BIT::UBIGINT AS s
          FROM ({{rows}}))""".format(*FACTORS, PRIME)
QUERY = f"""
    SELECT CASE WHEN hours BETWEEN $h0 AND $h1 AND score BETWEEN $s0 AND $s1
                THEN hash % $folds::UBIGINT END AS fold,
           count(*), sum(hash::HUGEINT * hash), approx_count_distinct(hash),
           min(hours), max(hours), min(score), max(score),
           {", ".join(f"fsum({'*'.join(names)})" for names in PRODUCTS)}
    FROM (SELECT *, hours - $x AS x, score - $y - $slope * (hours - $x) AS r
          FROM ({HASHED}))
    GROUP BY fold"""
BY_FILE = f"""
    SELECT file, count(*), sum(hash::HUGEINT * hash), approx_count_distinct(hash)
    FROM ({HASHED}) GROUP BY file"""
# Hashes of neighbours lie at even distances; their squares do not, and so draw a fair sample.
DRAWN = f"""
    SELECT draw, hours, score, count(*)
    FROM (SELECT hours, score, (hash >> 1) * (hash >> 1) % {PRIME} AS draw FROM ({HASHED}))
    WHERE draw < $most
    GROUP BY hours, score, draw ORDER BY draw, hours, score LIMIT {SAMPLED}"""
EXTREMES = """
    FROM (SELECT hours, score FROM ({rows}) ORDER BY hours, score LIMIT 1)
    UNION ALL FROM (SELECT hours, score FROM ({rows}) ORDER BY hours DESC, score LIMIT 1)
    UNION ALL FROM (SELECT hours, score FROM ({rows})
                    ORDER BY abs(score - $y - $slope * (hours - $x)) DESC, hours, score LIMIT 1)"""


class How(NamedTuple):
    """How rows are read: what the options say.

    A score outside `score_range` cannot be used. With `points` some rows are wanted to be seen.
    """

    columns: Columns = Columns()
    folds: int = 10
    skip_bad_rows: bool = False
    points: bool = False
    score_range: tuple[float, float] | None = None
    options: Options = NO_OPTIONS

    @property
    def limits(self) -> tuple[Limit, Limit]:
        """What hours and scores must lie between."""
        low, high = self.score_range or SCORES
        hours, score = (f"column {name}" if name.isdigit() else name for name in self.columns)
        return (
            Limit(hours, 0.0, HOURS_MAX),
            Limit(score, max(low, SCORES[0]), min(high, SCORES[1])),
        )


class Sample(NamedTuple):
    """Different rows, in the order of their draws: hours, scores, and how often each occurs.

    All of them if they are at most SAMPLED, else those with the lowest draws.
    """

    hours: Array
    scores: Array
    times: NDArray[np.int64]


NO_SAMPLE = Sample(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))


class Summary(NamedTuple):
    """What remains of the rows of a run.

    `folds[k]` are the moments of fold k, None if no row fell into it. `sample` is empty where
    nobody needs one.
    `extremes` are the rows with the least and the most hours and the one furthest from the line,
    where one row could decide it. `notes` say what was left out; `kinds` are those of the sources.
    Scores outside `score_range` were not used.
    """

    folds: tuple[Moments | None, ...]
    sources: tuple[Source, ...]
    sample: Sample = NO_SAMPLE
    extremes: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    score_range: tuple[float, float] | None = None

    @property
    def moments(self) -> Moments:
        """The moments of all rows."""
        return merged(self.folds)


class Part(NamedTuple):
    """What one query finds in a source: moments by fold, and what the rows are known by."""

    folds: list[Moments | None]
    bad: int = 0
    rows: int = 0
    identity: int = 0
    distinct: int = 0

    def plus(self, other: Part) -> Part:
        """Both."""
        return Part(
            [plus(*both) for both in zip(self.folds, other.folds, strict=True)],
            self.bad + other.bad,
            self.rows + other.rows,
            self.identity + other.identity,
            self.distinct + other.distinct,
        )


class Reading:
    """The sources that this process reads, and the engine that reads them."""

    def __init__(self, engine: Engine, how: How, group: Group) -> None:
        self.engine, self.how, self.group = engine, how, group
        self.tables: dict[int, Table] = {}
        self.small: set[int] = set()
        self.rows: dict[tuple[int, ...], str] = {}  # by the numbers of the sources
        self.bad: dict[int, BadRows] = {}
        self.parts: dict[int, Part] = {}
        self.error: tuple[int, DataError] | None = None

    def open(self, places: Sequence[sources.Place]) -> None:
        """Find the two columns in each source of this process, up to the first without them."""
        for index, place in enumerate(places):
            shared = self.group.size > 1 and sources.is_shared(place)
            if not shared and index % self.group.size != self.group.rank:
                continue
            try:
                share = self.group if shared else ALONE
                reader = Reader(self.how.columns, self.how.options, self.engine, share)
                with place.open() as file:
                    self.tables[index] = opened(place, file, reader)
                if self.tables[index].numbers and sources.is_small(place):
                    self.small.add(index)
            except DataError as error:
                self.error = index, error
                return

    def line(self) -> Line:
        """The least-squares line of the first rows, about which all are summed."""
        for table in self.tables.values():
            query = f"SELECT hours, score FROM ({table.numbers}) LIMIT {HEAD_ROWS}"
            if not table.numbers:
                continue
            try:
                head = np.array(self.engine.rows(query), np.float64).reshape(-1, 2)
            except duckdb.Error:
                continue
            low, high = np.array([limit[1:] for limit in self.how.limits]).T
            head = head[((head >= low) & (head <= high)).all(axis=1)]
            if len(head):
                return _within_scores(Moments.of(*head.T).least_squares)
        return FLAT

    def reduce(self, line: Line) -> None:
        """Sum the rows of each source about a line, up to the first source with bad rows."""
        for indexes in self._batches():
            if len(indexes) > 1 and self._reduce_together(indexes, line):
                continue
            for index in indexes:
                try:
                    self.parts[index] = self._reduced(index, self.tables[index], line)
                except DataError as error:
                    if not self.error or index < self.error[0]:
                        self.error = index, error
                    return

    def _batches(self) -> Iterator[tuple[int, ...]]:
        """The numbers of the sources in their order, small ones together."""
        for small, indexes in itertools.groupby(self.tables, self.small.__contains__):
            size = BATCH_FILES if small else 1
            while batch := tuple(itertools.islice(indexes, size)):
                yield batch

    def _reduce_together(self, indexes: tuple[int, ...], line: Line) -> bool:
        """Sum sources by one query; False if that cannot be, for one of them has bad rows."""
        if indexes not in self.rows:
            if any((index,) in self.rows for index in indexes):
                return False
            table = self.engine.new_name()
            rows = " UNION ALL ".join(
                f"SELECT hours, score, {index} AS file FROM ({self.tables[index].numbers})"
                for index in indexes
            )
            try:
                self.engine.rows(f"CREATE TEMP TABLE {table} AS {rows}")
            except duckdb.Error:
                return False
            part = self._sums(f"FROM {table}", line)
            if part.bad:
                return False
            self.rows[indexes] = f"FROM {table}"
        else:
            part = self._sums(self.rows[indexes], line)
        none = Part([None] * self.how.folds)
        found = {
            file: rest for file, *rest in self.engine.rows(BY_FILE.format(rows=self.rows[indexes]))
        }
        for index in indexes:
            self.parts[index] = Part(none.folds, 0, *found.get(index, (0, 0, 0)))
        self.parts[indexes[0]] = self.parts[indexes[0]]._replace(folds=part.folds)
        return True

    def _reduced(self, index: int, table: Table, line: Line) -> Part:
        try:
            if (index,) in self.rows:
                return self._sums(self.rows[index,], line)
            if table.numbers:
                try:
                    part = self._sums(table.numbers, line)
                    if not part.bad:
                        self.rows[index,] = table.numbers
                        return part
                except duckdb.Error:
                    pass  # one of its rows is bad, or all are to be read in another way
            self.rows[index,] = self._good_rows(index, table)
            return self._sums(self.rows[index,], line)
        except duckdb.Error as error:
            raise DataError(f"{table.name}: {one_line(error)}") from None

    def _good_rows(self, index: int, table: Table) -> str:
        """The query for the rows that can be used, once the others are counted and named."""
        rows, bad = self._judged(index, table)
        if bad.counts and not self.how.skip_bad_rows:
            raise bad.error()
        self.bad[index] = bad
        return f"SELECT x AS hours, y AS score FROM ({rows}) WHERE reason IS NULL"

    def _judged(self, index: int, table: Table) -> tuple[str, BadRows]:
        limits, words = self.how.limits, table.words()

        def judged(hours: Way | None = None) -> tuple[str, BadRows]:
            rows = bad_rows.judged(words, table.decimal, limits, hours)
            mark = table.decimal if table.kind == "text" else None
            return rows, bad_rows.find(self.engine, rows, mark, limits, table.place)

        rows, bad = judged()
        if bad.has_no_number and (way := find_duration(self.engine, words, table.decimal)):
            read_as = ", ".join(filter(None, (table.read_as, way.name)))
            self.tables[index] = table._replace(read_as=read_as)
            return judged(way)
        return rows, bad

    def _sums(self, rows: str, line: Line) -> Part:
        folds = self.how.folds
        part = Part([None] * folds)
        (_, h0, h1), (_, s0, s1) = self.how.limits
        ends = {"h0": h0, "h1": h1, "s0": s0, "s1": s1}
        values = {**_named(line), **ends, "folds": folds}
        for fold, n, identity, distinct, *numbers in self.engine.rows(
            QUERY.format(rows=rows), values
        ):
            if fold is None:
                part = part._replace(bad=n)
                continue
            min_x, max_x, min_y, max_y, *sums = numbers
            part.folds[fold] = Moments(
                line=line,
                n=n,
                sums=tuple(sums),
                min_x=min_x,
                max_x=max_x,
                min_y=min_y,
                max_y=max_y,
            )
            part = part._replace(
                rows=part.rows + n,
                identity=part.identity + identity,
                distinct=part.distinct + distinct,
            )
        return part

    def sample(self) -> list[Drawn]:
        """The rows of each source with the lowest draws."""
        drawn = []
        for indexes, rows in self.rows.items():
            distinct = sum(self.parts[index].distinct for index in indexes)
            most = PRIME if distinct <= SAMPLED else math.ceil(PRIME * 2 * SAMPLED / distinct)
            drawn += self.engine.rows(DRAWN.format(rows=rows), {"most": most})
        return drawn

    def extremes(self, line: Line) -> list[Row]:
        """The rows of each source with the least hours, the most, and furthest from a line."""
        return [
            row
            for rows in self.rows.values()
            for row in self.engine.rows(EXTREMES.format(rows=rows), _named(line))
        ]


def read_rows(
    paths: Sequence[str],
    how: How = How(),  # noqa: B008  (a tuple)
    group: Group = ALONE,
    sql: str | None = None,
    watch: Callable[[float], object] = lambda percent: None,
    known: Moments | None = None,
) -> Summary:
    """Reduce all that paths name, or the rows of a query; no path means the lab's.

    With `known` the rows are added to others, and summed about the same line. Sums, folds and
    sample do not depend on the order of the rows, nor on files, formats and processes.

    Raises DataError, in each process of the group for the first source that cannot be used.
    """
    places, notes, empty = group.broadcast(lambda: _places(paths, sql))
    states = [place.state() for place in places]
    beside = ThreadPoolExecutor(1)
    records = beside.submit(lambda: [place.record() for place in places])
    beside.shutdown(wait=False)
    with Engine(watch) as engine:
        reading = Reading(engine, how, group)
        reading.open(places)
        reading.reduce(known.line if known else group.broadcast(reading.line))
        found = _gathered(reading)
        if (moments := found.moments) and (known + moments if known else moments).is_poor:
            reading.reduce(_within_scores(moments.least_squares))
            found = _gathered(reading)
        sample = NO_SAMPLE
        extremes: tuple[Row, ...] = ()
        if moments := found.moments:
            wanted = known or how.points or _wants_sample(moments)
            if wanted or moments.mean_x > MINUTES / 2:
                sample = _lowest(group.gather(reading.sample()))
                notes += _minutes(sample)
                sample = sample if wanted else NO_SAMPLE
            if _one_row_may_decide(moments):
                line = moments.least_squares
                extremes = extremes_of(group.gather(reading.extremes(line)), line)
        for place, state in zip(places, states, strict=True):
            if place.state() != state:
                raise DataError(f"{place.name}: was changed while it was read")
        kept = [
            Source(
                name=place.name,
                columns=found.tables[index].columns,
                rows=found.parts[index].rows,
                skipped=found.bad[index].rows if index in found.bad else 0,
                identity=f"{found.parts[index].identity:x}",
                read_as=found.tables[index].read_as,
                **record,
            )
            for index, (place, record) in enumerate(zip(places, records.result(), strict=True))
        ]
    kept, more = _with_rows(kept, paths)
    if empty + more:
        notes.append(f"passed over {counted(empty + more, 'file')} without rows")
    for bad in found.bad.values():
        notes += bad.notes()
    notes += same_twice(kept)
    _check_share(found)
    return Summary(
        folds=tuple(found.folds),
        sources=tuple(kept),
        sample=sample,
        extremes=extremes,
        notes=tuple(notes),
        kinds=frozenset(table.kind for table in found.tables.values()),
        score_range=how.score_range,
    )


def _places(paths: Sequence[str], sql: str | None) -> tuple[list[sources.Place], list[str], int]:
    """What is read, notes, and how many files of folders are empty and so are not."""
    places, notes = sources.find(paths, sql)
    kept = [place for place in places if place.name in paths or place.size != 0]
    return kept or places[:1], notes, len(places) - len(kept or places[:1])


def _with_rows(found: list[Source], paths: Sequence[str]) -> tuple[list[Source], int]:
    """Those that have rows, and how many others a folder has; raises DataError for a named one."""
    kept = [source for source in found if source.rows + source.skipped]
    for source in found:
        if not source.rows + source.skipped and (source.name in paths or not kept):
            raise DataError(f"{source.name}: it has the columns, but no rows")
    return kept, len(found) - len(kept)


def _minutes(sample: Sample) -> list[str]:
    """A note if hours may be minutes."""
    hours = np.repeat(sample.hours, sample.times)
    if (hours % 1).any() or np.median(hours) <= MINUTES:
        return []
    return [
        f"hours are all whole, and half of them over {MINUTES}: if they are minutes, divide by 60"
    ]


class Found(NamedTuple):
    """What all processes found, by the source's number."""

    parts: dict[int, Part]
    bad: dict[int, BadRows]
    tables: dict[int, Table]
    folds: list[Moments | None]

    @property
    def moments(self) -> Moments | None:
        """The moments of all rows, None if there are none."""
        return merged(self.folds) if any(self.folds) else None


def _gathered(reading: Reading) -> Found:
    """Raises DataError for the first source that one of the processes cannot use."""
    tables = {
        index: table._replace(words=str)  # what no other process can use
        for index, table in reading.tables.items()
    }
    everywhere = reading.group.gather((reading.error, reading.parts, reading.bad, tables))
    errors = [error for error, *_ in everywhere if error]
    if errors:
        raise min(errors, key=lambda error: error[0])[1]
    found = Found({}, {}, {}, [None] * reading.how.folds)
    for _, parts, bad, tables in everywhere:
        for index, part in parts.items():
            found.parts[index] = part.plus(found.parts[index]) if index in found.parts else part
        for index, some in bad.items():
            found.bad[index] = some.plus(found.bad[index]) if index in found.bad else some
        found.tables.update(tables)
    for part in found.parts.values():
        found.folds[:] = map(plus, found.folds, part.folds)
    return found


def _within_scores(line: Line) -> Line:
    """A line whose scores are no larger than those of rows may be."""
    return line if abs(line.slope) * HOURS_MAX <= SCORES[1] else FLAT


def _named(line: Line) -> dict[str, float]:
    return dict(line._asdict())


def _wants_sample(moments: Moments) -> bool:
    """Whether quantiles of the errors may be needed, or cost nothing."""
    diagnosis = diagnose(moments)
    p_values = diagnosis.spread_p, diagnosis.normality_p
    return moments.n <= SAMPLED or any(p is not None and p < SURE for p in p_values)


def _one_row_may_decide(moments: Moments) -> bool:
    """Whether a row's `influence` can be beyond DISTANCE, as far as moments tell.

    Of the sum of squared residuals a row has the root of kurtosis / n at most.
    """
    if moments.sxx <= LEAST or moments.n < 5:
        return False
    reach = max(moments.max_x - moments.mean_x, moments.mean_x - moments.min_x)
    rest = 1 - 1 / moments.n - reach / moments.sxx * reach
    share = math.sqrt((kurtosis_of(moments) or moments.n) / moments.n)
    if share >= rest:
        return True
    return (1 - rest) / rest * (moments.n - 3) * share / (rest - share) / 2 >= DISTANCE


def _lowest(parts: Sequence[Sequence[Drawn]]) -> Sample:
    """The rows of all parts with the lowest draws, each once."""
    times: Counter[tuple[int, float, float]] = Counter()
    for bits, hours, score, count in itertools.chain(*parts):
        times[bits, hours, score] += count
    drawn = sorted(times.items())[:SAMPLED]
    rows = np.array([(hours, score, count) for (_, hours, score), count in drawn]).reshape(-1, 3)
    return Sample(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64))


def extremes_of(parts: Sequence[Sequence[Row]], line: Line) -> tuple[Row, ...]:
    """The least hours, the most, and the row furthest from the line."""
    rows = sorted(itertools.chain(*parts))

    def residual(row: Row) -> float:
        return abs(row[1] - line.y - line.slope * (row[0] - line.x))

    most = min(row for row in rows if row[0] == rows[-1][0])
    return tuple(dict.fromkeys((rows[0], most, max(rows, key=residual))))


def _check_share(found: Found) -> None:
    """Raises DataError if more than half of the rows cannot be used."""
    rows = sum(part.rows for part in found.parts.values())
    bad = functools.reduce(BadRows.plus, found.bad.values(), BadRows({}, {}))
    if bad.rows > rows:
        raise bad.error(f"{bad.rows:,} of {bad.rows + rows:,} rows cannot be used, more than half")


def fold_of(hours: Array, scores: Array, folds: int) -> NDArray[np.int64]:
    """The fold of each row (hours[i], scores[i]), by its numbers alone.

    >>> fold_of(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]), 10).tolist()
    [5, 8, 4]
    """
    halves = []
    for column in (hours, scores):
        bits = (column + 0.0).view(np.uint64)
        halves += [bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)]
    total = np.array(FACTORS, np.uint64) @ np.array(halves)
    folded: NDArray[np.int64] = (total % np.uint64(PRIME) % np.uint64(folds)).astype(np.int64)
    return folded
