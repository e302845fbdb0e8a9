"""How much scores vary around the line: by hours, and between which quantiles."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from models.document import Document

QUANTILES = 199  # they divide the residuals into 200 equal shares, and 2.5 % is five of those


def clipped(value: Any, low: float, high: float) -> Any:
    """The value, or each of an array or tensor, cut to low and high."""
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
    """The variance of scores around the line where it changes with the hours.

    In squared points, at d hours from the rows' mean hours: a `quadratic` of d from `low` to
    `high`, where it is not below `least`. Beyond them it is that of the nearest end.
    """

    quadratic: Quadratic
    least: Annotated[float, Field(gt=0)]
    low: float
    high: float

    def __call__(self, d: Any) -> Any:
        """Its value at d, or at each of an array."""
        return clipped(self.quadratic(clipped(d, self.low, self.high)), self.least, math.inf)


class Total(NamedTuple):
    """The variance of one more score where scores vary by `spread` and the line by `line`."""

    spread: Spread
    line: Quadratic

    def __call__(self, d: Any) -> Any:
        """Its value at d, or at each of an array."""
        return self.spread(d) + self.line(d)


class Residuals(Document):
    """Residuals of the training rows in units of the spread at their hours, without the rows.

    Each of the `quantiles` is that of the residuals of lines on rows they were not fitted to, over
    the root of the variance of one more score: the k-th of m is the k / (m + 1) quantile, so those
    of up to 199 rows are all their residuals. None without siblings. `means` are those of the first
    four powers of the residuals of the least-squares line, over the standard deviation of scores
    there.
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
        """The 2.5 and 97.5 % quantiles, rounded outwards to a rank, with 0 between them.

        Between the floor(0.025 (m + 1))-th and the ceil(0.975 (m + 1))-th of m residuals lies one
        more with 95 % probability at least (split conformal prediction; Lei et al. 2018,
        "Distribution-free predictive inference for regression").
        """
        rank = max(1, (len(self.quantiles) + 1) // 40)
        return min(self.quantiles[rank - 1], 0.0), max(self.quantiles[-rank], 0.0)
