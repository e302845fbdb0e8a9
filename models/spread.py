"""How much scores vary around the line, by hours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from models.moments import Moments

LEAST_SHARE = 0.1  # of the mean variance: no hours are surer than that


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

    def seen_from(self, d: float) -> Quadratic:
        """The same with d as the new 0."""
        return Quadratic(self(d), self.c1 + 2 * self.c2 * d, self.c2)

    def plus(self, other: Quadratic, times: float = 1.0) -> Quadratic:
        """The sum of one of this and so many of the other."""
        return Quadratic(*(mine + times * its for mine, its in zip(self, other, strict=True)))

    def pieces(self, start: float, end: float) -> Iterator[Piece]:
        """Itself, from one distance to another."""
        yield start, end, self

    def roots(self) -> list[float]:
        """The real ones, without cancellation; none where it is constant."""
        discriminant = self.c1 * self.c1 - 4 * self.c2 * self.c0
        if discriminant < 0:
            return []
        larger = -(self.c1 + math.copysign(math.sqrt(discriminant), self.c1)) / 2
        fractions = (larger, self.c2), (self.c0, larger)
        return [above / below for above, below in fractions if below]


Piece = tuple[float, float, Quadratic]


class VaryingVariance(NamedTuple):
    """A variance that follows the hours, in squared points at d hours from the rows' mean hours.

    `line` is that of the line, and `scores` that of scores around it: where d is within `low` to
    `high` and it is not below `least`. Beyond them it is that of the nearest end.
    """

    scores: Quadratic
    line: Quadratic
    least: float
    low: float
    high: float

    def of_scores(self, d: Any) -> Any:
        """The variance of scores around the line."""
        return clipped(self.scores(clipped(d, self.low, self.high)), self.least, math.inf)

    def __call__(self, d: Any) -> Any:
        """The variance of one more score around this line."""
        return self.of_scores(d) + self.line(d)

    def pieces(self, start: float, end: float) -> Iterator[Piece]:
        """The same as quadratics, each from one distance to the next."""
        floor = self.scores.plus(Quadratic(-self.least)).roots()
        edges = [d for d in (self.low, self.high, *floor) if start < d < end]
        for first, last in pairwise(sorted([start, *edges, end])):
            middle = (first + last) / 2
            varies = self.low < middle < self.high and self.scores(middle) > self.least
            scores = self.scores if varies else Quadratic(self.of_scores(middle))
            yield first, last, scores.plus(self.line)


def quadratic_term(moments: Moments) -> tuple[Quadratic, float]:
    """What of d^2 is orthogonal over the rows to 1 and d, and the sum of its squares.

    That sum is 0 where hours have only two values, or as good as two.
    """
    n, sxx, higher = moments.n, moments.sxx, moments.higher
    skew = higher.sxxx / sxx
    norm = higher.sxxxx - skew * higher.sxxx - sxx / n * sxx
    return Quadratic(-sxx / n, -skew, 1.0), norm if norm > 1e-10 * higher.sxxxx else 0.0


def varying_variance(moments: Moments, W: float, b: float, line: Quadratic) -> VaryingVariance:
    """The variance around Wx + b, itself as unsure as `line`; the higher sums must be known.

    That of scores is the regression of the squared residuals on the hours and their square, times
    n / (n - 2) and not below a tenth of the mean.
    """
    n = moments.n
    gram = moments.gram(0.0, moments.mean_y - W * moments.mean_x - b, moments.slope - W)
    ee, dee, ddee = (float(gram[5, k]) * n / (n - 2) for k in (0, 1, 3))
    scores = Quadratic(ee / n, dee / moments.sxx)
    curve, norm = quadratic_term(moments)
    if norm:
        scores = scores.plus(curve, (ddee + curve.c1 * dee + curve.c0 * ee) / norm)
    return VaryingVariance(
        scores=scores,
        line=line,
        least=LEAST_SHARE * ee / n,
        low=moments.min_x - moments.mean_x,
        high=moments.max_x - moments.mean_x,
    )
