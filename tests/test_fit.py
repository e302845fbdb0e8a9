from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

from models.moments import Moments, merged
from models.spread import Errors, Residuals
from models.store import Stored
from tests.data import CARS_DIST, CARS_SPEED, read_rows, rows_of
from tests.gate import Rows, summary, trained
from training.fit import fit, points, without_each
from training.folds import fold_of
from training.residuals import joined
from training.sample import Sample

K = 10


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


def test_a_cross_validation_model_has_not_seen_its_fold() -> None:
    folds = read_rows([]).folds
    expected = {1.0: 2.5, 2.0: 2.0, 3.0: 1.5}
    for fold, others in zip(folds, without_each(folds), strict=True):
        assert bool(fold) == bool(others)
        assert not fold or not others or (others.n, others.mean_x) == (2, expected[fold.mean_x])


def test_its_moments_are_the_sums_of_all_folds_but_one(tmp_path: Path) -> None:
    folds = (None, *rows_of(tmp_path, CARS_SPEED, CARS_DIST).folds, None)
    for k, others in enumerate(without_each(folds)):
        assert (others is None) == (folds[k] is None)
        if others:
            expected = merged([*folds[:k], *folds[k + 1 :]])
            assert others.n == expected.n
            assert others.about(expected.line).sums == pytest.approx(expected.sums)


def test_one_fold_has_no_cross_validation(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds=1), 0.1, 1000)
    assert (model.cv_error, model.cv_lines) == (Errors(None, None), ())


def test_errors_on_held_back_rows_are_those_of_the_rows(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST))
    x, y = CARS_SPEED[::3], CARS_DIST[::3]
    residuals = model.W * x + model.b - y
    assert model.errors(Moments.of(x, y)) == pytest.approx(
        (np.sqrt(np.mean(residuals**2)), 1 - np.mean(residuals**2) / y.var())
    )


def some(n: int, seed: int, size: float = 1.0) -> Rows:
    """Rows whose errors are uniform."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 10, n)
    return Rows(x, 20 + 3 * x + size * random.uniform(-1, 1, n))


def residuals(rows: Rows) -> Residuals:
    found = trained(summary(rows)).residuals
    assert found
    return found


def numbers(found: Residuals) -> list[float]:
    return [found.rows, *found.quantiles, *found.means]


def test_a_row_that_occurs_twice_counts_twice() -> None:
    x, y = some(300, 1)
    twice = summary(Rows(np.tile(x, 2), np.tile(y, 2)))
    counted = twice._replace(sample=Sample(x, y, np.full(300, 2)))
    one, other = trained(twice).residuals, trained(counted).residuals
    assert one and other
    assert numbers(one) == pytest.approx(numbers(other), rel=1e-9)


@pytest.mark.parametrize("n", [30, 199, 200, 5000])
def test_the_order_of_rows_changes_nothing(n: int, tmp_path: Path) -> None:
    x, y = some(n, 2)
    order = np.random.default_rng(3).permutation(n)
    one, other = (fit(rows_of(tmp_path, *rows)) for rows in ((x, y), (x[order], y[order])))
    assert one.residuals and other.residuals
    assert len(one.residuals.quantiles) == min(n, 199)
    assert numbers(one.residuals) == pytest.approx(numbers(other.residuals), rel=1e-9)


def test_of_few_rows_all_residuals_are_joined() -> None:
    one, other = residuals(some(80, 1)), residuals(some(119, 2))
    both = joined(one, other)
    assert both == joined(other, one)
    assert both and both.quantiles == tuple(sorted(one.quantiles + other.quantiles))
    assert joined(None, one) == joined(one, None) == one
    assert joined(None, None) is None


@pytest.mark.parametrize(("n", "m"), [(150, 60), (600, 100), (100, 3000)])
def test_residuals_are_joined_by_their_counts(n: int, m: int) -> None:
    """Against the quantiles of a mixture, computed from its distribution."""
    both = joined(residuals(some(n, 1)), residuals(some(m, 2)))
    assert both and both.rows == n + m
    quantiles = np.array(both.quantiles)
    assert len(quantiles) == 199
    wide = (
        2 * 3**0.5 * np.arange(1, 200) / 200 - 3**0.5
    )  # of uniform errors of standard deviation 1
    np.testing.assert_allclose(quantiles, wide, atol=0.3)


def test_an_update_has_the_bounds_of_a_training_on_all_rows() -> None:
    old, new = some(900, 1), some(700, 2)
    first = trained(summary(old))
    updated = fit(summary(new), lr=0.5, epochs=1, update=Stored("old", first))
    whole = trained(summary(Rows(*map(np.concatenate, zip(old, new, strict=True)))))
    assert updated.residuals and whole.residuals
    assert updated.residuals.rows == whole.residuals.rows == 1600
    np.testing.assert_allclose(updated.residuals.quantiles, whole.residuals.quantiles, atol=0.05)
    assert updated.interval(5.0) == pytest.approx(whole.interval(5.0), abs=0.02)
    assert updated.residuals.means == pytest.approx(whole.residuals.means, abs=0.1)


def test_many_small_updates_are_not_lost() -> None:
    """100 times 40 more residuals, three times as large as those of the first 4000."""
    first = residuals(some(4000, 1))
    found: Residuals | None = first
    values = [np.array(first.quantiles)]
    for k in range(100):
        few = residuals(some(40, k))
        values.append(3 * np.array(few.quantiles))
        few = few.model_copy(update={"quantiles": tuple(values[-1].tolist())})
        found = joined(found, few)
    assert found
    levels = np.zeros(199)
    for each, rows in zip(values, [4000, *[40] * 100], strict=True):
        levels += np.searchsorted(np.sort(each), found.quantiles) / len(each) * rows / 8000
    np.testing.assert_allclose(levels, np.arange(1, 200) / 200, atol=0.02)
    bounds = levels[[4, 194]]  # where the 95 % interval ends
    np.testing.assert_allclose(bounds, [0.025, 0.975], atol=0.003)


def test_a_row_a_day_is_not_lost() -> None:
    rows = some(120, 1)
    model = trained(summary(rows))
    for row in zip(*some(30, 2), strict=True):
        day = summary(Rows(*map(np.atleast_1d, row)))
        model = fit(day, lr=0.5, epochs=1, update=Stored("old", model))
    assert model.residuals and model.moments.n == model.residuals.rows == 150
    assert len(model.residuals.quantiles) == 150


def test_points_are_all_rows_or_each_different_row_once() -> None:
    sample = Sample(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([2, 1]))
    assert points(sample, 3) == ((1, 3), (1, 3), (2, 4))
    assert points(sample, 2) == ((1, 3), (2, 4))
