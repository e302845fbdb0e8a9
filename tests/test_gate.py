"""Champion against challenger, on made-up classes; simulate_gate.py makes the whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.store import Stored
from models.study_score import StudyScore
from tests.data import Array, read_rows, write_csv
from tests.gate import BROKEN, Random, Rows, champion, draw, joined, summary, trained
from training.fit import fit
from training.folds import fold_of
from training.gate import Comparison, compare
from training.rows import Summary

TIMES = 200


def judge(stored: Stored, rows: Summary) -> Comparison:
    return compare(stored, trained(rows), rows)


def refusals(random: Random, n: int, m: int, folds: int = 10, drift: float = 0) -> int:
    """How often of TIMES a model of m new rows of one class does not replace one of n."""
    refused = 0
    for _ in range(TIMES):
        old, rows = champion(draw(random, n), folds), draw(random, m, drift=drift)
        refused += judge(old, summary(rows, folds)).refused
    return refused


@pytest.fixture
def random() -> Random:
    return np.random.default_rng(2026)


@pytest.mark.parametrize(
    ("n", "m", "folds"),
    [(20, 20, 10), (40, 40, 2), (40, 40, 10), (100, 100, 3), (100, 400, 20), (1000, 1000, 10)],
)
def test_an_equal_model_of_new_rows_is_hardly_ever_refused(
    random: Random, n: int, m: int, folds: int
) -> None:
    assert refusals(random, n, m, folds) <= 0.05 * TIMES + 4  # and a little for chance


def test_an_equal_model_of_100_000_rows_gets_in(random: Random) -> None:
    first, second = draw(random, 100_000), draw(random, 100_000)
    assert not judge(champion(first), summary(second)).refused
    assert not judge(champion(first), summary(joined(first, second))).refused


@pytest.mark.parametrize("folds", [2, 5, 20])
def test_rows_that_grow_week_by_week_are_hardly_ever_refused(random: Random, folds: int) -> None:
    """40 rows at first, 10 more each week of 20."""
    refused = 0
    for _ in range(10):
        rows = draw(random, 40)
        for _ in range(20):
            before, rows = rows, joined(rows, draw(random, 10))
            refused += judge(champion(before, folds), summary(rows, folds)).refused
    assert refused <= 10  # 5 %


def test_one_corrected_mark_is_hardly_ever_refused(random: Random) -> None:
    refused = 0
    for _ in range(TIMES):
        x, y = draw(random, 40)
        corrected = y.copy()
        corrected[0] += random.normal(0, 30)
        refused += judge(champion(Rows(x, y)), summary(Rows(x, corrected))).refused
    assert refused <= 0.05 * TIMES


@pytest.mark.parametrize("n", [40, 400])
def test_a_little_drift_gets_in(random: Random, n: int) -> None:
    assert refusals(random, n, n, drift=0.5) <= 0.1 * TIMES


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize(("n", "m"), [(60, 60), (400, 60), (1000, 1000)])
def test_broken_rows_are_refused(random: Random, kind: str, n: int, m: int) -> None:
    for _ in range(20):
        rows = BROKEN[kind](random, draw(random, m))
        comparison = judge(champion(draw(random, n)), summary(rows))
        assert comparison.refused
        assert comparison.slope is not None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("hours in minutes", "the hours of these rows average 7"),
        ("shuffled", "points in these rows, and 1.5"),
        ("times 10", "study_score:champion misses these rows by "),
    ],
)
def test_the_reason_names_the_figures(random: Random, kind: str, words: str) -> None:
    rows = BROKEN[kind](random, draw(random, 1000))
    assert words in str(judge(champion(draw(random, 1000)), summary(rows)).reason)


def test_a_class_in_which_hours_stop_mattering_is_unlike_even_where_the_slope_is_not_sure(
    random: Random,
) -> None:
    x, y = np.linspace(0, 24, 12), 60 + 1.5 * np.linspace(0, 24, 12)
    old = champion(Rows(x, y + random.normal(0, 6, 12)))
    constant = summary(Rows(x, np.full(12, 78.0)))
    assert "points in these rows" in str(judge(old, constant).reason)


def test_a_worse_fit_of_other_rows_never_gets_in(random: Random) -> None:
    old = champion(draw(random, 500, r2=0.9))
    for _ in range(20):
        rows = summary(draw(random, 500, r2=0.9))
        reason = compare(old, fit(rows, 0.1, 5), rows).reason
        assert reason == "study_score:champion is better on rows that neither has seen"


@pytest.mark.parametrize("sd", [5, 15])
def test_a_model_of_5_noisy_rows_does_not_replace_one_of_5000(random: Random, sd: float) -> None:
    x = random.uniform(0, 24, 5000)
    old = champion(Rows(x, 3 * x + 20 + random.normal(0, sd, 5000)))
    refused = 0
    for _ in range(50):
        x = random.uniform(0, 24, 5)
        rows = summary(Rows(x, 3 * x + 20 + random.normal(0, sd, 5)))
        refused += judge(old, rows).refused
    assert refused >= 48


def test_the_errors_are_those_of_lines_that_have_not_seen_the_fold(random: Random) -> None:
    """The champion's cross-validation models, fitted again with numpy on the rows themselves."""
    old_rows, rows = draw(random, 60), summary(draw(random, 90))
    old = champion(old_rows)
    comparison = judge(old, rows)
    total = 0.0
    for k, fold in enumerate(rows.folds):
        seen = summary(old_rows).folds[k]
        assert fold and seen
        mask = _outside(old_rows, k)
        W, b = np.polyfit(old_rows[0][mask], old_rows[1][mask], 1)
        total += fold.squared_residuals(float(W), float(b))
    assert comparison.rmse == pytest.approx(np.sqrt(total / 90), rel=1e-9)
    assert comparison.challenger_rmse == trained(rows).cv_error.rmse
    assert not comparison.same_rows


