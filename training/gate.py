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
from training.reduce import Summary

if TYPE_CHECKING:
    from models.store import Stored

TWO_SIGMA = 0.97725  # the share of a normal distribution below 2
NOTHING = 1e-9  # a difference of less, in units of the scores' variance, is none
# The signs of unlike rows; tests/simulate_gate.py shows how often each choice is wrong.
ERROR_RATIO, ERROR_P = 2.25, 0.005
SLOPE_SHARE = 0.6
T_EXPECTED, T_FOUND = 4, 2


class Comparison(NamedTuple):
    """The champion against a new model, why that is refused, if it is, and the figures to tell by.

    `rmse` is the champion's and `challenger_rmse` the new model's: of the `same_rows`, that both
    were trained on, or of the new model's rows, each on those that it has not seen. `run_rmse` is
    the champion's on the rows of the run, `own_rmse` on its own, cross-validated; null where a
    model of too few rows has none. The rest is about the rows of the run, and the champion's own.
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
    """While no other training has the store's lock, which the system takes back from a dead one."""
    folder = store.folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{store.NAME}.lock"):
        yield


def compare(stored: Stored, challenger: StudyScore, rows: Summary) -> Comparison:
    """Whether the champion stays, for one of these reasons.

    The lab's model is a demonstration: it neither defends nor replaces. On the same rows the
    training costs decide. Else the rows of this run must be like those of the champion, and then
    each fold of the new model's rows is judged by that sibling of either that has not seen it. What
    cannot be compared does not replace what was measured.
    """
    tag, champion = stored
    own, run = champion.moments, rows.moments
    if are_the_labs(champion.sources) != are_the_labs(challenger.sources):
        demonstration = f"the lab's model is a demonstration, and {tag} is one of other rows"
        return Comparison(tag, None if are_the_labs(champion.sources) else demonstration)
    if _same(own, challenger.moments):
        worse = challenger.squares - champion.squares > NOTHING * own.syy
        return Comparison(
            tag,
            f"{tag} fits the same rows better" if worse else None,
            champion.training_error.rmse,
            challenger.training_error.rmse,
            same_rows=True,
        )
    if problem := _incomparable(champion, challenger):
        return Comparison(tag, f"this model cannot be compared with {tag}: {problem}")
    mean_square = sum(champion.squares_unseen(rows.folds)) / run.n
    found = Comparison(
        tag,
        _unlike(stored, run, mean_square),
        run_rmse=math.sqrt(mean_square) if champion.siblings else None,
        own_rmse=champion.cv_error.rmse,
        slope=run.slope,
        own_slope=own.slope,
        mean_hours=run.mean_x,
        own_hours_min=own.min_x,
        own_hours_max=own.max_x,
    )
    if not champion.siblings:
        return found
    squares = champion.squares_unseen(challenger.folds)
    return found._replace(
        reason=found.reason or _worse(stored, challenger, squares),
        rmse=math.sqrt(sum(squares) / challenger.moments.n),
        challenger_rmse=challenger.cv_error.rmse,
    )


def _same(some: Moments, others: Moments) -> bool:
    """Whether they are the same rows, as far as sums in another order can tell."""
    return some.n == others.n and all(
        abs(getattr(some, name) - getattr(others, name)) <= NOTHING * scale
        for name, scale in (
            ("mean_x", some.sd_x),
            ("mean_y", some.sd_y),
            ("sxx", some.sxx),
            ("sxy", math.sqrt(some.sxx * some.syy)),
            ("syy", some.syy),
        )
    )


def _incomparable(champion: StudyScore, challenger: StudyScore) -> str | None:
    """Why the two have no rows that neither has seen."""
    if len(champion.folds) != len(challenger.folds):
        return f"their rows are in {len(champion.folds)} and in {len(challenger.folds)} folds"
    if champion.siblings and not challenger.siblings:
        return "its rows are too few to measure its errors on rows that it has not seen"
    return None


