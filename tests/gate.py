"""Made-up classes, and what can go wrong with their rows between one training and the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from models.moments import Moments
from models.store import Stored
from models.study_score import StudyScore
from tests.data import Array
from training.data import Summary, fold_of, read_rows
from training.fit import fit

Rows = tuple[Array, Array]
MEAN_HOURS, SLOPE, MEAN_SCORE = 12.0, 1.5, 60.0
SOURCE = read_rows([]).sources[0]
Random = np.random.Generator


def draw(random: Random, n: int, r2: float = 0.5, drift: float = 0) -> Rows:
    """Hours from 0 to 24 and scores about one line, of whose variance hours explain `r2`.

    `drift` moves all scores, in residual standard deviations.
    """
    x = random.uniform(0, 2 * MEAN_HOURS, n)
    sd = SLOPE * 2 * MEAN_HOURS / 12**0.5 * (1 / r2 - 1) ** 0.5
    return x, MEAN_SCORE + SLOPE * (x - MEAN_HOURS) + sd * (random.normal(0, 1, n) + drift)


def summary(rows: Rows, folds: int = 10) -> Summary:
    """As `read_rows` makes it of a file with these rows."""
    x, y = rows
    fold = fold_of(x, y, folds)
    masks = [fold == k for k in range(folds)]
    parts = [Moments.of(x[mask], y[mask]) if mask.any() else None for mask in masks]
    digest = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    return Summary(tuple(parts), (SOURCE.model_copy(update={"sha256": digest}),))


def trained(rows: Summary) -> StudyScore:
    """In standard units this learning rate arrives in one step."""
    return fit(rows, lr=0.5, epochs=1)


def champion(rows: Rows, folds: int = 10) -> Stored:
    return Stored("study_score:champion", trained(summary(rows, folds)))


def _half_zero(random: Random, x: Array, y: Array) -> Rows:
    return x, y * (random.uniform(size=len(y)) < 0.5)


BROKEN: dict[str, Callable[[Random, Array, Array], Rows]] = {
    "scores shuffled": lambda random, x, y: (x, random.permutation(y)),
    "scores reversed": lambda random, x, y: (x, y.max() + y.min() - y),
    "scores all zero": lambda random, x, y: (x, 0 * y),
    "scores half zero": _half_zero,
    "scores times 10": lambda random, x, y: (x, 10 * y),
    "scores divided by 25": lambda random, x, y: (x, y / 25),
    "columns swapped": lambda random, x, y: (y, x),
    "hours in minutes": lambda random, x, y: (60 * x, y),
}
