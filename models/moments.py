"""Moments: sums that are all that least squares needs from any number of rows."""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from models.cost import Cost
from models.document import Document
from models.products import PRODUCTS, changed, listed

if TYPE_CHECKING:
    from models.products import Array

ROUNDING = 64 * sys.float_info.epsilon  # the relative error of a number from many sums
LEAST = sys.float_info.min / sys.float_info.epsilon  # below this a sum has lost digits
LEAST_SXX = 1e-120  # hours that vary less count as constant: a slope would overflow
POOR = 16  # times the least sum of squares: sums about a line further away lose digits


class Line(NamedTuple):
    """A line through the point (x, y), hours and score, that rises by `slope` per hour."""

    x: float
    y: float
    slope: float


class Moments(Document):
    """Rows of (hours, score) summarised as their count, extremes and sums about a line.

    `sums` are those of PRODUCTS, where x is a row's hours minus `line.x` and r its residual,
    score - line.y - line.slope * x. Sums of residuals keep the digits that those of scores lose
    where a line fits well. Rows about the same line are merged by adding their sums.

    >>> two = Moments.of(np.array([1.0, 2]), np.array([2.0, 4]))
    >>> both = two + Moments.of(np.array([3.0]), np.array([6.0]))
    >>> both.n, both.mean_x, both.mean_y, both.slope
    (3, 2.0, 4.0, 2.0)
    """

    line: Line
    n: Annotated[int, Field(ge=1)]
    sums: Annotated[tuple[float, ...], Field(min_length=len(PRODUCTS), max_length=len(PRODUCTS))]
    min_x: float
    max_x: float
    min_y: float
    max_y: float

    @model_validator(mode="after")
    def _finite(self) -> Self:
        if not math.isfinite(self.syy):
            raise ValueError("the sum of squared scores is not finite")
        return self

    @classmethod
    def of(cls, x: Array, y: Array, line: Line | None = None) -> Moments:
        """The moments of the rows (x[i], y[i]), about the given line or their least-squares line.

        x and y have shape (n,), n >= 1, and are finite. Raises ValueError if a sum overflows.
        """
        if line is None:
            line = cls.of(x, y, Line(float(x[0]), float(y[0]), 0.0)).least_squares
        with np.errstate(over="ignore", invalid="ignore"):
            d = x - line.x
            values = {"x": d, "r": y - line.y - line.slope * d}
            products = (np.prod([values[name] for name in names], axis=0) for names in PRODUCTS)
            sums = tuple(math.fsum(product) for product in products)
        return cls(
            line=line,
            n=len(x),
            sums=sums,
            min_x=float(x.min()),
            max_x=float(x.max()),
            min_y=float(y.min()),
            max_y=float(y.max()),
        )

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of rows together, about the line of the larger set."""
        if other.n > self.n:
            return other + self
        other = other.about(self.line)
        return self.replace(
            n=self.n + other.n,
            sums=tuple(map(operator.add, self.sums, other.sums)),
            min_x=min(self.min_x, other.min_x),
            max_x=max(self.max_x, other.max_x),
            min_y=min(self.min_y, other.min_y),
            max_y=max(self.max_y, other.max_y),
        )

    def about(self, line: Line) -> Moments:
        """The moments of the same rows about another line."""
        if line == self.line:
            return self
        back = self.line.x - line.x
        above = self.line.y - line.y - line.slope * back
        tilt = self.line.slope - line.slope
        return self.replace(line=line, sums=listed(changed(self.n, self.sums, back, above, tilt)))

    @cached_property
    def centred(self) -> dict[str, float]:
        """All sums by name, about the mean and the least-squares line of the rows.

        Sums that are 0 by definition are exactly 0, as are those of constant hours or scores.
        """
        x, r = self.sums[:2]
        tilt, d = self._tilt, x / self.n
        sums = listed(changed(self.n, self.sums, -d, tilt * d - r / self.n, -tilt))
        named = dict(zip(PRODUCTS, sums, strict=True))
        zero = {"x", "r", "xr"}
        zero |= {name for name in PRODUCTS if "x" in name and self.min_x == self.max_x}
        zero |= {name for name in PRODUCTS if "r" in name and self.min_y == self.max_y}
        return {name: 0.0 if name in zero else value for name, value in named.items()}

    @cached_property
    def _tilt(self) -> float:
        """The slope of the least-squares line minus that of `line`."""
        x, r, xx, xr, _ = self.sums[:5]
        sxx = xx - x / self.n * x
        if self.min_x == self.max_x or self.min_y == self.max_y or sxx <= LEAST_SXX:
            return -self.line.slope
        return (xr - x / self.n * r) / sxx

    @property
    def slope(self) -> float:
        """The slope of the least-squares line, 0 where hours or scores never vary."""
        return self.line.slope + self._tilt

    @property
    def mean_x(self) -> float:
        """The mean hours."""
        return self.min_x if self.min_x == self.max_x else self.line.x + self.sums[0] / self.n

    @property
    def mean_y(self) -> float:
        """The mean score."""
        if self.min_y == self.max_y:
            return self.min_y
        x, r = self.sums[:2]
        return self.line.y + (self.line.slope * x + r) / self.n

    @property
    def least_squares(self) -> Line:
        """The line that fits these rows best."""
        return Line(self.mean_x, self.mean_y, self.slope)

    @property
    def sxx(self) -> float:
        """The sum of (x - mean_x)^2."""
        return max(0.0, self.centred["xx"])

    @property
    def srr(self) -> float:
        """The sum of squared residuals of the least-squares line."""
        return max(0.0, self.centred["rr"])

    @property
    def is_poor(self) -> bool:
        """Whether `line` is so far from the rows that sums about it have lost digits."""
        _, _, xx, _, rr = self.sums[:5]
        return xx > POOR * self.sxx or rr > POOR * (self.srr + self.rounding)

    @property
    def sd_x(self) -> float:
        """Standard deviation of x (divisor n), the unit of standard hours; 1 for constant x."""
        return math.sqrt(self.sxx / self.n) or 1.0

    @property
    def sd_y(self) -> float:
        """Standard deviation of y (divisor n), the unit of standard scores; 1 for constant y."""
        return math.sqrt(self.syy / self.n) or 1.0

    @property
    def sxy(self) -> float:
        """The sum of (x - mean_x)(y - mean_y)."""
        return self.slope * self.sxx

    @property
    def syy(self) -> float:
        """The sum of (y - mean_y)^2."""
        return self.slope * self.sxy + self.srr

    @property
    def rounding(self) -> float:
        """The largest sum of squared residuals that rounding alone can explain."""
        size = abs(self.mean_y) + abs(self.slope * self.mean_x) + math.sqrt(self.syy / self.n)
        return self.n * (ROUNDING * size) * (ROUNDING * size)

    @property
    def cost(self) -> Cost:
        """The cost function of these rows, computed from the moments."""
        return Cost(
            least=self.srr / self.n if self.srr > self.rounding else 0.0,
            slope=self.slope,
            var_x=self.sxx / self.n,
            mean_x=self.mean_x,
            mean_y=self.mean_y,
        )

    def squared_residuals(self, W: float, b: float) -> float:
        """The sum of squared residuals of `Wx + b`; 0 if rounding alone can explain it.

        Raises ValueError if it overflows.
        """
        try:
            total = float(self.cost(W, b)) * self.n
        except OverflowError:
            line = f"{W:g} * hours + {b:g}"
            raise ValueError(f"the errors of {line} are too large to square") from None
        return total if total > self.rounding else 0.0


def merged(parts: Iterable[Moments | None]) -> Moments:
    """The moments of all rows of one or more parts; None stands for no rows."""
    return functools.reduce(operator.add, filter(None, parts))


def plus(one: Moments | None, other: Moments | None) -> Moments | None:
    """The moments of both sets of rows; None stands for no rows."""
    return one + other if one and other else one or other
