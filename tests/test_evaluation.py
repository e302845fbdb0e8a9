from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, PredefinedSplit, cross_val_predict

from models.moments import Moments
from models.store import Stored
from models.study_score import StudyScore
from tests.data import CARS_DIST, CARS_SPEED, Array, rows_of
from training.data import Summary, read_rows
from training.evaluation import compare, errors, siblings
from training.fit import fit

K = 10
SOURCE = read_rows([]).sources[0]


def rows(x: Array, y: Array, first: int = 0) -> Summary:
    """As if read from a file whose first row falls into fold `first`."""
    folds: list[Moments | None] = [None] * K
    for k in range(min(K, len(x))):
        folds[(k + first) % K] = Moments.of(x[k::K], y[k::K])
    source = SOURCE.model_copy(update={"sha256": hashlib.sha256(y.tobytes()).hexdigest()})
    return Summary(tuple(folds), (source,))


def draw(n: int, seed: int, slope: float = 3, sd: float = 5) -> Summary:
    random = np.random.default_rng(seed)
    x = random.uniform(0, 24, n)
    return rows(x, slope * x + 20 + random.normal(0, sd, n), seed)


def stored(model: StudyScore) -> Stored:
    return Stored("study_score:champion", model)


def model(rows: Summary) -> Stored:
    return stored(fit(rows, 0.4, 30))  # a fifth of the way is left after each epoch


def refused(champion: Stored, challenger: Summary) -> bool:
    return compare(champion, model(challenger).model, challenger).refused


@pytest.mark.parametrize("folds", [2, 7, 50])
def test_cross_validation_agrees_with_scikit_learn_on_the_same_folds(
    tmp_path: Path, folds: int
) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds), 0.1, 1000)
    split = LeaveOneOut() if folds == 50 else PredefinedSplit(np.arange(50) % folds)
    predicted = cross_val_predict(LinearRegression(), CARS_SPEED[:, None], CARS_DIST, cv=split)
    rmse = np.sqrt(np.mean((predicted - CARS_DIST) ** 2))
    assert model.cv_rmse == pytest.approx(rmse, rel=1e-9)
    assert model.cv_r2 == pytest.approx(1 - rmse**2 / CARS_DIST.var(), rel=1e-9)


def test_a_fold_less_is_a_sibling_that_did_not_see_it() -> None:
    folds = read_rows([]).folds
    expected = {1.0: 2.5, 2.0: 2.0, 3.0: 1.5}
    for fold, sibling in zip(filter(None, folds), siblings(folds), strict=True):
        assert (sibling.n, sibling.mean_x) == (2, expected[fold.mean_x])


def test_one_fold_has_no_cross_validation(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, CARS_SPEED, CARS_DIST, folds=1), 0.1, 1000)
    assert (model.cv_rmse, model.cv_r2, model.siblings) == (None, None, ())


def test_errors_on_held_back_rows_are_those_of_the_rows() -> None:
    x, y = CARS_SPEED, CARS_DIST
    residuals = 4 * x - 20 - y
    assert errors(Moments.of(x, y), 4.0, -20.0) == pytest.approx(
        (np.sqrt(np.mean(residuals**2)), 1 - np.mean(residuals**2) / y.var())
    )


@pytest.mark.parametrize("n", [20, 500])
def test_an_equal_model_is_hardly_ever_refused(n: int) -> None:
    """200 times: a champion and a challenger, each from rows of its own around one line."""
    pairs = [(model(draw(n, seed)), draw(n, 1000 + seed)) for seed in range(200)]
    assert sum(refused(champion, rows) for champion, rows in pairs) <= 10


@pytest.mark.parametrize("sd", [1, 5, 50])
def test_a_model_from_5_noisy_rows_does_not_replace_one_from_5000(sd: float) -> None:
    champion = model(draw(5000, 1))
    assert sum(refused(champion, draw(5, seed, sd=sd)) for seed in range(2, 52)) >= 49


@pytest.mark.parametrize(("n", "before"), [(40, 5000), (300, 300), (5000, 40)])
def test_a_really_better_model_always_gets_in(n: int, before: int) -> None:
    """The world has changed: an hour is worth 4 points now, no longer 3."""
    champion = model(draw(before, 1))
    assert not any(refused(champion, draw(n, seed, slope=4)) for seed in range(2, 52))


def test_a_really_worse_model_never_gets_in() -> None:
    champion = model(draw(500, 1))
    for seed in range(2, 52):
        challenger = draw(500, seed)
        assert compare(champion, fit(challenger, 0.1, 5), challenger).refused


def test_on_the_same_rows_the_training_costs_decide() -> None:
    rows = read_rows([])
    exact, raw = fit(rows, 0.1, 1000), fit(rows, 0.01, 1000, raw=True)
    comparison = compare(stored(exact), raw, rows)
    tag = "study_score:champion"
    assert comparison == (tag, 0.0, raw.rmse, True, f"{tag} is better on these rows")
    assert not compare(stored(raw), exact, rows).refused
    assert not compare(stored(exact), fit(rows, 0.1, 900), rows).refused


def test_a_difference_within_1e_9_of_the_variance_is_none() -> None:
    x = np.arange(100.0)
    champion = model(rows(x, 2 * x))
    for error, is_worse in ((1e-5, False), (1e-3, True)):
        challenger = rows(np.arange(50.0), 2 * np.arange(50.0))
        line = model(challenger).model.model_copy(update={"siblings": ((2.0, error * 14.4),) * K})
        assert compare(champion, line, challenger).refused is is_worse


def test_the_figures_are_the_errors_on_the_rows_of_the_run() -> None:
    champion, challenger = model(draw(100, 1)), draw(200, 2)
    new = model(challenger).model
    comparison = compare(champion, new, challenger)
    assert comparison.challenger_rmse == new.cv_rmse
    expected = errors(challenger.moments, champion.model.W, champion.model.b).rmse
    assert comparison.rmse == pytest.approx(expected)
    assert not comparison.same_rows


def test_with_one_fold_the_costs_decide() -> None:
    champion = model(draw(100, 1))
    x = np.arange(10.0)
    challenger = Summary((Moments.of(x, 3 * x + 20),), read_rows([]).sources)
    assert not compare(champion, fit(challenger, 0.1, 1000), challenger).refused
    assert compare(champion, fit(challenger, 0.1, 1), challenger).refused
