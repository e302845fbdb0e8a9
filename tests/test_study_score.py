from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as statsmodels
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from models.study_score import HOURS_MAX, StudyScore
from tests.data import CARS_DIST, CARS_SPEED, DATA_SETS, Array, rows_of
from tests.gate import Rows, fitted, summary
from tests.simulate_coverage import AT, SHAPES, WHOLE, coverage
from training.errors import CannotFit
from training.fit import fit
from training.folds import fold_of

each_data_set = pytest.mark.parametrize(("x", "y"), DATA_SETS, ids=["cars", "women", "anscombe"])


@pytest.fixture(scope="module")
def cars() -> StudyScore:
    return fitted(CARS_SPEED, CARS_DIST)


def test_cars_agree_with_closed_form_least_squares(cars: StudyScore) -> None:
    expected = stats.linregress(CARS_SPEED, CARS_DIST)
    residuals = CARS_DIST - expected.slope * CARS_SPEED - expected.intercept
    assert pytest.approx(expected.slope, rel=1e-9) == cars.W
    assert pytest.approx(expected.intercept, rel=1e-9) == cars.b
    assert cars.residual_sd == pytest.approx(np.sqrt((residuals**2).sum() / 48), rel=1e-9)
    assert cars.training_error.rmse == pytest.approx(np.sqrt((residuals**2).mean()), rel=1e-9)
    assert cars.training_error.r2 == pytest.approx(expected.rvalue**2, rel=1e-9)


def test_cars_agree_with_what_r_prints(cars: StudyScore) -> None:
    assert pytest.approx(3.932409, abs=5e-7) == cars.W
    assert pytest.approx(-17.579095, abs=5e-7) == cars.b
    assert cars.residual_sd == pytest.approx(15.38, abs=5e-3)
    # predict(lm(dist ~ speed, cars), data.frame(speed = 10), interval = "prediction")
    assert cars.predict(10) == pytest.approx(21.74499, abs=5e-6)
    assert cars.interval(10) == pytest.approx((-9.809601, 53.29959), abs=5e-6)


@each_data_set
def test_intervals_of_scores_and_of_the_line_agree_with_statsmodels(x: Array, y: Array) -> None:
    model = fitted(x, y)
    hours = np.linspace(0, 2 * x.max(), 9)
    line = statsmodels.OLS(y, statsmodels.add_constant(x)).fit()
    prediction = line.get_prediction(statsmodels.add_constant(hours))
    for interval, of_scores in ((model.interval, True), (model.line_interval, False)):
        expected = prediction.conf_int(obs=of_scores, alpha=0.05)
        np.testing.assert_allclose(np.array(interval(hours)).T, expected, rtol=1e-9)
        each = np.array([interval(h) for h in hours.tolist()], dtype=np.float64)
        np.testing.assert_allclose(each, expected, rtol=1e-9)


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


def test_a_perfect_fit_gives_the_score_itself_as_interval() -> None:
    x = np.arange(1.0, 30.0)
    model = fitted(x, 0.1 * x + 0.3)
    assert pytest.approx((0.1, 0.3), rel=1e-9) == (model.W, model.b)
    for hours in (0.0, 7.5, 100.0):
        assert model.interval(hours) == (model.predict(hours), model.predict(hours))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(0, HOURS_MAX), st.floats(-1e6, 1e6)), min_size=2, max_size=20))
def test_whatever_the_rows_no_number_is_nan(rows: list[tuple[float, float]]) -> None:
    x, y = np.array(rows).T
    try:
        model = fit(summary(Rows(x, y), folds=2), 0.4, 40)
    except CannotFit:
        return
    errors = [*model.training_error, *model.cv_error]
    numbers = [*model.interval(3.0), model.residual_sd, *errors]
    assert all(np.isfinite(number) for number in numbers if number is not None)


def test_two_rows_have_a_line_but_no_interval() -> None:
    model = fitted(np.array([1.0, 3.0]), np.array([5.0, 9.0]))
    assert (model.W, model.b) == (2.0, 3.0)
    assert model.interval(2) == (None, None)
    assert model.residual_sd is None


def test_constant_scores_have_no_r2() -> None:
    model = fitted(np.array([1.0, 2.0, 3.0]), np.full(3, 0.7))
    assert (model.W, model.b, model.training_error.r2, model.cv_error.r2) == (0.0, 0.7, None, None)
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


def uneven(n: int, slope: float = 3.0) -> tuple[Array, Array]:
    """Rows whose spread grows with the hours."""
    random = np.random.default_rng(6)
    x = random.uniform(2, 10, n)
    return x, 20 + slope * x + (2 + 2 * x) * random.standard_normal(n)


