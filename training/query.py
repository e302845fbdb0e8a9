"""The rows of a database query, in Arrow batches by the database's own ADBC driver."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import adbc_driver_manager
import polars as pl

from training.columns import Columns
from training.errors import DataError, TrainingError, one_line

ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9_]*)://(?P<rest>.*)", re.DOTALL)
PLACE = re.compile(r"(\[[\da-fA-F:.]*\]|[\w.,-]*)(:\d+)?(/[\w./ -]*)?")
PARTS = re.compile("[:@/?#&=]")
# The driver takes a column's type from its first rows, but in SQLite each value has its own: so
# each comes as a number and as a text of which one counts, and neither column is ever only nulls.
SQLITE_VALUE = """
    CASE WHEN typeof({0}) IN ('integer', 'real') THEN CAST({0} AS REAL) ELSE 9e999 END AS {1},
    CASE typeof({0}) WHEN 'integer' THEN '' WHEN 'real' THEN '' WHEN 'blob' THEN '=a blob'
        ELSE '=' || coalesce({0}, '') END AS {1}_text"""


def shown(address: str) -> str:
    """Where a database or a bucket is, without what could be secret: user, password, options."""
    parts = ADDRESS.fullmatch(address)
    if not parts:
        return "the address"
    if parts["scheme"] == "sqlite" and "@" not in address:
        return address
    return f"{parts['scheme']}://{PLACE.match(parts['rest'].rpartition('@')[2])[0]}"  # type: ignore[index]


@contextmanager
def rows(
    address: str, sql: str, columns: Columns
) -> Iterator[tuple[tuple[str, str], pl.LazyFrame]]:
    """The names of both columns, and a frame of `hours` and `score`, of any type, as they come.

    Whatever else the query does is not kept. Raises DataError, also for what goes wrong while the
    rows are read, which can be done once.
    """
    if not sql.strip():
        raise DataError("the query is empty")
    try:
        with _connected(address) as connection, connection.cursor() as cursor:
            frame = _executed(cursor, sql)
            types = frame.collect_schema()
            names = types.names()
            hours, score = (names[index] for index in columns.indexes("the query", names))
            if address.startswith("sqlite:"):
                frame.head(1).collect()  # DuplicateError, if two columns have one name
                yield (hours, score), _from_sqlite(cursor, sql, hours, score)
            else:
                yield (
                    (hours, score),
                    frame.select(
                        hours=_plain(hours, types[hours]), score=_plain(score, types[score])
                    ),
                )
    except TrainingError:
        raise
    except pl.exceptions.DuplicateError as error:
        raise DataError(
            f"the query: two columns have one name; SELECT each name once: {one_line(error)}"
        ) from None
    except (adbc_driver_manager.Error, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError(f"{shown(address)}: {_without_secrets(address, error)}") from None


def _connected(address: str) -> Any:
    parts = ADDRESS.fullmatch(address)
    if not parts:
        raise DataError(
            "the database must be given by an address such as sqlite:///marks.db or"
            " postgresql://user@host/database"
        )
    scheme = {"postgres": "postgresql"}.get(parts["scheme"], parts["scheme"])
    try:
        driver = importlib.import_module(f"adbc_driver_{scheme}.dbapi")
    except ModuleNotFoundError:
        raise DataError(
            f"{shown(address)}: there is no driver for {scheme} here; its ADBC driver is a package"
            f" called adbc-driver-{scheme}"
        ) from None
    if scheme == "sqlite":
        path = Path(parts["rest"].removeprefix("/"))
        if not path.is_file():
            raise DataError(f"{shown(address)}: No such file or directory")
        address = f"{path.absolute().as_uri()}?mode=ro"
    return driver.connect(address)


def _executed(cursor: Any, sql: str) -> pl.LazyFrame:
    cursor.execute(sql)
    return pl.scan_arrow_c_stream(cursor.fetch_arrow())


def _plain(name: str, kind: pl.DataType) -> pl.Expr:
    """A column; PostgreSQL's `numeric` comes as text, of a type of its own."""
    column = pl.col(name)
    return column.ext.storage() if isinstance(kind, pl.Extension) else column


def _from_sqlite(cursor: Any, sql: str, *names: str) -> pl.LazyFrame:
    values = ",".join(
        SQLITE_VALUE.format('"{}"'.format(name.replace('"', '""')), alias)
        for name, alias in zip(names, Columns._fields, strict=True)
    )
    frame = _executed(cursor, f"SELECT {values}\nFROM (\n{sql.rstrip().rstrip(';')}\n)")
    return frame.select(
        pl.when(pl.col(f"{name}_text") == "")
        .then(pl.col(name).cast(pl.String))
        .otherwise(pl.col(f"{name}_text").str.slice(1))
        .alias(name)
        for name in Columns._fields
    )


def _without_secrets(address: str, error: Exception) -> str:
    """What the driver says, if nothing of the address is in it but what is shown and the user."""
    rest = address.partition("://")[2]
    user = rest.partition(":")[0] if "@" in rest else ""
    pieces = set(PARTS.split(rest)) - set(PARTS.split(shown(address))) - {user}
    text = one_line(error)
    if any(piece and (piece in text or unquote(piece) in text) for piece in pieces):
        return "cannot be read; the driver's reason is not shown, for a password may be in it"
    return text
