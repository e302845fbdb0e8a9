"""The model: a line, and what is needed to say how certain it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from models.document import Document
from models.facts import facts
from models.findings import SURE, Diagnosis, Finding, findings
from models.hours_for import range_of
from models.moments import Moments, merged
from models.record import Fit, Source
from models.spread import Errors, Quadratic, Residuals, Spread, Total, clipped, root

HOURS_MAX = 8784.0  # the hours in a leap year
ENOUGH = 100  # rows, to use quantiles of errors that are not normal


class StudyScore(Document):
    """The hypothesis `H(x) = Wx + b`, x in hours, with what is known about its errors.

    `folds` are the moments of its rows by cross-validation fold, null for a fold without rows.
    `cv_lines` are the cross-validation models: `cv_lines[k]` is the line (W, b) fitted to all rows
    but those of fold k. There are none if fewer than two folds have rows. `t` is the 97.5 %
    quantile of Student's t with n - 2 degrees of freedom, null for fewer than 3 rows. `spread` is
    null unless a test says that it changes with the hours; `residuals` is null if the line fits
    every row. `decisive` is the single row that decides the line, or null: its hours, its score,
    and the slope without it, which is null if the hours of the other rows never vary. Predictions
    and bounds are limited to `score_range`. `costs` are (epoch, mean squared error, W, b) before
    the step of the epoch, in the units of the rows, and denser where the descent is steep. `seen`
    are short identities of the last 20,000 files that it was trained on. `points` are (hours,
    score) of the training rows that may be shown.
    """

    format: Literal[3] = 3
    W: float
    b: float
    folds: Annotated[tuple[Moments | None, ...], Field(min_length=1)]
    cv_lines: tuple[tuple[float, float] | None, ...]
    t: Annotated[float, Field(gt=0)] | None
    diagnosis: Diagnosis = Diagnosis()
    spread: Spread | None = None
    residuals: Residuals | None = None
    decisive: tuple[float, float, float | None] | None = None
    score_range: tuple[float, float] | None = None
    fit: Fit
    costs: Annotated[tuple[tuple[int, float, float, float], ...], Field(max_length=200)]
    points: Annotated[tuple[tuple[float, float], ...], Field(max_length=500)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    seen: Annotated[tuple[str, ...], Field(max_length=20_000)] = ()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not any(self.folds):
            raise ValueError("no fold has rows")
        if self.cv_lines and [not line for line in self.cv_lines] != [not f for f in self.folds]:
            raise ValueError("cv_lines must be null where folds are, and only there")
        if not self.moments.sxx:
            raise ValueError("hours never vary, so no line is better than another")
        # the largest standard deviation in a range (Popoviciu's inequality)
        widest = (self.moments.max_x - self.moments.min_x) / 2
        if self.moments.sd_x > widest * (1 + 1e-9):
            raise ValueError("hours vary by more than from min_x to max_x")
        if (self.t is None) != (self.moments.n < 3):
            raise ValueError("t must be null for fewer than 3 rows, and only then")
        if self.score_range and not self.score_range[0] < self.score_range[1]:
            raise ValueError("score_range must be a lower and a higher limit")
        for hours in (0.0, HOURS_MAX):  # all others lie within these
            numbers = (self.predict(hours), *self.interval(hours), *self.cv_error)
            if not all(math.isfinite(number) for number in numbers if number is not None):
                raise ValueError(f"the score for {hours:g} hours is too large to be a number")
        return self

    @cached_property
    def moments(self) -> Moments:
        """The moments of all training rows."""
        return merged(self.folds)

    def errors(self, rows: Moments) -> Errors:
        """The errors of the line on these rows."""
        return Errors.of(rows.squared_residuals(self.W, self.b), rows)

    @cached_property
    def training_error(self) -> Errors:
        """The errors on the training rows."""
        return self.errors(self.moments)

    @cached_property
    def squares(self) -> float:
        """The sum of squared residuals on the training rows."""
        return self.moments.squared_residuals(self.W, self.b)

    @cached_property
    def cv_error(self) -> Errors:
        """The out-of-fold errors of the cross-validation models; null if there are none."""
        if not self.cv_lines:
            return Errors()
        return Errors.of(sum(self.squares_unseen(self.folds)), self.moments)

    def squares_unseen(self, folds: Sequence[Moments | None]) -> list[float]:
        """The sum of squared out-of-fold residuals, for each fold that has rows.

        If there is no cross-validation model for a fold, the model itself had no rows in it when it
        was trained, so its own line is used.
        """
        cv_lines = self.cv_lines or [None] * len(folds)
        return [
            fold.squared_residuals(*(line or (self.W, self.b)))
            for fold, line in zip(folds, cv_lines, strict=True)
            if fold
        ]

    @cached_property
    def residual_sd(self) -> float | None:
        """Residual standard deviation (divisor n - 2), in score units; null for under 3 rows."""
        n = self.moments.n
        return math.sqrt(self.squares / (n - 2)) if n > 2 else None

    @cached_property
    def line_variance(self) -> Quadratic | None:
        """The variance of the line, by the distance from the mean hours; null for under 3 rows."""
        if self.residual_sd is None:
            return None
        variance = self.residual_sd * self.residual_sd
        return Quadratic(variance / self.moments.n, 0.0, variance / self.moments.sxx)

    @cached_property
    def variance(self) -> Quadratic | Total | None:
        """The variance of a new score, by the distance from the mean hours; null for under 3 rows.

        The textbook's s^2 (1 + 1/n + d^2/Sxx), s the residual standard deviation (Montgomery, Peck
        and Vining, "Introduction to Linear Regression Analysis", section 2.5). If there is a
        `spread`, it takes the place of s^2.
        """
        line = self.line_variance
        if line is None or self.residual_sd is None:
            return None
        if self.spread:
            return Total(self.spread, line)
        return line._replace(c0=line.c0 + self.residual_sd * self.residual_sd)

    @cached_property
    def quantiles(self) -> tuple[float, float] | None:
        """The residual quantiles that bound the interval; null if it uses Student's t instead.

        Quantiles are used if Jarque and Bera's test rejects normal errors at 5 %, and there are at
        least 100 residuals.
        """
        p, residuals = self.diagnosis.normality_p, self.residuals
        if p is None or p >= SURE or not residuals or len(residuals.quantiles) < ENOUGH:
            return None
        return residuals.bounds

    @cached_property
    def bounds(self) -> tuple[float, float] | None:
        """The ends of the interval, in standard deviations from the score; null if unknown."""
        return self.quantiles or (None if self.t is None else (-self.t, self.t))

    def facts(self) -> dict[str, Any]:
        """The line, its rows and how well it fits, by the usual names."""
        return facts(self)

    def findings(self) -> tuple[Finding, ...]:
        """What the rows show about the line, in sentences."""
        return tuple(findings(self))

    def predict(self, hours: Any) -> Any:
        """The predicted score for a number of hours, or for each of an array of them.

        >>> StudyScore.model_construct(W=10.0, b=9.5).predict(4.0)
        49.5
        """
        return self._cut(hours * self.W + self.b)

    def interval(self, hours: Any) -> tuple[Any, Any]:
        """The 95 % prediction interval for the score of a new person who studied this long.

        For a number of hours, or for each of an array: the score plus `bounds` times the root of
        `variance`. (None, None) for fewer than 3 rows; the score itself where the line fits every
        row.

        >>> import numpy as np
        >>> rows = Moments.of(np.array([2.0, 3, 4, 5]), np.array([25.0, 50, 42, 61]))
        >>> model = StudyScore.model_construct(W=10.0, b=9.5, folds=(rows,), t=4.303)
        >>> low, high = model.interval(4.0)
        >>> round(low, 2), round(high, 2)
        (1.81, 97.19)
        """
        return self._between(hours, self.variance, self.bounds)

    def line_interval(self, hours: Any) -> tuple[Any, Any]:
        """The 95 % confidence interval for the mean score of all who studied this long."""
        return self._between(hours, self.line_variance, (-self.t, self.t) if self.t else None)

    def _between(
        self, hours: Any, variance: Quadratic | Total | None, bounds: tuple[float, float] | None
    ) -> tuple[Any, Any]:
        if variance is None or bounds is None:
            return None, None
        score = hours * self.W + self.b
        sd = root(variance(hours - self.moments.mean_x))
        return self._cut(score + bounds[0] * sd), self._cut(score + bounds[1] * sd)

    def _cut(self, score: Any) -> Any:
        return clipped(score, *self.score_range) if self.score_range else score

    def hours_for(self, score: float) -> tuple[float | None, float | None, float | None, bool]:
        """The hours needed for a score: (hours, low, high, extrapolated).

        `hours` have this predicted score, and `low` and `high` are the fewest and the most hours
        whose 95 % interval contains it, all within 0 to 8784. None where there are no such hours;
        `high` is also None where there is no upper limit, and both where the slope cannot be told
        from 0. `extrapolated` says whether `hours` lie outside those of training.

        >>> import numpy as np
        >>> rows = Moments.of(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]))
        >>> StudyScore.model_construct(W=2.0, b=0.0, folds=(rows,), t=12.71).hours_for(8.0)
        (4.0, 4.0, 4.0, True)
        """
        if not self.W or self._cut(score) != score:
            return None, None, None, False
        hours = (score - self.b) / self.W
        possible = 0 <= hours <= HOURS_MAX
        low = high = None
        line = self.line_variance
        # else the slope cannot be told from 0
        if self.t and line and self.t * self.t * line.c2 < self.W * self.W:

            def holds(tried: Any) -> Any:
                lower, upper = self.interval(tried)
                return (lower <= score) & (score <= upper) | (tried == hours)

            training = self.moments.min_x, self.moments.max_x
            low, high = range_of(holds, hours, training, HOURS_MAX)
        return hours if possible else None, low, high, possible and self.extrapolates(hours)

    def extrapolates(self, hours: Any) -> Any:
        """Whether the hours, or each of an array, lie outside the range of the training hours."""
        return (hours < self.moments.min_x) | (hours > self.moments.max_x)
