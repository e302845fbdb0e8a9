"""Rows to moments by fold, in one process or many; bad rows are named, or skipped."""

from __future__ import annotations

import functools
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from models.moments import Moments, merged, plus
from models.study_score import HOURS_MAX, Source
from training import sources
from training.batches import Batch, Limit, Problem
from training.columns import Columns
from training.diagnosis import SAMPLED
from training.dialect import PLAIN, Asked
from training.errors import DataError, counted
from training.processes import Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Row = tuple[float, float]
AHEAD = 4
PIECE_ROWS = 1 << 15  # that fit into a processor's own cache, with what is made of them
SCORES = -1e100, 1e100  # squares of scores, and sums of them, stay far from overflow
DEFAULT_COLUMNS = Columns()
ALONE = Group()


class Sample(NamedTuple):
    """Different rows, in the order of their hashes: hours, scores, and how often each occurs.

    All of them if they are at most SAMPLED, else those of the lowest hashes.
    """

    hours: Array
    scores: Array
    times: NDArray[np.int64]


class Summary(NamedTuple):
    """What remains of the rows of a run.

    `folds[k]` are the moments of fold k, None if no row fell into it; `points` are (hours, score)
    of rows drawn at random, in the order they were drawn, and `sample` more; `notes` say what was
    left out; `kinds` are those of the sources: text, Parquet, workbook or query.
    """

    folds: tuple[Moments | None, ...]
    sources: tuple[Source, ...]
    points: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    sample: Sample = Sample(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))

    @property
    def moments(self) -> Moments:
        """The moments of all rows."""
        return merged(self.folds)

    @property
    def extremes(self) -> tuple[Row, ...]:
        """The rows with the least hours, the most, and the largest error; none without a sample."""
        hours, scores, _ = self.sample
        if not len(hours):
            return ()
        errors = scores - self.moments.slope * hours
        found = {hours.argmin(), hours.argmax(), abs(errors - np.median(errors)).argmax()}
        return tuple((float(hours[k]), float(scores[k])) for k in sorted(found))


def hashed(x: Array, y: Array) -> NDArray[np.uint64]:
    """64 bits of each row (x[i], y[i]), from the two numbers' bits, -0 being 0, alone.

    The mixing is splitmix64's (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
    generators").
    """
    bits = (x + 0.0).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(29))) + (y + 0.0).view(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def fold_of(hours: Array, scores: Array, folds: int) -> NDArray[np.uint8]:
    """The fold of each row, by its hash alone."""
    return (hashed(hours, scores) % np.uint64(folds)).astype(np.uint8)


class _How(NamedTuple):
    """How rows are read, as `read_rows` was told."""

    columns: Columns
    asked: Asked
    limits: tuple[Limit, Limit]
    folds: int
    sample: int
    skip: bool
    advance: Callable[[int], object]


class _Part(NamedTuple):
    """Some rows: moments by fold; those drawn by their hashes, and how often each is there."""

    folds: list[Moments | None]
    drawn: dict[int, tuple[Row, int]]


class _Read(NamedTuple):
    """What a process knows of a source: rows used, why others were not, the fields of a Source."""

    used: int
    problems: dict[str, Problem]
    fields: dict[str, Any]
    kind: str = ""

    def plus(self, other: _Read) -> _Read:
        """What two processes know."""
        problems = dict(self.problems)
        for reason, problem in other.problems.items():
            problems[reason] = problem.plus(problems.get(reason))
        fields, kind = self.fields or other.fields, self.kind or other.kind
        return _Read(self.used + other.used, problems, fields, kind)


def read_rows(
    paths: Sequence[str],
    columns: Columns = DEFAULT_COLUMNS,
    folds: int = 10,
    advance: Callable[[int], object] = lambda rows: None,
    skip_bad_rows: bool = False,
    sample: int = 0,
    group: Group = ALONE,
    score_range: tuple[float, float] | None = None,
    asked: Asked = PLAIN,
    sql: str | None = None,
) -> Summary:
    """Read all that paths name, or the rows of a query, once, in a stream; no path means the lab's.

    A row's fold is that of `fold_of`. The `sample` different rows that are drawn (all of the lab's)
    are those with the lowest hashes. So neither depends on order, place or format, nor on which of
    the group's processes reads a row. `advance` is told the rows of each batch. A score outside of
    `score_range` cannot be used.

    Raises DataError.
    """
    limits = Limit(columns.hours, 0, HOURS_MAX), Limit(columns.score, *(score_range or SCORES))
    how = _How(columns, asked, limits, folds, SAMPLED, skip_bad_rows, advance)
    places, notes = group.broadcast(lambda: sources.find(paths, sql))
    whole = _Part([None] * folds, {})
    reads: dict[int, _Read] = {}
    with _pool() as pool:
        for index, place in enumerate(places):
            if share := _share(place, index, group):
                part, reads[index] = _read(place, share, how, pool)
                whole = _joined(whole, part, how.sample)

    found, kinds = [], set()
    gathered = group.gather((whole, reads))
    parts = [part for part, _ in gathered]
    whole = functools.reduce(lambda one, other: _joined(one, other, how.sample), parts)
    for index, place in enumerate(places):
        known = [reads[index] for _, reads in gathered if index in reads]
        read = functools.reduce(_Read.plus, known)
        skipped = sum(problem.rows for problem in read.problems.values())
        if not read.used + skipped:
            raise DataError(f"{place.name}: it has the columns, but no rows")
        for reason, problem in read.problems.items():
            notes.append(
                f"skipped {counted(problem.rows)}: {reason}; the first is {problem.message}"
            )
        kinds.add(read.kind)
        found.append(Source(name=place.name, rows=read.used, skipped=skipped, **read.fields))
    sources.refuse_seen(found, (), "holds what {} holds, and would count twice")
    _check_share(sum(s.skipped for s in found), sum(s.rows for s in found))
    rows = np.array([(*row, times) for row, times in whole.drawn.values()]).reshape(-1, 3)
    return Summary(
        tuple(whole.folds),
        tuple(found),
        _points(dict(list(whole.drawn.items())[: sample if paths else 3]), sample if paths else 3),
        tuple(notes),
        frozenset(kinds),
        Sample(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64)),
    )


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    """A thread for each of this process's processors."""
    threads = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    with ThreadPoolExecutor(max(1, threads)) as pool, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "CSV malformed")  # it is read again then, row by row
        yield pool


