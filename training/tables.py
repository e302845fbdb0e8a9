"""Each source as two columns of the engine."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple
from urllib.parse import unquote

import duckdb

from training import dialect, kinds, query, summaries, workbook
from training.bounded import Died
from training.columns import Columns
from training.dialect import HEAD_BYTES, LINE_MAX, Asked, Dialect
from training.engine import Engine, chunks, identifier, literal
from training.errors import DataError, one_line
from training.processes import Group
from training.sources import Place, Query
from training.summaries import Labels

LEFT_OPEN = "a quote in it is not closed"
TOO_LONG = f"it is longer than {LINE_MAX >> 10} KiB"
BROKEN = "a line ends in the middle of it"
TOO_MANY = " values, and the header names {}; "
QUOTE_IT = "a value that holds the separator must stand between quotes"
USE_POINTS = "decimals are written with a point where commas separate"
KEYS = re.compile(r"([^/=]+)=([^/]*)(?=/)")  # folders of Hive's: hours=1/part.parquet
WHOLE = re.compile(r"[-\d\s]*")
CTRL_Z = b"\x1a"  # with which a text ended in DOS
MORE_BLANKS = re.compile(rb"(?<=[\r\n ]) +| +(?=[\r\n])")
TAIL_BYTES = 1 << 16
EXTRA = 8  # values too many that the engine looks for
TEXTS = 8  # columns of Parquet in which a word may say that a row sums up others


class Table(NamedTuple):
    """A source as queries of the engine.

    `words` answers (row, hours, score, fault): the number of each row as people count it, both
    values as text, and what is wrong with the row as a whole. `numbers` answers (hours, score) at
    once as numbers, or fails; null where a value could be misread. `exact` makes other words,
    slowly, of rows that the engine cannot read. `letters` are those of both columns in a workbook.
    """

    name: str
    kind: str
    columns: tuple[str, str]
    words: Callable[[], str]
    numbers: str | None = None
    exact: Callable[[], str] | None = None
    decimal: str = "."
    read_as: str = ""
    letters: tuple[str, str] | None = None

    def place(self, row: int, column: int | None) -> str:
        """What a row, or a cell of it, is called."""
        if self.letters and column is not None:
            return f"{self.name}, {self.letters[column]}{row}"
        return f"{self.name}, row {row}"


def opened(
    place: Place,
    file: io.BufferedReader | None,
    columns: Columns,
    asked: Asked,
    engine: Engine,
    share: Group,
) -> Table:
    """The two columns of a source, whose file is open at its beginning; raises DataError.

    What is packed, not on this disk, or in an encoding that does not have ASCII in it is copied to
    a file that is. Of Parquet only the process's share is meant.
    """
    if isinstance(place, Query):
        return _query(place, columns, engine)
    assert file  # noqa: S101  (every place but a query has one)
    try:
        return _opened(place.name, place.path, file, columns, asked, engine, share)
    except kinds.DAMAGES as error:
        raise kinds.damaged(place.name, error) from None


def _opened(
    name: str,
    path: str | None,
    file: io.BufferedReader,
    columns: Columns,
    asked: Asked,
    engine: Engine,
    share: Group,
    archive: str | None = None,
) -> Table:
    packed = kinds.packed(file.peek(4)[:4])
    stream = kinds.unpacked(file, packed)
    head = b""
    while len(head) < HEAD_BYTES and (piece := next(stream, b"")):
        head += piece
    if not kinds.is_binary(head):
        kinds.kind(name, io.BytesIO(head), head)
        table = _text(name, None if packed else path, head, stream, columns, asked, engine)
        read_as = ", ".join(filter(None, (table.read_as, packed, archive)))
        return table._replace(read_as=read_as)
    if packed or not path:
        path = engine.spool(itertools.chain([head], stream))
    with open(path, "rb") as whole:
        kind = kinds.kind(name, whole, head)
        if kind == "zip":
            path = engine.spool(kinds.from_zip(whole))
            with open(path, "rb") as only:
                return _opened(name, path, only, columns, asked, engine, share, kind)
    if kind == "workbook":
        return _workbook(name, path, columns, asked, engine)
    return _parquet(name, path, columns, engine, share)


def _in_utf_8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = dialect.decoder(encoding, "replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _query(place: Query, columns: Columns, engine: Engine) -> Table:
    name = engine.new_name()
    names, types = query.load(place.address, place.sql, columns, engine, name)
    words = f"SELECT rowid + 1 AS row, hours, score, NULL AS fault FROM {name}"
    if all(map(query.is_number, types)):
        return _of_numbers(place.name, "query", names, words, f"SELECT hours, score FROM {name}")
    return Table(place.name, "query", names, lambda: _as_text(words))


def _parquet(name: str, path: str, columns: Columns, engine: Engine, share: Group) -> Table:
    try:
        source = f"read_parquet({engine.link(path)}, file_row_number = true)"
        types = {row[0]: row[1] for row in engine.rows(f"DESCRIBE FROM {source}")}
        types.pop("file_row_number", None)
        keys = {key: value for key, value in KEYS.findall(name) if key not in types}
        types.update(dict.fromkeys(keys, "VARCHAR"))
        hours, score = columns.names(name, list(types))
        for column in (hours, score):
            query.refuse_type(name, column, types[column])
        (rows,) = engine.rows(f"SELECT count(*) FROM {source}")[0]
        h, s = (literal(unquote(keys[c])) if c in keys else identifier(c) for c in (hours, score))
        texts = [c for c, kind in types.items() if kind == "VARCHAR" and c not in (*keys, hours)]
        fault = _summaries(engine, source, rows, [*map(identifier, texts[:TEXTS]), h, s])
    except duckdb.Error as error:
        raise DataError(f"{name}: cannot be read as Parquet: {one_line(error)}") from None
    start, end = (rows * rank // share.size for rank in (share.rank, share.rank + 1))
    table = (
        f"SELECT file_row_number + 1 AS row, {h} AS hours, {s} AS score, {fault} AS fault"
        f" FROM {source}"
    )
    if share.size > 1:
        table += f" WHERE file_row_number >= {start} AND file_row_number < {end}"
    if query.is_number(types[hours]) and query.is_number(types[score]):
        found = _of_numbers(name, "Parquet", (hours, score), table, table)
        return found if fault == "NULL" else found._replace(numbers=None)
    return Table(name, "Parquet", (hours, score), lambda: _as_text(table))


def _summaries(engine: Engine, source: str, rows: int, columns: list[str]) -> str:
    """An SQL expression of what is wrong with a row of Parquet that sums up others, or null.

    The last two of the columns are those of hours and scores.
    """
    near, texts = summaries.NEAR, len(columns) - 2
    if not texts:
        return "NULL"
    ends = engine.rows(
        f"SELECT {', '.join(columns)} FROM {source} WHERE file_row_number < {near}"
        f" OR file_row_number >= {rows - near} ORDER BY file_row_number"
    )
    shown = [["" if cell is None else str(cell) for cell in row] for row in ends]
    labels = summaries.labels(shown[:near], shown[-near:], (texts, texts + 1))
    return summaries.sql({columns[column]: found for column, found in labels.items()})


def _of_numbers(name: str, kind: str, columns: tuple[str, str], words: str, numbers: str) -> Table:
    return Table(
        name,
        kind,
        columns,
        # by way of a double: it is the number that counts, not how another type would write it
        lambda: _as_text(
            f"SELECT row, hours::DOUBLE AS hours, score::DOUBLE AS score, fault FROM ({words})"
        ),
        f"SELECT hours::DOUBLE AS hours, score::DOUBLE AS score FROM ({numbers})",
    )


def _as_text(words: str) -> str:
    return (
        "SELECT row, coalesce(hours::VARCHAR, '') AS hours, coalesce(score::VARCHAR, '') AS score,"
        f" fault::VARCHAR AS fault FROM ({words})"
    )


def _workbook(name: str, path: str, columns: Columns, asked: Asked, engine: Engine) -> Table:
    try:
        sheet = engine.bounded.call(workbook.read, name, path, asked.sheet, columns)
    except Died:
        raise DataError(
            f"{name}: a sheet takes more memory than there is; it may have a cell far off the table"
            " (Ctrl+End leads to the last one): delete all rows and columns behind the table, and"
            " save"
        ) from None
    cells = engine.table(zip(sheet.rows, sheet.hours, sheet.scores, sheet.faults, strict=True))
    return Table(
        name,
        "workbook",
        sheet.names,
        lambda: f"SELECT * FROM {cells}",
        read_as=sheet.read_as,
        letters=sheet.letters,
    )


def _text(
    name: str,
    path: str | None,
    head: bytes,
    rest: Iterator[bytes],
    columns: Columns,
    asked: Asked,
    engine: Engine,
) -> Table:
    if asked.separator == " ":
        pieces = _single_blanks(itertools.chain([head], rest))
        path, head, rest = None, next(pieces, b""), pieces
    told = dialect.tell(name, head[:HEAD_BYTES], len(head) < HEAD_BYTES, columns, asked)
    pieces = itertools.chain([head], rest)
    if dialect.is_wide(told.encoding):
        path = engine.spool(_in_utf_8(pieces, told.encoding))
    elif not path:
        path = engine.spool(pieces)
    head, tail = _ends(path)
    if tail.endswith(CTRL_Z):
        with open(path, "rb") as file:
            path = engine.spool(chunks(file))
        os.truncate(path, os.path.getsize(path) - len(CTRL_Z))
    return _of_text(name, path, told, _labels(head, tail, told), engine)


def _single_blanks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Text whose columns are aligned by blanks, with one between two columns."""
    last = b"\n"
    begin = 1
    for piece in pieces:
        text = MORE_BLANKS.sub(b"", last + piece)
        yield text[begin:-1]
        begin, last = 0, text[-1:]
    yield last[begin:].rstrip(b" ")


