"""Moments: sums that are all that least squares needs from any number of rows."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import sys
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from models.document import Document

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Number = Any  # a float, or a tensor that holds one number for each of several problems
ROUNDING = (
    64 * sys.float_info.epsilon
)  # the relative rounding error of a number computed from many sums
LEAST = sys.float_info.min / sys.float_info.epsilon  # below this a sum has lost digits
LEAST_SXX = 1e-120  # hours that vary less count as constant: a slope would overflow
POOR = 16  # times the least sum of squares: sums about a line further away lose digits
# The products of up to four of x and r that are summed, in the order of `Moments.sums`
PRODUCTS = tuple(
    "".join(product)
    for order in (1, 2, 3, 4)
    for product in itertools.combinations_with_replacement("xr", order)
)
BASIS = ("", "x", "r", "xx", "xr", "rr")  # the products of two of these are all of PRODUCTS
PLACES = np.array(
    [
        [("", *PRODUCTS).index("".join(sorted(one + other, key="xr".index))) for other in BASIS]
        for one in BASIS
    ]
)
FIRSTS = np.unique(PLACES, return_index=True)[1][1:]  # the place of each product in a matrix


class Line(NamedTuple):
    """A line through the point (x, y), hours and score, that rises by `slope` per hour."""

    x: float
    y: float
    slope: float


class Cost(NamedTuple):
    """The mean squared error of `Wx + b` as a function of (W, b), written around its minimum.

    >>> cost = Moments.of(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])).cost
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
        """The cost, with the value and gradient of `mean((W * x + b - y) ** 2)` over the rows."""
        return (
            self.least
            + (W - self.slope) ** 2 * self.var_x
            + (W * self.mean_x + b - self.mean_y) ** 2
        )


class HigherSums(NamedTuple):
    """Sums over the rows of products of three and four factors x - mean_x and r, by their names."""

    sxxx: float
    sxxr: float
    sxrr: float
    srrr: float
    sxxxx: float
    sxxxr: float
    sxxrr: float
    sxrrr: float
    srrrr: float


class Moments(Document):
    """Rows of (hours, score) summarised as their count, extremes and sums about a line.

    `sums` are those of PRODUCTS, where x is a row's hours minus `line.x` and r its residual,
    score - line.y - line.slope * x. Sums of residuals keep the digits that those of scores lose
    where a line fits well. Rows about the same line are merged by adding their sums.

    >>> one, other = Moments.of(np.array([1.0, 2]), np.array([2.0, 4])), Moments.of(
    ...     np.array([3.0]), np.array([6.0]))
    >>> both = one + other
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
        return Moments(
            line=self.line,
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
        gram = _changed(self.n, self.sums, back, above, self.line.slope - line.slope)
        return Moments(
            line=line,
            n=self.n,
            sums=_products(gram),
            min_x=self.min_x,
            max_x=self.max_x,
            min_y=self.min_y,
            max_y=self.max_y,
        )

    @cached_property
    def centred(self) -> dict[str, float]:
        """All sums by name, about the mean and the least-squares line of the rows.

        Sums that are 0 by definition are exactly 0, as are those of constant hours or scores.
        """
        x, r = self.sums[:2]
        tilt, d = self._tilt, x / self.n
        gram = _changed(self.n, self.sums, -d, tilt * d - r / self.n, -tilt)
        zero = {"x", "r", "xr"}
        zero |= {name for name in PRODUCTS if "x" in name and self.min_x == self.max_x}
        zero |= {name for name in PRODUCTS if "r" in name and self.min_y == self.max_y}
        named = zip(PRODUCTS, _products(gram), strict=True)
        return {name: 0.0 if name in zero else value for name, value in named}

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
    def higher(self) -> HigherSums:
        """The sums of products of three and four factors."""
        return HigherSums(*(self.centred[name] for name in PRODUCTS[5:]))

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

    @property
    def standard_cost(self) -> Cost:
        """The cost on the same rows with x and y scaled to mean 0 and standard deviation 1."""
        least, slope, var_x, _, _ = self.cost
        return Cost(
            least=least / self.sd_y / self.sd_y,
            slope=slope * self.sd_x / self.sd_y,
            var_x=var_x / self.sd_x / self.sd_x,
            mean_x=0.0,
            mean_y=0.0,
        )

    def gram(self, x: float, y: float, tilt: float) -> Array:
        """Sums over the rows of all products of two of 1, d, e, d^2, d e and e^2; shape (6, 6).

        d is the distance of a row's hours from a centre that lies x below `mean_x`, and e that of
        its score from a line whose slope is `tilt` below `slope`, and which lies y below
        `mean_y` at `mean_x`.
        """
        return _changed(self.n, tuple(self.centred.values()), x, y, tilt)

    def from_standard_units(self, W: float, b: float) -> tuple[float, float]:
        """W in score units per hour and b in score units, from a line in standard units.

        SGD ends a few rounding errors from the minimum, so a number that close to a short decimal
        number is rounded to it. All others keep every digit.
        """
        W = W * self.sd_y / self.sd_x
        W = _neat(W, abs(W))
        b = self.mean_y + b * self.sd_y - W * self.mean_x
        return W, _neat(b, max(abs(self.mean_y), abs(W * self.mean_x)))

    def squared_residuals(self, W: float, b: float) -> float:
        """The sum of squared residuals of `Wx + b`; 0 if rounding alone can explain it.

        Raises ValueError if it overflows.
        """
        try:
            total = float(self.cost(W, b)) * self.n
        except OverflowError:
            raise ValueError(
                f"the errors of {W:g} * hours + {b:g} are too large to square"
            ) from None
        return total if total > self.rounding else 0.0


def _changed(n: int, sums: tuple[float, ...], x: float, y: float, tilt: float) -> Array:
    """The matrix of `Moments.gram`, from the sums of products of hours X and residuals r.

    Sums of products are linear in one another when variables are; Pebay has the same by binomials
    (2008, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
    statistical moments", SAND2008-6212).
    """
    change = np.array(
        [  # of 1, d = x + X, e = y + tilt X + r, and their products
            [1, 0, 0, 0, 0, 0],
            [x, 1, 0, 0, 0, 0],
            [y, tilt, 1, 0, 0, 0],
            [x * x, 2 * x, 0, 1, 0, 0],
            [x * y, x * tilt + y, x, tilt, 1, 0],
            [y * y, 2 * y * tilt, 2 * y, tilt * tilt, 2 * tilt, 1],
        ]
    )
    with np.errstate(over="ignore", invalid="ignore"):
        changed: Array = change @ np.array((n, *sums))[PLACES] @ change.T
    return changed


def _products(gram: Array) -> tuple[float, ...]:
    """The sums of PRODUCTS in such a matrix."""
    return tuple(gram.ravel()[FIRSTS].tolist())


def _neat(value: float, scale: float) -> float:
    """Without the digits past the 12th of `scale`, if those amount to rounding errors of it."""
    if not scale:
        return value
    short = round(value, 12 - math.ceil(math.log10(scale)))
    return short if abs(short - value) <= 4 * sys.float_info.epsilon * scale else value


def merged(parts: Iterable[Moments | None]) -> Moments:
    """The moments of all rows of one or more parts; None stands for no rows."""
    return functools.reduce(operator.add, filter(None, parts))


def plus(one: Moments | None, other: Moments | None) -> Moments | None:
    """The moments of both sets of rows; None stands for no rows."""
    return one + other if one and other else one or other
