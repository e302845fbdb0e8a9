"""The model and its cross-validation models, in one run of the lesson's gradient descent."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import torch
from pydantic import ValidationError
from scipy.special import stdtrit

from models import VERSION
from models.cost import Cost
from models.document import first_problem
from models.moments import Moments, merged, plus
from models.record import Fit
from models.study_score import StudyScore
from training.diagnosis import decisive, diagnose, spread_of
from training.errors import CannotFit
from training.identity import KNOWN_FILES, are_the_labs, fingerprints, listed
from training.residuals import joined, residuals_of, stored_residuals
from training.rows import Summary
from training.sample import Row, Sample
from training.sgd import Epoch, descend, side_by_side

if TYPE_CHECKING:
    from models.store import Stored

COSTS_KEPT = 200
POINTS_KEPT = 500


def fit(
    rows: Summary,
    lr: float = 0.1,
    epochs: int = 1000,
    raw: bool = False,
    watch: Callable[[Iterator[Epoch]], Iterable[Epoch]] = iter,
    update: Stored | None = None,
) -> StudyScore:
    """Fit the model to the rows, and its cross-validation models to all folds but one.

    Each problem is solved in its own standard units, or with `raw` on the hours as they are.
    `watch` sees the epochs go by; problem 0 is the model. With `update` the rows are added to those
    of that model. Only the lab's rows are stored as points.

    Raises CannotFit if the rows have no usable line or SGD diverges.
    """
    old = update.model if update else None
    folds = tuple(map(plus, old.folds, rows.folds)) if old else rows.folds
    everything = merged(folds)
    if everything.n < 2:
        raise CannotFit(f"only {everything.n} row; a line needs 2 or more")
    if everything.min_x == everything.max_x:
        raise CannotFit(f"hours never vary: all {everything.n} rows have {everything.min_x:g}")

    others = {fold: moments for fold, moments in enumerate(without_each(folds)) if moments}
    problems = [everything, *others.values()]
    lines, costs = _descended(problems, watch, lr, epochs, raw)
    cv_line = dict(zip(others, lines[1:], strict=True))
    try:
        model = StudyScore(
            W=lines[0][0],
            b=lines[0][1],
            folds=folds,
            cv_lines=tuple(map(cv_line.get, range(len(folds)))) if others else (),
            t=float(stdtrit(everything.n - 2, 0.975)) if everything.n > 2 else None,
            spread=spread_of(everything, *lines[0]),
            score_range=rows.score_range,
            fit=_record(lr, epochs, raw, update),
            costs=tuple(costs),
            points=points(rows.sample, POINTS_KEPT) if are_the_labs(rows.sources) else (),
            sources=listed(old.sources if old else (), rows.sources),
            seen=((old.seen if old else ()) + fingerprints(rows.sources))[-KNOWN_FILES:],
        )
        return _with_evidence(model, rows, old)
    except ValidationError as error:
        raise CannotFit(f"no usable line: {first_problem(error)}") from error


def _descended(
    problems: Sequence[Moments],
    watch: Callable[[Iterator[Epoch]], Iterable[Epoch]],
    lr: float,
    epochs: int,
    raw: bool,
) -> tuple[list[tuple[float, float]], list[tuple[int, float, float, float]]]:
    """The lines (W, b) that SGD ends at, and the first one's cost, W and b before some epochs."""
    first = problems[0]
    cost = side_by_side([m.cost if raw else standard_cost(m) for m in problems])
    scale = 1.0 if raw else first.sd_y**2  # from the cost in standard units
    # at even steps of the epoch's logarithm
    kept = {round(epochs ** (i / (COSTS_KEPT - 2))) for i in range(COSTS_KEPT - 1)} | {0}
    costs = []
    line = 0.0, 0.0  # before the epoch's step
    for epoch in watch(_falling(descend(cost, lr, epochs), cost, lr)):
        if epoch.number in kept:
            W, b = line if raw else from_standard_units(first, *line)
            costs.append((epoch.number, float(epoch.cost[0]) * scale, W, b))
        line = float(epoch.W[0]), float(epoch.b[0])
    ends = zip(problems, epoch.W.tolist(), epoch.b.tolist(), strict=True)
    return [(W, b) if raw else from_standard_units(m, W, b) for m, W, b in ends], costs


