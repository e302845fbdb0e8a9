from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from models.moments import Moments, merged
from models.products import PRODUCTS
from models.study_score import HOURS_MAX
from tests.data import CARS_DIST, CARS_SPEED, NORRIS_X, NORRIS_Y, Array


def not_tiny(number: float) -> float:
    """0 for a number so small that its powers underflow."""
    return number if abs(number) > 1e-60 else 0.0


hours = st.floats(0, 8784).map(not_tiny)
scores = st.floats(-1e6, 1e6).map(not_tiny)
rows = st.lists(st.tuples(hours, scores), min_size=1, max_size=40)


def columns(rows: list[tuple[float, float]]) -> tuple[Array, Array]:
    table = np.array(rows, dtype=np.float64)
    return table[:, 0], table[:, 1]


@given(rows, st.floats(-100, 100), st.floats(-100, 100))
def test_cost_and_gradient_are_those_of_the_rows(
    rows: list[tuple[float, float]], W: float, b: float
) -> None:
    x, y = columns(rows)
    line = torch.tensor([W, b], dtype=torch.float64, requires_grad=True)
    cost = Moments.of(x, y).cost(line[0], line[1])
    expected = torch.mean((torch.from_numpy(x) * line[0] + line[1] - torch.from_numpy(y)) ** 2)
    (gradient,) = torch.autograd.grad(cost, line)
    (expected_gradient,) = torch.autograd.grad(expected, line)
    size = np.mean((abs(x * W) + abs(b) + abs(y)) ** 2) + 1e-300
    assert abs(cost.item() - expected.item()) <= 1e-12 * size
    reach = np.sqrt(size) * (abs(x).max() + 1)
    assert (gradient - expected_gradient).abs().max().item() <= 1e-11 * reach


