"""Rows from wherever people have them, through the command line."""

from __future__ import annotations

import gzip
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from models.moments import Line
from models.record import Source
from tests.command import report, train
from tests.data import FILES, assert_refused, read_rows, write, write_csv, write_parquet
from training import identity, reduce
from training.dialect import Options
from training.errors import DataError

TABLES = sorted(file for by in ("calc", "openpyxl", "r-") for file in FILES.glob(f"{by}*"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_what_other_programs_wrote_gives_rs_own_line(path: Path) -> None:
    found = report(path)
    assert (found["W"], found["b"]) == pytest.approx((3.932409, -8.789547), abs=5e-7)
    (source,) = found["sources"]
    assert (source["rows"], source["bytes"]) == (50, path.stat().st_size)


@pytest.mark.parametrize("packed", [gzip.compress, zstandard.compress])
def test_packed_text_is_read(tmp_path: Path, packed: Any) -> None:
    path = write(tmp_path, packed((FILES / "r-csv2.csv").read_bytes()), "marks.csv.x")
    found = report(path)
    assert found["W"] == pytest.approx(3.932409, abs=5e-7)
    assert found["sources"][0]["read_as"].startswith("semicolons, decimal commas, Windows-1252, ")
    half = write(tmp_path, Path(path).read_bytes()[:-9], "half.csv")
    assert_refused(r"half\.csv: ", half)


def test_a_bad_cell_of_a_workbook_is_named_and_another_sheet_is_read_by_its_name() -> None:
    for book in ("openpyxl.xlsx", "calc.xls", "calc.ods"):
        err = train(FILES / book, "--sheet", "faulty", "--dry-run", status=1).err
        assert f"{book}, A17: hours is '2026-03-01'; hours must be" in err
        faulty = Options(sheet="faulty")
        notes = read_rows([FILES / book], file_options=faulty, skip_bad_rows=True).notes
        assert any("B19: score is missing" in note or "B19 is a formula" in note for note in notes)


def test_a_query_is_read_and_refused_when_it_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "marks.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE marks (hours, score)")
        database.executemany("INSERT INTO marks VALUES (?, ?)", [(k, 2 * k) for k in range(30)])
    address, sql = f"sqlite:///{path}", "SELECT hours, score FROM marks ORDER BY hours"
    out = train("--query", sql, address).out
    assert f"{address}: 30 rows ({sql})" in out
    tag = out.splitlines()[-1].removeprefix("saved ")
    err = train("--query", f"{sql} -- again", address, "--update", tag, status=1).err
    assert f"{address}: {tag} was trained on it already (the same 30 rows)" in err
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO marks VALUES (31, 'absent')")
    err = train("--query", sql, address, status=1).err
    assert f"{address}, row 31: score is 'absent'; score must be" in err


def test_the_same_rows_twice_are_refused_whatever_the_format(tmp_path: Path) -> None:
    text = "hours,score\n" + "".join(f"{k / 2},{k % 7}\n" for k in range(10))
    first = write(tmp_path, text, "a.csv")
    os.link(first, tmp_path / "b.csv")
    header, *lines = text.splitlines()
    write(tmp_path, gzip.compress("\n".join([header, *reversed(lines)]).encode()), "c.csv.gz")
    columns = {"score": [k % 7 for k in range(10)], "hours": [k / 2 for k in range(10)]}
    write_parquet(tmp_path / "d.parquet", columns)
    for other in ("b.csv", "c.csv.gz", "d.parquet"):
        message = rf"{other}: holds the rows of .*a\.csv, which would count twice"
        assert_refused(message, first, tmp_path / other)
    assert read_rows([first, first]).moments.n == 10


def test_few_rows_that_come_twice_are_counted_and_noted(tmp_path: Path) -> None:
    paths = [write(tmp_path, "hours,score\n1,2\n3,4\n", f"{name}.csv") for name in "ab"]
    found = read_rows(paths)
    assert found.moments.n == 4
    assert found.notes == (f"{paths[0]} and {paths[1]} hold the same 2 rows; all are counted",)


def test_rows_of_which_two_scores_change_places_are_other_rows(tmp_path: Path) -> None:
    hours, scores = np.arange(12.0), np.arange(12.0) ** 2
    swapped = scores.copy()
    swapped[[3, 8]] = swapped[[8, 3]]
    parts = {"a.csv": scores, "b.csv": swapped}
    paths = [write_csv(tmp_path / name, hours, part) for name, part in parts.items()]
    assert read_rows(paths).moments.n == 24


def test_a_folder_says_what_it_passed_over(tmp_path: Path) -> None:
    for name in ("a.csv", ".hidden.csv", "_SUCCESS", "_old/b.csv", "~$a.xlsx", "notes.txt"):
        (tmp_path / "marks" / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / "marks", "hours,score\n1,2\n3,4\n", name)
    err = train(tmp_path / "marks", "--dry-run").err
    assert "marks: passed over 5 files: names begin" in err


def test_packed_tables_in_a_folder_are_read_too(tmp_path: Path) -> None:
    write(tmp_path, gzip.compress(b"hours,score\n1,2\n3,4\n"), "a.csv.gz")
    write(tmp_path, zstandard.compress(b"hours,score\n5,6\n"), "b.tsv.zst")
    assert read_rows([tmp_path]).moments.n == 3


def test_skipped_rows_are_counted_by_reason_and_the_first_of_each_is_named(tmp_path: Path) -> None:
    good = "1,2\n3,4\n" * 600_000
    bad = "absent,1\n5,\n-1,2\n" + good + "\x1b[31m,1\n6,7,8\n"
    path = write(tmp_path, "hours,score\n" + good + bad)
    err = train(path, "--skip-bad-rows", "--dry-run").err
    assert "skipped 2 rows: hours is not a number; the first is " in err
    assert ", row 1200002: hours is 'absent'" in err
    assert "row 1200003: score is missing" in err
    assert "row 1200004: hours is '-1'" in err
    assert "row 2400006: 3 values, and the header names 2" in err
    assert ", row 1200002: hours is 'absent'" in train(path, "--dry-run", status=1).err


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    for content in ("hours,score\n1,2\n\x1b[31m,3\n", "hours,score\x1b[2J\n1,2\n"):
        assert "\x1b" not in train(write(tmp_path, content), status=1).err


def test_a_file_that_changes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(write(tmp_path, "hours,score\n" + "1,2\n3,4\n" * 10, "rows.csv"))
    reduced = reduce.Reducer.reduce

    def reduce_and_append(self: reduce.Reducer, line: Line) -> None:
        reduced(self, line)
        with path.open("a") as file:
            file.write("5,6\n")

    monkeypatch.setattr(reduce.Reducer, "reduce", reduce_and_append)
    assert_refused(r"rows\.csv: was changed while it was read", str(path))


def test_the_same_rows_in_any_shape_draw_the_same_sample(tmp_path: Path) -> None:
    x, y = np.arange(5000) % 97 / 2, np.arange(5000.0)
    order = np.random.default_rng(1).permutation(5000)
    paths = [
        write_csv(tmp_path / "a.csv", x, y),
        write_parquet(tmp_path / "b.parquet", {"hours": x[::-1], "score": y[::-1]}, 700),
        write_csv(tmp_path / "c.csv", x[order], y[order]),
    ]
    first, *others = (np.array(read_rows([path]).sample) for path in paths)
    assert first.shape == (3, 5000)
    for other in others:
        assert np.array_equal(other, first)


def test_many_blocks_give_the_same_bits_each_time(tmp_path: Path) -> None:
    k = np.arange(700_000.0)
    path = write_csv(tmp_path / "rows.csv", k % 4801 / 7, k)
    one, other = read_rows([path]), read_rows([path])
    assert (one.folds, one.sources) == (other.folds, other.sources)
    assert np.array_equal(one.sample, other.sample)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/proc/self/mem", "/proc/self/fdinfo"])
def test_what_is_not_a_file_of_rows_is_refused(path: str) -> None:
    with pytest.raises(DataError):
        read_rows([path])


def test_an_option_must_apply_to_one_of_the_files(tmp_path: Path) -> None:
    book, text = FILES / "calc.xlsx", write(tmp_path, "hours;score\n1;2\n2;4\n")
    both = report(book, text, "--separator", ";", "--decimal", ",")
    assert [source["rows"] for source in both["sources"]] == [50, 2]
    for option, mark in (("--separator", ";"), ("--decimal", ","), ("--encoding", "cp1252")):
        err = train(book, option, mark, "--dry-run", status=1).err
        assert f"{option} is only for a text file, and none is read" in err


def test_the_folders_of_a_hive_table_give_its_keys_as_columns(tmp_path: Path) -> None:
    for hours in ("1.5", "2", "3%2E5"):
        folder = tmp_path / "class=9b" / f"hours={hours}"
        folder.mkdir(parents=True)
        write_parquet(folder / "part.parquet", {"score": [len(hours), 2]})
    found = read_rows([tmp_path]).moments
    assert (found.n, found.min_x, found.max_x) == (6, 1.5, 3.5)
    (tmp_path / "class=9b" / "hours=2").rename(tmp_path / "class=9b" / "hours=two")
    assert_refused(r"hours=two/part\.parquet, row 1: hours is 'two'", tmp_path)


def test_any_number_of_files_is_listed_as_one_and_each_is_recognised(tmp_path: Path) -> None:
    for k in range(450):
        write(tmp_path, f"hours,score\n{k / 100},{k}\n{k / 50},{k % 7}\n", f"{k:03}.csv")
    out = train(tmp_path).out
    assert f"{tmp_path}: 450 files, 000.csv, 001.csv, 002.csv, ...: 900 rows\n" in out
    (source,) = report(tmp_path)["sources"]
    assert (source["files"], source["rows"], source["sha256"]) == (450, 900, None)
    tag = out.splitlines()[-1].removeprefix("saved ")
    err = train("--update", tag, tmp_path / "317.csv", status=1).err
    assert f"317.csv: {tag} was trained on it already (the same 2 rows)" in err


def test_files_read_together_give_what_each_gives_and_a_bad_row_is_named(tmp_path: Path) -> None:
    lines = [f"{k / 7},{k * k % 31}\n{k},{k}\n" for k in range(30)]
    paths = [write(tmp_path, "hours,score\n" + lines[k], f"{k}.csv") for k in range(1, 30)]
    together = read_rows(paths)
    alone = read_rows([write(tmp_path, "hours,score\n" + "".join(lines[1:]), "all.csv")])
    assert [fold and fold.n for fold in together.folds] == [fold and fold.n for fold in alone.folds]
    assert together.moments.slope == pytest.approx(alone.moments.slope, rel=1e-12)
    every = [source for path in paths for source in read_rows([path]).sources]
    assert [each.identity for each in together.sources] == [each.identity for each in every]
    write(tmp_path, "hours,score\n1,2\n3,x\n", "17.csv")
    assert_refused(r"/17\.csv, row 3: score is 'x'", *paths)
    assert read_rows(paths, skip_bad_rows=True).moments.n == 57


def test_what_a_model_lists_stays_within_bounds_at_any_number_of_updates(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n1,2\n3,4\n", "a.csv")
    (source,) = read_rows([path]).sources
    every: tuple[Source, ...] = ()
    for _ in range(500):
        every = identity.listed(every, [source] * 30)
    assert len(every) <= identity.LISTED_EVER
    assert sum(each.files for each in every) == 15_000
    assert sum(each.rows for each in every) == 30_000
