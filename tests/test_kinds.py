"""What is not a table gets one sentence, whatever its name is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import matplotlib.figure
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.data import FILES, assert_refused, read_rows, write
from training import kinds
from training.errors import DataError

WEB_PAGE = b"<!DOCTYPE html>\n<table><tr><td>hours</td></tr></table>"


def kind(content: bytes) -> str:
    return kinds.kind("marks.csv", io.BytesIO(content), content[:1000])


def test_kinds_are_detected_from_the_content() -> None:
    parquet = io.BytesIO()
    pq.write_table(pa.table({"hours": [1], "score": [2]}), parquet)
    assert kind(parquet.getvalue()) == "Parquet"
    for name in ("calc.xlsx", "calc.xls", "calc.ods", "openpyxl.xlsx"):
        assert kind((FILES / name).read_bytes()) == "workbook"
    for name in ("r-csv.csv", "r-utf16.txt", "calc-1252.csv"):
        assert kind((FILES / name).read_bytes()) == "text"
    assert kind(b"") == "text"


def picture(form: str) -> bytes:
    file = io.BytesIO()
    matplotlib.figure.Figure().savefig(file, format=form)
    return file.getvalue()


def zipped(*names: str, mimetype: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "hours,score\n1,2\n")
    return file.getvalue()


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("hours,score"))
    return file.getvalue()


def compound(stream: str) -> bytes:
    """A file of older Office with another stream than a workbook's."""
    old, new = (name.encode("utf-16-le") for name in ("Workbook", stream))
    return (FILES / "calc.xls").read_bytes().replace(old, new)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (picture("pdf"), "a PDF; export the table"),
        *((picture("png"), "a picture"), (picture("jpg"), "a picture")),
        (picture("svg"), "a web page or XML; save"),
        (WEB_PAGE, "a web page"),
        (b" \r\n<html>" + WEB_PAGE, "a web page"),
        (zipped("word/document.xml"), "a Word document"),
        (zipped(mimetype="application/vnd.oasis.opendocument.text"), "an OpenDocument text"),
        (zipped("Index/Document.iwa"), "an Apple Numbers"),
        (zipped("marks.csv", "more.csv"), "a zip archive, which must hold just one table"),
        (zipped("marks.doc"), "a zip archive, which must hold just one table; unpack it"),
        (b"{\\rtf1 hours}", "a text document"),
        (bz2.compress(b"hours"), "a file packed by bzip2; unpack it, or pack it with gzip or zstd"),
        (lzma.compress(b"hours"), "a file packed by xz"),
        (tar(), "a tar archive; unpack it"),
        (b'{"hours": [1], "score": [2]}', "JSON"),
        (b'[\n{"hours": 1, "score": 2}]', "JSON"),
        (compound("WordDocu"), "an older Word document"),
        (compound("EncryptedPackage"), "a file locked with a password"),
    ],
)
def test_what_is_not_a_table_is_named_in_a_sentence(content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=f"marks.csv: is not a table but {what}"):
        kind(content)


def test_an_sqlite_database_is_named_with_the_option_that_reads_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "marks.db")) as connection:
        connection.execute("CREATE TABLE marks (hours, score)")
    with pytest.raises(DataError, match="an SQLite database; read it with --query SQL sqlite:///"):
        kind((tmp_path / "marks.db").read_bytes())


@pytest.mark.parametrize("name", ["calc.xlsx", "calc.ods"])
def test_a_part_of_a_workbook_is_named(name: str) -> None:
    content = (FILES / name).read_bytes()
    with pytest.raises(DataError, match="is damaged or only a part of the file"):
        kind(content[: len(content) // 2])


def test_what_gzip_and_zstd_packed_is_unpacked() -> None:
    content = b"hours,score\n1,2\n" * 1000
    packed = gzip.compress(content) + gzip.compress(b"3,4\n")
    assert kinds.packed(packed[:99]) == "gzip"
    assert b"".join(kinds.unpacked(io.BytesIO(packed), "gzip")) == content + b"3,4\n"
    assert kinds.packed(content) is None


TABLE = b"hours,score\n" + b"".join(b"%d,%d\n" % (k % 24, k * 7 % 13) for k in range(50_000))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(TABLE)[:-9], "is only a part of the file"),
        (gzip.compress(TABLE)[:-8] + b"\0" * 8, "is damaged or only a part of the file"),
        (gzip.compress(TABLE) + b"garbage", "or something stands behind its end"),
        (zstandard.compress(TABLE)[:-500], "is only a part of the file"),
        (zipped("marks.csv")[:-30], "is damaged or only a part of the file"),
    ],
)
def test_what_is_packed_and_damaged_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    assert_refused(message, write(tmp_path, content))


@pytest.mark.parametrize("others", [(), ("__MACOSX/._marks.csv", "readme.md")])
def test_a_zip_archive_of_one_table_is_read(tmp_path: Path, others: tuple[str, ...]) -> None:
    path = write(tmp_path, zipped("marks/marks.csv", *others), "marks.zip")
    (source,) = read_rows([path]).sources
    assert (source.name, source.rows, source.read_as) == (path, 1, "zip")
