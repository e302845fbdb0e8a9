from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as statsmodels
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.stattools import jarque_bera

from models.findings import SENTENCES, Diagnosis
from models.moments import Moments, merged
from models.study_score import HOURS_MAX, StudyScore
from tests.data import (
    ANSCOMBE_X,
    ANSCOMBE_Y,
    CARS_DIST,
    CARS_SPEED,
    NORRIS_X,
    NORRIS_Y,
    WOMEN_HEIGHT,
    WOMEN_WEIGHT,
    Array,
)
from tests.gate import Rows, summary
from training.diagnosis import diagnose, influence
from training.fit import fit

random = np.random.default_rng(11)
LATE = random.gamma(2, 40, 5000)
SETS = {
    "cars": (CARS_SPEED, CARS_DIST),
    "women": (WOMEN_HEIGHT, WOMEN_WEIGHT),
    "anscombe": (ANSCOMBE_X, ANSCOMBE_Y),
    "norris": (NORRIS_X, NORRIS_Y),
    "uneven": (LATE, 1000 + 3 * LATE + random.normal(0, 1 + LATE)),
    "skewed": (LATE, 50 - 0.1 * LATE + random.exponential(9, 5000)),
    "bent": (LATE, 50 + 0.2 * LATE + 1e-4 * LATE**2 + random.normal(0, 9, 5000)),
    "all but exact": (LATE, 50 + 3 * LATE + random.normal(0, 0.01, 5000)),
}


def trained(x: Array, y: Array, folds: int = 5) -> StudyScore:
    return fit(summary(Rows(x, y), folds), lr=0.4, epochs=30)


def split(x: Array, y: Array) -> Moments:
    """Merged from a half and from single rows."""
    singles = [Moments.of(x[k : k + 1], y[k : k + 1]) for k in range(1, len(x), 2)]
    return merged([Moments.of(x[::2], y[::2]), *singles])


@pytest.mark.parametrize("name", SETS)
def test_every_number_is_what_statsmodels_finds_on_the_rows(name: str) -> None:
    x, y = SETS[name]
    model = trained(x, y)
    facts, found = model.facts(), model.diagnosis
    line = statsmodels.OLS(y, statsmodels.add_constant(x)).fit()
    names = ("b_se", "W_se", "b_low", "b_high", "W_low", "W_high")
    expected = pytest.approx([*line.bse, *line.conf_int().ravel()], rel=1e-7)
    assert [facts[name] for name in names] == expected
    _, lm_p, _, _ = het_breuschpagan(line.resid, line.model.exog, robust=True)
    d = x - x.mean()
    residuals = line.resid
    if lm_p < 0.05:  # then divided by the spread, as the regression of their squares has it
        squares = np.polynomial.Polynomial.fit(x, line.resid**2, 2)(x)
        least = max(0.01, min(0.1, (0.5 / len(x)) ** 0.5)) * np.mean(line.resid**2)
        residuals = residuals / np.sqrt(np.maximum(squares, least))
        residuals -= residuals.mean()
    _, jb_p, skewness, kurtosis = jarque_bera(residuals)
    curve = statsmodels.OLS(y, statsmodels.add_constant(np.column_stack([d, d * d]))).fit()
    assert facts["spread_p"] == pytest.approx(lm_p, rel=1e-6)
    assert found.skewness == pytest.approx(skewness, rel=1e-6)
    assert found.kurtosis == pytest.approx(kurtosis, rel=1e-6)
    assert facts["normality_p"] == pytest.approx(jb_p, rel=1e-5)
    assert facts["curvature_p"] == pytest.approx(curve.pvalues[2], rel=1e-5)
    # how far the curve lies from the line, at most, on a fine grid
    hours = np.linspace(x.min(), x.max(), 20_001)
    away = hours - x.mean()
    bent = curve.params @ np.array([np.ones_like(away), away, away * away])
    furthest = abs(bent - line.predict(statsmodels.add_constant(hours))).max()
    assert found.bend_most == pytest.approx(furthest, rel=1e-5)


def test_cars_are_what_r_prints() -> None:
    """lmtest's bptest(lm(dist ~ speed)) and tseries' jarque.bera.test of its residuals."""
    found = trained(CARS_SPEED, CARS_DIST).diagnosis
    assert found.spread_p == pytest.approx(0.07297, abs=5e-6)  # BP = 3.21488, df = 1
    assert found.normality_p == pytest.approx(stats.chi2.sf(8.18878, 2), rel=5e-6)


