"""How wrong a line is on rows that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from models.moments import Moments, merged

Line = tuple[float, float]  # W, b


class Errors(NamedTuple):
    """Root mean squared error in score units, and R²: null where there is nothing to tell it by."""

    rmse: float | None
    r2: float | None


def siblings(folds: Sequence[Moments | None]) -> list[Moments]:
    """For each fold that has rows the moments of all others; none if under two folds have rows."""
    filled = [k for k, fold in enumerate(folds) if fold]
    if len(filled) < 2:
        return []
    return [merged([*folds[:k], *folds[k + 1 :]]) for k in filled]


def errors(moments: Moments, W: float, b: float) -> Errors:
    """The errors of the line Wx + b."""
    return _errors(moments, moments.squared_residuals(W, b))


def cross_validation(folds: Sequence[Moments | None], lines: Sequence[Line | None]) -> Errors:
    """The errors of each sibling's line on the one fold that it did not see."""
    if not lines:
        return Errors(None, None)
    total = sum(
        fold.squared_residuals(*line)
        for fold, line in zip(folds, lines, strict=True)
        if fold and line
    )
    return _errors(merged(folds), total)


def _errors(rows: Moments, squares: float) -> Errors:
    return Errors(math.sqrt(squares / rows.n), 1 - squares / rows.syy if rows.syy else None)