def _ends(path: str) -> tuple[bytes, bytes]:
    """The beginning of a file, and its end, which may be the same."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, os.path.getsize(path) - TAIL_BYTES))
        return head, file.read()


def _labels(head: bytes, tail: bytes, told: Dialect) -> Labels:
    """What says that a row near the head or the end sums up others."""
    if len(told.names) <= len(set(told.indexes)):
        return {}
    text = head.decode("latin-1")
    above = list(dialect.records(text, told.separator, len(head) < HEAD_BYTES))[told.header_row :]
    lines = [line for line in tail.decode("latin-1").split(told.line_end) if line.strip()]
    below = [
        record
        for line in lines[-summaries.NEAR :]
        for record in dialect.records(line, told.separator)
    ]
    above, below = (
        [[_decoded(value, told) for value in record] for record in some] for some in (above, below)
    )
    return summaries.labels(above, below, told.indexes)


def _of_text(name: str, path: str, told: Dialect, labels: Labels, engine: Engine) -> Table:
    hours, score = told.indexes
    link = engine.link(path)

    def exact() -> str:
        return f"SELECT * FROM {engine.table(_records(path, told, labels))}"

    return Table(
        name,
        "text",
        (told.names[hours], told.names[score]),
        lambda: _words(link, told, labels) if _rows_are_lines(path) else exact(),
        None if labels else _numbers(link, told, path),
        exact,
        told.decimal,
        str(told),
    )


def _rows_are_lines(path: str) -> bool:
    """Whether no value can hold a line end, and no line is blank but at the end of the file."""
    last = b""
    with open(path, "rb") as file:
        for chunk in chunks(file):
            body = (last + chunk).rstrip()
            odd = any(piece in body for piece in (b'"', b"\n\n", b"\n\r", b"\r\r"))
            if odd or _is_inside_a_line(chunk):
                return False
            last = (last + chunk)[max(0, len(body) - 1) :]
    return True


def _is_inside_a_line(chunk: bytes) -> bool:
    """Whether a line is longer than this, which is longer than lines may be."""
    return len(chunk) > LINE_MAX and b"\n" not in chunk and b"\r" not in chunk


def _read_csv(link: str, told: Dialect, types: Iterable[str], more: str) -> str:
    names = ", ".join(f"'c{index}': '{kind}'" for index, kind in enumerate(types))
    return (
        f"read_csv({link}, auto_detect = false, columns = {{{names}}}, header = false,"
        f" skip = {told.header_row}, delim = {literal(told.separator)}, quote = '\"',"
        f" escape = '\"', decimal_separator = '{told.decimal}', max_line_size = {LINE_MAX}, {more})"
    )


def _numbers(link: str, told: Dialect, path: str) -> str | None:
    """Hours and score of a text in which no row is bad but by its numbers; else the engine fails.

    It would take 1_0 for 10, so where there is a low line, values are looked at as text first. None
    where a line is so long that the engine could lose it.
    """
    kind = "DOUBLE"
    with open(path, "rb") as file:
        for number, chunk in enumerate(chunks(file)):
            if _is_inside_a_line(chunk):
                return None
            if not number:
                chunk = chunk.split(told.line_end.encode(), told.header_row)[-1]
            if b"_" in chunk:
                kind = "VARCHAR"
    types = (kind if index in told.indexes else "VARCHAR" for index in range(len(told.names)))
    source = _read_csv(link, told, types, "null_padding = false")
    values = [f"c{index}" for index in told.indexes]
    if kind == "VARCHAR":
        plain = [f"replace({value}, '{told.decimal}', '.')" for value in values]
        values = [
            f"CASE WHEN NOT contains({value}, '_') THEN {number}::DOUBLE END"
            for value, number in zip(values, plain, strict=True)
        ]
    return f"SELECT {values[0]} AS hours, {values[1]} AS score FROM {source}"


def _words(link: str, told: Dialect, labels: Labels) -> str:
    """Both columns of a text as they are written, in their order, without rows of blanks.

    Where values are padded, the engine lets a quote swallow all that follows, so there may be none.
    """
    hours, score = told.indexes
    width = len(told.names)
    types = ["VARCHAR"] * (width + EXTRA)
    source = _read_csv(link, told, types, "null_padding = true, parallel = false")
    values = ", ".join(f"nullif(trim(c{index}), '')" for index in range(width + EXTRA))
    excess = " ".join(
        f"WHEN trim(c{index}) <> '' THEN {index + 1}"
        for index in range(width + EXTRA - 1, width - 1, -1)
    )
    hint = (
        f"CASE WHEN regexp_full_match(concat_ws('', {values}), {literal(WHOLE.pattern)})"
        f" THEN '{USE_POINTS}' ELSE '{QUOTE_IT}' END"
    )
    summary = summaries.sql({f"c{column}": texts for column, texts in labels.items()})
    return (
        f"SELECT row, coalesce(hours, '') AS hours, coalesce(score, '') AS score,"
        f" coalesce(excess || {literal(TOO_MANY.format(width))} || hint, summary) AS fault"
        f" FROM (SELECT row_number() OVER () + {told.header_row} AS row, c{hours} AS hours,"
        f" c{score} AS score, CASE {excess} END AS excess, {hint} AS hint, {summary} AS summary,"
        f" coalesce({values}) IS NULL AS blank FROM {source}) WHERE NOT blank"
    )


def _records(
    path: str, told: Dialect, labels: Labels
) -> Iterator[tuple[int, str, str, str | None]]:
    """The same, as Python's own reader reads it."""
    with open(path, encoding="latin-1", newline=told.line_end) as file:
        lines = _Lines(file)
        records = csv.reader(lines, delimiter=told.separator)
        for row in itertools.count(1):
            fault = None
            lines.taken.clear()
            try:
                record = next(records)
                if len(lines.taken[0]) > LINE_MAX:
                    fault = TOO_LONG
                elif lines.at_end and "".join(lines.taken).count('"') % 2:
                    fault = LEFT_OPEN
            except StopIteration:
                return
            except csv.Error as error:
                record = []
                fault = _fault(error, lines.taken)
            if fault:
                lines.give_back()
            if row > told.header_row and (fault or any(map(str.strip, record))):
                hours, score = (
                    _decoded(record[index], told) if index < len(record) else ""
                    for index in told.indexes
                )
                cells = [_decoded(value, told) for value in record] if labels else []
                fault = fault or _excess(record, told) or summaries.fault_of(cells, labels)
                yield row, hours, score, fault


class _Lines:
    """Lines of a file, of which those that were taken last can be given back but for the first."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._file.readline(LINE_MAX + 1)
        self.at_end = not line
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Go on after the first line that was taken, or after its end if it is too long."""
        first, *more = self.taken
        self._waiting.extendleft(reversed(more))
        if len(first) > LINE_MAX:
            self._waiting.clear()
            while first and not first.endswith(("\n", "\r")):
                first = self._file.readline(LINE_MAX)


def _fault(error: csv.Error, taken: list[str]) -> str:
    if "limit" not in str(error):
        return BROKEN
    return TOO_LONG if len(taken) == 1 else LEFT_OPEN


def _decoded(text: str, told: Dialect) -> str:
    """What was read as if it was written in Latin-1."""
    if text.isascii():
        return text
    encoding = "utf-8" if dialect.is_wide(told.encoding) else told.encoding
    return text.encode("latin-1").decode(encoding, "backslashreplace")


def _excess(record: list[str], told: Dialect) -> str | None:
    width = len(told.names)
    if not any(map(str.strip, record[width:])):
        return None
    whole = WHOLE.fullmatch("".join(record))
    return f"{len(record)}{TOO_MANY.format(width)}{USE_POINTS if whole else QUOTE_IT}"
