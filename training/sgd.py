"""The lesson's gradient descent: torch SGD on the cost of `H(x) = Wx + b`."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from pydantic import ValidationError
from scipy.special import stdtrit

from models import VERSION
from models.document import first_problem
from models.moments import Cost, merged
from models.study_score import Fit, StudyScore
from training.data import Rows, plus
from training.evaluation import cross_validation, siblings

COSTS_KEPT = 200
POINTS_KEPT = 500


class CannotFit(Exception):
    """No usable line comes out of these rows with these options."""


class SGD(torch.optim.SGD):
    """torch's own, without the decorators that keep torch.compile off its methods.

    They import the whole compiler to do that, which takes as long as importing torch.
    """

    add_param_group = inspect.unwrap(torch.optim.SGD.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.SGD.zero_grad)
    step = torch.no_grad()(inspect.unwrap(torch.optim.SGD.step))


class Epoch(NamedTuple):
    """One epoch for each problem, shape (problems,): the cost, and W and b after the step."""

    number: int
    W: torch.Tensor
    b: torch.Tensor
    cost: torch.Tensor


def descend(problems: Sequence[Cost], lr: float, epochs: int) -> Iterator[Epoch]:
    """SGD from W = b = 0 on several problems at once; epochs 0 to `epochs`, as the lab counts them.

    Raises CannotFit when a cost rises, which on these bowls happens only if `lr` is too large.
    """
    cost = Cost(*torch.tensor(problems, dtype=torch.float64).T)
    W = torch.zeros(len(problems), dtype=torch.float64, requires_grad=True)
    b = torch.zeros(len(problems), dtype=torch.float64, requires_grad=True)
    optimizer = SGD([W, b], lr=lr)

    start = after = cost(W, b)
    for number in range(epochs + 1):
        optimizer.zero_grad()
        after.sum().backward()
        optimizer.step()

        before, after = after.detach(), cost(W, b)
        if not (after <= before + 1e-9 * start).all():
            raise CannotFit(
                f"SGD diverges: in epoch {number} the cost rises to {after.max():g} with learning"
                f" rate {lr:g}; any up to {0.95 * largest_stable_lr(cost):.2g} converges"
            )
        yield Epoch(number, W.detach().clone(), b.detach().clone(), before)


def largest_stable_lr(cost: Cost) -> float:
    """The learning rate from which SGD diverges: 2 over the largest eigenvalue of the Hessian."""
    mean_square = cost.var_x + cost.mean_x**2  # the Hessian is 2 [[mean x^2, mean x], [mean x, 1]]
    half_trace, determinant = (mean_square + 1) / 2, cost.var_x
    largest = half_trace + (half_trace**2 - determinant).sqrt()
    return float((1 / largest).min())


def train(
    rows: Rows,
    lr: float,
    epochs: int,
    raw: bool = False,
    watch: Callable[[Iterator[Epoch]], Iterable[Epoch]] = iter,
    update: tuple[str, StudyScore] | None = None,
    keep_points: bool = False,
) -> StudyScore:
    """Fit the model and its cross-validation siblings in one run of SGD.

    Each problem is solved in its own standard units, or with `raw` on the hours as they are.
    `watch` sees the epochs go by; problem 0 is the model. With `update`, a model and its tag, the
    rows are added to that model's. The rows that were drawn are kept only if they are the lab's or
    with `keep_points`.

    Raises CannotFit if the rows have no usable line or SGD diverges.
    """
    folds, sources = rows.folds, rows.sources
    if update:
        folds = tuple(map(plus, update[1].folds, rows.folds))
        sources = (*update[1].sources, *rows.sources)
    everything = merged(folds)
    if everything.n < 2:
        raise CannotFit(f"only {everything.n} row; a line needs 2 or more")
    if everything.min_x == everything.max_x:
        raise CannotFit(f"hours never vary: all {everything.n} rows have {everything.min_x:g}")

    problems = [everything, *siblings(folds)]
    units = problems if raw else [moments.in_standard_units() for moments in problems]
    scale = 1.0 if raw else everything.sd_y**2  # from the cost in standard units
    kept = {round(epochs ** (i / (COSTS_KEPT - 2))) for i in range(COSTS_KEPT - 1)} | {0}
    costs = []
    for epoch in watch(descend([moments.cost for moments in units], lr, epochs)):
        if epoch.number in kept:
            costs.append((epoch.number, float(epoch.cost[0]) * scale))
    lines = list(zip(epoch.W.tolist(), epoch.b.tolist(), strict=True))
    if not raw:
        lines = [m.from_standard_units(W, b) for m, (W, b) in zip(problems, lines, strict=True)]
    (W, b), *others = lines
    remaining = iter(others)
    by_fold = tuple(next(remaining) if fold else None for fold in folds) if others else ()

    try:
        errors = cross_validation(folds, by_fold)
        return StudyScore(
            W=W,
            b=b,
            folds=folds,
            siblings=by_fold,
            t=float(stdtrit(everything.n - 2, 0.975)) if everything.n > 2 else None,
            cv_rmse=errors.rmse,
            cv_r2=errors.r2,
            fit=Fit(
                lr=lr,
                epochs=epochs,
                raw=raw,
                update=update[0] if update else None,
                versions={
                    "study_score": VERSION,
                    "python": platform.python_version(),
                    "torch": torch.__version__,
                    "numpy": np.__version__,
                    "pyarrow": pa.__version__,
                },
                created=datetime.now(UTC),
            ),
            costs=tuple(costs),
            points=rows.points[:POINTS_KEPT] if keep_points or rows.are_the_labs else (),
            sources=sources,
        )
    except ValidationError as error:
        raise CannotFit(f"no usable line: {first_problem(error)}") from error
    except ValueError as error:
        raise CannotFit(f"no usable line: {error}") from error
