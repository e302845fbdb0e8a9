"""What a file is, detected from its first bytes and not from its name."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Literal

import zstandard

from training.engine import chunks
from training.errors import DataError

Kind = Literal["text", "Parquet", "workbook", "zip"]
TEXT_ENDINGS = (".csv", ".tsv")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

# First bytes of files that people try but that are not tables; each sentence says what to do
NOT_TABLES = (
    (rb"%PDF-", "a PDF; export the table it shows as CSV or a workbook"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8", "a picture"),
    (rb"RIFF", "a picture or a sound"),
    (rb"\{\\rtf", "a text document; save the table in it as CSV or a workbook"),
    (rb"BZh", "a file packed by bzip2; unpack it, or pack it with gzip or zstd"),
    (rb"\xfd7zXZ", "a file packed by xz; unpack it, or pack it with gzip or zstd"),
    (rb"7z\xbc\xaf", "a 7z archive; unpack it"),
    (rb"Rar!", "a rar archive; unpack it"),
    (rb"(?s).{257}ustar", "a tar archive; unpack it"),
    (rb"SQLite format 3\0", "an SQLite database; read it with --query SQL sqlite:///FILE"),
    (rb"ARROW1", "an Arrow file; save it as Parquet"),
    (rb"\x7fELF", "a program"),
    (rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]", "a web page or XML; save its table as CSV or a workbook"),
    (rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*[\[{"])', "JSON; its rows can be saved as CSV or Parquet"),
)
OTHER_ZIPS = (
    ("word/", "a Word document; save the table in it as CSV or a workbook"),
    ("ppt/", "slides; save the table in them as CSV or a workbook"),
    ("Index/", "an Apple Numbers, Pages or Keynote document; export it as CSV or a workbook"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What damaged compressed files raise
DAMAGES = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError, zipfile.BadZipFile)
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def kind(name: str, file: IO[bytes], head: bytes) -> Kind:
    """The kind of a file that begins with `head`; raises DataError if it is not a table."""
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zip(name, file)
    if head.startswith(OLE):
        return _ole(name, file, head)
    for start, what in NOT_TABLES:
        if re.match(start, head):
            raise not_a_table(name, what)
    return "text"


def is_binary(head: bytes) -> bool:
    """Whether more than the beginning of the file is needed to know its kind, or to read it."""
    return head.startswith((b"PAR1", b"PK\x03\x04", OLE))


def packed(head: bytes) -> str | None:
    """The program that compressed a file, gzip or zstd, or None."""
    return next((program for start, program in PACKED.items() if head.startswith(start)), None)


def unpacked(file: IO[bytes], program: str | None) -> Iterator[bytes]:
    """The decompressed content, piece by piece."""
    if program == "zstd":
        return _from_zstd(file)
    return chunks(gzip.GzipFile(fileobj=file) if program == "gzip" else file)  # type: ignore[arg-type]


def _from_zstd(file: IO[bytes]) -> Iterator[bytes]:
    """Raises EOFError for an incomplete frame, which the library's own stream accepts."""
    frame = None
    for data in chunks(file, 1 << 12):  # small, since it may decompress to much more
        while data:
            if not frame or frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            if piece := frame.decompress(data):
                yield piece
            data = frame.unused_data
    if frame and not frame.eof:
        raise EOFError


def not_a_table(name: str, what: str) -> DataError:
    """The error for a file that does not hold a table."""
    return DataError(f"{name}: is not a table but {what}")


def damaged(name: str, error: Exception) -> DataError:
    """The error for a file that cannot be unpacked to its end."""
    if isinstance(error, EOFError):
        return DataError(f"{name}: is only a part of the file: it ends too soon; copy it again")
    what = "is damaged or only a part of the file, or something stands behind its end"
    return DataError(f"{name}: {what}; copy or pack it again")


def _zip(name: str, file: IO[bytes]) -> Kind:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [entry.replace("\\", "/") for entry in archive.namelist()]
            mime_type = archive.read("mimetype")[:99] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise damaged(name, error) from None
    if b"opendocument.spreadsheet" in mime_type or any(
        entry.startswith("xl/workbook.") for entry in names
    ):
        return "workbook"
    if b"opendocument" in mime_type:
        raise not_a_table(name, "an OpenDocument text; save the table in it as CSV")
    for start, what in OTHER_ZIPS:
        if any(entry.startswith(start) for entry in names):
            raise not_a_table(name, what)
    if len(tables_in(names)) == 1:
        return "zip"
    raise not_a_table(name, "a zip archive, which must hold just one table; unpack it")


def tables_in(names: Iterable[str]) -> list[str]:
    """The names in an archive that end like a table's."""
    return [
        name
        for name in names
        if name.lower().endswith((*ENDINGS, ".txt"))
        and not any(part.startswith((".", "_")) for part in re.split(r"[/\\]", name))
    ]


def from_zip(file: IO[bytes]) -> Iterator[bytes]:
    """The only table in an archive, piece by piece."""
    with zipfile.ZipFile(file) as archive:
        (name,) = tables_in(archive.namelist())
        try:
            with archive.open(name) as member:
                yield from chunks(member)
        except (NotImplementedError, RuntimeError) as error:  # a rare compression, or a password
            raise zipfile.BadZipFile from error


def _ole(name: str, file: IO[bytes], head: bytes) -> Kind:
    """The kind of an older Office file, by the names in its directory.

    The directory begins in the sector whose number is at byte 48; the size of a sector is at byte
    30, as a power of 2 ([MS-CFB], 2.2).
    """
    sector = 1 << min(head[30], 16) if len(head) > 52 else 512
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
    entries = file.read(1 << 13).replace(b"\0", b"")
    if b"EncryptedPackage" in entries:
        raise not_a_table(name, "a file locked with a password; save it without one")
    if b"Book" in entries or b"Workbook" in entries:
        return "workbook"
    raise not_a_table(name, "an older Word document or the like; save the table in it as CSV")
