"""Sums over rows of products of x and r, and the same sums for other x and r."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The products of up to four of x and r that are summed, in the order of `Moments.sums`
PRODUCTS = tuple(
    "".join(product)
    for order in (1, 2, 3, 4)
    for product in combinations_with_replacement("xr", order)
)
BASIS = ("", "x", "r", "xx", "xr", "rr")  # the products of two of these are all of PRODUCTS
PLACES = np.array(
    [
        [("", *PRODUCTS).index("".join(sorted(one + other, key="xr".index))) for other in BASIS]
        for one in BASIS
    ]
)
FIRSTS = np.unique(PLACES, return_index=True)[1][1:]  # the place of each product in a matrix


def changed(n: int, sums: tuple[float, ...], x: float, y: float, tilt: float) -> Array:
    """The sums of n rows for d = x + X and e = y + tilt X + r, from those for X and r.

    Returns the sums of all products of two of 1, d, e, d^2, d e and e^2; shape (6, 6). Sums of
    products are linear in one another when variables are; Pebay has the same by binomials (2008,
    "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
    statistical moments", SAND2008-6212).
    """
    change = np.array(
        [  # of 1, d, e, and their products
            [1, 0, 0, 0, 0, 0],
            [x, 1, 0, 0, 0, 0],
            [y, tilt, 1, 0, 0, 0],
            [x * x, 2 * x, 0, 1, 0, 0],
            [x * y, x * tilt + y, x, tilt, 1, 0],
            [y * y, 2 * y * tilt, 2 * y, tilt * tilt, 2 * tilt, 1],
        ]
    )
    with np.errstate(over="ignore", invalid="ignore"):
        matrix: Array = change @ np.array((n, *sums))[PLACES] @ change.T
    return matrix


def listed(matrix: Array) -> tuple[float, ...]:
    """The sums of PRODUCTS in such a matrix."""
    return tuple(matrix.ravel()[FIRSTS].tolist())
