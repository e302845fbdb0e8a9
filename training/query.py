"""The rows of a database query, as Arrow batches from the database's own ADBC driver."""

from __future__ import annotations

import contextlib
import importlib
import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import adbc_driver_manager as adbc
import duckdb

from training.columns import Columns
from training.engine import Engine, identifier
from training.errors import DataError, one_line

ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9_]*)://(?P<rest>.*)", re.DOTALL)
HOST = re.compile(r"(\[[\da-fA-F:.]*\]|[\w.,-]*)(:\d+)?(/[\w./ -]*)?")
PARTS = re.compile("[:@/?#&=]")
FAILURES = adbc.Error, duckdb.Error, sqlite3.Error, sqlite3.Warning, OSError, ValueError
Pair = tuple[str, str]  # of hours and of scores
# What is shown in place of a driver's message that may contain a password
REASONS = {
    "password": "the user or the password is wrong",
    "translate host name": "there is no such host",
    "Connection refused": "no database listens there",
    "timeout|timed out": "the database does not answer",
    "database .* does not exist": "there is no such database",
    "(relation|table|column) .* does not exist": "there is no such table or column",
    "port": "the port is wrong",
}


def shown(address: str) -> str:
    """The address without what could be secret: user, password and options."""
    parts = ADDRESS.fullmatch(address)
    if not parts:
        return "the address"
    if parts["scheme"] == "sqlite" and "@" not in address:
        return address
    return f"{parts['scheme']}://{HOST.match(parts['rest'].rpartition('@')[2])[0]}"  # type: ignore[index]


def load(address: str, sql: str, columns: Columns, engine: Engine, table: str) -> tuple[Pair, Pair]:
    """Make a table in the engine with the `hours` and `score` of a query, in their order.

    Returns the names and the types of both columns. Changes that the query makes are not committed.
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
    scheme, rest = parts.groups()
    try:
        if scheme == "sqlite":
            return _from_sqlite(Path(rest.removeprefix("/")), sql, columns, engine, table)
        with _connected(address, scheme) as connection, connection.cursor() as cursor:
            is_postgresql = scheme.startswith("postgres")
            return _from_driver(cursor, is_postgresql, sql, columns, engine, table)
    except FAILURES as error:
        raise DataError(f"{shown(address)}: {_without_secrets(address, error)}") from None


def _from_driver(
    cursor: Any, is_postgresql: bool, sql: str, columns: Columns, engine: Engine, table: str
) -> tuple[Pair, Pair]:
    sql = sql.rstrip().rstrip(";") + "\n"  # or a comment would end what it is put into
    cursor.execute(sql)
    rows = cursor.fetch_arrow()  # noqa: F841  (the engine finds it by its name)
    types: dict[str, str] = {}
    with contextlib.suppress(duckdb.InvalidInputException):  # if it has no columns
        described = engine.connection.execute("DESCRIBE FROM rows").fetchall()
        types = {row[0]: row[1] for row in described}
    names = hours, score = columns.names("the query", list(types))
    engine.connection.execute(
        f"CREATE TEMP TABLE {table} AS SELECT {identifier(hours)} AS hours,"
        f" {identifier(score)} AS score FROM rows"
    )
    for column in names:
        if is_postgresql and types[column] == "BIGINT" and _is_money(cursor, sql, column):
            types[column] = "MONEY"
        refuse_type("the query", column, types[column])
    return names, (types[hours], types[score])


def _is_money(cursor: Any, sql: str, column: str) -> bool:
    """Whether a column is of PostgreSQL's type money, which its driver returns as whole cents."""
    # a statement that cannot be a subquery returns no money either
    with contextlib.suppress(adbc.Error):
        cursor.execute(f"SELECT pg_typeof({identifier(column)})::text FROM ({sql}) q LIMIT 1")
        return ("money",) in cursor.fetchall()
    return False


def is_numeric_type(sql_type: str) -> bool:
    """Whether a column of this type holds numbers."""
    return (
        sql_type.endswith("INT")
        or sql_type.startswith(("INTEGER", "UINTEGER", "DECIMAL"))
        or sql_type in ("DOUBLE", "FLOAT")
    ) and not sql_type.endswith("]")


def refuse_type(table: str, column: str, sql_type: str) -> None:
    """Raises DataError, with the cast to write, for a type that is neither number nor text."""
    is_text = sql_type in ("VARCHAR", '"NULL"') or sql_type.startswith("ENUM")
    if is_text or is_numeric_type(sql_type):
        return
    name = identifier(column)
    cast = f"CAST({name} AS {'numeric' if sql_type == 'MONEY' else 'DOUBLE PRECISION'})"
    if sql_type in ("INTERVAL", "TIME"):
        cast = f"extract(epoch FROM {name}) / 3600"
    raise DataError(
        f"{table}: column {column!r} is of type {sql_type}, which is not a number; write what"
        f" number it stands for, such as {cast}"
    )


def _connected(address: str, scheme: str) -> Any:
    scheme = {"postgres": "postgresql"}.get(scheme, scheme)
    with contextlib.suppress(ModuleNotFoundError):
        return importlib.import_module(f"adbc_driver_{scheme}.dbapi").connect(address)
    try:  # a driver installed by dbc
        manager = importlib.import_module("adbc_driver_manager.dbapi")  # slow to import
        return manager.connect(driver=scheme, uri=address)
    except adbc.Error as error:
        if error.status_code != adbc.AdbcStatusCode.NOT_FOUND:
            raise
        raise DataError(
            f"{shown(address)}: there is no driver for {scheme} here; its ADBC driver is a package"
            f" called adbc-driver-{scheme}, or is installed by: dbc install {scheme}"
        ) from None


def _from_sqlite(
    path: Path, sql: str, columns: Columns, engine: Engine, table: str
) -> tuple[Pair, Pair]:
    """In SQLite each value has its own type, so all are read as text."""
    if not path.is_file():
        raise FileNotFoundError("No such file or directory")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        h, s = columns.indexes("the query", names)
        rows = ((k, _text(row[h]), _text(row[s]), None) for k, row in enumerate(cursor, 1))
        engine.table(rows, table)
    return (names[h], names[s]), ("VARCHAR", "VARCHAR")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return "a blob" if isinstance(value, bytes) else str(value)


def _without_secrets(address: str, error: Exception) -> str:
    """The driver's message, unless it contains a part of the address that may be secret."""
    rest = address.partition("://")[2]
    user = rest.partition(":")[0] if "@" in rest else ""
    pieces = set(PARTS.split(rest)) - set(PARTS.split(shown(address))) - {user}
    text = one_line(error)
    if any(piece and (piece in text or unquote(piece) in text) for piece in pieces):
        for sign, reason in REASONS.items():
            if re.search(sign, text):
                return f"{reason} (the driver's message is not shown: a password may be in it)"
        return "cannot be read; the driver's message is not shown: a password may be in it"
    return text
