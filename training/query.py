"""The rows of a database query, in Arrow batches by the database's own ADBC driver."""

from __future__ import annotations

import contextlib
import importlib
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import adbc_driver_manager
import duckdb

from training.columns import Columns
from training.engine import Engine, identifier
from training.errors import DataError, TrainingError, one_line

ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9_]*)://(?P<rest>.*)", re.DOTALL)
PLACE = re.compile(r"(\[[\da-fA-F:.]*\]|[\w.,-]*)(:\d+)?(/[\w./ -]*)?")
PARTS = re.compile("[:@/?#&=]")


def shown(address: str) -> str:
    """Where a database or a bucket is, without what could be secret: user, password, options."""
    parts = ADDRESS.fullmatch(address)
    if not parts:
        return "the address"
    if parts["scheme"] == "sqlite" and "@" not in address:
        return address
    return f"{parts['scheme']}://{PLACE.match(parts['rest'].rpartition('@')[2])[0]}"  # type: ignore[index]


def load(
    address: str, sql: str, columns: Columns, engine: Engine, table: str
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Make a table of the engine's with the `hours` and `score` of a query, in their order.

    Returns the names and the types of both columns. Whatever else the query does is not kept.
    Raises DataError.
    """
    if not sql.strip():
        raise DataError("the query is empty")
    parts = ADDRESS.fullmatch(address)
    if not parts:
        raise DataError(
            "the database must be given by an address such as sqlite:///marks.db or"
            " postgresql://user@host/database"
        )
    try:
        if parts["scheme"] == "sqlite":
            return _from_sqlite(address, parts["rest"], sql, columns, engine, table)
        with _connected(address, parts["scheme"]) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetch_arrow()  # noqa: F841  (the engine finds it by its name)
            types: dict[str, str] = {}
            with contextlib.suppress(duckdb.InvalidInputException):  # of no columns
                described = engine.connection.execute("DESCRIBE FROM rows").fetchall()
                types = {row[0]: row[1] for row in described}
            hours, score = columns.names("the query", list(types))
            engine.connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT {identifier(hours)} AS hours,"
                f" {identifier(score)} AS score FROM rows"
            )
            return (hours, score), (types[hours], types[score])
    except TrainingError:
        raise
    except (
        adbc_driver_manager.Error,
        duckdb.Error,
        sqlite3.Error,
        sqlite3.Warning,
        OSError,
        ValueError,
    ) as error:
        raise DataError(f"{shown(address)}: {_without_secrets(address, error)}") from None


def _connected(address: str, scheme: str) -> Any:
    scheme = {"postgres": "postgresql"}.get(scheme, scheme)
    try:
        driver = importlib.import_module(f"adbc_driver_{scheme}.dbapi")
    except ModuleNotFoundError:
        raise DataError(
            f"{shown(address)}: there is no driver for {scheme} here; its ADBC driver is a package"
            f" called adbc-driver-{scheme}"
        ) from None
    return driver.connect(address)


def _from_sqlite(
    address: str, rest: str, sql: str, columns: Columns, engine: Engine, table: str
) -> tuple[tuple[str, str], tuple[str, str]]:
    """In SQLite each value has a type of its own, so all come as text."""
    path = Path(rest.removeprefix("/"))
    if not path.is_file():
        raise DataError(f"{shown(address)}: No such file or directory")
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    ) as database:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        indexes = columns.indexes("the query", names)
        h, s = indexes
        rows = ((k, _text(row[h]), _text(row[s]), None) for k, row in enumerate(cursor, 1))
        engine.table(rows, table)
    return (names[indexes[0]], names[indexes[1]]), ("VARCHAR", "VARCHAR")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return "a blob" if isinstance(value, bytes) else str(value)


def _without_secrets(address: str, error: Exception) -> str:
    """What the driver says, if nothing of the address is in it but what is shown and the user."""
    rest = address.partition("://")[2]
    user = rest.partition(":")[0] if "@" in rest else ""
    pieces = set(PARTS.split(rest)) - set(PARTS.split(shown(address))) - {user}
    text = one_line(error)
    if any(piece and (piece in text or unquote(piece) in text) for piece in pieces):
        return "cannot be read; the driver's reason is not shown, for a password may be in it"
    return text