def test_norris_agrees_with_the_certified_values_of_nist() -> None:
    model = trained(NORRIS_X, NORRIS_Y)
    facts = model.facts()
    assert facts["W"] == pytest.approx(1.00211681802045, rel=1e-12)
    assert facts["b"] == pytest.approx(-0.262323073774029, rel=1e-10)
    assert facts["W_se"] == pytest.approx(0.429796848199937e-03, rel=1e-12)
    assert facts["b_se"] == pytest.approx(0.232818234301152, rel=1e-12)
    assert facts["residual_sd"] == pytest.approx(0.884796396144373, rel=1e-12)
    assert facts["r2"] == pytest.approx(0.999993745883712, rel=1e-15)


STRAIGHT = np.arange(12.0)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (STRAIGHT[:1], STRAIGHT[:1]),
        (STRAIGHT[:2], np.array([3.0, 9.0])),
        (STRAIGHT[:3], np.array([3.0, 9.0, 4.0])),
        (STRAIGHT, np.full(12, 0.7)),
        (STRAIGHT, 0.1 * STRAIGHT + 0.3),
        (np.full(12, 0.7), STRAIGHT**2),
        (STRAIGHT, 1e-99 * STRAIGHT**2),
    ],
    ids=["1", "2", "3", "constant scores", "exact", "constant hours", "tiny"],
)
def test_rows_that_tell_nothing_give_nulls(x: Array, y: Array) -> None:
    assert diagnose(split(x, y)) == Diagnosis()


def test_hours_of_two_values_tell_no_curve_but_all_else() -> None:
    x, y = np.tile([2.0, 5.0], 20), np.tile([1.0, 2.0, 4.0, 9.0], 10)
    found = trained(x, y).diagnosis
    assert (found.curvature_p, found.bend) == (None, None)
    _, p, _, _ = het_breuschpagan(y - np.tile([2.5, 5.5], 20), statsmodels.add_constant(x))
    assert found.spread_p == pytest.approx(p)
    assert found.normality_p is not None


def test_errors_all_of_one_size_have_no_test_of_their_spread() -> None:
    found = diagnose(Moments.of(np.tile([1.0, 1.0, 4.0, 4.0], 5), np.tile([2.0, 4.0], 10)))
    assert found.spread_p is None
    assert found.kurtosis == pytest.approx(1)


def test_a_perfect_curve_is_a_curve_beyond_doubt() -> None:
    curve = trained(STRAIGHT, STRAIGHT**2).diagnosis
    assert curve.curvature_p == pytest.approx(0, abs=1e-30)


def test_errors_that_are_normal_but_for_a_spread_that_grows_are_not_called_long_tailed() -> None:
    """Their raw residuals have a kurtosis of about 5."""
    random = np.random.default_rng(3)
    told = []
    for _ in range(20):
        x = random.uniform(0, 10, 500)
        y = 3 * x + (1 + x) * random.standard_normal(500)
        model = trained(x, y)
        assert jarque_bera(y - model.W * x - model.b)[3] > 3.7
        verdicts = {finding.about: finding.verdict for finding in model.findings()}
        assert verdicts["spread"] == "grows"
        told.append(verdicts["normality"])
    assert set(told) <= {"normal", "nearly_normal"}
    assert told.count("normal") >= 16


INFLUENCE = {
    "cars": (CARS_SPEED, CARS_DIST),
    "a total": (np.array([*range(1, 13), 51.0]), np.array([*(5 * np.arange(1, 13) + 20), 730.0])),
    "norris": (NORRIS_X, NORRIS_Y),
}


@pytest.mark.parametrize("name", INFLUENCE)
def test_leverage_distance_and_slope_are_what_statsmodels_finds(name: str) -> None:
    x, y = INFLUENCE[name]
    y = y + np.random.default_rng(1).normal(0, 0.1, len(x))
    found = statsmodels.OLS(y, statsmodels.add_constant(x)).fit().get_influence()
    moments = Moments.of(x, y)
    for k in range(len(x)):
        leverage, distance, slope = influence(moments, float(x[k]), float(y[k]))
        assert leverage == pytest.approx(found.hat_matrix_diag[k], rel=1e-9)
        assert distance == pytest.approx(found.dffits[0][k] ** 2 / 2, rel=1e-6)
        others = np.arange(len(x)) != k
        assert slope == pytest.approx(np.polyfit(x[others], y[others], 1)[0], rel=1e-9)


