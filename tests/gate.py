"""Made-up classes, and what can go wrong with their rows between one training and the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.moments import Moments
from models.store import Stored
from models.study_score import StudyScore
from tests.data import Array, read_rows, write_csv
from training.fit import fit
from training.folds import fold_of
from training.rows import Summary
from training.sample import Sample, extremes_of

SOURCE = read_rows([]).sources[0]
Random = np.random.Generator


class Rows(NamedTuple):
    hours: Array
    score: Array


NOISE: dict[str, Callable[[Random, Array], Array]] = {  # mean 0, standard deviation 1
    "normal": lambda random, x: random.normal(0, 1, len(x)),
    "uniform": lambda random, x: random.uniform(-(3**0.5), 3**0.5, len(x)),
    "skewed": lambda random, x: random.exponential(1, len(x)) - 1,
    "heavy tails": lambda random, x: random.standard_t(4, len(x)) / 2**0.5,
    "growing": lambda random, x: random.normal(0, 1, len(x)) * (0.25 + x / 16) / 1.09,
}


def draw(random: Random, n: int, r2: float = 0.5, drift: float = 0, noise: str = "normal") -> Rows:
    """Hours from 0 to 24 and scores about one line, of whose variance hours explain `r2`.

    `drift` moves all scores, in residual standard deviations.
    """
    x = random.uniform(0, 24, n)
    sd = 1.5 * 24 / 12**0.5 * (1 / r2 - 1) ** 0.5
    return Rows(x, 60 + 1.5 * (x - 12) + sd * (NOISE[noise](random, x) + drift))


def write_class(folder: Path, name: str, n: int, seed: int, scale: float = 1) -> str:
    """The path of a CSV file with so many rows of one line, the scores being multiplied."""
    hours, score = draw(np.random.default_rng(seed), n)
    return write_csv(folder / name, hours, scale * score)


def joined(some: Rows, others: Rows) -> Rows:
    return Rows(*map(np.concatenate, zip(some, others, strict=True)))


def summary(rows: Rows, folds: int = 10) -> Summary:
    """As `read_rows` makes it of a file with these rows."""
    x, y = rows
    fold = fold_of(x, y, folds)
    masks = [fold == k for k in range(folds)]
    line = Moments.of(x, y).least_squares
    parts = [Moments.of(x[mask], y[mask], line) if mask.any() else None for mask in masks]
    digest = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    source = SOURCE.model_copy(update={"sha256": digest})
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    return Summary(
        tuple(parts),
        (source,),
        sample=Sample(x, y, np.ones(len(x), np.int64)),
        extremes=extremes_of([pairs], line),
    )


def trained(rows: Summary) -> StudyScore:
    """In standard units this learning rate arrives in one step."""
    return fit(rows, lr=0.5, epochs=1)


def fitted(x: Array, y: Array, folds: int = 10) -> StudyScore:
    return trained(summary(Rows(x, y), folds))


def champion(rows: Rows, folds: int = 10) -> Stored:
    return Stored("study_score:champion", fitted(*rows, folds))


def _reversed(random: Random, rows: Rows) -> Rows:
    return Rows(rows.hours, rows.score.max() + rows.score.min() - rows.score)


def _half_zero(random: Random, rows: Rows) -> Rows:
    return Rows(rows.hours, rows.score * (random.uniform(size=len(rows.score)) < 0.5))


BROKEN: dict[str, Callable[[Random, Rows], Rows]] = {
    "shuffled": lambda random, rows: Rows(rows.hours, random.permutation(rows.score)),
    "reversed": _reversed,
    "all zero": lambda random, rows: Rows(rows.hours, 0 * rows.score),
    "half zero": _half_zero,
    "times 10": lambda random, rows: Rows(rows.hours, 10 * rows.score),
    "divided by 25": lambda random, rows: Rows(rows.hours, rows.score / 25),
    "columns swapped": lambda random, rows: Rows(rows.score, rows.hours),
    "hours in minutes": lambda random, rows: Rows(60 * rows.hours, rows.score),
}