@pytest.fixture(scope="module")
def growing() -> StudyScore:
    return fitted(*uneven(200))


def test_where_the_spread_changes_the_interval_follows_it(growing: StudyScore) -> None:
    """Against the regression, on the rows, of the squared residuals on hours and their square."""
    x, y = uneven(200)
    line = statsmodels.OLS(y, statsmodels.add_constant(x)).fit()
    squares = np.polynomial.Polynomial.fit(x, line.resid**2, 2) * (200 / 198)
    least = np.mean(line.resid**2) * (200 / 198) * 0.05
    for hours in (0.0, 2.1, 2.9, 5.0, 9.9, 15.0, HOURS_MAX):
        scores = max(squares(np.clip(hours, x.min(), x.max())), least)
        of_line = line.get_prediction([1, hours]).se_mean.item() ** 2
        margin = stats.t.ppf(0.975, 198) * np.sqrt(scores + of_line)
        score = line.predict([1, hours]).item()
        assert growing.interval(hours) == pytest.approx((score - margin, score + margin), rel=1e-9)
    assert {finding.verdict for finding in growing.findings()} >= {"rises", "grows"}


@pytest.fixture(scope="module")
def waist() -> StudyScore:
    """Rows that hardly scatter in the middle, and more at its right than at its left."""
    random = np.random.default_rng(8)
    x = np.repeat([1.0, 5.0, 9.0], 400)
    y = 3 * x + random.standard_normal(1200) * np.repeat([10.0, 0.1, 10.0], 400) * (0.5 + x / 10)
    return fitted(x, y, folds=1)


@pytest.fixture(scope="module")
def bounded() -> StudyScore:
    return fitted(*uniform(400))


@pytest.mark.parametrize(("n", "share"), [(48, 0.1), (300, (0.5 / 300) ** 0.5), (9000, 0.01)])
def test_the_least_variance_is_a_share_of_the_mean_that_falls_with_the_rows(
    n: int, share: float
) -> None:
    """Of rows that hardly scatter in the middle, and more at the right of it than at the left."""
    sure = np.tile([1, -1, 1, -1, 1, -1], n // 6) * np.tile([0.1, 0.1, 10, 10, 30, 30], n // 6)
    x = np.tile([5.0, 5.0, 1.0, 1.0, 9.0, 9.0], n // 6)
    model = fitted(x, 3 * x + sure, folds=1)
    low, high = model.interval(5.0)
    assert model.residual_sd and model.t and low is not None and high is not None
    assert model.line_variance
    least = (high - low) ** 2 / (2 * model.t) ** 2 - model.line_variance(5.0 - x.mean())
    assert least == pytest.approx(share * model.residual_sd**2, rel=1e-6)


def test_simulated_scores_lie_in_the_interval_as_often_as_it_says() -> None:
    even, width = coverage(SHAPES["normal"], 20, 300)
    assert even[:, AT] == pytest.approx(np.full((2, 3), 0.95), abs=0.02)
    assert width == pytest.approx(1, abs=0.02)
    inside, _ = coverage(SHAPES["spread 2 + 2h"], 200, 100)
    textbook, this = inside[:, AT]
    assert textbook[2] < 0.8
    assert this[1:] == pytest.approx([0.95, 0.95], abs=0.02)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "most"), [(100, 0.985), (200, 0.965)])
def test_from_100_rows_95_percent_are_95_percent_whatever_the_errors(
    shape: str, n: int, most: float
) -> None:
    inside, _ = coverage(SHAPES[shape], n, 80)
    assert 0.94 <= inside[1][WHOLE].mean() <= most


def uniform(n: int) -> Rows:
    """Errors as regular as can be, from -1 to 1."""
    x = np.linspace(0, 10, n)
    return Rows(x, 20 + 3 * x + 2 * ((np.arange(n) * 0.618) % 1) - 1)


