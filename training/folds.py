"""The fold of a row: a hash of its two numbers, and of nothing else.

So the same rows fall into the same folds in every run, whatever their order, file or format. The
hash is computed twice, by the engine for all rows and by numpy for the few that are sampled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Both numbers are added up in irrational proportions, so that different rows have different sums.
WEIGHTS = 0.7548776662466927, 0.5698402909980532
# The upper and lower 32 bits of the sum are hashed universally (Carter and Wegman 1979, "Universal
# classes of hash functions"). The factors are below 2^31 and the prime is below 2^32, so that
# neither the hash nor its square overflows 64 bits. Of 250 pairs of factors, these divided grids of
# whole and half hours and points most evenly into 2 to 20 folds.
FACTORS = 0x38DC1D13, 0x38440B03
PRIME = 4294967291

# The rows of a query (hours, score) with their hashes; adding 0 turns -0 into 0.
HASHED = """
    SELECT * EXCLUDE bits, ({} * (bits >> 32) + {} * (bits & 4294967295)) % {} AS hash
    FROM (SELECT *, ({!r} * hours + {!r} * score + 0.0)::BIT::UBIGINT AS bits
          FROM ({{rows}}))""".format(*FACTORS, PRIME, *WEIGHTS)


def fold_of(hours: Array, scores: Array, folds: int) -> NDArray[np.int64]:
    """The fold of each row (hours[i], scores[i]), from 0 to folds - 1.

    >>> fold_of(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]), 10).tolist()
    [8, 5, 4]
    """
    bits = (WEIGHTS[0] * hours + WEIGHTS[1] * scores + 0.0).view(np.uint64)
    upper, lower = bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)
    hashes = (np.uint64(FACTORS[0]) * upper + np.uint64(FACTORS[1]) * lower) % np.uint64(PRIME)
    return (hashes % np.uint64(folds)).astype(np.int64)