def _outside(rows: Rows, fold: int) -> Array:
    return np.asarray(fold_of(*rows, 10) != fold)


def test_rows_that_were_trained_on_before_are_not_judged_by_lines_that_saw_them(
    random: Random,
) -> None:
    """Of rows that grow, most were seen by both models, and none by both of a fold's lines."""
    before = draw(random, 100)
    rows = summary(joined(before, draw(random, 10)))
    old = champion(before)
    comparison = judge(old, rows)
    seen = old.model.errors(rows.moments).rmse
    assert comparison.rmse and seen
    assert comparison.rmse > seen


def test_with_other_folds_nothing_can_be_compared(random: Random) -> None:
    rows = summary(draw(random, 100), folds=5)
    comparison = judge(champion(draw(random, 100)), rows)
    assert "cannot be compared" in str(comparison.reason)
    assert "10 and in 5 folds" in str(comparison.reason)
    assert (comparison.rmse, comparison.challenger_rmse) == (None, None)


def test_too_few_rows_to_measure_do_not_replace_what_was_measured() -> None:
    few = summary(Rows(np.array([1.0, 20.0]), np.array([60.0, 80.0])), folds=2)
    x = np.linspace(0, 24, 50)
    many = summary(Rows(x, 60 + x + np.sin(99 * x)), folds=2)
    single = Summary((few.moments, None), few.sources)
    assert "too few to measure" in str(judge(Stored("old", trained(many)), single).reason)
    assert judge(Stored("old", trained(single)), many).rmse is None
    assert not judge(Stored("old", trained(single)), many).refused


def test_on_the_same_rows_in_any_order_the_training_costs_decide(random: Random) -> None:
    x, y = draw(random, 100)
    order = random.permutation(100)
    rows, again = summary(Rows(x, y)), summary(Rows(x[order], y[order]))
    exact, raw = fit(rows), fit(again, lr=0.001, epochs=10, raw=True)
    comparison = compare(Stored("old", exact), raw, again)
    assert comparison.same_rows
    assert comparison.rmse == exact.training_error.rmse
    assert comparison.challenger_rmse == raw.training_error.rmse
    assert comparison.reason == "old fits the same rows better"
    assert not compare(Stored("old", raw), exact, rows).refused
    assert not compare(Stored("old", exact), fit(again, epochs=900), again).refused


def test_the_labs_model_neither_defends_nor_replaces(random: Random) -> None:
    lab, rows = read_rows([]), summary(draw(random, 20))
    assert compare(Stored("lab", fit(lab)), trained(rows), rows) == Comparison("lab")
    reason = compare(Stored("real", trained(rows)), fit(lab), lab).reason
    assert reason == "the lab's model is a demonstration, and real is one of other rows"
    assert compare(Stored("lab", fit(lab)), fit(lab, 0.01, raw=True), lab).refused


def test_a_difference_within_1e_9_of_the_variance_is_none(random: Random) -> None:
    x = np.arange(100.0)
    old = champion(Rows(x, 2 * x))
    rows = summary(Rows(np.arange(50.0), 2 * np.arange(50.0)))
    for error, is_worse in ((1e-5, False), (1e-3, True)):
        cv_lines = ((2.0, error * 14.4),) * 10
        model = trained(rows).model_copy(update={"cv_lines": cv_lines})
        assert compare(old, model, rows).refused is is_worse


def test_the_same_rows_in_another_format_are_the_same_rows(tmp_path: Path, random: Random) -> None:
    x, y = draw(random, 50)
    csv = write_csv(tmp_path / "rows.csv", x, y)
    crlf = tmp_path / "crlf.csv"
    crlf.write_bytes(Path(csv).read_bytes().replace(b"\n", b"\r\n"))
    pq.write_table(pa.table({"score": y[::-1], "hours": x[::-1]}), tmp_path / "rows.parquet")
    old: StudyScore = fit(read_rows([csv]))
    for path in (crlf, tmp_path / "rows.parquet"):
        rows = read_rows([str(path)])
        comparison = compare(Stored("old", old), fit(rows), rows)
        assert comparison.same_rows
        assert not comparison.refused
