"""Moments: all that least squares needs to know about any number of rows."""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from models.document import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Number = Any  # a float, or a tensor that holds one number for each of several problems
NotNegative = Annotated[float, Field(ge=0)]


class Cost(NamedTuple):
    """The mean squared error of `Wx + b` as a function of (W, b): a bowl over its lowest point."""

    least: Number
    slope: Number
    var_x: Number
    mean_x: Number
    mean_y: Number

    def __call__(self, W: Number, b: Number) -> Number:
        """The same value and gradient as `mean((W * x + b - y) ** 2)` over the rows."""
        return (
            self.least
            + (W - self.slope) ** 2 * self.var_x
            + (W * self.mean_x + b - self.mean_y) ** 2
        )


class Moments(Document):
    """Rows of (x, y) reduced to their count, means and centred sums of squares and products.

    x is hours and y is scores, each in its own unit; `sxx` is the sum of (x - mean_x)^2, `sxy` of
    (x - mean_x)(y - mean_y) and `syy` of (y - mean_y)^2. A sum over constant values is exactly 0.
    """

    n: Annotated[int, Field(ge=1)]
    mean_x: float
    mean_y: float
    sxx: NotNegative
    sxy: float
    syy: NotNegative
    min_x: float
    max_x: float

    @classmethod
    def of(cls, x: NDArray[np.float64], y: NDArray[np.float64]) -> Moments:
        """The moments of the rows (x[i], y[i]); x and y have shape (n,), n >= 1, and are finite.

        Shifting by the first row keeps digits where the mean dwarfs the spread (Chan, Golub and
        LeVeque 1983, "Algorithms for computing the sample variance").

        Raises ValueError if a sum overflows.
        """
        dx, dy = x - x[0], y - y[0]
        shift_x, shift_y = dx.mean(), dy.mean()
        dx -= shift_x
        dy -= shift_y
        return cls(
            n=len(x),
            mean_x=float(x[0] + shift_x),
            mean_y=float(y[0] + shift_y),
            sxx=float((dx * dx).sum()),
            sxy=float((dx * dy).sum()),
            syy=float((dy * dy).sum()),
            min_x=float(x.min()),
            max_x=float(x.max()),
        )

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of rows (Chan, Golub and LeVeque 1979, STAN-CS-79-773)."""
        n = self.n + other.n
        share = other.n / n
        dx, dy = other.mean_x - self.mean_x, other.mean_y - self.mean_y
        weight = self.n * share
        return Moments(
            n=n,
            mean_x=self.mean_x + dx * share,
            mean_y=self.mean_y + dy * share,
            sxx=self.sxx + other.sxx + dx * dx * weight,
            sxy=self.sxy + other.sxy + dx * dy * weight,
            syy=self.syy + other.syy + dy * dy * weight,
            min_x=min(self.min_x, other.min_x),
            max_x=max(self.max_x, other.max_x),
        )

    @property
    def sd_x(self) -> float:
        """Standard deviation of x (divisor n), the unit of standard hours; 1 for constant x."""
        return math.sqrt(self.sxx / self.n) or 1.0

    @property
    def sd_y(self) -> float:
        """Standard deviation of y (divisor n), the unit of standard scores; 1 for constant y."""
        return math.sqrt(self.syy / self.n) or 1.0

    @property
    def cost(self) -> Cost:
        """The cost of a line on these rows, from the moments alone."""
        slope = self.sxy / self.sxx if self.sxx else 0.0
        least = max(0.0, self.syy - slope * self.sxy)
        return Cost(
            least=least / self.n if least > 1e-14 * self.syy else 0.0,
            slope=slope,
            var_x=self.sxx / self.n,
            mean_x=self.mean_x,
            mean_y=self.mean_y,
        )

    def in_standard_units(self) -> Moments:
        """The moments of the same rows with x and y scaled to mean 0 and standard deviation 1."""
        return Moments(
            n=self.n,
            mean_x=0.0,
            mean_y=0.0,
            sxx=self.sxx / self.sd_x / self.sd_x,
            sxy=self.sxy / self.sd_x / self.sd_y,
            syy=self.syy / self.sd_y / self.sd_y,
            min_x=(self.min_x - self.mean_x) / self.sd_x,
            max_x=(self.max_x - self.mean_x) / self.sd_x,
        )

    def from_standard_units(self, W: float, b: float) -> tuple[float, float]:
        """W in score units per hour and b in score units, from a line in standard units.

        SGD ends a few rounding errors from the minimum: a number that close to a short one is
        that one, so a line of short numbers is found exactly. Any other keeps every digit.
        """
        W = W * self.sd_y / self.sd_x
        W = _neat(W, abs(W))
        b = self.mean_y + b * self.sd_y - W * self.mean_x
        return W, _neat(b, max(abs(self.mean_y), abs(W * self.mean_x)))

    def squared_residuals(self, W: float, b: float) -> float:
        """The sum of squared residuals of `Wx + b`: never negative, and 0 for rounding alone.

        Raises ValueError if it overflows.
        """
        try:
            total = float(self.cost(W, b)) * self.n
        except OverflowError:
            raise ValueError(
                f"the errors of {W:g} * hours + {b:g} are too large to square"
            ) from None
        return total if total > 1e-14 * self.syy else 0.0


def _neat(value: float, scale: float) -> float:
    """Without the digits past the 12th of `scale`, if those amount to rounding errors of it."""
    if not scale:
        return value
    short = round(value, 12 - math.ceil(math.log10(scale)))
    return short if abs(short - value) <= 4 * sys.float_info.epsilon * scale else value


def merged(parts: Iterable[Moments | None]) -> Moments:
    """The moments of all rows of one or more parts; None stands for no rows."""
    return functools.reduce(operator.add, filter(None, parts))
