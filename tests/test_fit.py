from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from models.moments import Moments, merged
from models.study_score import Errors
from tests.data import CARS_DIST, CARS_SPEED, read_rows, rows_of
from training.fit import fit, siblings
from training.reduce import fold_of

K = 10
SOURCE = read_rows([]).sources[0]


@pytest.mark.parametrize("folds", [2, 7, 50])
def test_cross_validation_agrees_with_scikit_learn_on_the_same_folds(
    tmp_path: Path, folds: int
) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds), 0.1, 1000)
    split = PredefinedSplit(fold_of(CARS_SPEED, CARS_DIST, folds))
    predicted = cross_val_predict(LinearRegression(), CARS_SPEED[:, None], CARS_DIST, cv=split)
    rmse = np.sqrt(np.mean((predicted - CARS_DIST) ** 2))
    assert model.cv_error.rmse == pytest.approx(rmse, rel=1e-9)
    assert model.cv_error.r2 == pytest.approx(1 - rmse**2 / CARS_DIST.var(), rel=1e-9)


def test_a_fold_less_is_a_sibling_that_did_not_see_it() -> None:
    folds = read_rows([]).folds
    expected = {1.0: 2.5, 2.0: 2.0, 3.0: 1.5}
    for fold, sibling in zip(folds, siblings(folds), strict=True):
        assert bool(fold) == bool(sibling)
        assert not fold or not sibling or (sibling.n, sibling.mean_x) == (2, expected[fold.mean_x])


def test_siblings_are_the_sums_of_all_folds_but_one(tmp_path: Path) -> None:
    folds = (None, *rows_of(tmp_path, CARS_SPEED, CARS_DIST).folds, None)
    for k, sibling in enumerate(siblings(folds)):
        assert (sibling is None) == (folds[k] is None)
        if sibling:
            expected = merged([*folds[:k], *folds[k + 1 :]])
            assert sibling.n == expected.n
            assert sibling.about(expected.line).sums == pytest.approx(expected.sums)


def test_one_fold_has_no_cross_validation(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds=1), 0.1, 1000)
    assert (model.cv_error, model.siblings) == (Errors(None, None), ())


def test_errors_on_held_back_rows_are_those_of_the_rows(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST))
    x, y = CARS_SPEED[::3], CARS_DIST[::3]
    residuals = model.W * x + model.b - y
    assert model.errors(Moments.of(x, y)) == pytest.approx(
        (np.sqrt(np.mean(residuals**2)), 1 - np.mean(residuals**2) / y.var())
    )