def _share(place: sources.Place, index: int, group: Group) -> Group | None:
    """A large file is shared block by block; of the other sources each has its process."""
    rank = (group.rank - index) % group.size
    if group.size > 1 and sources.is_large(place):
        return Group(rank, group.size)
    return None if rank else ALONE


def _read(
    place: sources.Place, share: Group, how: _How, pool: ThreadPoolExecutor
) -> tuple[_Part, _Read]:
    whole, read, row = _Part([None] * how.folds, {}), _Read(0, {}, {}), 0
    with sources.opened(place, how.columns, how.asked, share) as table:
        for count, x, y, part, problems in _in_order(pool, how, table.batches):
            named = {
                reason: problem.named(place.name, table.where, row)
                for reason, problem in problems.items()
            }
            if named and not how.skip:
                raise DataError(min(named.values(), key=lambda problem: problem.row).message)
            if table.numbers:
                table.numbers.update(np.column_stack([x, y]).tobytes())
            whole = _joined(whole, part, how.sample)
            read = read.plus(_Read(len(x), named, {}))
            row += count
            how.advance(count)
        if share.rank:
            return whole, read
        fields = {"columns": table.columns, "read_as": table.read_as, **table.known_by()}
        return whole, read._replace(fields=fields, kind=table.kind)


def _in_order(
    pool: ThreadPoolExecutor, how: _How, batches: Iterator[Callable[[], Batch]]
) -> Iterator[tuple[int, Array, Array, _Part, dict[str, Problem]]]:
    """What is made of each batch, in their order, while the next are being made."""
    waiting: deque[Future[Any]] = deque()
    error = None
    try:
        for make in batches:
            waiting.append(pool.submit(_reduced, how, make))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
    except DataError as problem:  # which comes after what waits
        error = problem
    while waiting:
        yield waiting.popleft().result()
    if error:
        raise error


def _reduced(
    how: _How, make: Callable[[], Batch]
) -> tuple[int, Array, Array, _Part, dict[str, Problem]]:
    """How many rows of its source a batch is, the numbers of those that can be used, and the rest.

    A batch with other rows is made again in its own words.
    """
    batch = make()
    x, y = batch.numbers()
    problems: dict[str, Problem] = {}
    if batch.faults or not all(
        limit.hold_all(values) for limit, values in zip(how.limits, (x, y), strict=True)
    ):
        batch = batch.exact() if batch.exact else batch
        x, y = batch.numbers()
        good, problems = batch.problems(how.limits)
        x, y = x[good], y[good]
    by_fold = _by_fold(x, y, how.folds)
    moments = [Moments.of(*rows) if len(rows[0]) else None for rows in by_fold]
    return batch.length, x, y, _Part(moments, _lowest(x, y, how.sample)), problems


def _by_fold(x: Array, y: Array, folds: int) -> Iterator[list[Array]]:
    """The hours and the scores of each fold, in their order."""
    pieces = []
    for start in range(0, max(1, len(x)), PIECE_ROWS):
        piece = [column[start : start + PIECE_ROWS] for column in (x, y)]
        fold = fold_of(piece[0], piece[1], folds)
        order = np.argsort(fold, kind="stable")
        ends = np.cumsum(np.bincount(fold, minlength=folds))[:-1]
        pieces.append([np.split(column[order], ends) for column in piece])
    for k in range(folds):
        yield [np.concatenate([piece[column][k] for piece in pieces]) for column in (0, 1)]


def _lowest(x: Array, y: Array, size: int) -> dict[int, tuple[Row, int]]:
    """The rows with the lowest hashes, and how often each is there."""
    if not size:
        return {}
    bits, firsts, times = np.unique(hashed(x, y), return_index=True, return_counts=True)
    firsts = firsts[:size]
    rows = zip(x[firsts].tolist(), y[firsts].tolist(), strict=True)
    return dict(zip(bits.tolist(), zip(rows, times.tolist(), strict=False), strict=False))


def _joined(one: _Part, other: _Part, sample: int) -> _Part:
    folds = [plus(a, b) for a, b in zip(one.folds, other.folds, strict=True)]
    drawn = dict(one.drawn)
    for bits, (row, times) in other.drawn.items():
        drawn[bits] = row, times + drawn.get(bits, (row, 0))[1]
    return _Part(folds, dict(sorted(drawn.items())[:sample]))


def _points(drawn: dict[int, tuple[Row, int]], sample: int) -> tuple[Row, ...]:
    """All rows if they are few enough, else each of those drawn once."""
    every = tuple(row for row, times in drawn.values() for _ in range(times))
    return every if len(every) <= sample else tuple(row for row, _ in drawn.values())


def _check_share(skipped: int, rows: int) -> None:
    if skipped > rows:
        raise DataError(
            f"{skipped:,} of {skipped + rows:,} rows cannot be used, more than half;"
            " without --skip-bad-rows the first is named"
        )
