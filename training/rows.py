"""From what ROWS name to the summary of all their rows, in one process or many."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from models.moments import Moments, merged
from models.record import Source
from training import sample, sources
from training.bad_rows import BadRows
from training.engine import Engine
from training.errors import DataError, counted
from training.identity import same_twice
from training.processes import Group
from training.reduce import ALONE, ReadOptions, Reducer, Sums
from training.sample import LIKE_MINUTES, NO_SAMPLE, Row, Sample
from training.tables import Table


class Summary(NamedTuple):
    """What remains of the rows of a run.

    `folds[k]` are the moments of fold k, None if it has no rows. `sample` is empty if it is not
    needed. `extremes` are the rows with the fewest and the most hours and the one furthest from the
    line, if one row could decide the line. `notes` are sentences for the user; `kinds` are those of
    the sources. Scores outside `score_range` were not used.
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


class Totals(NamedTuple):
    """What the reducers of all processes found, by the number of the source, and all folds."""

    sums: dict[int, Sums]
    bad: dict[int, BadRows]
    tables: dict[int, Table]
    folds: list[Moments | None]

    @property
    def moments(self) -> Moments | None:
        """The moments of all rows, None if there are none."""
        return merged(self.folds) if any(self.folds) else None

    def source(self, index: int, name: str, record: dict[str, Any]) -> Source:
        """A source as the model lists it; `record` are its size, its hash and the like."""
        return Source(
            name=name,
            columns=self.tables[index].columns,
            rows=self.sums[index].rows,
            skipped=self.bad[index].rows if index in self.bad else 0,
            identity=f"{self.sums[index].identity:x}",
            read_as=self.tables[index].read_as,
            **record,
        )


def read_rows(
    paths: Sequence[str],
    options: ReadOptions = ReadOptions(),  # noqa: B008  (a tuple)
    group: Group = ALONE,
    sql: str | None = None,
    watch: Callable[[float], object] = lambda percent: None,
    earlier: Moments | None = None,
) -> Summary:
    """Summarise the rows that `paths` name, or those of a query; no path means the lab's rows.

    With `earlier` the rows will be added to those, so they are summed about the same line. Sums,
    folds and sample do not depend on the order of the rows, nor on files, formats and processes.

    Raises DataError for the first source that cannot be used, the same in each process.
    """
    inputs, notes, empty = group.broadcast(lambda: _inputs(paths, sql))
    states = [each.state() for each in inputs]
    executor = ThreadPoolExecutor(1)
    records = executor.submit(lambda: [each.record() for each in inputs])
    executor.shutdown(wait=False)
    with Engine(watch) as engine:
        reducer = Reducer(engine, options, group)
        reducer.open(inputs)
        totals = _reduced(reducer, earlier)
        drawn, extremes = _single_rows(
            reducer, totals.moments, bool(earlier or options.with_sample)
        )
    for input_, state in zip(inputs, states, strict=True):
        if input_.state() != state:
            raise DataError(f"{input_.name}: was changed while it was read")
    every = [
        totals.source(index, input_.name, record)
        for index, (input_, record) in enumerate(zip(inputs, records.result(), strict=True))
    ]
    kept, without_rows = _with_rows(every, paths)
    notes += sample.notes_on_units(drawn)
    if empty + without_rows:
        notes.append(f"passed over {counted(empty + without_rows, 'file')} without rows")
    notes += [note for bad in totals.bad.values() for note in bad.notes()] + same_twice(kept)
    _check_share(totals)
    return Summary(
        folds=tuple(totals.folds),
        sources=tuple(kept),
        sample=drawn,
        extremes=extremes,
        notes=tuple(notes),
        kinds=frozenset(table.kind for table in totals.tables.values()),
        score_range=options.score_range,
    )


def _inputs(paths: Sequence[str], sql: str | None) -> tuple[list[sources.Input], list[str], int]:
    """The inputs to read, notes, and how many files of folders are passed over as empty."""
    inputs, notes = sources.find(paths, sql)
    kept = [each for each in inputs if each.name in paths or each.size != 0]
    return kept or inputs[:1], notes, len(inputs) - len(kept or inputs[:1])


def _reduced(reducer: Reducer, earlier: Moments | None) -> Totals:
    """Sum all rows about a line near their own, so that the sums keep their digits."""
    reducer.reduce(earlier.line if earlier else reducer.group.broadcast(reducer.line))
    totals = _totals(reducer)
    moments = totals.moments
    if moments and (earlier + moments if earlier else moments).is_poor:
        reducer.reduce(moments.least_squares)
        totals = _totals(reducer)
    return totals


def _totals(reducer: Reducer) -> Totals:
    """What all processes found; raises DataError for the first source that one cannot use."""
    tables = {
        index: table._replace(as_text=str)  # a closure cannot be sent to other processes
        for index, table in reducer.tables.items()
    }
    found = reducer.group.gather((reducer.error, reducer.sums, reducer.bad, tables))
    errors = [error for error, *_ in found if error]
    if errors:
        raise min(errors, key=lambda error: error[0])[1]
    no_rows, none_bad = Sums([None] * reducer.options.folds), BadRows({}, {})
    totals = Totals({}, {}, {}, no_rows.folds)
    for _, sums, bad, tables in found:
        for index, some in sums.items():
            totals.sums[index] = some.plus(totals.sums.get(index, no_rows))
        for index, rows in bad.items():
            totals.bad[index] = rows.plus(totals.bad.get(index, none_bad))
        totals.tables.update(tables)
    return totals._replace(folds=functools.reduce(Sums.plus, totals.sums.values(), no_rows).folds)


def _single_rows(
    reducer: Reducer, moments: Moments | None, is_wanted: bool
) -> tuple[Sample, tuple[Row, ...]]:
    """The sample and the extreme rows of all processes, as far as they are needed."""
    drawn = NO_SAMPLE
    extremes: tuple[Row, ...] = ()
    if not moments:
        return drawn, extremes
    if is_wanted or sample.is_needed(moments) or moments.mean_x > LIKE_MINUTES / 2:
        drawn = Sample.of(reducer.group.gather(reducer.draws()))
    if sample.one_row_may_decide(moments):
        line = moments.least_squares
        extremes = sample.extremes_of(reducer.group.gather(reducer.extremes(line)), line)
    return drawn, extremes


def _with_rows(every: list[Source], paths: Sequence[str]) -> tuple[list[Source], int]:
    """The sources that have rows, and how many others; raises DataError for one named in paths."""
    kept = [source for source in every if source.rows + source.skipped]
    for source in every:
        if not source.rows + source.skipped and (source.name in paths or not kept):
            raise DataError(f"{source.name}: it has the columns, but no rows")
    return kept, len(every) - len(kept)


def _check_share(totals: Totals) -> None:
    """Raises DataError if more than half of the rows cannot be used."""
    usable = sum(sums.rows for sums in totals.sums.values())
    bad = functools.reduce(BadRows.plus, totals.bad.values(), BadRows({}, {}))
    if bad.rows > usable:
        every = bad.rows + usable
        raise bad.error(f"{bad.rows:,} of {every:,} rows cannot be used, more than half")
