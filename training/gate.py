"""Whether the model now in the store, the champion, stays, or the new one replaces it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from filelock import FileLock
from scipy.special import fdtrc, stdtrit

from models import store
from models.moments import Moments
from models.study_score import StudyScore
from training.diagnosis import kurtosis_of
from training.identity import are_the_labs
from training.rows import Summary

if TYPE_CHECKING:
    from models.products import Array
    from models.store import Stored

TWO_SIGMA = 0.97725  # the share of a normal distribution below 2
NEGLIGIBLE = 1e-9  # a smaller difference, in units of the scores' variance, counts as none
# Limits beyond which rows are unlike the champion's; tests/simulate_gate.py shows the error rates.
ERROR_RATIO, ERROR_P = 2.25, 0.005  # of the mean squared errors, and the p value of that ratio
SLOPE_SHARE = 0.6  # of the champion's slope
T_EXPECTED, T_FOUND = 4, 2  # a slope in standard errors: from here on sure, and below here unsure


class Comparison(NamedTuple):
    """The champion against a new model, the reason if that is refused, and the figures behind it.

    `rmse` is the champion's and `challenger_rmse` the new model's: on the `same_rows`, if both were
    trained on the same, else on the new model's rows, each row predicted by a line fitted without
    it. `run_rmse` is the champion's on the rows of the run, `own_rmse` on its own, cross-validated;
    null where a model has too few rows. `slope` and `mean_hours` are those of the run's rows, and
    the fields that begin with `own` are those of the champion's.
    """

    tag: str
    reason: str | None = None
    rmse: float | None = None
    challenger_rmse: float | None = None
    same_rows: bool = False
    run_rmse: float | None = None
    own_rmse: float | None = None
    slope: float | None = None
    own_slope: float | None = None
    mean_hours: float | None = None
    own_hours_min: float | None = None
    own_hours_max: float | None = None

    @property
    def refused(self) -> bool:
        """Whether the champion stays."""
        return self.reason is not None

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return {**self._asdict(), "refused": self.refused}


@contextmanager
def locked() -> Iterator[None]:
    """Hold the store's lock, which the system frees if this process is killed."""
    folder = store.folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{store.NAME}.lock"):
        yield


def compare(stored: Stored, challenger: StudyScore, rows: Summary) -> Comparison:
    """Compare a new model, the challenger, with the champion; `rows` are those of this run.

    The lab's model is a demonstration: it neither defends nor replaces. On the same rows the
    training costs decide. Else the rows of this run must be like those of the champion, and then
    each fold of the challenger's rows is predicted by that cross-validation model of either which
    was fitted without it. A challenger that cannot be compared is refused.
    """
    tag, champion = stored
    own, run = champion.moments, rows.moments
    if are_the_labs(champion.sources) != are_the_labs(challenger.sources):
        demonstration = f"the lab's model is a demonstration, and {tag} is one of other rows"
        return Comparison(tag, None if are_the_labs(champion.sources) else demonstration)
    if _are_same(own, challenger.moments):
        is_worse = challenger.squares - champion.squares > NEGLIGIBLE * own.syy
        return Comparison(
            tag,
            f"{tag} fits the same rows better" if is_worse else None,
            champion.training_error.rmse,
            challenger.training_error.rmse,
            same_rows=True,
        )
    if problem := _incomparable(champion, challenger):
        return Comparison(tag, f"this model cannot be compared with {tag}: {problem}")
    mean_square = sum(champion.squares_unseen(rows.folds)) / run.n
    comparison = Comparison(
        tag,
        _hours_unlike(stored, run)
        or _slope_unlike(stored, run)
        or _errors_unlike(stored, run, mean_square),
        run_rmse=math.sqrt(mean_square) if champion.cv_lines else None,
        own_rmse=champion.cv_error.rmse,
        slope=run.slope,
        own_slope=own.slope,
        mean_hours=run.mean_x,
        own_hours_min=own.min_x,
        own_hours_max=own.max_x,
    )
    if not champion.cv_lines:
        return comparison
    squares = champion.squares_unseen(challenger.folds)
    return comparison._replace(
        reason=comparison.reason or _worse(stored, challenger, squares),
        rmse=math.sqrt(sum(squares) / challenger.moments.n),
        challenger_rmse=challenger.cv_error.rmse,
    )


def _are_same(some: Moments, others: Moments) -> bool:
    """Whether they are the same rows, as far as sums in another order can tell."""
    scales = {
        "mean_x": some.sd_x,
        "mean_y": some.sd_y,
        "sxx": some.sxx,
        "sxy": math.sqrt(some.sxx * some.syy),
        "syy": some.syy,
    }
    return some.n == others.n and all(
        abs(getattr(some, name) - getattr(others, name)) <= NEGLIGIBLE * scale
        for name, scale in scales.items()
    )


def _incomparable(champion: StudyScore, challenger: StudyScore) -> str | None:
    """Why there are no rows that neither model has seen."""
    if len(champion.folds) != len(challenger.folds):
        return f"their rows are in {len(champion.folds)} and in {len(challenger.folds)} folds"
    if champion.cv_lines and not challenger.cv_lines:
        return "its rows are too few to measure its errors on rows that it has not seen"
    return None


