"""Rows that cannot be used are named, or skipped."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from datetime import date, time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.data import assert_refused, read_rows, write, write_parquet
from training.columns import Columns
from training.dialect import Options
from training.errors import DataError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty; its first line must name the columns"),
        ("hours,score\n", "it has the columns, but no rows"),
        ("hours,score", "it has the columns, but no rows"),
        ("time,score\n1,2\n", "no column 'hours'; the columns are: time, score"),
        ("hours,score,hours\n1,2,3\n", "2 columns 'hours'"),
        ("hours,score\n1,2\nlots,3\n", r", row 3: hours is 'lots'; hours must be a number from 0"),
        ("hours,score\n1,2\n2,\n", r", row 3: score is missing; score must be a number"),
        ("hours,score\n1,2\nNaN,3\n", r", row 3: hours is 'NaN'"),
        ("hours,score\n1,2\n2,inf\n", r", row 3: score is 'inf'"),
        ("hours,score\n1,2\n2,1e400\n", r", row 3: score is '1e400'"),
        ("hours,score\n1,2\n-3,4\n", r", row 3: hours is '-3'; .* from 0 to 8784"),
        ("hours,score\n1,2\n8784.5,4\n", r", row 3: hours is '8784.5'; .* from 0 to 8784"),
        ("hours,score\n1,2\n\n2,x\n", r", row 4: score is 'x'"),
        ("hours,score\n1,2\n1,2,3\n", r", row 3: 3 values, and the header names 2; decimals"),
        ("hours,score\n1,2\n1\n", r", row 3: score is missing"),
        ("sep=;\r\nhours;score\r\n1;2\r\nx;3\r\n", r", row 4: hours is 'x'"),
        ("sep=;\n\nhours;score\n", "it has the columns, but no rows"),
        ("sep=;\n\nhours;score\nx;1\n", ", row 4: hours is 'x'"),
        ("hours,score\n1,2\n1_0,3\n", r", row 3: hours is '1_0'"),
        (b"hours,score\n1,2\n\xff,3\n", r", row 3: hours is '\\\\xff'"),
        ("hours,score\n1,5,2,5\n", "row 2: 4 values, and the header names 2; decimals are written"),
        ("name,hours,score\nLee, Ann,1,2\n", "row 2: 4 .* names 3; a value that holds the separa"),
        ('hours,score\n1.5,2\n"1,5",2\n', "row 3: hours is '1,5'; .* a point here, or --decimal"),
        ("hours;score\n1,5;2\n1.5;2\n", r"row 3: hours is '1\.5'; .*; decimals .* a comma here"),
        ("hours,score\n1,2\n2,absent\n", "row 3: score is 'absent'; score must be a number"),
        ('hours,score,name\n1,2,"x\n2,3,y\n', "row 2: a quote in it is not closed"),
        ("hours,score\n1,2\r3,4\n5,6\n", "row 2: a line ends in the middle of it"),
        ("hours,score\n1:30,2\n2,3\n", "hours is '1:30'.*not all written in this way"),
        ("hours,score\n1:30,2\n90 min,3\n", "hours is '1:30'.*not all written in this way"),
        ("hours,score\n1:30,2\n1:30:00,3\n", "hours is '1:30'.*not all written in this way"),
        ("hours,score\n7:30 PM,2\n", r"a time of day .* \(end - start\) \* 24 is"),
        ("hours,score\n2026-03-01 07:30:00,2\n", "a time of day or a date"),
        ("hours,score\n1,17/20\n", "score is '17/20'; .* a number; write 17 if all are out of 20"),
        ("hours,score\n1,85%\n", "score is '85%'; score must be a number; write 85$"),
        ("hours,score\n1,x\n", "score is 'x'; score must be a number$"),
        ("hours,score\n" + "1,2\n" * 300_000 + "-1,2\n", r", row 300002: hours is '-1'"),
    ],
)
def test_bad_input_is_named_in_full(tmp_path: Path, content: bytes | str, message: str) -> None:
    path = write(tmp_path, content)
    assert assert_refused(message, path).startswith(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"hours": [1.0, -3.0], "score": [1, 2]}, r", row 2: hours is '-3\.0'; .* from 0 to 8784"),
        ({"hours": [1.0, None], "score": [1, 2]}, ", row 2: hours is missing; hours must be a"),
        ({"hours": [1, None], "score": [1, 2]}, r", row 2: hours is missing"),
        ({"hours": [1, 2], "score": [1, float("inf")]}, r", row 2: score is 'inf'"),
        ({"hours": ["1", "two"], "score": [1, 2]}, ", row 2: hours is 'two'; hours must be a"),
        ({"hours": ["1", "2,5"], "score": [1, 2]}, "'2,5'; .*; decimals are written with a point"),
        ({"hours": [True, False], "score": [1, 2]}, "BOOLEAN, which is not a number; write what n"),
        ({"hours": [[1], [2]], "score": [1, 2]}, r"'hours' is of type BIGINT\[\], which is not a"),
        ({"hours": [1, 2], "score": [date(2026, 3, 1)] * 2}, "'score' is of type DATE, which is"),
        ({"hours": [time(1, 30)] * 2, "score": [1, 2]}, "'hours' is of type TIME"),
        ({"hours": [1, 2]}, "no column 'score'; the columns are: hours"),
        (dict.fromkeys(("hours", "score"), pa.array([], pa.int64())), ": it has the columns, but"),
    ],
)
def test_bad_parquet_is_named_too(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    path = write_parquet(tmp_path / "rows.parquet", columns)
    assert assert_refused(message, path).startswith(path)


def test_an_interval_in_parquet_is_refused_only_where_it_is_needed(tmp_path: Path) -> None:
    path = str(tmp_path / "rows.parquet")
    columns = "INTERVAL 90 MINUTE AS hours, i AS time, i AS score"
    with duckdb.connect() as connection:
        connection.sql(f"SELECT {columns} FROM range(9) t(i)").write_parquet(path)  # noqa: S608
    assert_refused(r"INTERVAL, .* as extract\(epoch FROM \"hours\"\) / 3600", path)
    assert read_rows([path], Columns("time", "score")).moments.n == 9


def test_a_column_name_that_a_parquet_file_has_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1.0, 2.0])] * 3, ["hours", "score", "hours"])
    path = write_parquet(tmp_path / "rows.parquet", table)
    assert_refused("two columns have one name, or one is called 'hours_1'", path)


def test_a_row_inside_the_last_row_group_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    hours = np.ones(3_000_000)
    hours[2_345_678] = 9000
    path = write_parquet(tmp_path / "rows.parquet", {"hours": hours, "score": hours}, 700_000)
    assert_refused(r"row 2345679: hours is '9000\.0'", path)


def test_a_row_deep_inside_the_hundredth_file_is_named(tmp_path: Path) -> None:
    for k in range(100):
        write(tmp_path, "hours,score\n" + "1,2\n" * 500, f"{k:03}.csv")
    write(tmp_path, "hours,score\n" + "1,2\n" * 300 + "1,two\n" + "1,2\n" * 300, "099.csv")
    assert_refused(r"099\.csv, row 302: score is 'two'", tmp_path)


@pytest.mark.parametrize(
    ("start", "end", "put"),
    [*((kept, None, b"") for kept in (4, 100, 1000, -5, -200)), (4, 2000, b"?" * 1996)],
)
def test_a_damaged_parquet_file_is_named(
    tmp_path: Path, start: int, end: int | None, put: bytes
) -> None:
    hours = np.random.default_rng(1).random(9999)
    path = Path(write_parquet(tmp_path / "rows.parquet", {"hours": hours, "score": range(9999)}))
    content = bytearray(path.read_bytes())
    content[start:end] = put
    path.write_bytes(content)
    assert "\n" not in assert_refused(r"rows\.parquet: ", path)


@pytest.mark.parametrize("skip", [False, True])
def test_a_row_too_long_to_hold_takes_no_memory(tmp_path: Path, skip: bool) -> None:
    path = tmp_path / "rows.csv"
    with path.open("wb") as file:
        file.write(b"hours,score,name\n" + b"1,2,x\n3,4,x\n" * 100_000 + b"1,2,")
        file.seek(1 << 30, 1)  # a hole in the file: a gigabyte of NULs
        file.write(b"\n")
    code = f"""
