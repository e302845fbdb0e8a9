"""Moments: all that least squares needs to know about any number of rows."""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from models.document import Document

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = Any  # a float, or a tensor that holds one number for each of several problems
NotNegative = Annotated[float, Field(ge=0)]
ROUNDING = 64 * sys.float_info.epsilon  # of a number that many batches were merged into
LEAST = sys.float_info.min / sys.float_info.epsilon  # below this a sum has lost digits
HIGHER = (1, 1, 1, 2, 3, 3, 3, 4, 5), (3, 4, 5, 5, 3, 4, 5, 5, 5)  # where Moments.gram has them


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


class HigherSums(Document):
    """Sums over the rows of products of three and four of x - mean_x and r, as their names say."""

    sxxx: float
    sxxr: float
    sxrr: float
    srrr: float
    sxxxx: float
    sxxxr: float
    sxxrr: float
    sxrrr: float
    srrrr: float

    @classmethod
    def of(cls, *sums: float) -> HigherSums | None:
        """These, in this order; None if one is unknown or overflowed."""
        named = dict(zip(cls.model_fields, map(float, sums), strict=True))
        return cls(**named) if all(map(math.isfinite, named.values())) else None


class Moments(Document):
    """Rows of (x, y) reduced to their count, means and sums of products of up to four deviations.

    x is hours and y is scores, each in its own unit. `slope` is that of the least-squares line, 0
    where x never varies; `sxx` is the sum of (x - mean_x)^2 and `srr` that of r^2, with r the row's
    residual, y - mean_y - slope (x - mean_x). Sums of residuals keep the digits that those of y
    lose where the line fits well. The sums of r and of (x - mean_x) r are 0. A sum over constant
    values is exactly 0. `rest_x` and `rest_y` are what the means lose by rounding, which counts
    where they dwarf the spread. `higher` is null where the fourth powers overflow, and in files
    of format 1, which had none.
    """

    n: Annotated[int, Field(ge=1)]
    mean_x: float
    mean_y: float
    rest_x: float = 0.0
    rest_y: float = 0.0
    slope: float
    sxx: NotNegative
    srr: NotNegative
    min_x: float
    max_x: float
    higher: HigherSums | None

    @model_validator(mode="before")
    @classmethod
    def _of_format_1(cls, fields: Any) -> Any:
        """Format 1 had the sums of y itself, `sxy` and `syy`."""
        if not isinstance(fields, dict) or "syy" not in fields:
            return fields
        fields = dict(fields)
        sxx, sxy, syy = fields["sxx"], fields.pop("sxy"), fields.pop("syy")
        slope = sxy / sxx if sxx > LEAST else 0.0
        srr = syy - slope * sxy
        srr = srr if srr > 1e-14 * syy else 0.0  # the rest is rounding
        return {**fields, "slope": slope, "srr": srr, "higher": None}

    @model_validator(mode="after")
    def _finite(self) -> Self:
        if not math.isfinite(self.syy):
            raise ValueError("the sum of squared scores is not finite")
        return self

    @classmethod
    def of(cls, x: NDArray[np.float64], y: NDArray[np.float64]) -> Moments:
        """The moments of the rows (x[i], y[i]); x and y have shape (n,), n >= 1, and are finite.

        Shifting by the first row keeps digits where the mean dwarfs the spread (Chan, Golub and
        LeVeque 1983, "Algorithms for computing the sample variance").

        Raises ValueError if a square overflows.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            dx, r = x - x[0], y - y[0]
            shift_x, shift_y = dx.mean(), r.mean()
            dx -= shift_x
            r -= shift_y
            sxx = dx @ dx
            slope = dx @ r / sxx if sxx > LEAST else 0.0
            r -= slope * dx
            xx, xr, rr = dx * dx, dx * r, r * r
            higher = HigherSums.of(
                dx @ xx, xx @ r, dx @ rr, r @ rr, xx @ xx, xx @ xr, xx @ rr, xr @ rr, rr @ rr
            )
            mean_x, rest_x = _with_rest(float(x[0]), float(shift_x))
            mean_y, rest_y = _with_rest(float(y[0]), float(shift_y))
            return cls(
                n=len(x),
                mean_x=mean_x,
                mean_y=mean_y,
                rest_x=rest_x,
                rest_y=rest_y,
                slope=float(slope),
                sxx=float(sxx),
                srr=float(r @ r),
                min_x=float(x.min()),
                max_x=float(x.max()),
                higher=higher,
            )

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of rows.

        Those of the second order by Chan, Golub and LeVeque (1979, STAN-CS-79-773), around the new
        line. Those above by Pebay (2008, "Formulas for robust, one-pass parallel
        computation of covariances and arbitrary-order statistical moments", SAND2008-6212), whose
        sums over binomials are here the product of three matrices.
        """
        n = self.n + other.n
        share = other.n / n
        weight = self.n * share
        dx = other.mean_x - self.mean_x + (other.rest_x - self.rest_x)
        dy = other.mean_y - self.mean_y + (other.rest_y - self.rest_y)
        mean_x, rest_x = _with_rest(self.mean_x, self.rest_x + dx * share)
        mean_y, rest_y = _with_rest(self.mean_y, self.rest_y + dy * share)
        sxx = self.sxx + other.sxx + dx * dx * weight
        sxy = self.sxy + other.sxy + dx * dy * weight
        slope = sxy / sxx if sxx > LEAST else 0.0
        tilts = self.slope - slope, other.slope - slope
        offset = dy - slope * dx  # of the other's mean from a line through this one's
        higher = None
        if self.higher and other.higher:
            gram = self.gram(-dx * share, -offset * share, tilts[0])
            gram += other.gram(dx * (1 - share), offset * (1 - share), tilts[1])
            higher = HigherSums.of(*gram[HIGHER])
        return Moments(
            n=n,
            mean_x=mean_x,
            mean_y=mean_y,
            rest_x=rest_x,
            rest_y=rest_y,
            slope=slope,
            sxx=sxx,
            srr=self.srr
            + other.srr
            + tilts[0] * self.sxx * tilts[0]
            + tilts[1] * other.sxx * tilts[1]
            + offset * offset * weight,
            min_x=min(self.min_x, other.min_x),
            max_x=max(self.max_x, other.max_x),
            higher=higher,
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
    def sxy(self) -> float:
        """The sum of (x - mean_x)(y - mean_y)."""
        return self.slope * self.sxx

    @property
    def syy(self) -> float:
        """The sum of (y - mean_y)^2."""
        return self.slope * self.sxy + self.srr

    @property
    def rounding(self) -> float:
        """What a sum of squared residuals that is 0 can come to by the rounding of its rows."""
        size = abs(self.mean_y) + abs(self.slope * self.mean_x) + math.sqrt(self.syy / self.n)
        return self.n * (ROUNDING * size) * (ROUNDING * size)

    @property
    def cost(self) -> Cost:
        """The cost of a line on these rows, from the moments alone."""
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

    def gram(self, x: float, y: float, tilt: float) -> NDArray[np.float64]:
        """Sums over the rows of all products of two of 1, d, e, d^2, d e and e^2; shape (6, 6).

        d is the distance of a row's hours from a centre that lies x below `mean_x`, and e that of
        its score from a line whose slope is `tilt` below `slope`, and which lies y below
        `mean_y` at `mean_x`. All NaN where the higher sums are unknown.
        """
        n, sxx, srr = self.n, self.sxx, self.srr
        higher = self.higher.model_dump().values() if self.higher else [math.nan] * 9
        xxx, xxr, xrr, rrr, xxxx, xxxr, xxrr, xrrr, rrrr = higher
        own = np.array(
            [  # those of 1, dx, r, dx^2, dx r and r^2
                [n, 0, 0, sxx, 0, srr],
                [0, sxx, 0, xxx, xxr, xrr],
                [0, 0, srr, xxr, xrr, rrr],
                [sxx, xxx, xxr, xxxx, xxxr, xxrr],
                [0, xxr, xrr, xxxr, xxrr, xrrr],
                [srr, xrr, rrr, xxrr, xrrr, rrrr],
            ]
        )
        change = np.array(
            [  # of 1, d = x + dx, e = y + tilt dx + r, and their products
                [1, 0, 0, 0, 0, 0],
                [x, 1, 0, 0, 0, 0],
                [y, tilt, 1, 0, 0, 0],
                [x * x, 2 * x, 0, 1, 0, 0],
                [x * y, x * tilt + y, x, tilt, 1, 0],
                [y * y, 2 * y * tilt, 2 * y, tilt * tilt, 2 * tilt, 1],
            ]
        )
        with np.errstate(over="ignore", invalid="ignore"):
            return np.array(change @ own @ change.T)

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
        return total if total > self.rounding else 0.0


def _with_rest(one: float, other: float) -> tuple[float, float]:
    """Their sum, and what it loses by rounding (Knuth, "Seminumerical Algorithms", 4.2.2)."""
    total = one + other
    of_other = total - one
    return total, (one - (total - of_other)) + (other - of_other)


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
