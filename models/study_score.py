"""The model: a line, and the evidence for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from models.document import Document
from models.moments import Moments, NotNegative, merged

FORMATS = 1, 2  # of the stored document; 1 has no higher sums, and folds by the files' names
HOURS_MAX = 8784.0  # the hours in a leap year


class Source(Document):
    """A file that rows came from, and the columns that held hours and scores."""

    name: str
    columns: tuple[str, str]
    rows: Annotated[int, Field(ge=0)]
    skipped: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Fit(Document):
    """How W and b were found; `update` is the model whose rows these were added to."""

    lr: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=0)]
    raw: bool
    update: str | None
    versions: dict[str, str]
    created: datetime


class StudyScore(Document):
    """The hypothesis `H(x) = Wx + b`, x in hours, with all that is known of how sure it is.

    `folds` are the moments of the rows it was trained on, by cross-validation fold, null for a fold
    without rows; `siblings[k]` is the line (W, b) of all rows but fold k's. With rows in fewer than
    two folds there are no siblings, and `cv_rmse` and `cv_r2` are null. `t` is the 97.5 % quantile
    of Student's t with n - 2 degrees of freedom, null for fewer than 3 rows. `costs` are (epoch,
    mean squared error before its step), denser where the descent is steep; `points` are (hours,
    score) of the training rows that may be shown.
    """

    format: Literal[1, 2] = 2
    W: float
    b: float
    folds: Annotated[tuple[Moments | None, ...], Field(min_length=1)]
    siblings: tuple[tuple[float, float] | None, ...]
    t: Annotated[float, Field(gt=0)] | None
    cv_rmse: NotNegative | None
    cv_r2: Annotated[float, Field(le=1)] | None
    fit: Fit
    costs: Annotated[tuple[tuple[int, float], ...], Field(max_length=200)]
    points: Annotated[tuple[tuple[float, float], ...], Field(max_length=500)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if not any(self.folds):
            raise ValueError("no fold has rows")
        if not self.moments.sxx:
            raise ValueError("hours never vary, so no line is better than another")
        if (self.t is None) != (self.moments.n < 3):
            raise ValueError("t must be null for fewer than 3 rows, and only then")
        for hours in (0.0, HOURS_MAX):  # every score and bound lies within those of the ends
            numbers = (self.predict(hours), *self.interval(hours))
            if not all(math.isfinite(number) for number in numbers if number is not None):
                raise ValueError(f"the score for {hours:g} hours is beyond all numbers")
        return self

    @cached_property
    def moments(self) -> Moments:
        """The moments of all training rows."""
        return merged(self.folds)

    @cached_property
    def _squared_residuals(self) -> float:
        return self.moments.squared_residuals(self.W, self.b)

    @property
    def rmse(self) -> float:
        """Root mean squared error on the training rows, in score units."""
        return math.sqrt(self._squared_residuals / self.moments.n)

    @property
    def r2(self) -> float | None:
        """Share of the scores' variance that the line explains; null for constant scores."""
        return 1 - self._squared_residuals / self.moments.syy if self.moments.syy else None

    @cached_property
    def residual_sd(self) -> float | None:
        """Residual standard deviation (divisor n - 2), in score units; null for under 3 rows."""
        n = self.moments.n
        return math.sqrt(self._squared_residuals / (n - 2)) if n > 2 else None

    def facts(self) -> dict[str, Any]:
        """What the line is, what it was fitted to and how well it fits, by the usual names."""
        return {
            "W": self.W,
            "b": self.b,
            "rows": self.moments.n,
            "hours_min": self.moments.min_x,
            "hours_max": self.moments.max_x,
            "rmse": self.rmse,
            "r2": self.r2,
            "residual_sd": self.residual_sd,
            "cv_rmse": self.cv_rmse,
            "cv_r2": self.cv_r2,
        }

    def predict(self, hours: Any) -> Any:
        """The score for a number of hours, or for each of an array, by one expression."""
        return hours * self.W + self.b

    def interval(self, hours: Any, sqrt: Callable[[Any], Any] = math.sqrt) -> tuple[Any, Any]:
        """95 % prediction interval for the score of one more person who studied this long.

        The score -+ t s sqrt(1 + 1/n + (x - mean_x)^2 / Sxx), s the residual standard deviation
        (Montgomery, Peck and Vining, "Introduction to Linear Regression Analysis", section 2.5).
        (None, None) for fewer than 3 rows; the score itself where the line fits every row. For an
        array of hours, `sqrt` is numpy's.
        """
        if self.t is None or self.residual_sd is None:
            return None, None
        distance = hours - self.moments.mean_x
        factor = sqrt(1 + 1 / self.moments.n + distance * distance / self.moments.sxx)
        margin = self.t * self.residual_sd * factor
        score = self.predict(hours)
        return score - margin, score + margin

    def extrapolates(self, hours: Any) -> Any:
        """Whether the hours, or each of an array, lie outside those it was trained on."""
        return (hours < self.moments.min_x) | (hours > self.moments.max_x)
