"""Whether the model now in the store, the champion, stays, or the new one replaces it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scipy.special import fdtrc, stdtrit

from models.moments import Moments
from models.study_score import Source, StudyScore
from training.rows import Summary
from training.sources import LAB_CSV

if TYPE_CHECKING:
    from models.store import Stored

TWO_SIGMA = 0.97725  # the share of a normal distribution below 2
NOTHING = 1e-9  # a difference of less, in units of the scores' variance, is none
# The signs of unlike rows; tests/simulate_gate.py shows how often each choice is wrong.
ERROR_RATIO, ERROR_P = 2.25, 0.01
SLOPE_SHARE = 0.6
R2_TO_LOSE = 0.3


class Likeness(NamedTuple):
    """The rows of a run beside those that the champion was trained on, its `own`.

    `rmse` is the champion's, where it can be on rows that it has not seen.
    """

    rmse: float
    own_rmse: float | None
    slope: float
    own_slope: float
    mean_hours: float
    own_hours: tuple[float, float]


class Comparison(NamedTuple):
    """The model in the store, the champion, against a new one, and why that is refused, if it is.

    Root mean squared errors: on rows that both were trained on, the `same_rows`, or on rows that
    neither has seen; null where there is no such comparison.
    """

    tag: str
    reason: str | None = None
    rmse: float | None = None
    challenger_rmse: float | None = None
    same_rows: bool = False
    likeness: Likeness | None = None

    @property
    def refused(self) -> bool:
        """Whether the champion stays."""
        return self.reason is not None

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        likeness = self.likeness and self.likeness._asdict()
        return {**self._asdict(), "likeness": likeness, "refused": self.refused}


def are_the_labs(sources: Sequence[Source]) -> bool:
    """Whether the lab's three rows are all there is."""
    return {source.sha256 for source in sources} == {hashlib.sha256(LAB_CSV).hexdigest()}


