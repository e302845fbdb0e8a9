"""Rows in, moments out: from the lab's three rows, or from files with any number of them."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.moments import Moments, merged
from models.study_score import Source
from training import bad_rows
from training.batches import Reader
from training.errors import DataError
from training.processes import Group
from training.sources import LAB, Columns, Fragment, find, fragments, is_parquet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SEED = 3
DEFAULT_COLUMNS = Columns()
ALONE = Group()


class Summary(NamedTuple):
    """What remains of the rows of a run.

    `folds[k]` are the moments of fold k, None if no row fell into it; `points` are (hours, score)
    of rows drawn at random, in the order they were drawn.
    """

    folds: tuple[Moments | None, ...]
    sources: tuple[Source, ...]
    points: tuple[tuple[float, float], ...] = ()

    @property
    def moments(self) -> Moments:
        """The moments of all rows."""
        return merged(self.folds)


def fold_of(x: Array, y: Array, folds: int) -> NDArray[np.int64]:
    """The fold of each row (x[i], y[i]): a hash of the two numbers' bits, -0 being 0, alone.

    The mixing is splitmix64's (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number
    generators").
    """
    bits = (x + 0.0).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(29))) + (y + 0.0).view(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)
    return (bits % np.uint64(folds)).astype(np.int64)


class _File(NamedTuple):
    """What is known of a file after some of its fragments; the first one has the digest."""

    rows: int
    skipped: int
    bytes: int
    sha256: str

    def joined_with(self, other: _File) -> _File:
        return _File(
            self.rows + other.rows,
            self.skipped + other.skipped,
            self.bytes + other.bytes,
            self.sha256 or other.sha256,
        )


class _Part(NamedTuple):
    """Some of the rows. `sample`, shape (rows, 3), holds random keys, hours and scores."""

    folds: list[Moments | None]
    files: dict[str, _File]
    sample: Array


def read_rows(
    paths: Sequence[str],
    columns: Columns = DEFAULT_COLUMNS,
    folds: int = 10,
    advance: Callable[[int], object] = lambda rows: None,
    skip_bad_rows: bool = False,
    sample: int = 0,
    group: Group = ALONE,
    score_range: tuple[float, float] | None = None,
) -> Summary:
    """Read all that files, folders and globs name, once, in a stream; no path means the lab's rows.

    A row's fold is that of `fold_of`. The `sample` rows that are drawn (all of the lab's) depend
    neither on the order or the place of the files, nor on which of the group's processes reads
    them. `advance` is told the rows of each batch. A score outside of `score_range` cannot be used.

    Raises DataError.
    """
    sample = sample if paths else 3
    todo = group.broadcast(lambda: [part for path in find(paths) for part in fragments(path)])
    todo = todo if paths else [LAB]
    scores = score_range or bad_rows.SCORES
    whole = _Part([None] * folds, {}, np.empty((0, 3)))
    for fragment in todo[group.rank :: group.size]:
        part = _read(fragment, columns, folds, advance, skip_bad_rows, sample, scores)
        whole = _joined(whole, part, sample)
    whole = functools.reduce(lambda one, other: _joined(one, other, sample), group.gather(whole))

    sources = []
    for path in dict.fromkeys(fragment.path for fragment in todo):
        file = whole.files[path]
        if not file.rows + file.skipped:
            raise DataError(
                f"{path}: no rows" + (" below the header" if not is_parquet(path) else "")
            )
        sources.append(Source(name=path, columns=columns, **file._asdict()))
    bad_rows.check_share(sum(s.skipped for s in sources), sum(s.rows for s in sources))
    points = whole.sample[np.lexsort(whole.sample.T[::-1])][:, 1:]
    return Summary(tuple(whole.folds), tuple(sources), tuple(map(tuple, points.tolist())))


def _read(
    fragment: Fragment,
    columns: Columns,
    folds: int,
    advance: Callable[[int], object],
    skip: bool,
    sample: int,
    scores: tuple[float, float],
) -> _Part:
    reader = Reader(fragment, columns, scores, skip)
    name = zlib.crc32(Path(fragment.path).name.encode())
    keys = np.random.Generator(np.random.PCG64([SEED, name]).advance(fragment.first_row))
    parts: list[Moments | None] = [None] * folds
    drawn = np.empty((0, 3))
    row, skipped = fragment.first_row, 0
    for x, y in reader:
        mask = bad_rows.usable(x, y, scores)
        if mask is not None and not skip:
            reader.name_first(row, x, y, mask)
        good_x, good_y = (x, y) if mask is None else (x[mask], y[mask])
        fold = fold_of(good_x, good_y, folds)
        order = np.argsort(fold.astype(np.uint8), kind="stable")
        ends = np.cumsum(np.bincount(fold, minlength=folds))[:-1]
        by_fold = zip(np.split(good_x[order], ends), np.split(good_y[order], ends), strict=True)
        for k, (fold_x, fold_y) in enumerate(by_fold):
            if len(fold_x):
                parts[k] = plus(parts[k], Moments.of(fold_x, fold_y))
        if sample:
            rows = np.column_stack([keys.random(len(x)), x, y])
            rows = rows if mask is None else rows[mask]
            drawn = _lowest(drawn, rows, sample)
        if mask is not None:
            skipped += int((~mask).sum())
        row += len(x)
        advance(len(x))
    file = _File(
        rows=row - fragment.first_row - skipped,
        skipped=skipped + reader.ragged,
        bytes=reader.bytes,
        sha256=reader.sha256.hexdigest() if fragment.is_first else "",
    )
    return _Part(parts, {fragment.path: file}, drawn)


def _joined(one: _Part, other: _Part, sample: int) -> _Part:
    files = dict(one.files)
    for path, file in other.files.items():
        files[path] = files[path].joined_with(file) if path in files else file
    folds = [plus(a, b) for a, b in zip(one.folds, other.folds, strict=True)]
    return _Part(folds, files, _lowest(one.sample, other.sample, sample))


def plus(one: Moments | None, other: Moments | None) -> Moments | None:
    """The moments of both sets of rows; None stands for no rows."""
    return one + other if one and other else one or other


def _lowest(one: Array, other: Array, size: int) -> Array:
    """The rows of both with the lowest keys: a random sample, whatever the order they come in."""
    if len(one) == size and size:
        other = other[other[:, 0] < one[:, 0].max()]
    rows = np.concatenate([one, other])
    return rows if len(rows) <= size else rows[np.argpartition(rows[:, 0], size)[:size]]
