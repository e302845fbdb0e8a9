"""Each source as a table, by what it is, once it is unpacked."""

from __future__ import annotations

import io
import itertools

from training import kinds, tables, text
from training.detect import HEAD_BYTES
from training.sources import Place, Query
from training.tables import Reader, Table


def opened(place: Place, file: io.BufferedReader | None, reader: Reader) -> Table:
    """The table of a source, whose file is open at its beginning; raises DataError."""
    if isinstance(place, Query):
        return tables.of_query(place.name, place.address, place.sql, reader)
    assert file  # noqa: S101  (every place but a query has one)
    try:
        return _table(place.name, place.path, file, reader)
    except kinds.DAMAGES as error:
        raise kinds.damaged(place.name, error) from None


def _table(
    name: str, path: str | None, file: io.BufferedReader, reader: Reader, archive: str = ""
) -> Table:
    """The table of a file with a path if it is on this disk; `archive` is what it was packed in."""
    program = kinds.packed(file.peek(4)[:4])
    pieces = kinds.unpacked(file, program)
    head = b""
    while len(head) < HEAD_BYTES and (piece := next(pieces, b"")):
        head += piece
    pieces = itertools.chain([head], pieces)
    if not kinds.is_binary(head):
        kinds.kind(name, io.BytesIO(head), head)
        table = text.table(name, None if program else path, pieces, reader)
        return table._replace(read_as=", ".join(filter(None, (table.read_as, program, archive))))
    if program or not path:
        path = reader.engine.spool(pieces)
    with open(path, "rb") as whole:
        kind = kinds.kind(name, whole, head)
        if kind == "zip":
            path = reader.engine.spool(kinds.from_zip(whole))
            with open(path, "rb") as only:
                return _table(name, path, only, reader, archive=kind)
    of = tables.of_workbook if kind == "workbook" else tables.of_parquet
    return of(name, path, reader)
