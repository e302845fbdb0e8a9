from __future__ import annotations

import hashlib
import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from models.moments import Moments, merged
from tests.data import Array, assert_refused, read_rows, write, write_csv, write_parquet
from training.columns import Columns
from training.fit import fit, points
from training.folds import fold_of
from training.rows import Summary
from training.sources import LAB_CSV


def test_no_path_means_the_labs_three_rows() -> None:
    rows = read_rows([])
    folds = sorted((fold.n, fold.mean_x, fold.mean_y) for fold in rows.folds if fold)
    assert folds == [(1, 1.0, 2.0), (1, 2.0, 4.0), (1, 3.0, 6.0)]
    (source,) = rows.sources
    assert (source.name, source.rows) == ("lab", 3)
    assert source.sha256 == hashlib.sha256(LAB_CSV).hexdigest()


def test_a_source_has_the_files_own_digest_and_size(tmp_path: Path) -> None:
    content = b"hours,score\n" + b"1,2\n3,4\n" * 400_000
    (source,) = read_rows([write(tmp_path, content)]).sources
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert (source.bytes, source.rows) == (len(content), 800_000)


def fold_in_python(x: float, y: float, folds: int) -> int:
    """What the engine finds, number by number."""
    fractions = 844.9490081235813 * x % 1 + 887.4181247193218 * y % 1
    return int(abs(fractions + 8.874181243731905e-7 * y) % 1 * folds)


def test_a_row_alone_decides_its_fold(tmp_path: Path) -> None:
    x = np.arange(300_000) % 1000 / 7
    lines = [f"{a!r},{-a!r}\n" for a in x.tolist()]
    whole = read_rows([write(tmp_path, "hours,score\n" + "".join(lines))], folds=7)
    parts = [
        write(tmp_path, "hours,score\n" + "".join(reversed(part)), f"{k}.csv")
        for k, part in enumerate((lines[200_000:], lines[:200_000]))
    ]
    number = [fold_in_python(a, -a, 7) for a in x[:1000].tolist()]
    for summary in (whole, read_rows(parts, folds=7)):
        for k, fold in enumerate(summary.folds):
            mine = x[:1000][np.array(number) == k]
            assert fold is not None
            assert fold.n == 300 * len(mine)
            assert fold.mean_x == pytest.approx(mine.mean(), rel=1e-12)


@pytest.mark.parametrize("size", [1.0, 1e6, 1e12, 1e15, 1e17, -1e17])
def test_round_scores_of_any_size_fall_into_all_folds(size: float, tmp_path: Path) -> None:
    x, y = np.divmod(np.arange(900.0), 30)
    scores = (y % 9 + 1) * size
    sizes = np.bincount(fold_of(x, scores, 10), minlength=10)
    assert np.all(sizes > 45)
    one = write_csv(tmp_path / "one.csv", x, scores)
    scores[[0, 40]] = scores[[40, 0]]
    other = write_csv(tmp_path / "other.csv", x, scores)
    first, second = read_rows([one, other]).sources  # not refused as the same rows
    assert first.identity != second.identity


def test_minus_0_falls_where_0_does_and_folds_are_of_even_size() -> None:
    zero = np.zeros(1)
    assert fold_of(-zero, zero, 97) == fold_of(zero, -zero, 97) == fold_of(zero, zero, 97)
    x, y = np.divmod(np.arange(100_000.0), 100)
    sizes = np.bincount(fold_of(x, y, 10), minlength=10)
    assert np.all(abs(sizes - 10_000) < 400)  # 4 standard deviations


@pytest.mark.parametrize(
    "content",
    [
        "hours,score\n1,2\n2,4\n",
        "hours,score\r\n1,2\r\n2,4\r\n",
        "\ufeffhours,score\n1,2\n2,4",
        '"hours","score"\n"1","2"\n" 2","4 "\n',
        "hours,score\n1,2\n\n2,4\n\n",
        "name,score,hours\nAnn,2,1\n,4,2\n",
        'name,score,hours\n"An\nn",2,1\n"B,b",4,2\n',
        "score,hours\n2e0,1.0\n4.,2\n",
        # and what spreadsheets leave behind
        "hours,score,,\n1,2,,\n2,4,,\n,,,\n,,,\n",
        "hours,score\n1,2,,\n2,4,,\n",
        "hours,score,note\n1,2\n2,4\n",
        'hours,score,note\n1,2,6" disk\n2,4,7" disk\n',
        '"hours","score"\n\n"1","2"\n\n"2","4"',
    ],
)
def test_the_ways_to_write_the_same_two_rows(tmp_path: Path, content: str) -> None:
    rows = read_rows([write(tmp_path, content)])
    moments = merged(rows.folds)
    assert (moments.n, moments.mean_x, moments.mean_y, moments.sxy) == (2, 1.5, 3.0, 1.0)


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    path = write(tmp_path, "Stunden;x,Punkte\n1,2\n3,6\n")
    assert merged(read_rows([path], Columns("Stunden;x", "Punkte")).folds).mean_y == 4


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "uint8", pa.decimal128(9, 2)])
def test_parquet_columns_hold_any_kind_of_number(tmp_path: Path, kind: Any) -> None:
    hours = pa.array([1.0, 2.0]).cast(kind)
    columns = {"score": [2.0, 4.0], "name": ["a", "b"], "hours": hours}
    path = write_parquet(tmp_path / "rows.parquet", columns)
    moments = read_rows([path]).moments
    assert (moments.n, moments.mean_x, moments.mean_y, moments.sxy) == (2, 1.5, 3.0, 1.0)


