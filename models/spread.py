"""How far scores lie from the line: mean errors, variance by hours, quantiles of residuals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from models.document import Document

if TYPE_CHECKING:
    from models.moments import Moments

QUANTILES = 199  # they divide the residuals into 200 equal parts, of which 5 are 2.5 %


def clipped(value: Any, low: float, high: float) -> Any:
    """The value, or each of an array or tensor, limited to the range from low to high."""
    if isinstance(value, float | int):
        return min(max(value, low), high)
    return value.clip(low, high)


def root(value: Any) -> Any:
    """The square root of the value, or of each of an array."""
    return math.sqrt(value) if isinstance(value, float | int) else np.sqrt(value)


class Quadratic(NamedTuple):
    """c0 + c1 d + c2 d^2."""

    c0: float
    c1: float = 0.0
    c2: float = 0.0

    def __call__(self, d: Any) -> Any:
        """Its value at d, or at each of an array."""
        return self.c0 + d * (self.c1 + d * self.c2)


class Spread(Document):
    """The variance of scores around the line, in squared points, if it changes with the hours.

    At d hours from the rows' mean hours it is a `quadratic` of d, but at least `least`. Below `low`
    and above `high` it stays as it is there.
    """

    quadratic: Quadratic
    least: Annotated[float, Field(gt=0)]
    low: float
    high: float

    def __call__(self, d: Any) -> Any:
        """Its value at d, or at each of an array."""
        return clipped(self.quadratic(clipped(d, self.low, self.high)), self.least, math.inf)


class Total(NamedTuple):
    """The variance of a new score: that of scores (`spread`) plus that of the line (`line`)."""

    spread: Spread
    line: Quadratic

    def __call__(self, d: Any) -> Any:
        """Its value at d, or at each of an array."""
        return self.spread(d) + self.line(d)


class Residuals(Document):
    """A summary of the training residuals, in units of the spread at their hours.

    `quantiles` are those of the out-of-fold residuals, each divided by the standard deviation of a
    new score: the k-th of m is the k / (m + 1) quantile, so with up to 199 rows they are all
    residuals. They are empty without cross-validation models. `means` are the means of the first
    four powers of the residuals of the least-squares line, divided by the standard deviation of
    scores.
    """

    rows: Annotated[int, Field(ge=1)]
    quantiles: Annotated[tuple[float, ...], Field(max_length=QUANTILES)]
    means: Annotated[tuple[float, ...], Field(min_length=4, max_length=4)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.quantiles) != sorted(self.quantiles):
            raise ValueError("quantiles must be in ascending order")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The 2.5 % and 97.5 % quantiles, rounded outwards to a rank, and with 0 between them.

        A new residual lies between the floor(0.025 (m + 1))-th and the ceil(0.975 (m + 1))-th of m
        residuals with at least 95 % probability (split conformal prediction; Lei et al. 2018,
        "Distribution-free predictive inference for regression").
        """
        rank = max(1, (len(self.quantiles) + 1) // 40)
        return min(self.quantiles[rank - 1], 0.0), max(self.quantiles[-rank], 0.0)


class Errors(NamedTuple):
    """Root mean squared error in score units, and R²; null if they are not defined."""

    rmse: float | None = None
    r2: float | None = None

    @classmethod
    def of(cls, squares: float, rows: Moments) -> Errors:
        """The errors on these rows of a line whose sum of squared residuals is `squares`."""
        return cls(math.sqrt(squares / rows.n), 1 - squares / rows.syy if rows.syy else None)