def _unlike(stored: Stored, run: Moments, mean_square: float) -> str | None:
    """In what the rows of a run are so unlike the champion's that a person must look at them.

    `mean_square` is the champion's mean squared error on them.
    """
    tag, champion = stored
    own = champion.moments
    low, high = own.min_x, own.max_x
    if abs(run.mean_x - (low + high) / 2) > high - low:  # beyond the range widened by half
        return (
            f"the hours of these rows average {run.mean_x:.4g}, and those of {tag} lie between"
            f" {low:g} and {high:g}"
        )

    slope, less = abs(own.slope), (own.slope - run.slope) * math.copysign(1, own.slope)
    if own.n > 2 and run.sxx:
        sd = math.sqrt(own.cost.least * own.n / (own.n - 2))
        two = sd * float(stdtrit(own.n - 2, TWO_SIGMA))
        if slope > two / math.sqrt(own.sxx):
            if less > max((1 - SLOPE_SHARE) * slope, two * math.sqrt(1 / own.sxx + 1 / run.sxx)):
                return (
                    f"an hour is worth {run.slope:.4g} points in these rows, and {own.slope:.4g} in"
                    f" those of {tag}"
                )
            noise = math.sqrt(run.cost.least * run.n / max(run.n - 2, 1) / run.sxx)
            if slope > T_EXPECTED * sd / math.sqrt(run.sxx) and slope - less < T_FOUND * noise:
                return (
                    "hours explain nothing for certain of these scores, and"
                    f" {champion.training_error.r2:.0%} of the variance of those of {tag}"
                )

    own_rmse = champion.residual_sd if champion.cv_error.rmse is None else champion.cv_error.rmse
    if own_rmse is None or mean_square <= ERROR_RATIO * own_rmse**2 + NOTHING * run.syy / run.n:
        return None
    freedom = 2 / max(NOTHING, _kurtosis(own, run) - 1)
    ratio = mean_square / own_rmse**2 if own_rmse else math.inf
    if math.isinf(ratio) or fdtrc(freedom * run.n, freedom * own.n, ratio) < ERROR_P:
        rmse = math.sqrt(mean_square)
        return f"{tag} misses these rows by {rmse:.4g} (RMSE), and its own by {own_rmse:.4g}"
    return None


def _kurtosis(*parts: Moments) -> float:
    """Of the residuals of both, each around its own line; normal where it is unknown.

    Squares of n errors scatter as those of 2 n / (kurtosis - 1) normal ones (Box 1953,
    "Non-normality and tests on variances", Biometrika 40).
    """
    known = [(part.n, k) for part in parts if (k := kurtosis_of(part)) is not None]
    return sum(n * k for n, k in known) / sum(n for n, _ in known) if known else 3.0


def _worse(stored: Stored, challenger: StudyScore, squares: Sequence[float]) -> str | None:
    """Whether the champion is better by more than two standard errors of the folds' differences.

    `squares` are its squared residuals in each fold. In Student's t for so few of them. The
    siblings share most of their rows, so their errors rise and fall together, and the standard
    error is the one that Nadeau and Bengio correct for that (2003, "Inference for the
    generalization error", Machine Learning 52). A challenger with under a tenth of the champion's
    rows has to turn the tables: better by two standard errors, it gets in.
    """
    tag, champion = stored
    folds = [fold for fold in challenger.folds if fold]
    n, k = challenger.moments.n, len(folds)
    differences = np.array(challenger.squares_unseen(challenger.folds)) - squares
    mean = differences.sum() / n
    spread = differences - mean * np.array([fold.n for fold in folds])
    standard_error = math.sqrt(spread @ spread * k / (k - 1) * (1 + k / (k - 1))) / n
    few = n * 10 < champion.moments.n
    margin = standard_error * float(stdtrit(k - 1, TWO_SIGMA))
    if mean + (margin if few else -margin) <= NOTHING * challenger.moments.syy / n:
        return None
    if few and mean <= 0:
        return f"so few rows do not show that this model is better than {tag}"
    return f"{tag} is better on rows that neither has seen"
