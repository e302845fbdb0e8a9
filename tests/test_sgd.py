from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.cost import Cost
from models.moments import Moments
from tests.data import CARS_DIST, CARS_SPEED, Array, read_rows
from training.errors import CannotFit
from training.fit import fit, largest_stable_lr
from training.rows import Summary
from training.sgd import descend, side_by_side

SOURCES = read_rows([]).sources
CARS = Summary((Moments.of(CARS_SPEED, CARS_DIST),), SOURCES)


def on_the_rows(x: Array, y: Array, lr: float, epochs: int) -> list[tuple[float, float, float]]:
    """The lab's loop: W and b after each step and the cost before it."""
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    W = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([W, b], lr=lr)
    path = []
    for _ in range(epochs + 1):
        cost = torch.mean((tx * W + b - ty) ** 2)
        optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        path.append((W.item(), b.item(), cost.item()))
    return path


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(-10, 10)), min_size=2, max_size=12),
    st.floats(1e-4, 1e-2),
)
def test_sgd_on_moments_walks_the_same_path_as_on_the_rows(
    rows: list[tuple[float, float]], lr: float
) -> None:
    x, y = np.array(rows).T.copy()
    moments = Moments.of(x, y)
    path = [
        (epoch.W.item(), epoch.b.item(), epoch.cost.item())
        for epoch in descend(side_by_side([moments.cost]), lr, 50)
    ]
    np.testing.assert_allclose(path, on_the_rows(x, y, lr, 50), rtol=1e-9, atol=1e-11)


def test_problems_solved_together_are_solved_as_if_alone() -> None:
    first, second = Moments.of(CARS_SPEED, CARS_DIST), Moments.of(CARS_SPEED[:9], CARS_DIST[:9])
    *_, together = descend(side_by_side([first.cost, second.cost]), 1e-3, 100)
    for k, moments in enumerate((first, second)):
        *_, alone = descend(side_by_side([moments.cost]), 1e-3, 100)
        assert (together.W[k], together.b[k]) == (alone.W[0], alone.b[0])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 30), st.floats(0.1, 10), st.floats(-3, 3))
def test_the_largest_stable_learning_rate_parts_convergence_from_divergence(
    mean: float, sd: float, slope: float
) -> None:
    assume(abs(slope) > 0.1)
    cost = side_by_side([Cost(0.0, slope, sd**2, mean, slope * mean + 1)])
    limit = largest_stable_lr(cost)
    costs = [epoch.cost.item() for epoch in descend(cost, limit * 0.99, 300)]
    assert costs == sorted(costs, reverse=True)
    assert any(epoch.cost > costs[0] for epoch in descend(cost, limit * 1.01, 3000))


def test_divergence_names_the_epoch_and_a_rate_that_converges() -> None:
    with pytest.raises(CannotFit, match=r"in epoch 0 the cost rises .* up to 0\.0036 converges"):
        fit(CARS, lr=0.01, epochs=1000, raw=True)
    assert fit(CARS, lr=0.0036, epochs=1000, raw=True).W > 0


def test_divergence_in_the_last_step_is_seen() -> None:
    with pytest.raises(CannotFit, match="in epoch 0"):
        fit(CARS, lr=5.0, epochs=0, raw=True)


def test_in_standard_units_any_rate_up_to_1_converges() -> None:
    x = np.linspace(0, 24, 30)
    rows = Summary((Moments.of(x[::2], 3 * x[::2] + 0.1), Moments.of(x[1::2], x[1::2])), SOURCES)
    with pytest.raises(CannotFit, match=r"any up to 0\.95 converges"):
        fit(rows, lr=5)
    assert pytest.approx(fit(rows).W) == fit(rows, lr=0.95).W


def test_a_cross_validation_model_whose_hours_never_vary_predicts_the_mean() -> None:
    folds = (
        Moments.of(np.full(2, 1.0), np.array([4.0, 6.0])),
        Moments.of(np.ones(1) * 3, np.ones(1)),
    )
    model = fit(Summary(folds, SOURCES), 0.1, 1000)
    # the model that did not see fold 1 says 5 at 3 hours, the other one says 1 at 1 hour
    squares = (5 - 1) ** 2 + (1 - 4) ** 2 + (1 - 6) ** 2
    assert model.cv_error.rmse == pytest.approx(np.sqrt(squares / 3))


def test_the_cost_by_epoch_is_kept_in_score_units_and_short() -> None:
    model = fit(CARS, 0.1, 5000)
    numbers, costs, W, b = zip(*model.costs, strict=True)
    assert (numbers[0], numbers[1], numbers[-1]) == (0, 1, 5000)
    assert len(numbers) <= 200
    assert costs[0] == pytest.approx(np.mean((CARS_DIST - CARS_DIST.mean()) ** 2))
    assert costs[-1] == pytest.approx(model.squares / 50)
    assert list(costs) == sorted(costs, reverse=True)
    lines = [np.mean((w * CARS_SPEED + c - CARS_DIST) ** 2) for w, c in zip(W, b, strict=True)]
    assert lines == pytest.approx(costs)
    assert (W[0], b[0], W[-1]) == (0, CARS_DIST.mean(), pytest.approx(model.W))
