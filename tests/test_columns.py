"""Columns are found by what people call them, or the error says what to write."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import Path

import pytest

from tests.command import train
from tests.data import assert_refused, read_rows, write
from training.columns import Columns
from training.errors import DataError


@pytest.mark.parametrize(
    ("names", "options"),
    [
        ("Hours Studied,Marks", ["Hours Studied", "Marks"]),
        ("id,Study Time (hrs),Final Mark,Remarks", ["Study Time (hrs)", "Final Mark"]),
        ("공부 시간,점수", ["공부 시간", "점수"]),
        ("Stunden,Punkte", ["Stunden", "Punkte"]),
        ("Hours (x),Scores (y)", ["Hours (x)", "Scores (y)"]),
        ("number_courses,time_study,Marks", ["time_study", "Marks"]),
        (
            "Hours Studied,Previous Scores,Sleep Hours,Performance Index",
            ["Hours Studied", "Performance Index"],
        ),
        (
            "age,study_hours_per_day,social_media_hours,sleep_hours,exam_score",
            ["study_hours_per_day", "exam_score"],
        ),
        ("Hours_Studied,Sleep_Hours,Previous_Scores,Exam_Score", ["Hours_Studied", "Exam_Score"]),
    ],
)
def test_columns_in_practice_give_the_options_to_copy(names: str, options: list[str]) -> None:
    with pytest.raises(DataError) as error:
        Columns().indexes("marks.csv", names.split(","))
    hours, score = options
    assert error.value.options == ("--hours-column", hours, "--score-column", score)


@pytest.mark.parametrize("names", ["a,b", "studytime,G1,G3"])
def test_an_unlikely_name_is_not_guessed(names: str) -> None:
    with pytest.raises(DataError, match="NAME says what is meant") as error:
        Columns().indexes("marks.csv", names.split(","))
    assert error.value.options == ()


def test_only_columns_that_are_missing_are_called_so() -> None:
    with pytest.raises(DataError, match=r"^t: no column 'score'; the columns are: hours, points"):
        Columns().indexes("t", ["hours", "points"])


def test_two_columns_of_one_name_are_chosen_by_number(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,hours,score\n1,5,20\n2,7,31\n")
    assert_refused(r"2 columns 'hours'.*--hours-column 1 or 2 says by number", path)
    assert read_rows([path], columns=Columns("2", "score")).moments.max_x == 7


def test_a_table_without_header_is_read_by_numbers_and_keeps_its_first_row(tmp_path: Path) -> None:
    path = write(tmp_path, "1.4,17\n2.5,21\n5.1,47\n")
    with pytest.raises(DataError, match="looks like data") as error:
        read_rows([path])
    assert error.value.options == ("--hours-column", "1", "--score-column", "2")
    rows = read_rows([path], columns=Columns("1", "2"))
    assert (rows.moments.n, rows.moments.min_x, rows.sources[0].read_as) == (3, 1.4, "no header")
    hole = write(tmp_path, ",17\n2.5,21\n", "hole.csv")
    message = "row 1: column 1 is missing; column 1 must be a number"
    assert_refused(message, hole, columns=Columns("1", "2"))
    named = write(tmp_path, "a,b\n1.4,17\n2.5,21\n", "named.csv")
    assert read_rows([named], columns=Columns("1", "2")).moments.n == 2


def test_names_that_look_the_same_are_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, unicodedata.normalize("NFD", "시간,점수\n1,20\n2,31\n"))
    assert read_rows([path], columns=Columns("시간", "점수")).moments.n == 2


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("Hours,Scores\n2.5,21\n5.1,47\n3.2,27\n", 3),
        ("1.4,17\n2.5,21\n5.1,47\n", 3),
        ("study_hours,student_marks\n6.83,78.5\n6.56,76.74\n5,70\n", 3),
        (
            "Hours Studied,Previous Scores,Extracurricular Activities,Sleep Hours,"
            "Performance Index\n7,99,Yes,9,91\n4,82,No,4,65\n8,51,Yes,7,45\n",
            3,
        ),
        (
            "student_id;study_hours_per_day;netflix_hours;internet_quality;exam_score\n"
            "S1;0;1.1;Average;56.2\nS2;6.9;2.3;Good;100\nS3;1.4;1.5;Poor;34.3\n"
            "S4;1.5;1;Average;40\nS4;1.5;1;Average;40\n",
            5,
        ),
        ("number_courses,time_study,Marks\n3,4.508,19.202\n4,0.096,7.734\n4,3,13.8\n", 3),
        ("Hours_Studied,Sleep_Hours,Exam_Score\n23,7,67\n19,8,61\n24,7,101\n", 3),
        ("Marks of class 3\nHours,Marks\n1,20\n2,31\n4,48\n", 3),
        ("Hours  Marks\n1.0     20\n2.0     31\n10.0    48\n", 3),
    ],
)
def test_public_files_train_by_copying_a_command(tmp_path: Path, content: str, found: int) -> None:
    err = train(write(tmp_path, content), "--dry-run", status=1).err
    (command,) = (line for line in err.splitlines() if "python -m training" in line)
    assert f"{found} rows, " in train(*shlex.split(command)[5:]).out