def with_row(hours: float, score: float, n: int = 20) -> StudyScore:
    """A class, and a row that is none of its."""
    x = np.random.default_rng(3).uniform(0, 10, n)
    return trained(np.array([*x, hours]), np.array([*(20 + 5 * x + normal(3)(x)), score]))


@pytest.mark.parametrize(("hours", "score"), [(51, 730), (2, 9999), (105, 60), (100, 0)])
def test_a_row_that_decides_the_line_is_named_with_the_slope_without_it(
    hours: float, score: float
) -> None:
    model = with_row(hours, score)
    assert model.decisive and model.decisive[2]
    assert model.decisive[:2] == (hours, score)
    assert model.decisive[2] == pytest.approx(5, abs=0.6)
    (finding,) = (each for each in model.findings() if each.about == "influence")
    assert finding.sentence == (
        f"One row decides the line, the one of {hours} hours and {score} points: without it an hour"
        f" would be worth {model.decisive[2]:.3g} points, not {model.W:.3g}."
    )


@pytest.mark.parametrize(("hours", "score"), [(5, 45), (10, 80), (30, 186), (0, 5)])
def test_a_row_that_decides_nothing_is_not_named(hours: float, score: float) -> None:
    assert with_row(hours, score).decisive is None


def test_a_row_without_which_hours_never_vary_is_named_without_a_slope() -> None:
    y = np.array([3.0, 4, 6, 5, 3, 9])
    model = trained(np.array([2.0, 2, 2, 2, 2, 8]), y)
    assert model.decisive == (8, 9, None)
    assert "all others have the same hours" in model.findings()[1].sentence


@pytest.mark.parametrize("n", [5, 8, 20, 100])
def test_of_normal_rows_hardly_any_decides(n: int) -> None:
    random = np.random.default_rng(n)
    found = 0
    for _ in range(200):
        x = random.uniform(0, 10, n)
        found += trained(x, x + random.normal(0, 1, n)).decisive is not None
    assert found <= 0.06 * 200


def normal(size: float = 1.0) -> Callable[[Array], Array]:
    return lambda x: size * np.random.default_rng(4).standard_normal(len(x))


VERDICTS = [
    ("slope", "unknown", 2, lambda x: 3 * x, normal()),
    ("slope", "exact", 20, lambda x: 3 * x, normal(0)),
    ("slope", "exact_few", 3, lambda x: 3 * x, normal(0)),
    ("slope", "constant", 20, lambda x: 7 + 0 * x, normal(0)),
    ("slope", "zero", 20, lambda x: 0 * x, normal(0)),
    ("slope", "unclear", 20, lambda x: 0 * x, normal()),
    ("slope", "rises", 20, lambda x: 3 * x, normal()),
    ("slope", "falls", 20, lambda x: -3 * x, normal()),
    ("slope", "rises_little", 20_000, lambda x: 0.02 * x, normal()),
    ("slope", "falls_little", 20_000, lambda x: -0.02 * x, normal()),
    ("straightness", "straight", 100, lambda x: 3 * x, normal()),
    ("straightness", "curved", 100, lambda x: x * x, normal()),
    ("straightness", "nearly_straight", 20_000, lambda x: 3 * x + 0.01 * x * x, normal()),
    ("spread", "even", 300, lambda x: 3 * x, normal()),
    ("spread", "grows", 100, lambda x: 3 * x, lambda x: (1 + x) * normal()(x)),
    ("spread", "shrinks", 100, lambda x: 3 * x, lambda x: (12 - x) * normal()(x)),
    ("spread", "nearly_even", 50_000, lambda x: x, lambda x: (1 + x / 100) * normal()(x)),
    ("normality", "normal", 100, lambda x: 3 * x, normal()),
    ("normality", "skewed_up", 100, lambda x: 3 * x, lambda x: normal()(x) ** 2),
    ("normality", "skewed_down", 100, lambda x: 3 * x, lambda x: -(normal()(x) ** 2)),
    ("normality", "heavy_tails", 5000, lambda x: 3 * x, lambda x: np.sinh(normal(0.8)(x))),
    ("normality", "light_tails", 500, lambda x: 3 * x, lambda x: np.sin(1000 * x)),
    ("normality", "nearly_normal", 9000, lambda x: 3 * x, lambda x: np.expm1(normal(0.1)(x))),
    ("interval", "quantiles", 100, lambda x: 3 * x, lambda x: normal()(x) ** 2),
    ("interval", "assumed", 99, lambda x: 3 * x, lambda x: normal()(x) ** 2),
    ("influence", "decisive", 20, lambda x: 3 * x, lambda x: 1e6 * (x == x.max()) + normal()(x)),
    ("influence", "alone", 20, lambda x: 3 * x, lambda x: normal()(x)),
]


