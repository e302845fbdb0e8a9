"""A source as SQL queries for its two columns; those of Parquet, sheets and databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

import duckdb

from training import query, summaries, workbook
from training.columns import Columns
from training.dialect import Options
from training.engine import Engine, identifier, literal
from training.errors import DataError, one_line
from training.limited_process import Died
from training.processes import Group
from training.query import Pair

KEYS = re.compile(r"([^/=]+)=([^/]*)(?=/)")  # in the names of folders: hours=1/part.parquet
LABEL_COLUMNS = 8  # columns of Parquet that may hold the label of a row that sums up others


class Table(NamedTuple):
    """A source as two queries; `as_text` is needed only if a row cannot be used.

    `as_numbers` selects (hours, score) as numbers. It fails, or answers null, at a value that is
    not a number; it is None if values are text.
    `as_text()` makes a query for (row, hours, score, fault): the row's number as people count it,
    both values as text, and what is wrong with the row as a whole, or null. It may read the source.
    `letters` are the columns' letters in a sheet.
    """

    name: str
    kind: str
    columns: Pair
    as_text: Callable[[], str]
    as_numbers: str | None = None
    decimal: str = "."
    read_as: str = ""
    letters: Pair | None = None

    def locate(self, row: int, column: int | None) -> str:
        """What a row, or a cell of it, is called in messages."""
        if self.letters and column is not None:
            return f"{self.name}, {self.letters[column]}{row}"
        return f"{self.name}, row {row}"


class Context(NamedTuple):
    """What sources are read with; each process of `share` reads a part of a Parquet file."""

    columns: Columns
    options: Options
    engine: Engine
    share: Group


def of_query(name: str, address: str, sql: str, context: Context) -> Table:
    """The rows of a database query; raises DataError."""
    copy = context.engine.new_name()
    names, types = query.load(address, sql, context.columns, context.engine, copy)
    rows = f"SELECT rowid + 1 AS row, hours, score, NULL AS fault FROM {copy}"
    return _typed(name, "query", names, types, rows)


def of_parquet(name: str, path: str, context: Context) -> Table:
    """The rows of a Parquet file that are this process's share; raises DataError."""
    engine, share = context.engine, context.share
    try:
        source = f"read_parquet({engine.link(path)}, file_row_number = true)"
        types = {row[0]: row[1] for row in engine.rows(f"DESCRIBE FROM {source}")}
        types.pop("file_row_number", None)
        texts = [identifier(c) for c, sql_type in types.items() if sql_type == "VARCHAR"]
        keys = {key: value for key, value in KEYS.findall(name) if key not in types}
        types.update(dict.fromkeys(keys, "VARCHAR"))
        names = context.columns.names(name, list(types))
        for column in names:
            query.refuse_type(name, column, types[column])
        (count,) = engine.rows(f"SELECT count(*) FROM {source}")[0]
        h, s = (literal(unquote(keys[c])) if c in keys else identifier(c) for c in names)
        labels = [text for text in texts if text not in (h, s)][:LABEL_COLUMNS]
        fault = _summary_fault(engine, source, count, [*labels, h, s])
    except duckdb.Error as error:
        raise DataError(f"{name}: cannot be read as Parquet: {one_line(error)}") from None
    rows = (
        f"SELECT file_row_number + 1 AS row, {h} AS hours, {s} AS score, {fault} AS fault"
        f" FROM {source}"
    )
    if share.size > 1:
        start, end = (count * rank // share.size for rank in (share.rank, share.rank + 1))
        rows += f" WHERE file_row_number >= {start} AND file_row_number < {end}"
    table = _typed(name, "Parquet", names, (types[names[0]], types[names[1]]), rows)
    return table if fault == "NULL" else table._replace(as_numbers=None)


def _summary_fault(engine: Engine, source: str, count: int, columns: list[str]) -> str:
    """An SQL expression of what is wrong with a row of Parquet that sums up others, or null.

    The last two of the columns are those of hours and scores.
    """
    near, texts = summaries.NEAR, len(columns) - 2
    if not texts:
        return "NULL"
    ends = engine.rows(
        f"SELECT {', '.join(columns)} FROM {source} WHERE file_row_number < {near}"
        f" OR file_row_number >= {count - near} ORDER BY file_row_number"
    )
    cells = [["" if cell is None else str(cell) for cell in row] for row in ends]
    labels = summaries.find_labels(cells[:near], cells[-near:], (texts, texts + 1))
    return summaries.sql({columns[column]: found for column, found in labels.items()})


def _typed(name: str, kind: str, columns: Pair, types: Pair, rows: str) -> Table:
    """A table of rows (row, hours, score, fault) whose columns have types, numbers or text."""
    # as doubles first, so that a DECIMAL 1.50 and a DOUBLE 1.5 give the same text
    double = "::DOUBLE" if all(map(query.is_numeric_type, types)) else ""
    text = (
        f"SELECT row, coalesce(hours{double}::VARCHAR, '') AS hours,"
        f" coalesce(score{double}::VARCHAR, '') AS score, fault::VARCHAR AS fault FROM ({rows})"
    )
    numbers = f"SELECT hours::DOUBLE AS hours, score::DOUBLE AS score FROM ({rows})"
    return Table(name, kind, columns, lambda: text, numbers if double else None)


def of_workbook(name: str, path: str, context: Context) -> Table:
    """The cells of one sheet; raises DataError."""
    engine, sheet_name = context.engine, context.options.sheet
    try:
        sheet = engine.limited_process.call(workbook.read, name, path, sheet_name, context.columns)
    except Died:
        raise DataError(
            f"{name}: a sheet takes more memory than there is; it may have a cell far from the"
            " table, to which Ctrl+End leads: delete the rows and columns beyond the table"
        ) from None
    cells = engine.table(zip(sheet.rows, sheet.hours, sheet.scores, sheet.faults, strict=True))
    text = f"SELECT * FROM {cells}"
    table = Table(name, "workbook", sheet.names, lambda: text)
    return table._replace(read_as=sheet.read_as, letters=sheet.letters)
