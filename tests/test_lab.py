"""The lesson, number by number."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from models.moments import Moments
from models.study_score import StudyScore
from tests.data import read_rows
from training.__main__ import main
from training.fit import fit

TABLE = [
    (0, 0.187, 0.080, 18.666667),
    (100, 1.746, 0.578, 0.048171),
    (200, 1.800, 0.454, 0.029766),
    (300, 1.843, 0.357, 0.018394),
    (400, 1.876, 0.281, 0.011366),
    (500, 1.903, 0.221, 0.007024),
    (600, 1.924, 0.174, 0.004340),
    (700, 1.940, 0.136, 0.002682),
    (800, 1.953, 0.107, 0.001657),
    (900, 1.963, 0.084, 0.001024),
    (1000, 1.971, 0.066, 0.000633),
]
ROW = re.compile(r"Epoch +(\d+)/1000 W: ([\d.]+), b: ([\d.]+) Cost: ([\d.]+)")


def labs_own_loop() -> tuple[list[tuple[int, float, float, float]], float]:
    """The lab's listing, as it stands but for the print; and its answer for 4 hours."""
    x_train = torch.FloatTensor([[1], [2], [3]])
    y_train = torch.FloatTensor([[2], [4], [6]])
    W = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([W, b], lr=0.01)
    table = []
    for epoch in range(1000 + 1):
        hypothesis = x_train * W + b
        cost = torch.mean((hypothesis - y_train) ** 2)
        optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if epoch % 100 == 0:
            table.append((epoch, W.item(), b.item(), cost.item()))
    return table, (4 * W + b).item()


def test_raw_prints_the_labs_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--raw", "--dry-run"]) == 0
    printed = [tuple(map(float, row)) for row in ROW.findall(capsys.readouterr().out)]
    assert len(printed) == len(TABLE)
    for got, expected in zip(printed, TABLE, strict=True):
        assert got[:3] == expected[:3]
        assert got[3] == pytest.approx(expected[3], abs=1.001e-6)


def test_raw_walks_the_path_of_the_labs_own_loop() -> None:
    seen = []

    def watch(epochs):  # type: ignore[no-untyped-def]
        for epoch in epochs:
            seen.append((epoch.number, *(float(v[0]) for v in (epoch.W, epoch.b, epoch.cost))))
            yield epoch

    model = fit(read_rows([]), lr=0.01, epochs=1000, raw=True, watch=watch)
    table, answer = labs_own_loop()
    np.testing.assert_allclose(seen[::100], table, atol=2e-6)
    assert model.predict(4) == pytest.approx(answer, abs=2e-6)
    assert model.predict(4) == pytest.approx(7.9497, abs=5e-5)


def test_standard_units_reach_the_line_itself(lab_model: StudyScore) -> None:
    assert pytest.approx((2, 0), abs=1e-9) == (lab_model.W, lab_model.b)
    assert lab_model.predict(4) == pytest.approx(8, abs=1e-9)
    assert (lab_model.fit.lr, lab_model.fit.epochs, lab_model.fit.raw) == (0.1, 1000, False)


def test_the_worked_cost_is_62_5_where_the_text_says_52_5() -> None:
    hours, actual = np.array([2.0, 3, 4, 5]), np.array([25.0, 50, 42, 61])
    errors = actual - (13 * hours + 1)
    assert errors.tolist() == [-2, 10, -11, -5]  # the text has -9 for -11
    assert Moments.of(hours, actual).cost(13.0, 1.0) == pytest.approx(62.5)
    assert np.mean(np.square([-2, 10, -9, -5])) == 52.5


def test_gradients_add_up_without_zero_grad() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    seen = []
    for _ in range(21):
        z = 2 * w
        z.backward()  # type: ignore[no-untyped-call]
        assert w.grad is not None
        seen.append(w.grad.item())
    assert seen == list(range(2, 43, 2))


def test_a_cost_computed_once_before_the_loop_goes_backward_only_once() -> None:
    x, y = torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 4, 6])
    W, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    cost = torch.mean((x * W + b - y) ** 2)
    cost.backward()  # type: ignore[no-untyped-call]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        cost.backward()  # type: ignore[no-untyped-call]
