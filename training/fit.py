"""The model and its cross-validation siblings, in one run of the lesson's gradient descent."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import torch
from pydantic import ValidationError
from scipy.special import stdtrit

from models import VERSION
from models.document import first_problem
from models.moments import Cost, Moments, merged, plus
from models.study_score import Fit, StudyScore
from training.diagnosis import decisive, diagnose, spread_of
from training.errors import CannotFit
from training.reduce import Row, Sample, Summary
from training.residuals import joined, known, residuals_of
from training.sgd import Epoch, descend, side_by_side
from training.sources import KNOWN_FILES, are_the_labs, listed, marks

if TYPE_CHECKING:
    from models.store import Stored

COSTS_KEPT = 200
POINTS_KEPT = 500


def fit(
    summary: Summary,
    lr: float = 0.1,
    epochs: int = 1000,
    raw: bool = False,
    watch: Callable[[Iterator[Epoch]], Iterable[Epoch]] = iter,
    update: Stored | None = None,
    keep_points: bool = False,
    score_range: tuple[float, float] | None = None,
) -> StudyScore:
    """Fit the model to the rows, and its siblings to all folds but one.

    Each problem is solved in its own standard units, or with `raw` on the hours as they are.
    `watch` sees the epochs go by; problem 0 is the model. With `update` the rows are added to those
    of that model. `score_range` are the limits of scores. The rows that were drawn are kept only if
    they are the lab's or with `keep_points`.

    Raises CannotFit if the rows have no usable line or SGD diverges.
    """
    folds = summary.folds
    sources, seen = listed([], summary.sources), marks(summary.sources)
    if update:
        folds = tuple(map(plus, update.model.folds, folds))
        sources = listed(update.model.sources, summary.sources)
        seen = [*update.model.seen, *seen]
    keep = keep_points or are_the_labs(summary.sources)
    everything = merged(folds)
    if everything.n < 2:
        raise CannotFit(f"only {everything.n} row; a line needs 2 or more")
    if everything.min_x == everything.max_x:
        raise CannotFit(f"hours never vary: all {everything.n} rows have {everything.min_x:g}")

    others = siblings(folds)
    problems = [everything, *filter(None, others)]
    cost = side_by_side([m.cost if raw else m.standard_cost for m in problems])
    scale = 1.0 if raw else everything.sd_y**2  # from the cost in standard units
    # at even steps of the epoch's logarithm
    kept = {round(epochs ** (i / (COSTS_KEPT - 2))) for i in range(COSTS_KEPT - 1)} | {0}
    costs = []
    line = 0.0, 0.0  # before the epoch's step
    for epoch in watch(_falling(descend(cost, lr, epochs), cost, lr)):
        if epoch.number in kept:
            W_and_b = line if raw else everything.from_standard_units(*line)
            costs.append((epoch.number, float(epoch.cost[0]) * scale, *W_and_b))
        line = float(epoch.W[0]), float(epoch.b[0])
    ends = zip(problems, epoch.W.tolist(), epoch.b.tolist(), strict=True)
    (W, b), *rest = ((W, b) if raw else m.from_standard_units(W, b) for m, W, b in ends)
    lines = iter(rest)

    try:
        model = StudyScore(
            W=W,
            b=b,
            folds=folds,
            siblings=tuple(next(lines) if m else None for m in others) if any(others) else (),
            t=float(stdtrit(everything.n - 2, 0.975)) if everything.n > 2 else None,
            spread=spread_of(everything, W, b),
            score_range=score_range,
            fit=Fit(
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
            ),
            costs=tuple(costs),
            points=points(summary.sample, POINTS_KEPT) if keep else (),
            sources=tuple(sources),
            seen=tuple(seen[-KNOWN_FILES:]),
        )
        return with_evidence(model, summary, update and update.model)
    except ValidationError as error:
        raise CannotFit(f"no usable line: {first_problem(error)}") from error


def with_evidence(model: StudyScore, summary: Summary, old: StudyScore | None) -> StudyScore:
    """The same line with what its rows say of it, those of this run and of an `old` model."""
    residuals = residuals_of(model, summary.sample, summary.moments.n)
    candidates = summary.extremes
    if old:
        residuals = joined(known(old), residuals)
        candidates += (old.decisive[:2],) if old.decisive else ()
    fields = {name: getattr(model, name) for name in StudyScore.model_fields}
    fields |= {
        "residuals": residuals,
        "diagnosis": diagnose(model.moments, residuals),
        "decisive": decisive(model.moments, candidates),
    }
    return StudyScore(**fields)


def points(sample: Sample, most: int) -> tuple[Row, ...]:
    """All rows if they are few enough, else the first of the different ones."""
    hours, scores, times = sample
    if times.sum() <= most:
        hours, scores = np.repeat(hours, times), np.repeat(scores, times)
    return tuple(zip(hours[:most].tolist(), scores[:most].tolist(), strict=True))


def siblings(folds: Sequence[Moments | None]) -> list[Moments | None]:
    """For each fold that has rows the moments of all others; None where there are no others.

    Each is the sum of those before it and those after it, for a difference would lose digits.
    """
    before = [None, *itertools.accumulate(folds, plus)]
    after = [None, *itertools.accumulate(reversed(folds), plus)]
    return [
        plus(first, last) if fold else None
        for fold, first, last in zip(folds, before, after[-2::-1], strict=False)
    ]


def _falling(epochs: Iterator[Epoch], cost: Cost, lr: float) -> Iterator[Epoch]:
    """The same epochs; raises CannotFit when one raises a cost.

    On these bowls that happens only where the learning rate is too large.
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
