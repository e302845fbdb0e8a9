"""The rows of a text file, in blocks: all at once where a block is plain, one by one where not."""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from functools import partial
from typing import IO

import numpy as np
import polars as pl

from training.batches import NO_ROWS, Batch
from training.dialect import LINE, LINE_MAX, SEPARATOR_LINE, Dialect, is_wide

BLOCK_BYTES = 1 << 22  # what is read at once
HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:%b)?%b(?:\r\n?|\n)?"
    % (SEPARATOR_LINE.pattern.encode(), LINE.pattern.encode())
)
TEXT = pl.Schema({"hours": pl.String, "score": pl.String})
LEFT_OPEN = "a quote in it is not closed"
TOO_LONG = f"it is longer than {LINE_MAX >> 10} KiB"
DIGITS = re.compile(r"-?\d*")


def blocks(file: IO[bytes], head: bytes, dialect: Dialect) -> Iterator[bytes]:
    """Whole rows, all that are below the header.

    A block ends where no quote is open. A row with one that nothing closes is a block by itself, as
    is the beginning of a row that is too long, whose end is left out.
    """
    end = dialect.line_end.encode()
    data, in_long_row = b"", False
    for number, chunk in enumerate(_chunks(file, head, dialect)):
        chunk = chunk if number else HEADER.sub(b"", chunk, count=1)
        cut = chunk.rfind(end) + 1
        if cut and not (in_long_row or b'"' in data or b'"' in chunk):  # soon, with one copy
            yield b"".join((data, memoryview(chunk)[:cut]))
            data = chunk[cut:]
            continue
        data += chunk
        while True:
            if in_long_row:
                _, found, data = data.partition(end)
                in_long_row = not found
            cut = _cut_at(data, end, len(data) > LINE_MAX)
            if not cut:
                break
            block, data = data[:cut], data[cut:]
            yield block
            in_long_row = not block.endswith(end)
    while data:
        cut = _cut_at(data, end, True)
        yield data[:cut]
        data = data[cut:]


def _chunks(file: IO[bytes], head: bytes, dialect: Dialect) -> Iterator[bytes]:
    """What the file holds, UTF-8 in place of UTF-16, with an end to its last line."""
    first = head + file.read(BLOCK_BYTES - len(head))
    chunks: Iterator[bytes] = itertools.chain([first], iter(lambda: file.read(BLOCK_BYTES), b""))
    if is_wide(dialect.encoding):
        decoder = codecs.getincrementaldecoder(dialect.encoding)("replace")
        chunks = (decoder.decode(chunk).encode("utf-8", "replace") for chunk in chunks)
    end = dialect.line_end.encode()
    last = end
    for chunk in chunks:
        yield chunk
        last = chunk or last
    if not last.endswith(end):
        yield end


def _cut_at(data: bytes, end: bytes, now: bool) -> int:
    """After the last row that is whole, else 0, or if it must be `now` after the first line."""
    cut = data.rfind(end) + 1
    quotes = data.count(b'"', 0, cut)
    while quotes % 2:
        before = data.rfind(end, 0, cut - 1) + 1
        quotes -= data.count(b'"', before, cut)
        cut = before
    if now and not cut:
        return data.find(end, 0, LINE_MAX) + 1 or min(len(data), LINE_MAX)
    return cut


def passed_over(block: bytes, dialect: Dialect) -> Batch:
    """None of a block's rows, but how many they are."""
    return Batch(NO_ROWS, rows_in(block, dialect))


def rows_in(block: bytes, dialect: Dialect) -> int:
    """How many rows a block has, blank ones too."""
    data = np.frombuffer(block, np.uint8)
    ends = data == ord(dialect.line_end)
    if b'"' in block:
        ends &= ~np.logical_xor.accumulate(data == ord('"'))
    return int(np.count_nonzero(ends))


def batch_of(block: bytes, dialect: Dialect) -> Batch:
    """The rows of a block."""
    kind = pl.String if dialect.decimal == "," else pl.Float64
    hours, score = dialect.indexes
    names = map(str, range(len(dialect.names)))
    exact = partial(_one_by_one, block, dialect)
    if not block.endswith(dialect.line_end.encode()) or _has_stray_cr(block, dialect):
        return exact()
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            columns=sorted(dialect.indexes),
            schema={name: kind if int(name) in dialect.indexes else pl.String for name in names},
            separator=dialect.separator,
            eol_char=dialect.line_end,
            encoding="utf8-lossy",
        )
    except pl.exceptions.PolarsError:
        return exact()
    if b'"' in block and len(frame) != block.count(dialect.line_end.encode()):
        return exact()  # with a line end between quotes, or quotes that mean nothing
    frame = frame.select(hours=str(hours), score=str(score))
    return Batch(frame, len(frame), dialect.decimal, exact=exact)


def _has_stray_cr(block: bytes, dialect: Dialect) -> bool:
    """Whether a CR stands where no line ends; Polars would take it off a number before it."""
    if dialect.line_end == "\r" or b"\r" not in block:  # which is found out much sooner
        return False
    return block.count(b"\r") != block.count(b"\r\n")


def _one_by_one(block: bytes, dialect: Dialect) -> Batch:
    """The same, as Python's own reader reads it; blank rows are left out."""
    end = dialect.line_end
    is_whole = block.endswith(end.encode())
    if not is_whole or block.count(b'"') % 2:
        fault = LEFT_OPEN if is_whole else TOO_LONG
        return Batch(pl.DataFrame({"hours": "", "score": ""}, TEXT), 1, faults={0: fault})
    lines = (line + end for line in block.decode("latin-1").split(end)[:-1])
    records = csv.reader(lines, delimiter=dialect.separator)
    rows: list[int] = []
    hours: list[str] = []
    scores: list[str] = []
    faults: dict[int, str] = {}
    for number in itertools.count():
        try:
            record = next(records, None)
        except csv.Error as error:
            record = [str(error)]
            faults[len(rows)] = f"cannot be read: {error}"
        if record is None:
            break
        if any(record):
            if any(record[len(dialect.names) :]):
                faults[len(rows)] = _too_many(record, dialect)
            rows.append(number)
            hours.append(_value(record, dialect.indexes[0], dialect))
            scores.append(_value(record, dialect.indexes[1], dialect))
    frame = pl.DataFrame({"hours": hours, "score": scores}, TEXT)
    return Batch(frame, number, dialect.decimal, rows, faults)


def _value(record: list[str], index: int, dialect: Dialect) -> str:
    text = record[index] if index < len(record) else ""
    if text.isascii():
        return text
    encoding = "utf-8" if is_wide(dialect.encoding) else dialect.encoding
    return text.encode("latin-1").decode(encoding, "backslashreplace")


def _too_many(record: list[str], dialect: Dialect) -> str:
    hint = "a value that holds the separator must stand between quotes"
    if all(DIGITS.fullmatch(value.strip()) for value in record):
        hint = "decimals are written with a point where commas separate"
    return f"{len(record)} values, and the header names {len(dialect.names)}; {hint}"