def test_where_errors_are_not_normal_the_bounds_are_their_quantiles_on_unseen_rows() -> None:
    """Found again, row by row, by lines that numpy fits without the fold of the row."""
    x, y = uniform(150)
    model = fitted(x, y)
    fold = fold_of(x, y, 10)
    s = np.sqrt(((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2).sum() / 148)

    def sd(hours: Array) -> Array:
        away = (hours - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
        return np.asarray(s * np.sqrt(1 + 1 / 150 + away))

    errors = np.empty(150)
    for k in range(10):
        seen, unseen = fold != k, fold == k
        errors[unseen] = y[unseen] - np.polyval(np.polyfit(x[seen], y[seen], 1), x[unseen])
    errors = np.sort(errors / sd(x))
    low, high = errors[2], errors[-3]  # the 3rd of 150: 0.025 * 151 = 3.8; and as many from above
    assert model.facts()["interval"] == "quantiles"
    hours = np.linspace(0, 20, 5)
    expected = model.predict(hours) + np.array([[low], [high]]) * sd(hours)
    np.testing.assert_allclose(np.array(model.interval(hours)), expected, rtol=1e-8)
    assert -low != pytest.approx(high, rel=1e-3)


@pytest.mark.parametrize(("n", "interval"), [(99, "normal"), (100, "quantiles")])
def test_under_100_rows_the_interval_is_the_textbooks(n: int, interval: str) -> None:
    x, y = uniform(n)
    model = fitted(x, y + np.sign(y - 20 - 3 * x))
    facts = model.facts()
    assert (facts["interval"], facts["spread"]) == (interval, "even")
    assert facts["normality_p"] < 0.05
    again = StudyScore.model_validate_json(model.model_dump_json())
    assert (again, again.interval(3.3)) == (model, model.interval(3.3))


def test_without_cross_validation_errors_are_taken_to_be_normal() -> None:
    model = fitted(*uniform(500), folds=1)
    assert model.facts()["interval"] == "normal"
    assert model.residuals and model.residuals.quantiles == ()


def test_the_interval_always_holds_the_score_itself() -> None:
    """Although all but a few of the errors lie on one side of the line."""
    x = np.linspace(0, 10, 400)
    model = fitted(x, x + np.where(np.arange(400) % 80 == 3, -20.0, 0.1 * np.sin(x)))
    assert model.bounds and model.bounds[0] <= 0 <= model.bounds[1]


def test_quantiles_out_of_order_are_refused() -> None:
    document = fitted(*uniform(100)).model_dump_json()
    broken = re.sub(r'"quantiles":\[([^,]+),([^,]+),', r'"quantiles":[\2,\1,', document)
    assert broken != document
    with pytest.raises(ValueError, match="quantiles must be in ascending order"):
        StudyScore.model_validate_json(broken)


def test_with_many_rows_a_spread_that_changes_beyond_doubt_is_followed() -> None:
    x, y = uneven(100_000)
    model = fitted(x, y, folds=1)
    assert model.diagnosis.spread_p == 0
    low, high = model.interval(10.0)
    assert low is not None and high is not None
    assert high - low == pytest.approx(2 * 1.96 * 22, rel=0.01)


@pytest.mark.parametrize("name", ["cars", "growing", "bounded"])
def test_numbers_and_arrays_have_the_same_intervals(
    name: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name).model_copy(update={"score_range": (0.0, 60.0)})
    hours = np.array([0.0, 0.5, 4.0, 9.7, 16.0, 30.0, HOURS_MAX])
    for interval in (model.interval, model.line_interval):
        each = [interval(h) for h in hours.tolist()]
        assert np.array(interval(hours)).T.tolist() == [list(pair) for pair in each]
    assert model.predict(hours).tolist() == [model.predict(h) for h in hours.tolist()]


def test_scores_and_bounds_are_cut_to_the_limits_of_scores(cars: StudyScore) -> None:
    limited = cars.model_copy(update={"score_range": (0.0, 100.0)})
    assert limited.predict(1.0) == 0
    assert limited.predict(10.0) == cars.predict(10.0)
    assert limited.interval(10.0) == (0.0, cars.interval(10.0)[1])
    assert limited.interval(HOURS_MAX) == (100.0, 100.0)
    facts = limited.facts()
    assert (facts["score_min"], facts["score_max"]) == (0, 100)
    again = StudyScore.model_validate_json(limited.model_dump_json())
    assert again.interval(10.0) == limited.interval(10.0)


@pytest.mark.parametrize("limits", [(1.0, 1.0), (2.0, 1.0)])
def test_limits_of_scores_the_wrong_way_round_are_refused(
    lab_model: StudyScore, limits: tuple[float, float]
) -> None:
    document = lab_model.model_copy(update={"score_range": limits}).model_dump_json()
    with pytest.raises(ValueError, match="score_range must be a lower and a higher limit"):
        StudyScore.model_validate_json(document)


@each_data_set
def test_hours_for_a_score_invert_the_band_of_statsmodels(x: Array, y: Array) -> None:
    model = fitted(x, y)
    line = statsmodels.OLS(y, statsmodels.add_constant(x)).fit()

    def beyond(hours: float, column: int, score: float) -> float:
        prediction = line.get_prediction([1, hours]).conf_int(obs=True, alpha=0.05)
        return float(prediction[0, column]) - score

    for score in np.quantile(y, [0.5, 0.75, 1.0]).tolist():
        hours, low, high, extrapolated = model.hours_for(score)
        assert hours == pytest.approx((score - line.params[0]) / line.params[1], rel=1e-9)
        assert extrapolated is bool(hours is not None and (hours < x.min() or hours > x.max()))
        bounds = [
            optimize.brentq(beyond, 0, HOURS_MAX, (column, score), xtol=1e-12) for column in (1, 0)
        ]
        assert (low, high) == pytest.approx(tuple(bounds), rel=1e-9)


@pytest.mark.parametrize("name", ["cars", "growing", "falling", "waist", "bounded"])
def test_the_hours_for_a_score_are_those_whose_interval_holds_it(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Against a fine grid of hours."""
    if name == "falling":
        model = fitted(*uneven(200, slope=-4), folds=1)
    else:
        model = request.getfixturevalue(name)
    hours = np.linspace(0, 2000, 2_000_001)
    lows, highs = model.interval(hours)
    for score in (-900.0, -20.0, 0.0, 20.0, 40.0, 60.0, 150.0):
        holding = hours[(lows <= score) & (score <= highs)]
        _, low, high, _ = model.hours_for(score)
        if len(holding) == 0:
            assert (low, high) == (None, None), score
        else:
            assert (low, high) == pytest.approx((holding[0], holding[-1]), abs=1.1e-3), score


@given(st.floats(-1e4, 1e4))
def test_hours_for_a_score_are_never_negative_or_over_a_year(
    cars: StudyScore, score: float
) -> None:
    hours, low, high, _ = cars.hours_for(score)
    for each in (hours, low, high):
        assert each is None or 0 <= each <= HOURS_MAX
    if hours is not None:
        assert cars.predict(hours) == pytest.approx(score, abs=1e-9)
        assert low is not None and low <= hours and (high is None or hours <= high)


def test_hours_for_a_score_that_no_hours_give_are_null(cars: StudyScore) -> None:
    assert cars.hours_for(-1000.0) == (None, None, None, False)
    hours, low, high, _ = cars.hours_for(-18.0)  # -0.1 hours, by the line
    assert (hours, low) == (None, 0)
    assert high is not None and 0 < high < 10
    limited = cars.model_copy(update={"score_range": (0.0, 100.0)})
    assert limited.hours_for(100.5) == (None, None, None, False)


def test_the_most_hours_for_a_score_are_null_where_the_interval_always_holds_it(
    cars: StudyScore,
) -> None:
    hours, low, high, extrapolated = cars.hours_for(34_000.0)
    assert hours == pytest.approx((34_000 - cars.b) / cars.W)
    assert low is not None and low < 8000
    assert (high, extrapolated) == (None, True)


def test_at_a_limit_of_scores_there_is_no_end_to_the_hours(cars: StudyScore) -> None:
    limited = cars.model_copy(update={"score_range": (0.0, 100.0)})
    hours, low, high, _ = limited.hours_for(100.0)
    assert hours == pytest.approx((100 - cars.b) / cars.W)
    assert limited.interval(8000.0) == (100, 100)
    assert low is not None and limited.interval(low)[1] == 100 > limited.interval(low - 1e-6)[1]
    assert high is None
    hours, low, high, _ = limited.hours_for(0.0)
    assert low == 0 and high is not None and limited.interval(high)[0] == 0


def test_without_a_slope_that_can_be_told_from_0_the_hours_have_no_ends() -> None:
    y = np.array([5.0, 1, 4, 2, 5, 1, 6, 2])
    model = fitted(np.arange(8.0), y)
    hours, low, high, _ = model.hours_for(float(y.mean()))
    assert hours == pytest.approx(3.5)
    assert (low, high) == (None, None)
    flat = fitted(np.arange(8.0), np.full(8, 3.0))
    assert flat.hours_for(3.0) == (None, None, None, False)


def test_on_a_line_that_fits_every_row_the_hours_for_a_score_are_sure(
    lab_model: StudyScore,
) -> None:
    assert lab_model.hours_for(8.0) == (4, 4, 4, True)
    assert lab_model.hours_for(0.0) == (0, 0, 0, True)
    assert lab_model.hours_for(5.0) == (2.5, 2.5, 2.5, False)
