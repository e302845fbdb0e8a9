"""The fold of a row among a number of folds: a hash of its two numbers, and of nothing else.

So the same rows fall into the same folds in every run, whatever their order, file or format. The
hash takes few and simple operations, which the engine and numpy round alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Of several thousand pairs, these divide grids of hours and points most evenly into 2 to 20 folds.
WEIGHTS = 844.9490081235813, 887.4181247193218
SMALL_WEIGHT = 8.874181243731905e-7  # of scores so large that times the other they have no fraction
MIXER = 1_000_000.754877

# The rows of a query (hours, score), each with `position` and `draw`, from 0 to below 1; the other
# columns are steps. `position`, the fractional part of weighted sums (Weyl 1916: such fractions are
# spread evenly), decides the fold. Neighbouring rows lie at even distances; squared and enlarged
# they do not, so `draw` is a fair random number.
HASHED = """
    SELECT *, {} * hours AS a, {} * score AS b,
           abs(a - floor(a) + (b - floor(b)) + {} * score) AS turns,
           turns - floor(turns) AS position,
           {} * position * position AS mixed, mixed - floor(mixed) AS draw
    FROM ({{rows}})""".format(*map(repr, (*WEIGHTS, SMALL_WEIGHT, MIXER)))


def fold_of(hours: Array, scores: Array, folds: int) -> NDArray[np.int64]:
    """The fold of each row (hours[i], scores[i]), from 0 to folds - 1.

    >>> fold_of(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]), 10).tolist()
    [7, 5, 3]
    """
    a, b = WEIGHTS[0] * hours, WEIGHTS[1] * scores
    turns = np.abs(a - np.floor(a) + (b - np.floor(b)) + SMALL_WEIGHT * scores)
    return ((turns - np.floor(turns)) * folds).astype(np.int64)