def _record(lr: float, epochs: int, raw: bool, update: Stored | None) -> Fit:
    return Fit(
        lr=lr,
        epochs=epochs,
        raw=raw,
        update=update.tag if update else None,
        versions={
            "study_score": VERSION,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "duckdb": duckdb.__version__,
        },
        created=datetime.now(UTC),
    )


def _with_evidence(model: StudyScore, rows: Summary, old: StudyScore | None) -> StudyScore:
    """The same line with what its rows say about it, those of this run and of an `old` model."""
    residuals = residuals_of(model, rows.sample, rows.moments.n)
    candidates = rows.extremes
    if old:
        residuals = joined(stored_residuals(old), residuals)
        candidates += (old.decisive[:2],) if old.decisive else ()
    return model.replace(
        residuals=residuals,
        diagnosis=diagnose(model.moments, residuals),
        decisive=decisive(model.moments, candidates),
    )


def points(sample: Sample, most: int) -> tuple[Row, ...]:
    """All rows if they are few enough, else the first of the different ones."""
    hours, scores, times = sample
    if times.sum() <= most:
        hours, scores = np.repeat(hours, times), np.repeat(scores, times)
    return tuple(zip(hours[:most].tolist(), scores[:most].tolist(), strict=True))


def without_each(folds: Sequence[Moments | None]) -> list[Moments | None]:
    """For each fold that has rows the moments of all others; None where there are no others.

    Each is the sum of those before it and those after it, because a difference would lose digits.
    """
    before = [None, *accumulate(folds, plus)]
    from_here = [*accumulate(reversed(folds), plus)][::-1]
    after = [*from_here[1:], None]
    return [
        plus(first, last) if fold else None
        for fold, first, last in zip(folds, before[:-1], after, strict=True)
    ]


def standard_cost(moments: Moments) -> Cost:
    """The cost on the same rows with hours and scores scaled to mean 0, standard deviation 1."""
    least, slope, var_x, _, _ = moments.cost
    x, y = moments.sd_x, moments.sd_y
    return Cost(least / y / y, slope * x / y, var_x / x / x, mean_x=0.0, mean_y=0.0)


def from_standard_units(moments: Moments, W: float, b: float) -> tuple[float, float]:
    """W in score units per hour and b in score units, from a line in standard units.

    SGD ends a few rounding errors from the minimum, so a number that close to a short decimal
    number is rounded to it. All others keep every digit.
    """
    W = W * moments.sd_y / moments.sd_x
    W = _rounded(W, abs(W))
    b = moments.mean_y + b * moments.sd_y - W * moments.mean_x
    return W, _rounded(b, max(abs(moments.mean_y), abs(W * moments.mean_x)))


def _rounded(value: float, scale: float) -> float:
    """Without the digits past the 12th of `scale`, if those amount to rounding errors of it."""
    if not scale:
        return value
    short = round(value, 12 - math.ceil(math.log10(scale)))
    return short if abs(short - value) <= 4 * sys.float_info.epsilon * scale else value


def _falling(epochs: Iterator[Epoch], cost: Cost, lr: float) -> Iterator[Epoch]:
    """The same epochs; raises CannotFit when one raises a cost.

    For a quadratic cost that happens only if the learning rate is too large.
    """
    start = cost(torch.zeros_like(cost.slope), torch.zeros_like(cost.slope))
    for epoch in epochs:
        after = cost(epoch.W, epoch.b)
        if not (after <= epoch.cost + 1e-9 * start).all():
            raise CannotFit(
                f"SGD diverges: in epoch {epoch.number} the cost rises to {after.max():g} with"
                f" learning rate {lr:g}; any up to {0.95 * largest_stable_lr(cost):.2g} converges"
            )
        yield epoch


def largest_stable_lr(cost: Cost) -> float:
    """The learning rate from which SGD diverges: 2 over the largest eigenvalue of the Hessian."""
    mean_square = cost.var_x + cost.mean_x**2  # the Hessian is 2 [[mean x^2, mean x], [mean x, 1]]
    half_difference = ((mean_square - 1) ** 2 / 4 + cost.mean_x**2).sqrt()
    return float((1 / ((mean_square + 1) / 2 + half_difference)).min())
