from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
import pytest

from models.moments import merged
from training.data import LAB_CSV, Columns, DataError, read_rows


def write(tmp_path: Path, content: bytes | str, name: str = "scores.csv") -> str:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_no_path_means_the_labs_three_rows() -> None:
    rows = read_rows([])
    assert [(fold.n, fold.mean_x, fold.mean_y) for fold in rows.folds] == [
        (1, 1.0, 2.0),
        (1, 2.0, 4.0),
        (1, 3.0, 6.0),
    ]
    (source,) = rows.sources
    assert (source.name, source.rows) == ("lab", 3)
    assert source.sha256 == hashlib.sha256(LAB_CSV).hexdigest()


def test_a_source_has_the_files_own_digest_and_size(tmp_path: Path) -> None:
    content = b"hours,score\n" + b"1,2\n3,4\n" * 400_000
    (source,) = read_rows([write(tmp_path, content)]).sources
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert (source.bytes, source.rows) == (len(content), 800_000)


def test_a_row_falls_into_the_fold_of_its_file_name_and_number(tmp_path: Path) -> None:
    path = write(tmp_path, "hours,score\n" + "".join(f"{i},{i}\n" for i in range(25)))
    folds = read_rows([path], folds=7).folds
    start = zlib.crc32(b"scores.csv")
    for k, fold in enumerate(folds):
        mine = [i for i in range(25) if (start + i) % 7 == k]
        assert fold.n == len(mine)
        assert fold.mean_x == pytest.approx(np.mean(mine))


def test_folds_do_not_depend_on_how_the_file_is_cut_into_batches(tmp_path: Path) -> None:
    x = np.arange(300_000) % 1000 / 7
    path = write(tmp_path, "hours,score\n" + "".join(f"{a!r},{a!r}\n" for a in x.tolist()))
    folds = read_rows([path], folds=10).folds
    start = zlib.crc32(b"scores.csv")
    for k, fold in enumerate(folds):
        assert fold.mean_x == pytest.approx(x[(k - start) % 10 :: 10].mean(), rel=1e-13)


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
    ],
)
def test_the_ways_to_write_the_same_two_rows(tmp_path: Path, content: str) -> None:
    rows = read_rows([write(tmp_path, content)])
    moments = merged(rows.folds)
    assert (moments.n, moments.mean_x, moments.mean_y, moments.sxy) == (2, 1.5, 3.0, 1.0)


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    path = write(tmp_path, "Stunden;x,Punkte\n1,2\n3,6\n")
    assert merged(read_rows([path], Columns("Stunden;x", "Punkte")).folds).mean_y == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty; its first line must name the columns"),
        ("hours,score\n", "no rows below the header"),
        ("hours,score", "no rows below the header"),
        ("time,score\n1,2\n", "no column 'hours'; the columns are: time, score"),
        ("hours,score,hours\n1,2,3\n", "two columns 'hours'"),
        ("hours,score\n1,2\nlots,3\n", r", row 3: hours is 'lots'; hours must be a number from 0"),
        ("hours,score\n1,2\n2,\n", r", row 3: score is ''; score must be a number"),
        ("hours,score\n1,2\nNaN,3\n", r", row 3: hours is 'NaN'"),
        ("hours,score\n1,2\n2,inf\n", r", row 3: score is 'inf'"),
        ("hours,score\n1,2\n2,1e400\n", r", row 3: score is '1e400'"),
        ("hours,score\n1,2\n-3,4\n", r", row 3: hours is '-3'; .* from 0 to 8784"),
        ("hours,score\n1,2\n8784.5,4\n", r", row 3: hours is '8784.5'; .* from 0 to 8784"),
        ("hours,score\n1,2\n\n2,x\n", r", row 4: score is 'x'"),
        ("hours,score\n1,2\n1,2,3\n", r", row 3: 3 values; the header names 2"),
        ("hours,score\n1,2\n1\n", r", row 3: 1 values; the header names 2"),
        ("hours,score\n1,2\n1_0,3\n", r", row 3: hours is '1_0'"),
        (b"hours,score\n1,2\n\xff,3\n", r", row 3: hours is '\\\\xff'"),
        ("hours,score\n" + "1,2\n" * 300_000 + "-1,2\n", r", row 300002: hours is '-1'"),
    ],
)
def test_bad_input_is_named_by_file_row_value_and_rule(
    tmp_path: Path, content: bytes | str, message: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=message) as error:
        read_rows([path])
    assert str(error.value).startswith(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: No such file or directory"):
        read_rows([str(tmp_path / "nothing.csv")])


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Is a directory"):
        read_rows([str(tmp_path)])
