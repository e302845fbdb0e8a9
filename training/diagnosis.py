"""Statistical tests of a straight line and of the spread around it, from the moments of rows."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import NamedTuple

from scipy.special import chdtrc, fdtrc, fdtri

from models.findings import SURE, Diagnosis
from models.moments import LEAST, Moments
from models.products import changed
from models.spread import Quadratic, Residuals, Spread

SAMPLED = 10_000  # the most rows whose residuals are computed one by one
DISTANCE = 4.6  # the least by which a row can decide the line: the 99 % quantile of F(2, infinity)


def diagnose(moments: Moments, residuals: Residuals | None = None) -> Diagnosis:
    """The tests of the line through these rows: none for under 4 rows, or if all lie on it.

    The quadratic term is tested by F(1, n - 3). The spread by Breusch and Pagan's test, studentised
    (Koenker 1981, "A note on studentizing a test for heteroscedasticity"), chi-squared with 1
    degree of freedom. Normality by Jarque and Bera's (1987, "A test for normality of observations
    and regression residuals"), chi-squared with 2. Where the spread changes, that takes
    `residuals`, which are divided by it, and is unknown without them.
    """
    n, sxx, srr, sums = moments.n, moments.sxx, moments.srr, moments.centred
    kurtosis = kurtosis_of(moments)
    if kurtosis is None:
        return Diagnosis()
    skewness = sums["rrr"] / n / (srr / n) ** 1.5
    tests = _bend(moments)
    if kurtosis > 1 + 1e-9:  # or all residuals are equally large
        trend = n * sums["xrr"] / srr
        tests["spread_p"] = float(chdtrc(1, trend * trend / sxx / (kurtosis - 1)))
    if tests.get("spread_p", 1) < SURE:
        if not residuals or residuals.means[1] <= residuals.means[0] ** 2:
            return Diagnosis(**tests)
        n = min(residuals.rows, SAMPLED)
        skewness, kurtosis = _shape(residuals)
    normality_p = float(chdtrc(2, n / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4)))
    return Diagnosis(**tests, skewness=skewness, kurtosis=kurtosis, normality_p=normality_p)


def kurtosis_of(moments: Moments) -> float | None:
    """The kurtosis of the residuals; None for under 4 rows, or if all lie on the line."""
    n, srr, fourth = moments.n, moments.srr, moments.centred["rrrr"]
    if n < 4 or moments.sxx <= LEAST or srr <= moments.rounding:
        return None
    return fourth / srr / srr * n if fourth > LEAST else None


def _shape(residuals: Residuals) -> tuple[float, float]:
    """Skewness and kurtosis, from the means of their powers."""
    m1, m2, m3, m4 = residuals.means
    variance = m2 - m1 * m1
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return third / variance**1.5, fourth / variance**2


def _bend(moments: Moments) -> dict[str, float]:
    """The test of a quadratic term and its effect; empty if hours have only two values."""
    srr, sxxr = moments.srr, moments.centred["xxr"]
    curve, norm = quadratic_term(moments)
    if not norm:
        return {}
    coefficient = sxxr / norm
    gain = coefficient * sxxr
    bend = gain / (srr - gain) if srr - gain > 1e-12 * srr else math.inf
    low, high = moments.min_x - moments.mean_x, moments.max_x - moments.mean_x
    turn = min(max(-curve.c1 / 2, low), high)
    return {
        "curvature_p": float(fdtrc(1, moments.n - 3, bend * (moments.n - 3))),
        "bend": min(bend, sys.float_info.max),
        "bend_most": abs(coefficient) * max(abs(curve(d)) for d in (low, turn, high)),
    }


def quadratic_term(moments: Moments) -> tuple[Quadratic, float]:
    """The part of d^2 that is orthogonal over the rows to 1 and d, and the sum of its squares.

    That sum is 0 if hours have only two values, or nearly.
    """
    n, sxx = moments.n, moments.sxx
    third, fourth = moments.centred["xxx"], moments.centred["xxxx"]
    skew = third / sxx
    norm = fourth - skew * third - sxx / n * sxx
    return Quadratic(-sxx / n, -skew, 1.0), norm if norm > 1e-10 * fourth else 0.0


def spread_of(moments: Moments, W: float, b: float) -> Spread | None:
    """The variance of scores around Wx + b, if the test says that it changes with the hours.

    The regression of the squared residuals on the hours and their square, times n / (n - 2). Its
    lower limit is a share of the mean: a tenth up to 50 rows, falling to a hundredth from 5000, as
    the regression becomes more precise.
    """
    p, n = diagnose(moments).spread_p, moments.n
    if p is None or p >= SURE:
        return None
    error, tilt = moments.mean_y - W * moments.mean_x - b, moments.slope - W
    sums = changed(n, tuple(moments.centred.values()), 0.0, error, tilt)
    ee, dee, ddee = (float(sums[5, k]) * n / (n - 2) for k in (0, 1, 3))
    curve, norm = quadratic_term(moments)
    bend = (ddee + curve.c1 * dee + curve.c0 * ee) / norm if norm else 0.0
    return Spread(
        quadratic=Quadratic(ee / n + bend * curve.c0, dee / moments.sxx + bend * curve.c1, bend),
        least=min(max(math.sqrt(0.5 / n), 0.01), 0.1) * ee / n,
        low=moments.min_x - moments.mean_x,
        high=moments.max_x - moments.mean_x,
    )


class Influence(NamedTuple):
    """How much one row influences the line.

    `leverage` is the row's share in its own predicted score. `distance` is how far the line moves
    when the row is added: Cook's distance with the variance of the other rows, half the square of
    Belsley, Kuh and Welsch's DFFITS (1980, "Regression diagnostics"). `slope` is that of the line
    of the others, null where their hours never vary.
    """

    leverage: float
    distance: float
    slope: float | None


def influence(moments: Moments, hours: float, score: float) -> Influence:
    """The influence of one row on the least-squares line; `moments` are those of 4 or more rows."""
    d = hours - moments.mean_x
    r = score - moments.mean_y - moments.slope * d
    leverage = 1 / moments.n + d * d / moments.sxx
    rest = 1 - leverage
    if rest <= 1e-9:
        return Influence(leverage, math.inf, None)
    square = r * r / rest  # the sum of squares is lower by this without the row
    others = moments.srr - square
    variance = others / (moments.n - 3) if others > moments.rounding else 0.0
    if square <= moments.rounding:
        distance = 0.0
    else:
        distance = leverage / rest * square / variance / 2 if variance else math.inf
    return Influence(leverage, distance, moments.slope - d * r / moments.sxx / rest)


def decisive(
    moments: Moments, rows: Iterable[tuple[float, float]]
) -> tuple[float, float, float | None] | None:
    """The row that decides the line, if one does: hours, score, and the slope without it.

    With that row the line lies outside the 99 % confidence region of the others' line. None for
    under 5 rows, of which each one would.
    """
    if moments.n < 5:
        return None
    influences = [(influence(moments, *row), row) for row in rows]
    most, row = max(influences, key=lambda each: each[0].distance, default=(None, None))
    if most is None or row is None or most.distance <= fdtri(2, moments.n - 3, 0.99):
        return None
    return (*row, most.slope)
