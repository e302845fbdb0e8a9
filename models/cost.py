"""The cost of the lesson, as a function of W and b alone."""

from __future__ import annotations

from typing import Any, NamedTuple

Number = Any  # a float, or a tensor that holds one number for each of several problems


class Cost(NamedTuple):
    """The mean squared error of `Wx + b` as a function of (W, b), written around its minimum.

    For the rows (1, 2), (2, 4) and (3, 6), which lie on the line 2x:

    >>> cost = Cost(least=0.0, slope=2.0, var_x=2 / 3, mean_x=2.0, mean_y=4.0)
    >>> cost(0.0, 0.0)  # (4 + 16 + 36) / 3
    18.666666666666668
    >>> cost(2.0, 0.0)
    0.0
    """

    least: Number
    slope: Number
    var_x: Number
    mean_x: Number
    mean_y: Number

    def __call__(self, W: Number, b: Number) -> Number:
        """The value of `mean((W * x + b - y) ** 2)` over the rows, with the same gradient."""
        return (
            self.least
            + (W - self.slope) ** 2 * self.var_x
            + (W * self.mean_x + b - self.mean_y) ** 2
        )
