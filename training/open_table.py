"""Opens each source as a table, according to what it is; unpacks it first."""

from __future__ import annotations

import io
import itertools

from training import kinds, tables, text
from training.detect import HEAD_BYTES
from training.sources import Input, Query
from training.tables import Context, Table


def open_table(input_: Input, file: io.BufferedReader | None, context: Context) -> Table:
    """The table of a source, whose file is open at its beginning; raises DataError."""
    if isinstance(input_, Query):
        return tables.of_query(input_.name, input_.address, input_.sql, context)
    assert file  # noqa: S101  (every input but a query has one)
    try:
        return _table(input_.name, input_.path, file, context)
    except kinds.DAMAGES as error:
        raise kinds.damaged(input_.name, error) from None


def _table(
    name: str, path: str | None, file: io.BufferedReader, context: Context, archive: str = ""
) -> Table:
    """The table of a file; `path` is None if it is not on this disk, `archive` what it came in."""
    program = kinds.packed(file.peek(4)[:4])
    pieces = kinds.unpacked(file, program)
    head = b""
    while len(head) < HEAD_BYTES and (piece := next(pieces, b"")):
        head += piece
    pieces = itertools.chain([head], pieces)
    if not kinds.is_binary(head):
        kinds.kind(name, io.BytesIO(head), head)
        table = text.table(name, None if program else path, pieces, context)
        return table._replace(read_as=", ".join(filter(None, (table.read_as, program, archive))))
    if program or not path:
        path = context.engine.spool(pieces)
    with open(path, "rb") as whole:
        kind = kinds.kind(name, whole, head)
        if kind == "zip":
            path = context.engine.spool(kinds.from_zip(whole))
            with open(path, "rb") as only:
                return _table(name, path, only, context, archive=kind)
    of = tables.of_workbook if kind == "workbook" else tables.of_parquet
    return of(name, path, context)