def test_every_verdict_is_tried() -> None:
    tried = {(about, verdict) for about, verdict, *_ in VERDICTS}
    assert tried == {(about, verdict) for about in SENTENCES for verdict in SENTENCES[about]}


@pytest.mark.parametrize(("about", "verdict", "n", "line", "errors"), VERDICTS)
def test_the_verdict_is_the_one_that_the_rows_were_made_for(
    about: str,
    verdict: str,
    n: int,
    line: Callable[[Array], Array],
    errors: Callable[[Array], Array],
) -> None:
    x = np.random.default_rng(3).uniform(0, 10, n)
    if verdict == "alone":
        x[1:] = 4
    found = {finding.about: finding for finding in trained(x, line(x) + errors(x)).findings()}
    assert found[about].verdict == verdict
    assert re.fullmatch(r"[A-Z][^{}]*\.", found[about].sentence)


def test_the_sentences_say_it_in_points_and_hours() -> None:
    """Figures that R or statsmodels find: confint(lm(weight ~ height, women)) and Norris."""
    slope, straightness, *_ = trained(WOMEN_HEIGHT, WOMEN_WEIGHT).findings()
    assert slope.sentence == "An hour more goes with 3.25 to 3.65 points more."
    assert straightness.sentence == (
        "A straight line is not quite right: a curve fits better, and lies up to 2.5 points from it"
        " between 58 and 72 hours."
    )
    slope, _, spread, _ = trained(NORRIS_X, NORRIS_Y).findings()
    assert slope.sentence == "An hour more goes with 1.0012 to 1.0030 points more."
    assert spread.sentence == (
        "Scores scatter more for many hours than for few: by 0.49 points at 0.2 hours and by 1.4 at"
        " 999. The 95 % interval follows that."
    )
    falls, *_ = trained(CARS_SPEED, -CARS_DIST).findings()
    assert falls.sentence == "An hour more goes with 3.1 to 4.8 points fewer."


def test_of_rows_that_tell_nothing_nothing_is_said() -> None:
    assert [finding.about for finding in trained(STRAIGHT, 3 * STRAIGHT).findings()] == ["slope"]


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (3 * STRAIGHT[:3], "Every row lies on the line, but 3 rows prove little."),
        (3 * STRAIGHT, "Every row lies on the line."),
        (0 * STRAIGHT, "Every score is 0: this looks like a mistake in the rows."),
        (0 * STRAIGHT + 7.5, "Every score is 7.5: these rows cannot tell what an hour is worth."),
    ],
)
def test_what_is_degenerate_is_not_called_perfect(scores: Array, sentence: str) -> None:
    (finding,) = trained(STRAIGHT[: len(scores)], scores).findings()
    assert finding.sentence == sentence


def test_numbers_are_written_out_unless_they_are_long() -> None:
    curve = trained(STRAIGHT, 100 * STRAIGHT**2 + normal()(STRAIGHT)).findings()[1]
    assert curve.sentence.startswith(
        "A straight line is not quite right: a curve fits better, and lies up to 1800 points from"
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, HOURS_MAX), st.floats(-1e70, 1e70)), min_size=1, max_size=12),
    st.floats(1e-160, 1),
)
def test_whatever_the_rows_every_number_is_null_or_a_number(
    rows: list[tuple[float, float]], scale: float
) -> None:
    x, y = np.array(rows).T
    found = diagnose(split(x, y * scale))
    for number in dict(found).values():
        assert number is None or number >= 0 or number == found.skewness
    for p in (found.spread_p, found.normality_p):
        assert p is None or p <= 1


def test_the_ends_of_a_huge_slope_are_not_written_out() -> None:
    first = next(iter(trained(CARS_SPEED, 1e60 * CARS_DIST).findings()))
    # R says confint(lm(dist ~ speed, cars)): 3.096964 to 4.767853
    assert first.sentence == "An hour more goes with 3.097e+60 to 4.768e+60 points more."
