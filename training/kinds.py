"""What a file is, told from its bytes and not from its name."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from typing import IO, Literal

import zstandard

from training.errors import DataError

Kind = Literal["text", "Parquet", "workbook"]

# The first bytes of what is often taken for a table; each sentence says what to do instead
NO_TABLES = (
    (b"%PDF-", "a PDF; export the table it shows as CSV or a workbook"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a sound"),
    (b"{\\rtf", "a text document; save the table in it as CSV or a workbook"),
    (b"BZh", "packed by bzip2; unpack it, or pack it with gzip or zstd"),
    (b"\xfd7zXZ", "packed by xz; unpack it, or pack it with gzip or zstd"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a rar archive; unpack it"),
    (b"SQLite format 3\0", "an SQLite database; read it with --query SQL sqlite:///FILE"),
    (b"ARROW1", "an Arrow file; save it as Parquet"),
    (b"\x7fELF", "a program"),
)
MARKUP = "a web page or an XML document; save the table in it as CSV or a workbook"
MARKUP_OR_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*(?:(?P<markup><[!?a-zA-Z])|\{\s*"|\[\s*[\[{"])')
JSON = "JSON; its rows can be saved as CSV or Parquet"
OTHER_ZIPS = (
    ("word/", "a Word document; save the table in it as CSV or a workbook"),
    ("ppt/", "slides; save the table in them as CSV or a workbook"),
    ("Index/", "an Apple Numbers, Pages or Keynote document; export it as CSV or a workbook"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DAMAGES = EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError  # of what is packed
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def kind(name: str, file: IO[bytes], head: bytes) -> Kind:
    """What a file that begins with `head` is; raises DataError if it is no table."""
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zip(name, file)
    if head.startswith(OLE):
        return _ole(name, file, head)
    for start, what in NO_TABLES:
        if head.startswith(start):
            raise no_table(name, what)
    if match := MARKUP_OR_JSON.match(head):
        raise no_table(name, MARKUP if match["markup"] else JSON)
    if head[257:262] == b"ustar":
        raise no_table(name, "a tar archive; unpack it")
    return "text"


def is_binary(head: bytes) -> bool:
    """Whether it takes more than the beginning of a file to tell what it is, or to read it."""
    return head.startswith((b"PAR1", b"PK\x03\x04", OLE))


def packed(head: bytes) -> str | None:
    """The program that packed a file, if it was packed: gzip or zstd."""
    return next((program for start, program in PACKED.items() if head.startswith(start)), None)


def unpacked(file: io.BufferedReader, program: str | None) -> IO[bytes]:
    """What the program packed, as a stream."""
    if not program:
        return file
    if program == "gzip":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


def no_table(name: str, what: str) -> DataError:
    """The error of a file that holds no table."""
    return DataError(f"{name}: is no table that can be read, but {what}")


def _zip(name: str, file: IO[bytes]) -> Kind:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.replace("\\", "/") for name in archive.namelist()]
            if "mimetype" in names and b"opendocument" in (kind := archive.read("mimetype")[:99]):
                if b"spreadsheet" in kind:
                    return "workbook"
                raise no_table(name, "an OpenDocument text; save the table in it as CSV")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: is damaged or only a part of the file: {error}") from error
    if any(entry.startswith("xl/workbook.") for entry in names):
        return "workbook"
    for start, what in OTHER_ZIPS:
        if any(entry.startswith(start) for entry in names):
            raise no_table(name, what)
    raise no_table(name, "a zip archive; unpack it")


def _ole(name: str, file: IO[bytes], head: bytes) -> Kind:
    """Of the compound files of older Office, by the names in the sector with their directory.

    [MS-CFB], 2.2: the size of a sector as a power of 2 at byte 30, the sector's number at 48.
    """
    sector = 1 << min(head[30], 16) if len(head) > 52 else 512
    file.seek((int.from_bytes(head[48:52], "little") + 1) * sector)
    entries = file.read(1 << 13).replace(b"\0", b"")
    if b"EncryptedPackage" in entries:
        raise no_table(name, "locked with a password; save it without one")
    if b"Book" in entries or b"Workbook" in entries:
        return "workbook"
    raise no_table(name, "an older Word document or the like; save the table in it as CSV")