def test_parquet_and_csv_of_the_same_rows_are_the_same_folds(tmp_path: Path) -> None:
    x, y = random_rows(5000)
    path = write_parquet(tmp_path / "rows.parquet", {"hours": x, "score": y}, row_group=300)
    rows = read_rows([path], folds=7)
    csv = read_rows([write_csv(tmp_path / "rows.csv", x, y)], folds=7)
    for fold, same in zip(rows.folds, csv.folds, strict=True):
        assert fold and same
        assert fold.n == same.n
        assert fold.mean_x == pytest.approx(same.mean_x, rel=1e-13)
    (source,) = rows.sources
    content = Path(path).read_bytes()
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert (source.bytes, source.rows) == (len(content), 5000)


def test_folders_and_globs_are_the_files_in_them_each_read_once(tmp_path: Path) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "notes.txt").write_text("not rows")
    for k, name in enumerate(["a/1.csv", "a/deep/2.csv", "b1.csv", "b2.csv"]):
        write(tmp_path, f"hours,score\n{k},{k}\n", name)
    write_parquet(tmp_path / "a" / "3.parquet", {"hours": [4], "score": [4]})
    paths = [str(tmp_path / "a"), str(tmp_path / "b*.csv"), str(tmp_path / "a" / "1.csv")]
    rows = read_rows(paths)
    names = [Path(source.name).name for source in rows.sources]
    assert names == ["1.csv", "3.parquet", "2.csv", "b1.csv", "b2.csv"]
    assert (rows.moments.n, rows.moments.max_x) == (5, 4)


@pytest.mark.parametrize("path", ["empty", "*.csv"])
def test_a_folder_or_glob_of_nothing_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    assert_refused(r"no file there whose name ends in \.csv", str(tmp_path / path))


def test_a_file_called_lab_is_not_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "hours,score\n7,8\n", "lab")
    assert read_rows(["lab"]).moments.mean_x == 7


def random_rows(n: int, seed: int = 1) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    x = random.uniform(0, 24, n)
    return x, 3 * x + random.normal(0, 5, n)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(3, 400),
    line=st.tuples(st.floats(20, 1000), st.floats(-990, 990), st.floats(-1, 1)),
    cuts=st.lists(st.integers(1, 400), max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_any_split_of_the_rows_gives_the_same_model(
    tmp_path: Path, n: int, line: tuple[float, float, float], cuts: list[int], order: random.Random
) -> None:
    """To 1e-12 in standard units, whatever the files, formats and row groups, and their order.

    The means are given in standard deviations, 1000 at most.
    """
    mean_x, mean_y, r = line
    draw = np.random.default_rng(n)
    z = draw.standard_normal(n)
    z = (z - z.mean()) / z.std()
    spread = r * z + draw.standard_normal(n)
    x = 2 * (mean_x + z)
    y = mean_y * spread.std() + spread
    ends = sorted({0, n, *(cut for cut in cuts if cut < n)})
    paths = []
    for i, part in enumerate(itertools.starmap(slice, itertools.pairwise(ends))):
        if i % 2:
            columns = {"hours": x[part], "score": y[part]}
            paths.append(write_parquet(tmp_path / f"{i}.parquet", columns, row_group=7))
        else:
            paths.append(write_csv(tmp_path / f"{i}.csv", x[part], y[part]))
    order.shuffle(paths)
    whole = fit(Summary((Moments.of(x, y),), read_rows([]).sources), 0.1, 200)
    split = fit(read_rows(paths), 0.1, 200)
    assert abs(whole.W - split.W) * x.std() <= 1e-12 * y.std()
    for hours in (x.min(), x.mean(), x.max()):
        assert abs(whole.predict(hours) - split.predict(hours)) <= 2e-12 * y.std()
    assert whole.residual_sd == pytest.approx(split.residual_sd, rel=1e-11)


def test_a_sample_is_the_same_however_the_rows_are_cut(tmp_path: Path) -> None:
    x, y = random_rows(50_000)
    columns = {"hours": x, "score": y}
    path = tmp_path / "rows.parquet"
    whole, cut = (
        read_rows([write_parquet(path, columns, row_group)], with_sample=True).sample
        for row_group in (1 << 20, 999)
    )
    assert np.array_equal(np.array(whole), np.array(cut))
    drawn = set(zip(whole.hours.tolist(), whole.scores.tolist(), strict=True))
    assert len(drawn) == 10_000
    assert drawn <= set(zip(x.tolist(), y.tolist(), strict=True))
    for first in (100, 500, 10_000):
        assert stats.kstest(whole.hours[:first], "uniform", (0, 24)).pvalue > 0.01
        errors = whole.scores[:first] - 3 * whole.hours[:first]
        assert stats.kstest(errors / 5, "norm").pvalue > 0.01


def test_all_rows_are_drawn_where_there_are_few(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n1,2\n3,4\n")
    assert sorted(points(read_rows([path]).sample, 500)) == [(1, 2), (3, 4)]
    assert sorted(points(read_rows([]).sample, 500)) == [(1, 2), (2, 4), (3, 6)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert_refused(r"nothing\.csv: No such file or directory", str(tmp_path / "nothing.csv"))