@given(rows, rows)
def test_merged_moments_are_those_of_all_rows(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    both = Moments.of(*columns(first)) + Moments.of(*columns(second))
    whole = Moments.of(*columns(first + second))
    assume(not both.is_poor)  # a line through two rows can be far from a third
    assert (both.n, both.min_x, both.max_x) == (whole.n, whole.min_x, whole.max_x)
    x, y = columns(first + second)
    size_x, size_y = abs(x).max(), abs(y).max()
    assert both.mean_x == pytest.approx(whole.mean_x, abs=1e-14 * size_x)
    assert both.mean_y == pytest.approx(whole.mean_y, abs=1e-14 * size_y)
    assert both.sxx == pytest.approx(whole.sxx, rel=1e-12, abs=1e-13 * size_x**2)
    assert both.syy == pytest.approx(whole.syy, rel=1e-12, abs=1e-13 * size_y**2)
    assert both.sxy == pytest.approx(whole.sxy, rel=1e-12, abs=1e-13 * size_x * size_y)


def total(numbers: Iterable[Fraction]) -> Fraction:
    return sum(numbers, Fraction())


def exact(x: Array, y: Array) -> dict[str, Fraction]:
    """The slope and every sum, in exact arithmetic, by what their names say."""
    X, Y = [Fraction(each) for each in x], [Fraction(each) for each in y]
    mean_x, mean_y = total(X) / len(X), total(Y) / len(Y)
    D = [each - mean_x for each in X]
    slope = total(d * y for d, y in zip(D, Y, strict=True)) / total(d * d for d in D)
    R = [y - mean_y - slope * d for d, y in zip(D, Y, strict=True)]

    sums = {"slope": slope}
    for name in ("xx", "rr", *PRODUCTS[5:]):
        i, j = name.count("x"), name.count("r")
        sums[name] = total(d**i * r**j for d, r in zip(D, R, strict=True))
    return sums


def in_parts(x: Array, y: Array, parts: int) -> Moments:
    """Merged from so many parts of the rows."""
    return merged(Moments.of(x[i::parts], y[i::parts]) for i in range(parts))


def assert_exact(moments: Moments, x: Array, y: Array, rel: float) -> None:
    """Every sum of these rows must agree with exact arithmetic."""
    for name, value in exact(x, y).items():
        found = moments.slope if name == "slope" else moments.centred[name]
        assert found == pytest.approx(float(value), rel=rel), name


# A float64 holds 11 digits of a residual that is 1e-5 of its score, and 9 of one that is 1e-7.
@pytest.mark.parametrize(("noise", "rel"), [(5.0, 1e-12), (1e-4, 1e-10), (1e-6, 1e-7)])
@pytest.mark.parametrize("parts", [1, 7, 100])
def test_every_sum_agrees_with_exact_arithmetic_however_well_the_line_fits(
    noise: float, rel: float, parts: int
) -> None:
    random = np.random.default_rng(4)
    x = random.gamma(2, 5, 500)
    y = 3 * x + 20 + noise * random.gamma(2, 1, 500) * (1 + x)
    moments = in_parts(x, y, parts)
    assert_exact(moments, x, y, rel)
    assert moments.slope == pytest.approx(float(exact(x, y)["slope"]), rel=1e-14)


def test_rows_in_no_order_and_parts_of_any_size_give_the_same_sums() -> None:
    random = np.random.default_rng(5)
    x, y = random.uniform(0, 24, 1000), random.normal(50, 20, 1000)
    # hours do not overlap between parts, and the small parts' slopes are wild
    order = np.argsort(x)
    ends = [0, 1, 2, 4, 7, 500, 502, 999, 1000]
    parts = [order[a:b] for a, b in pairwise(ends)]
    assert_exact(merged(Moments.of(x[part], y[part]) for part in parts), x, y, 1e-11)


@pytest.mark.parametrize("parts", [1, 5])
def test_norris_agrees_with_the_certified_values_of_nist(parts: int) -> None:
    moments = in_parts(NORRIS_X, NORRIS_Y, parts)
    assert moments.slope == pytest.approx(1.00211681802045, rel=1e-14)
    intercept = moments.mean_y - moments.slope * moments.mean_x
    assert intercept == pytest.approx(-0.262323073774029, rel=1e-12)
    assert moments.srr == pytest.approx(26.6173985294224, rel=1e-13)


@given(rows, st.floats(0, HOURS_MAX), st.integers(1, 9))
def test_hours_that_never_vary_have_no_higher_sums_of_hours(
    rows: list[tuple[float, float]], hours: float, cut: int
) -> None:
    _, y = columns(rows)
    x = np.full(len(y), hours)
    moments = merged([Moments.of(x[i : i + cut], y[i : i + cut]) for i in range(0, len(x), cut)])
    assert {moments.centred[name] for name in PRODUCTS[5:] if "x" in name} == {0}
    assert (moments.slope, moments.sxx) == (0, 0)


def test_scores_as_large_as_may_be_read_have_finite_sums() -> None:
    x, y = np.arange(4.0), np.array([1e70, -1e70, 3e69, 1.0])
    assert_exact(Moments.of(x, y), x, y, 1e-12)


@given(rows, scores, st.integers(1, 40))
def test_constant_scores_have_no_variance_at_all(
    rows: list[tuple[float, float]], score: float, cut: int
) -> None:
    x, _ = columns(rows)
    y = np.full(len(x), score)
    parts = [Moments.of(x[i : i + cut], y[i : i + cut]) for i in range(0, len(x), cut)]
    moments = merged(parts)
    assert moments.syy == 0
    assert {moments.centred[name] for name in PRODUCTS[5:] if "r" in name} == {0}
    assert moments.mean_y == score
    assert moments.cost.slope == 0


def test_a_large_mean_does_not_drown_the_spread() -> None:
    random = np.random.default_rng(1)
    x = 1e9 + random.standard_normal(100_000)
    y = x + random.standard_normal(100_000)
    moments = in_parts(x, y, 7)
    dx, dy = x - 1e9, y - 1e9  # exact: close floats subtract without error
    slope, intercept = np.polyfit(dx, dy, 1)
    sd = np.std(dy - slope * dx - intercept) * np.sqrt(len(x) / (len(x) - 2))
    W, b = moments.cost.slope, moments.mean_y - moments.cost.slope * moments.mean_x
    assert pytest.approx(slope, rel=1e-6) == W
    assert np.sqrt(moments.squared_residuals(W, b) / (len(x) - 2)) == pytest.approx(sd, rel=1e-6)


def test_a_million_hundredths_agree_with_exact_arithmetic() -> None:
    random = np.random.default_rng(2)
    x, y = random.integers(0, 10_000, 1_000_000), random.integers(0, 10_000, 1_000_000)
    hours, scores = x / 100, y / 100
    moments = merged(
        Moments.of(hours[i : i + 6999], scores[i : i + 6999]) for i in range(0, len(x), 6999)
    )
    n, sum_x, sum_y = len(x), int(x.sum()), int(y.sum())
    sxx = Fraction(int((x * x).sum()) * n - sum_x**2, n * 10_000)
    sxy = Fraction(int((x * y).sum()) * n - sum_x * sum_y, n * 10_000)
    syy = Fraction(int((y * y).sum()) * n - sum_y**2, n * 10_000)
    assert moments.sxx == pytest.approx(float(sxx), rel=1e-10)
    assert moments.sxy == pytest.approx(float(sxy), rel=1e-10, abs=1e-10 * float(sxx))
    assert moments.syy == pytest.approx(float(syy), rel=1e-10)


def test_least_squares_on_cars_is_what_r_prints() -> None:
    moments = Moments.of(CARS_SPEED, CARS_DIST)
    slope = moments.cost.slope
    assert slope == pytest.approx(3.932409, abs=5e-7)
    assert moments.mean_y - slope * moments.mean_x == pytest.approx(-17.579095, abs=5e-7)


def test_values_that_overflow_are_refused() -> None:
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="finite"):
        Moments.of(np.array([1.0, 2.0]), np.array([1e200, -1e200]))


@pytest.mark.parametrize("parts", [2, 7, 300])
def test_a_mean_a_billion_times_the_spread_costs_no_digits(parts: int) -> None:
    random = np.random.default_rng(8)
    x, y = 1e6 + 1e-3 * random.standard_normal((2, 300))
    assert_exact(in_parts(x, y, parts), x, y, 1e-11)