def _hours_unlike(stored: Stored, run: Moments) -> str | None:
    """The reason if the mean hours lie beyond the champion's range, widened by half."""
    low, high = stored.model.moments.min_x, stored.model.moments.max_x
    if abs(run.mean_x - (low + high) / 2) <= high - low:
        return None
    return (
        f"the hours of these rows average {run.mean_x:.4g}, and those of {stored.tag} lie between"
        f" {low:g} and {high:g}"
    )


def _slope_unlike(stored: Stored, run: Moments) -> str | None:
    """The reason if an hour is worth much less than to the champion, or certainly nothing."""
    tag, champion = stored
    own = champion.moments
    if own.n <= 2 or not run.sxx:
        return None
    residual_sd = math.sqrt(own.cost.least * own.n / (own.n - 2))
    two_sigma = residual_sd * float(stdtrit(own.n - 2, TWO_SIGMA))
    slope, run_slope = abs(own.slope), math.copysign(1, own.slope) * run.slope
    if slope <= two_sigma / math.sqrt(own.sxx):
        return None  # the champion's own slope may be chance
    chance = two_sigma * math.sqrt(1 / own.sxx + 1 / run.sxx)
    if slope - run_slope > max((1 - SLOPE_SHARE) * slope, chance):
        return (
            f"an hour is worth {run.slope:.4g} points in these rows, and {own.slope:.4g} in"
            f" those of {tag}"
        )
    expected_error = residual_sd / math.sqrt(run.sxx)
    error = math.sqrt(run.cost.least * run.n / max(run.n - 2, 1) / run.sxx)
    if slope > T_EXPECTED * expected_error and run_slope < T_FOUND * error:
        return (
            "hours do not clearly explain the scores of these rows, and explain"
            f" {champion.training_error.r2:.0%} of the variance of those of {tag}"
        )
    return None


def _errors_unlike(stored: Stored, run: Moments, mean_square: float) -> str | None:
    """The reason if the champion's mean squared error on these rows is much larger than usual."""
    tag, champion = stored
    own = champion.moments
    own_rmse = champion.residual_sd if champion.cv_error.rmse is None else champion.cv_error.rmse
    if own_rmse is None or mean_square <= ERROR_RATIO * own_rmse**2 + NEGLIGIBLE * run.syy / run.n:
        return None
    freedom = 2 / max(NEGLIGIBLE, _kurtosis(own, run) - 1)
    ratio = mean_square / own_rmse**2 if own_rmse else math.inf
    if math.isinf(ratio) or fdtrc(freedom * run.n, freedom * own.n, ratio) < ERROR_P:
        rmse = math.sqrt(mean_square)
        return f"{tag} misses these rows by {rmse:.4g} (RMSE), and its own by {own_rmse:.4g}"
    return None


def _kurtosis(*parts: Moments) -> float:
    """That of the residuals of all parts, each around its own line; 3 where it is unknown.

    Squares of n errors scatter as those of 2 n / (kurtosis - 1) normal ones (Box 1953,
    "Non-normality and tests on variances", Biometrika 40).
    """
    known = [(part.n, k) for part in parts if (k := kurtosis_of(part)) is not None]
    return sum(n * k for n, k in known) / sum(n for n, _ in known) if known else 3.0


def _worse(stored: Stored, challenger: StudyScore, squares: Sequence[float]) -> str | None:
    """The reason if the champion is better on unseen rows; `squares` are its errors by fold.

    It is better if the mean difference exceeds the margin. A challenger with under a tenth of the
    champion's rows must itself be better by the margin.
    """
    n = challenger.moments.n
    differences = np.array(challenger.squares_unseen(challenger.folds)) - squares
    difference, margin = mean_difference(differences, [fold.n for fold in challenger.folds if fold])
    is_small = n * 10 < stored.model.moments.n
    if difference + (margin if is_small else -margin) <= NEGLIGIBLE * challenger.moments.syy / n:
        return None
    if is_small and difference <= 0:
        return f"so few rows do not show that this model is better than {stored.tag}"
    return f"{stored.tag} is better on rows that neither has seen"


def mean_difference(squares: Array, rows: Sequence[int]) -> tuple[float, float]:
    """The mean difference of two models' squared errors, and a margin of two standard errors.

    `squares` are the differences of the sums of squared errors in each fold, `rows` the numbers of
    rows in it. For so few folds the margin follows Student's t. Siblings share most of their rows,
    so their errors rise and fall together; the standard error is corrected for that as in Nadeau
    and Bengio (2003, "Inference for the generalization error", Machine Learning 52).

    >>> difference, margin = mean_difference(np.array([4.0, 6, 5, 5]), [2, 2, 2, 2])
    >>> round(difference, 2), round(margin, 2)  # 2.5 > 1.03: the champion stays
    (2.5, 1.03)
    """
    n, k = sum(rows), len(rows)
    mean = float(squares.sum() / n)
    spread = squares - mean * np.array(rows)
    standard_error = math.sqrt(spread @ spread * k / (k - 1) * (1 + k / (k - 1))) / n
    return mean, standard_error * float(stdtrit(k - 1, TWO_SIGMA))
