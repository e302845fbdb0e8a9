"""A text file as a table."""

from __future__ import annotations

import codecs
import contextlib
import itertools
import os
import re
from collections.abc import Iterator

import duckdb

from training import lines, summaries
from training.detect import HEAD_BYTES, detect, records
from training.dialect import LINE_MAX, Dialect, is_ascii_compatible
from training.engine import Engine, chunks, literal
from training.summaries import Labels
from training.tables import Context, Table

MORE_BLANKS = re.compile(rb"(?<=[\r\n ]) +| +(?=[\r\n])")
TAIL_BYTES = 1 << 16
BUFFER_BYTES = 1 << 22  # as fast as the engine's own 32 MB, in 75 MB less


def table(name: str, path: str | None, pieces: Iterator[bytes], context: Context) -> Table:
    """The two columns of a text, read from its pieces if it has no path; raises DataError."""
    head = next(pieces, b"")
    is_whole = len(head) < HEAD_BYTES
    dialect = detect(name, head[:HEAD_BYTES], is_whole, context.columns, context.options)
    engine = context.engine
    path = _file(path, itertools.chain([head], pieces), dialect, engine)
    labels = _labels(path, dialect)
    link = engine.link(path)

    def as_text() -> str:
        if _rows_are_lines(path):
            with contextlib.suppress(duckdb.Error):
                copy = engine.new_name()
                engine.rows(f"CREATE TEMP TABLE {copy} AS {_as_text(link, dialect, labels)}")
                return f"SELECT * FROM {copy}"
        return f"SELECT * FROM {engine.table(lines.rows(path, dialect, labels))}"

    hours, score = (dialect.names[index] for index in dialect.indexes)
    as_numbers = None if labels else _as_numbers(link, dialect, path)
    return Table(name, "text", (hours, score), as_text, as_numbers, dialect.decimal, str(dialect))


def _file(path: str | None, pieces: Iterator[bytes], dialect: Dialect, engine: Engine) -> str:
    """A file that the engine can read: the text's own, or else a changed copy of its pieces."""
    if not is_ascii_compatible(dialect.encoding):
        decoded = codecs.iterdecode(pieces, dialect.encoding, "replace")
        path, pieces = None, (text.encode("utf-8", "replace") for text in decoded)
    if dialect.separator == " ":
        path, pieces = None, _single_blanks(pieces)
    return path or engine.spool(pieces)


def _single_blanks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """A text in columns that are aligned by blanks, with a single blank between two values."""
    last = b"\n"
    start = 1
    for piece in pieces:
        text = MORE_BLANKS.sub(b"", last + piece)
        yield text[start:-1]
        start, last = 0, text[-1:]
    yield last[start:].rstrip(b" ")


def _labels(path: str, dialect: Dialect) -> Labels:
    """The labels of rows near the header or the end that sum up others."""
    if len(dialect.names) <= len(set(dialect.indexes)):
        return {}
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES).decode("latin-1")
        file.seek(max(0, os.path.getsize(path) - TAIL_BYTES))
        tail = file.read().decode("latin-1").split(dialect.line_end)
    first = [*records(head, dialect.separator, len(head) < HEAD_BYTES)][dialect.header_row :]
    lines_near_end = [line for line in tail if line.strip()][-summaries.NEAR :]
    last = [row for line in lines_near_end for row in records(line, dialect.separator)]
    first, last = ([[*map(dialect.decode, row)] for row in rows] for rows in (first, last))
    return summaries.find_labels(first, last, dialect.indexes)


def _rows_are_lines(path: str) -> bool:
    """Whether each line is a row: no quotes, no blank lines but at the end, no very long lines."""
    last = b""
    with open(path, "rb") as file:
        for chunk in chunks(file):
            body = (last + chunk).rstrip()
            pieces = b'"', b"\n\n", b"\n\r", b"\r\r"
            if _is_inside_a_line(chunk) or any(piece in body for piece in pieces):
                return False
            last = (last + chunk)[max(0, len(body) - 1) :]
    return True


def _is_inside_a_line(chunk: bytes) -> bool:
    """Whether a chunk without line ends is longer than a line may be."""
    return len(chunk) > LINE_MAX and b"\n" not in chunk and b"\r" not in chunk


def _as_numbers(link: str, dialect: Dialect, path: str) -> str | None:
    """A query for hours and score as numbers; it fails if a row has too many or too few values.

    A value with an underscore becomes null, because the engine reads 1_0 as 10. None if a line is
    so long that the engine could lose it.
    """
    has_underscore = False
    with open(path, "rb") as file:
        for number, chunk in enumerate(chunks(file)):
            if _is_inside_a_line(chunk):
                return None
            if not number:
                chunk = chunk.split(dialect.line_end.encode(), dialect.header_row)[-1]
            has_underscore = has_underscore or b"_" in chunk
    columns = [f"c{index}" for index in dialect.indexes]
    if has_underscore:
        columns = [
            f"CASE WHEN NOT contains({column}, '_')"
            f" THEN replace({column}, '{dialect.decimal}', '.')::DOUBLE END"
            for column in columns
        ]
    sql_type = "VARCHAR" if has_underscore else "DOUBLE"
    source = _read_csv(link, dialect, "null_padding = false", sql_type)
    hours, score = columns
    return f"SELECT {hours} AS hours, {score} AS score FROM {source}"


def _as_text(link: str, dialect: Dialect, labels: Labels) -> str:
    """A query for (row, hours, score, fault) as text; it fails if a row has too many values.

    Only for texts without quotes: with null_padding, an open quote would swallow all that follows.
    """
    hours, score = dialect.indexes
    source = _read_csv(link, dialect, "null_padding = true, parallel = false")
    blanks = literal(lines.BLANKS)
    values = ", ".join(f"nullif(trim(c{k}, {blanks}), '')" for k in range(len(dialect.names)))
    fault = summaries.sql({f"c{column}": texts for column, texts in labels.items()})
    return (
        "SELECT row, coalesce(hours, '') AS hours, coalesce(score, '') AS score, fault"
        f" FROM (SELECT row_number() OVER () + {dialect.header_row} AS row, c{hours} AS hours,"
        f" c{score} AS score, {fault} AS fault, coalesce({values}) IS NULL AS blank FROM {source})"
        " WHERE NOT blank"
    )


def _read_csv(link: str, dialect: Dialect, more: str, sql_type: str = "VARCHAR") -> str:
    """An SQL table of a text: its columns c0, c1... as text, hours and score as another type."""
    columns = ", ".join(
        f"'c{index}': '{sql_type if index in dialect.indexes else 'VARCHAR'}'"
        for index in range(len(dialect.names))
    )
    return (
        f"read_csv({link}, auto_detect = false, columns = {{{columns}}}, header = false,"
        f" skip = {dialect.header_row}, delim = {literal(dialect.separator)}, quote = '\"',"
        f" escape = '\"', decimal_separator = '{dialect.decimal}', max_line_size = {LINE_MAX},"
        f" buffer_size = {BUFFER_BYTES}, {more})"
    )