def compare(stored: Stored, challenger: StudyScore, rows: Summary) -> Comparison:
    """Whether the champion stays, for one of these reasons.

    The lab's model is a demonstration: it neither defends nor replaces. On the same rows the
    training costs decide. Else the rows of this run must be like those of the champion, and then
    each fold of the new model's rows is judged by that sibling of either that has not seen it. What
    cannot be compared does not replace what was measured.
    """
    tag, champion = stored
    if are_the_labs(champion.sources) != are_the_labs(challenger.sources):
        demonstration = f"the lab's model is a demonstration, and {tag} is one of other rows"
        return Comparison(tag, None if are_the_labs(champion.sources) else demonstration)
    if _same(champion.moments, challenger.moments):
        worse = challenger.rmse**2 - champion.rmse**2
        reason = None
        if worse * challenger.moments.n > NOTHING * challenger.moments.syy:
            reason = f"{tag} fits the same rows better"
        return Comparison(tag, reason, champion.rmse, challenger.rmse, same_rows=True)
    if problem := _incomparable(champion, challenger):
        return Comparison(tag, f"this model cannot be compared with {tag}: {problem}")
    likeness = _likeness(champion, rows)
    unlike = _unlike(tag, champion, challenger, rows.moments, likeness)
    if not champion.siblings:
        return Comparison(tag, unlike, likeness=likeness)
    return Comparison(
        tag,
        unlike or _worse(tag, champion, challenger),
        math.sqrt(sum(_squares(champion, challenger.folds)) / challenger.moments.n),
        challenger.cv_rmse,
        likeness=likeness,
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


def _squares(model: StudyScore, folds: Sequence[Moments | None]) -> list[float]:
    """The squared residuals in each fold that has rows, of the line that has not seen it.

    The whole model has not seen a fold that was empty in training.
    """
    lines = model.siblings or [None] * len(folds)
    return [
        fold.squared_residuals(*(line or (model.W, model.b)))
        for fold, line in zip(folds, lines, strict=True)
        if fold
    ]


def _likeness(champion: StudyScore, rows: Summary) -> Likeness:
    own, run = champion.moments, rows.moments
    return Likeness(
        rmse=math.sqrt(sum(_squares(champion, rows.folds)) / run.n),
        own_rmse=champion.residual_sd if champion.cv_rmse is None else champion.cv_rmse,
        slope=run.cost.slope,
        own_slope=own.cost.slope,
        mean_hours=run.mean_x,
        own_hours=(own.min_x, own.max_x),
    )


def _unlike(
    tag: str, champion: StudyScore, challenger: StudyScore, run: Moments, likeness: Likeness
) -> str | None:
    """In what the rows of a run are so unlike the champion's that a person must look at them."""
    rmse, own_rmse, slope, own_slope, mean_hours, (low, high) = likeness
    own = champion.moments
    if abs(mean_hours - (low + high) / 2) > high - low:  # beyond the range widened by half
        return (
            f"the hours of these rows average {mean_hours:.4g}, and those of {tag} lie between"
            f" {low:g} and {high:g}"
        )
    if own.n > 2 and run.sxx:
        variance = own.cost.least * own.n / (own.n - 2)
        sure = float(stdtrit(own.n - 2, TWO_SIGMA)) * math.sqrt(variance)
        towards_0 = (own_slope - slope) * math.copysign(1, own_slope)
        if (
            abs(own_slope) > sure * math.sqrt(1 / own.sxx)
            and towards_0 > sure * math.sqrt(1 / own.sxx + 1 / run.sxx)
            and towards_0 > (1 - SLOPE_SHARE) * abs(own_slope)
        ):
            return (
                f"an hour is worth {slope:.4g} points in these rows, and {own_slope:.4g} in those"
                f" of {tag}"
            )
    if (champion.cv_r2 or 0) > R2_TO_LOSE and (challenger.cv_r2 or 0) <= 0:
        return (
            f"hours explain nothing of these scores, and {champion.cv_r2:.0%} of the variance of"
            f" those of {tag}"
        )
    if own_rmse is not None and rmse**2 > ERROR_RATIO * own_rmse**2 + NOTHING * run.syy / run.n:
        ratio = rmse**2 / own_rmse**2 if own_rmse else math.inf
        if math.isinf(ratio) or fdtrc(run.n, own.n, ratio) < ERROR_P:
            return f"{tag} misses these rows by {rmse:.4g} (RMSE), and its own by {own_rmse:.4g}"
    return None


def _worse(tag: str, champion: StudyScore, challenger: StudyScore) -> str | None:
    """Whether the champion is better by more than two standard errors of the folds' differences.

    In Student's t for so few of them. The siblings share most of their rows, so their errors rise
    and fall together, and the standard error is the one that Nadeau and Bengio correct for that
    (2003, "Inference for the generalization error", Machine Learning 52). A challenger with under a
    tenth of the champion's rows has to turn the tables: better by two standard errors, it gets in.
    """
    folds = [fold for fold in challenger.folds if fold]
    n, k = challenger.moments.n, len(folds)
    differences = [
        new - old
        for old, new in zip(
            _squares(champion, challenger.folds),
            _squares(challenger, challenger.folds),
            strict=True,
        )
    ]
    mean = sum(differences) / n
    spread = sum(
        (difference - mean * fold.n) ** 2
        for difference, fold in zip(differences, folds, strict=True)
    )
    standard_error = math.sqrt(spread * k / (k - 1) * (1 + k / (k - 1))) / n
    few = n * 10 < champion.moments.n
    margin = standard_error * float(stdtrit(k - 1, TWO_SIGMA))
    mean += margin if few else -margin
    if mean <= NOTHING * challenger.moments.syy / n:
        return None
    if few and sum(differences) <= 0:
        return f"so few rows do not show that this model is better than {tag}"
    return f"{tag} is better on rows that neither has seen"