import resource
from tests.data import read_rows
from training.errors import DataError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(read_rows([{str(path)!r}], skip_bad_rows={skip}).moments.n)
except DataError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, megabytes = run.stdout.splitlines()
    assert found == "200000" if skip else "row 200002: it is longer than 128 KiB" in found
    assert int(megabytes) < 200


def test_a_pipe_is_read_as_a_file_is() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"hours,score\n1,2\n3,4\n")
    os.close(writing)
    (source,) = read_rows([f"/dev/fd/{reading}"]).sources
    os.close(reading)
    assert (source.rows, source.bytes, source.sha256) == (2, None, None)


def test_one_row_that_was_skipped_is_a_row(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n1,2\n2,3\nx,4\n")
    assert "skipped 1 row: hours is not a number" in read_rows([path], skip_bad_rows=True).notes[0]


def test_bad_rows_can_be_skipped_and_are_counted(tmp_path: Path) -> None:
    bad = 'x,1\n1,\n-1,2\n9999,1\nnan,1\n1,inf\n1,2,3\n1\n"1,5",2\n++1,2\n1_0,1'.splitlines()
    good = [f"{k}.0,{k * 3}" for k in range(20)]
    rows = [row for pair in zip(good, bad, strict=False) for row in pair] + good[len(bad) :]
    path = write(tmp_path, "\n".join(["hours,score", *rows, ""]))
    columns = {"hours": [1.0, None, 2.0], "score": [3.0, 4.0, float("nan")]}
    table = write_parquet(tmp_path / "rows.parquet", columns)
    read = read_rows([path, table], skip_bad_rows=True)
    assert [(source.rows, source.skipped) for source in read.sources] == [(20, 11), (1, 2)]
    assert (read.moments.n, read.moments.max_x, read.moments.max_x) == (21, 19, 19)
    assert read.moments.mean_y == pytest.approx((190 * 3 + 3) / 21)


def test_skipping_changes_nothing_where_no_row_is_bad(tmp_path: Path) -> None:
    text = "hours,score\n" + "".join(f"{k / 7!r},{k * 3 / 11!r}\n" for k in range(1000))
    path = write(tmp_path, text)
    skipping, strict = read_rows([path], skip_bad_rows=True), read_rows([path])
    assert (skipping.folds, skipping.sources) == (strict.folds, strict.sources)
    assert np.array_equal(skipping.sample, strict.sample)


def test_more_than_half_bad_is_too_much(tmp_path: Path) -> None:
    half = "hours,score\n1,2\nx,2\n2,3\n,4\n"
    assert read_rows([write(tmp_path, half)], skip_bad_rows=True).moments.n == 2
    for content, count in (("hours,score\n1\n2\n", "2 of 2"), (half + "-5,2\n", "3 of 5")):
        message = f"{count} rows cannot be used, more than half"
        assert_refused(message, write(tmp_path, content), skip_bad_rows=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("1_0", ".")
@example("0x10", ".")
@given(st.text('0123456789.eE+-_ \tinfa,;"x\r\0\u0663', max_size=8), st.sampled_from(".,"))
def test_what_is_a_number_is_one_rule(tmp_path: Path, text: str, decimal: str) -> None:
    """Whether the engine reads the file at once, or its rows one by one."""
    content = f"hours;score\n1;2\n{text};3\n4;5\n".encode()
    pattern = rf"\s*([-+]?(\d+[{decimal}]?\d*|[{decimal}]\d+)(e[-+]?\d+)?)\s*"
    number = re.fullmatch(pattern, text, re.A | re.I)
    value = float(number[1].replace(",", ".")) if number else math.nan
    path = write(tmp_path, content)
    blank_first = write(tmp_path, content.replace(b"\n1;2", b"\n\n1;2"), "blank.csv")
    for each in (path, blank_first):
        try:
            found = read_rows([each], file_options=Options(decimal=decimal)).moments
        except DataError:
            assert not 0 <= value <= 8784 or "\r" in text
        else:
            if found.n == 3:
                assert 0 <= value <= 8784
                assert (found.min_x, found.max_x) == (min(1, value), max(4, value))
            else:  # a row of nothing, or with a quote that swallows others
                assert number is None


def test_a_score_outside_of_the_range_that_was_given_is_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n1,0\n2,100\n3,100.5\n")
    assert_refused(r"row 4: score is '100\.5'; .* from 0 to 100", path, score_range=(0, 100))
    assert read_rows([path], score_range=(0, 100), skip_bad_rows=True).moments.n == 2


PUPILS = "name,hours,score\n" + "".join(f"p{k},{k},{5 * k + 2}\n" for k in range(1, 13))


@pytest.mark.parametrize("blank", ["", "\n"])
@pytest.mark.parametrize(
    "label",
    [
        *("Total", "Grand Total:", "Sum", "Class average", "Mean", "Max", "Median score"),
        *("Std Dev", "    Points Possible", "Out of", "합계", "평균", "총점"),
        *("Summe", "Durchschnitt"),
    ],
)
def test_a_summary_among_the_pupils_is_a_bad_row(tmp_path: Path, label: str, blank: str) -> None:
    """Also where a blank line makes the engine's own reader miscount rows."""
    last = write(tmp_path, blank + PUPILS + f"{label},51,730\n")
    message = f", row {14 + len(blank)}: '{label.strip()}' marks a summary of other rows"
    assert_refused(message, last)
    assert read_rows([last], skip_bad_rows=True).moments.n == 12
    first = write(tmp_path, PUPILS.replace("p1,1,7", f"{label},10,100"), "first.csv")
    if label != "Max":
        assert_refused(r"row 2: .* marks a summary of other rows", first)


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_a_summary_is_seen_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = (PUPILS + "합계,51,730\n").replace("name", "이름")
    path = write(tmp_path, text.encode(encoding))
    assert_refused("row 14: '합계' marks a summary of other rows", path)


def test_a_summary_is_seen_at_the_end_of_a_long_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name,hours,score\n" + "Kim,1,2\n" * 300_000 + "Total,51,730\n")
    assert_refused("row 300002: 'Total' marks a summary of other rows", path)


def test_a_category_and_a_pupil_called_max_are_not_summaries(tmp_path: Path) -> None:
    text = PUPILS.replace("p12,12", "Max,4")
    assert read_rows([write(tmp_path, text)]).moments.n == 12
    net = "".join(f"p{k},{('good', 'average', 'poor')[k % 3]},{k},{k}\n" for k in range(12))
    path = write(tmp_path, "name,net,hours,score\n" + net, "net.csv")
    assert read_rows([path]).moments.n == 12


@pytest.mark.parametrize(
    ("values", "hours", "said"),
    [
        (["1:30", "2:00", "10:15"], [1.5, 2, 10.25], "hours as hours:minutes"),
        (["1:30:00", "0:00:36"], [1.5, 0.01], "hours as hours:minutes:seconds"),
        (["1h30", "90 min", "2 hours", "4h"], [1.5, 1.5, 2, 4], "hours and minutes by their units"),
        (["1 h 15 min", "2시간 30분", "1,5 Std."], [1.25, 2.5, 1.5], "hours and minutes by their"),
    ],
)
def test_durations_are_hours(
    tmp_path: Path, values: list[str], hours: list[float], said: str
) -> None:
    text = "hours;score\n" + "".join(f"{value};{k}\n" for k, value in enumerate(values))
    rows = read_rows([write(tmp_path, text)], file_options=Options(decimal="."))
    assert said in rows.sources[0].read_as
    assert rows.moments.mean_x == pytest.approx(sum(hours) / len(hours), rel=1e-12)
    assert (rows.moments.min_x, rows.moments.max_x) == (min(hours), max(hours))


def test_hours_that_look_like_minutes_get_a_note(tmp_path: Path) -> None:
    whole = "hours,score\n" + "".join(f"{10 * k},{k}\n" for k in range(1, 15))
    assert "if they are minutes" in read_rows([write(tmp_path, whole)]).notes[0]
    assert read_rows([write(tmp_path, whole + "50.5,3\n")]).notes == ()


@pytest.mark.parametrize("skip", [False, True])
def test_a_refused_file_lists_its_bad_rows_and_counts_them(tmp_path: Path, skip: bool) -> None:
    path = write(tmp_path, "hours,score\n" + "x,1\n" * 12 + "1,\n" * 3 + "1,2\n")
    with pytest.raises(DataError) as error:
        read_rows([path], skip_bad_rows=skip)
    lines = [str(error.value), *error.value.more]
    if skip:
        assert "15 of 16 rows cannot be used, more than half" in lines.pop(0)
    named = [f"{path}, row {row}" for row in range(2, 12)]
    assert [line.partition(": ")[0] for line in lines[:10]] == named
    counts = "(hours is not a number: 12, score missing: 3)"
    assert lines[10:] == [f"15 rows cannot be used {counts}"]


def test_empty_parts_of_a_folder_are_passed_over_and_counted(tmp_path: Path) -> None:
    write(tmp_path, "hours,score\n1,2\n2,3\n", "a.csv")
    empty = write(tmp_path, "", "b.csv")
    write(tmp_path, "hours,score\n", "c.csv")
    none = pa.array([], pa.float64())
    write_parquet(tmp_path / "d.parquet", {"hours": none, "score": none})
    rows = read_rows([tmp_path])
    assert (rows.moments.n, len(rows.sources)) == (2, 1)
    assert rows.notes == ("passed over 3 files without rows",)
    assert_refused(r"b\.csv: the file is empty", tmp_path, empty)
