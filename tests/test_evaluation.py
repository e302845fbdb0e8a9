from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data import CARS_DIST, CARS_SPEED, rows_of
from training.data import read_rows
from training.evaluation import siblings
from training.sgd import train


def test_leave_one_out_agrees_with_refitting_without_each_row(tmp_path: Path) -> None:
    model = train(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds=50), 0.1, 1000)
    errors = []
    for i in range(50):
        others = np.arange(50) != i
        line = np.polyfit(CARS_SPEED[others], CARS_DIST[others], 1)
        errors.append(np.polyval(line, CARS_SPEED[i]) - CARS_DIST[i])
    rmse = np.sqrt(np.mean(np.square(errors)))
    assert len(model.folds) == 50
    assert model.cv_rmse == pytest.approx(rmse, rel=1e-9)
    assert model.cv_r2 == pytest.approx(1 - rmse**2 / CARS_DIST.var(), rel=1e-9)


def test_a_fold_less_is_a_sibling_that_did_not_see_it() -> None:
    folds = read_rows([]).folds
    assert [(sibling.n, sibling.mean_x) for sibling in siblings(folds)] == [
        (2, 2.5),
        (2, 2.0),
        (2, 1.5),
    ]


def test_one_fold_has_no_cross_validation(tmp_path: Path) -> None:
    model = train(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds=1), 0.1, 1000)
    assert (model.cv_rmse, model.cv_r2) == (None, None)
