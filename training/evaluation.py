"""How wrong the line is on rows it has not seen, and whether it is better than the last one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import stdtrit

from models.moments import Moments, merged
from models.study_score import Source, StudyScore
from training.data import Summary

if TYPE_CHECKING:
    from models.store import Stored

TWO_SIGMA = 0.97725  # the share of a normal distribution below 2
Line = tuple[float, float]  # W, b


class Errors(NamedTuple):
    """Root mean squared error in score units, and R²: null where there is nothing to tell it by."""

    rmse: float | None
    r2: float | None


class Comparison(NamedTuple):
    """The model in the store, the champion, against a new one: root mean squared errors on the
    rows of the run, those of the new one on rows it was not fitted to, unless
    both were fitted to the `same_rows`. `reason` says why the new one is refused.
    """

    tag: str
    rmse: float
    challenger_rmse: float
    same_rows: bool
    reason: str | None

    @property
    def refused(self) -> bool:
        """Whether the champion stays."""
        return self.reason is not None


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


def compare(stored: Stored, challenger: StudyScore, rows: Summary) -> Comparison:
    """Whether the champion stays: whether it is better on the rows of this run.

    On the rows that the champion was trained on too, the training costs decide. On others each fold
    is judged by the champion and by the challenger's sibling that did not see it, and the
    champion stays if it is better by more than two standard errors of the folds' differences, in
    Student's t for so few of them. The siblings share most of their rows, so their errors rise and
    fall together, and the standard error is the one that Nadeau and Bengio correct for that (2003,
    "Inference for the generalization error", Machine Learning 52). A challenger with under a
    tenth of the champion's rows has to turn the tables: better by two standard errors, it gets in.

    A difference of 1e-9 of the scores' variance is none.
    """
    champion, everything = stored.model, rows.moments
    seen = _same(champion.sources, challenger.sources)
    folds = [
        (fold, line)
        for fold, line in zip(rows.folds, challenger.siblings, strict=False)
        if fold and line
    ]
    if seen:
        everything = challenger.moments  # of an update, more than the rows of the run
    if seen or len(folds) < 2:
        folds = [(everything, (challenger.W, challenger.b))]
    champions = [fold.squared_residuals(champion.W, champion.b) for fold, _ in folds]
    challengers = [fold.squared_residuals(*line) for fold, line in folds]

    n, k = everything.n, len(folds)
    few = challenger.moments.n * 10 < champion.moments.n
    better = (sum(challengers) - sum(champions)) / n
    if k > 1:
        spread = sum(
            (new - old - better * fold.n) ** 2
            for old, new, (fold, _) in zip(champions, challengers, folds, strict=True)
        )
        standard_error = math.sqrt(spread * k / (k - 1) * (1 + k / (k - 1))) / n
        better += standard_error * (2 if few else -float(stdtrit(k - 1, TWO_SIGMA)))
    reason = None
    if better > 1e-9 * everything.syy / n:
        reason = f"{stored.tag} is better on these rows"
        if few and sum(champions) >= sum(challengers):
            reason = f"so few rows do not show that this model is better than {stored.tag}"
    return Comparison(
        tag=stored.tag,
        rmse=math.sqrt(sum(champions) / n),
        challenger_rmse=math.sqrt(sum(challengers) / n),
        same_rows=seen,
        reason=reason,
    )


def _same(some: Sequence[Source], others: Sequence[Source]) -> bool:
    """Whether they are the same rows: the same columns of files with the same digests."""
    rows = [sorted((s.sha256, s.columns, s.rows) for s in sources) for sources in (some, others)]
    return rows[0] == rows[1]
