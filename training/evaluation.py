"""How wrong the line is on rows it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from models.moments import Moments, merged


class Errors(NamedTuple):
    """Root mean squared error in score units, and R²: null where there is nothing to tell it by."""

    rmse: float | None
    r2: float | None


def siblings(folds: Sequence[Moments]) -> list[Moments]:
    """For each fold the moments of all the others; none where there are fewer than two folds."""
    if len(folds) < 2:
        return []
    return [merged([*folds[:k], *folds[k + 1 :]]) for k in range(len(folds))]


def cross_validation(folds: Sequence[Moments], lines: Sequence[tuple[float, float]]) -> Errors:
    """The errors of each sibling's line (W, b) on the one fold that it did not see."""
    if not lines:
        return Errors(None, None)
    rows = merged(folds)
    total = sum(fold.squared_residuals(W, b) for fold, (W, b) in zip(folds, lines, strict=True))
    return Errors(math.sqrt(total / rows.n), 1 - total / rows.syy if rows.syy else None)
