from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as statsmodels
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.moments import Moments
from models.study_score import HOURS_MAX, StudyScore
from tests.data import CARS_DIST, CARS_SPEED, DATA_SETS, Array, rows_of
from training.data import Summary, read_rows
from training.errors import CannotFit
from training.fit import fit

SOURCES = read_rows([]).sources


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> StudyScore:
    rows = rows_of(tmp_path_factory.mktemp("cars"), CARS_SPEED, CARS_DIST)
    return fit(rows, lr=0.1, epochs=1000)


def test_cars_agree_with_closed_form_least_squares(cars: StudyScore) -> None:
    expected = stats.linregress(CARS_SPEED, CARS_DIST)
    residuals = CARS_DIST - expected.slope * CARS_SPEED - expected.intercept
    assert pytest.approx(expected.slope, rel=1e-9) == cars.W
    assert pytest.approx(expected.intercept, rel=1e-9) == cars.b
    assert cars.residual_sd == pytest.approx(np.sqrt((residuals**2).sum() / 48), rel=1e-9)
    assert cars.rmse == pytest.approx(np.sqrt((residuals**2).mean()), rel=1e-9)
    assert cars.r2 == pytest.approx(expected.rvalue**2, rel=1e-9)


def test_cars_agree_with_what_r_prints(cars: StudyScore) -> None:
    assert pytest.approx(3.932409, abs=5e-7) == cars.W
    assert pytest.approx(-17.579095, abs=5e-7) == cars.b
    assert cars.residual_sd == pytest.approx(15.38, abs=5e-3)
    # predict(lm(dist ~ speed, cars), data.frame(speed = 10), interval = "prediction")
    assert cars.predict(10) == pytest.approx(21.74499, abs=5e-6)
    assert cars.interval(10) == pytest.approx((-9.809601, 53.29959), abs=5e-6)


@pytest.mark.parametrize(("x", "y"), DATA_SETS, ids=["cars", "women", "anscombe"])
def test_intervals_agree_with_statsmodels(tmp_path: Path, x: Array, y: Array) -> None:
    model = fit(rows_of(tmp_path, x, y), lr=0.1, epochs=1000)
    hours = np.linspace(0, 2 * x.max(), 9)
    line = statsmodels.OLS(y, statsmodels.add_constant(x)).fit()
    expected = line.get_prediction(statsmodels.add_constant(hours)).conf_int(obs=True, alpha=0.05)
    intervals = np.array([model.interval(each) for each in hours], dtype=np.float64)
    np.testing.assert_allclose(intervals, expected, rtol=1e-9)


@given(st.floats(0, HOURS_MAX))
def test_number_array_and_torch_give_the_same_bits(cars: StudyScore, hours: float) -> None:
    score = cars.predict(hours)
    assert cars.predict(np.array([hours, 1.0]))[0] == score
    assert cars.predict(torch.tensor([hours, 1.0], dtype=torch.float64))[0].item() == score


@given(st.floats(0, HOURS_MAX))
def test_the_interval_holds_the_score_and_widens_away_from_the_mean(
    cars: StudyScore, hours: float
) -> None:
    low, high = cars.interval(hours)
    at_mean = cars.interval(cars.moments.mean_x)
    assert low is not None and high is not None and at_mean[0] is not None
    assert low < cars.predict(hours) < high
    assert high - low >= (at_mean[1] - at_mean[0]) * (1 - 1e-9)


def test_a_perfect_fit_gives_the_score_itself_as_interval(tmp_path: Path) -> None:
    x = np.arange(1.0, 30.0)
    model = fit(rows_of(tmp_path, x, 0.1 * x + 0.3), lr=0.1, epochs=1000)
    assert pytest.approx((0.1, 0.3), rel=1e-9) == (model.W, model.b)
    for hours in (0.0, 7.5, 100.0):
        assert model.interval(hours) == (model.predict(hours), model.predict(hours))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(0, HOURS_MAX), st.floats(-1e6, 1e6)),
        min_size=2,
        max_size=20,
    )
)
def test_whatever_the_rows_no_number_is_nan(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    try:
        model = fit(
            Summary((Moments.of(x[::2], y[::2]), Moments.of(x[1::2], y[1::2])), SOURCES), 0.4, 40
        )
    except CannotFit:
        return
    numbers = [
        *model.interval(3.0),
        model.rmse,
        model.residual_sd,
        model.cv_rmse,
        model.r2,
        model.cv_r2,
    ]
    assert all(np.isfinite(number) for number in numbers if number is not None)


def test_two_rows_have_a_line_but_no_interval(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, np.array([1.0, 3.0]), np.array([5.0, 9.0])), 0.1, 1000)
    assert (model.W, model.b) == (2.0, 3.0)
    assert model.interval(2) == (None, None)
    assert model.residual_sd is None


def test_constant_scores_have_no_r2(tmp_path: Path) -> None:
    model = fit(rows_of(tmp_path, np.array([1.0, 2.0, 3.0]), np.full(3, 0.7)), 0.1, 1000)
    assert (model.W, model.b, model.r2, model.cv_r2) == (0.0, 0.7, None, None)
    assert model.interval(9) == (0.7, 0.7)


@pytest.mark.parametrize(
    ("hours", "outside"), [(3.999, True), (4, False), (25, False), (25.001, True)]
)
def test_extrapolation_begins_outside_the_hours_of_training(
    cars: StudyScore, hours: float, outside: bool
) -> None:
    assert cars.extrapolates(hours) is outside


def test_a_document_predicts_the_same_bits_after_a_round_trip(cars: StudyScore) -> None:
    again = StudyScore.model_validate_json(cars.model_dump_json())
    assert again == cars
    assert (again.predict(12.3), again.interval(12.3)) == (cars.predict(12.3), cars.interval(12.3))


def test_a_model_is_immutable(cars: StudyScore) -> None:
    with pytest.raises(ValueError, match="frozen"):
        cars.W = 1.0


def test_a_line_whose_interval_is_not_a_number_is_refused(tmp_path: Path) -> None:
    x = np.array([0.0, 1e-160, 2e-160, 3e-160])
    with pytest.raises(CannotFit, match="no usable line"):
        fit(rows_of(tmp_path, x, np.array([1.0, 5.0, 2.0, 9.0])), 0.1, 1000)
