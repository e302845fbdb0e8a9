"""The rows of a query, from databases that are there."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import adbc_driver_postgresql
import pytest
from adbc_driver_postgresql import dbapi

from tests.command import report
from tests.processes import free_port, wait_until
from tests.tools import tool
from training import query
from training.columns import Columns
from training.engine import Engine
from training.errors import DataError

PASSWORD = "S3cr/t@w:9q"  # noqa: S105
ESCAPED = "S3cr%2Ft%40w%3A9q"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a database on a free port, with a user `marks` and a password."""
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    initdb = tool("initdb", "apt-get install postgresql", *debian)
    with tempfile.TemporaryDirectory() as folder, _server(Path(initdb), Path(folder)) as address:
        with dbapi.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute('CREATE TABLE marks (name text, "Hours " numeric, score real, day date)')
            rows = "SELECT 'x', g * 0.5, g, now() FROM generate_series(0, 99) g"
            cursor.execute(f"INSERT INTO marks {rows}")
            connection.commit()
        yield address


@contextmanager
def _server(initdb: Path, folder: Path) -> Iterator[str]:
    password = folder / "password"
    password.write_text(PASSWORD)
    user: dict[str, Any] = {}
    if os.getuid() == 0:  # whom PostgreSQL does not start for
        user = {"user": "nobody", "cwd": folder}
        for path in (folder, password):
            shutil.chown(path, "nobody")
    data = folder / "data"
    options = ["-U", "marks", "-A", "scram-sha-256", "--pwfile", str(password), "--no-sync"]
    subprocess.run([initdb, "-D", data, *options], check=True, capture_output=True, **user)
    port = free_port()
    settings = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
    command = [str(initdb.parent / "postgres"), "-D", str(data), *settings]
    with subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL, **user) as server:
        try:
            address = f"postgresql://marks:{ESCAPED}@127.0.0.1:{port}/postgres"
            wait_until(lambda: server.poll() is not None or _accepts(address))
            yield address
        finally:
            server.terminate()


def _accepts(address: str) -> bool:
    try:
        dbapi.connect(address).close()
    except dbapi.OperationalError:
        return False
    return True


def table(address: str, sql: str, columns: Columns | None = None) -> list[tuple[Any, Any]]:
    with Engine() as engine:
        query.load(address, sql, columns or Columns(), engine, "t")
        return engine.rows("SELECT hours, score FROM t ORDER BY rowid")


def assert_query_refused(
    message: str, address: str, sql: str = "SELECT 1 AS hours", columns: Columns | None = None
) -> str:
    """The query must end with a message of one line that this pattern matches; returns it."""
    with pytest.raises(DataError, match=message) as error:
        table(address, sql, columns)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The address of a database in which numbers come as SQLite has them: in any way, in a row."""
    path = tmp_path / "marks.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE marks (hours, score NUMERIC, name)")
        rows = [*[(1, 20)] * 3000, (0.1 + 0.2, 1e-300), ("7.5", "absent"), (None, b"\0")]
        database.executemany("INSERT INTO marks VALUES (?, ?, 'x')", rows)
    return f"sqlite:///{path}"


def test_sqlite_gives_each_value_as_it_is(sqlite: str) -> None:
    rows = table(sqlite, "SELECT score, hours FROM marks ORDER BY rowid;")
    assert rows[:3000] == [("1", "20")] * 3000
    assert [tuple(map(float, row)) for row in rows[3000:3001]] == [(0.1 + 0.2, 1e-300)]
    assert rows[3001:] == [("7.5", "absent"), ("", "a blob")]


def test_postgresql_gives_numbers_of_any_kind(postgresql: str) -> None:
    rows = table(postgresql, "SELECT * FROM marks ORDER BY 2")
    assert [(float(hours), score) for hours, score in rows] == [(k / 2, k) for k in range(100)]
    kinds = ["smallint", "bigint", "real", "double precision", "numeric(9, 2)", "text"]
    for kind in kinds:
        ((hours, score),) = table(postgresql, f"SELECT 7::{kind} AS hours, NULL::{kind} AS score")
        assert (float(hours), score) == (7, None)


@pytest.mark.parametrize(
    ("value", "kind", "cast"),
    [
        ("1.50::money", "MONEY", 'CAST("hours" AS numeric)'),
        ("interval '90 minutes'", "INTERVAL", 'extract(epoch FROM "hours") / 3600'),
        ("time '01:30'", "TIME", 'extract(epoch FROM "hours") / 3600'),
        ("date '2026-03-01'", "DATE", 'CAST("hours" AS DOUBLE PRECISION)'),
        ("true", "BOOLEAN", 'CAST("hours" AS DOUBLE PRECISION)'),
        ("array[1]", "INTEGER[]", 'CAST("hours" AS DOUBLE PRECISION)'),
    ],
)
def test_a_type_that_is_not_a_number_is_refused_with_the_cast_if_it_is_needed(
    postgresql: str, value: str, kind: str, cast: str
) -> None:
    message = re.escape(f"the query: column 'hours' is of type {kind}, which is not a number")
    sql = f"SELECT {value} AS hours, 2 AS score -- all;"
    assert cast in assert_query_refused(message, postgresql, sql)
    assert table(postgresql, f"SELECT {value} AS x, 1 AS hours, 2 AS score;") == [(1, 2)]


def test_money_is_found_under_any_name_and_is_not_bigint(postgresql: str) -> None:
    sql = """WITH m AS (SELECT 1::money AS "a ""b") SELECT "a ""b", 2::bigint AS score FROM m ;"""
    assert_query_refused("is of type MONEY", postgresql, sql, Columns('a "b', "score"))
    sql = "SELECT 1::bigint AS hours, 2::bigint AS score -- money"
    assert table(postgresql, sql) == [(1, 2)]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://marks:wrong@{0}/postgres", 'authentication failed for user "marks"'),
        ("postgresql://marks:user@{0}/postgres", "the user or the password is wrong"),
        ("postgresql://marks:{1}@{0}/nothing", 'database "nothing" does not exist'),
        ("postgresql://marks:x@nowhere.invalid/x", "(could not translate|there is no such) host"),
        ("postgresql://marks:is@127.0.0.1:1/x", "Connection refused"),
        ("postgresql://marks:failed@127.0.0.1:1/x", "no database listens there"),
        ("postgresql://marks:{1}@{0}/postgres", 'relation "nothing" does not exist'),
    ],
)
def test_what_a_database_refuses_is_named(postgresql: str, address: str, reason: str) -> None:
    place = postgresql.rpartition("@")[2].partition("/")[0]
    assert_query_refused(reason, address.format(place, ESCAPED), "SELECT * FROM nothing")


def test_a_driver_that_its_manager_installed_is_found_by_name(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = adbc_driver_postgresql._driver_path()
    manifest = f'manifest_version = 1\n[Driver]\nshared = "{library}"\n'
    (tmp_path / "elephant.toml").write_text(manifest)
    monkeypatch.setenv("ADBC_DRIVER_PATH", str(tmp_path))
    address = postgresql.replace("postgresql", "elephant")
    message = assert_query_refused(r"elephant://.*: .*", address)
    assert "there is no driver" not in message  # libpq refuses the address, in its words


def test_a_million_rows_are_read(postgresql: str) -> None:
    sql = "SELECT g * 0.25::float8 AS hours, g AS score FROM generate_series(1, 1000000) g"
    assert len(table(postgresql, sql)) == 1_000_000


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nothing FROM marks", 'column "nothing" does not exist'),
        ("SELECT score FROM marks", "the query: no column 'hours'; the columns are: score; --hour"),
        ("SELECT 1 AS hours, 2 AS hours, 3 AS score", "two columns have one name"),
        ("SELECT 1 AS hours, 1 / (50 - g) AS score FROM generate_series(1, 99) g", "division by z"),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
        ("", "the query is empty"),
        ("CREATE TABLE x (y int)", "the query: no column 'hours' and .*; it gives no columns"),
        ("DELETE FROM marks", "the query: no column 'hours' and no column 'score'; it gives no co"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(postgresql: str, sql: str, message: str) -> None:
    assert_query_refused(message, postgresql, sql)
    assert len(table(postgresql, "SELECT * FROM marks")) == 100  # whatever the query was


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT absent FROM marks", "no such column: absent"),
        ("SELECT score FROM marks", "the query: no column 'hours'; the columns are: score"),
        ("SELECT hours, score, score FROM marks", "the query: 2 columns 'score'"),
        ("SELECT 1 AS hours, 2 AS score; SELECT 3", "only execute one statement"),
        ("DELETE FROM marks", "readonly"),
        (" ", "the query is empty"),
    ],
)
def test_the_same_goes_for_sqlite(sqlite: str, sql: str, message: str) -> None:
    assert_query_refused(message, sqlite, sql)
    assert len(table(sqlite, "SELECT * FROM marks")) == 3003


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("marks.db", "the database must be given by an address such as sqlite:///marks.db or"),
        ("sqlite:///nothing.db", "sqlite:///nothing.db: No such file or directory"),
        ("mysql://me@host/marks", "mysql://host/marks: there is no driver for mysql here; its AD"),
        ("postgresql://127.0.0.1:1/x", "127.0.0.1:1/x: .*Connection refused"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(address: str, message: str) -> None:
    assert_query_refused(message, address)


def test_a_file_that_is_not_a_database_is_named() -> None:
    sql = "SELECT hours, score FROM marks"
    assert_query_refused("file is not a database", f"sqlite:///{__file__}", sql)


@pytest.mark.parametrize(
    "broken",
    [
        "postgresql://marks:{0}x@{1}/postgres",
        "postgresql://marks:{0}@{1}/nothing",
        "postgresql://marks:{0}@127.0.0.1:1/postgres",
        "postgresql://marks:{0}@127.0.0.1:port/postgres",
        "postgresql://marks:{0}@nowhere.invalid/postgres",
        "postgresql://{1}/postgres?user=marks&password={0}&pass=x",
        "postgresql://{1}/postgres?user=marks&passwrod={0}",
        "postgresql://{1}/postgres?user=marks&port={0}",
        "postgresql:/marks:{0}@{1}/postgres",
        "postgresql//marks:{0}@{1}/postgres",
        "postgresql://marks:{0}",
        "mysql://marks:{0}@{1}/postgres",
        "sqlite://marks:{0}@{1}/postgres",
        "host={1} user=marks password={0}",
    ],
)
@pytest.mark.parametrize("password", [PASSWORD, ESCAPED, "a@b?c=d/e", "p#a:s", "[x]", "50%"])
def test_a_password_is_in_no_message(postgresql: str, broken: str, password: str) -> None:
    place = postgresql.rpartition("@")[2].partition("/")[0]
    message = assert_query_refused(".", broken.format(password, place))
    for piece in re.split("[@/?#:=]", password):
        assert len(piece) < 2 or piece not in message


def test_a_password_is_not_in_what_is_shown(postgresql: str) -> None:
    assert query.shown(postgresql).startswith("postgresql://127.0.0.1:")
    assert "S3" not in query.shown(postgresql)
    for address in ("postgresql://[::1]:5432/marks", "postgresql://host/marks"):
        assert query.shown(f"{address}?password=x") == query.shown(address) == address


def test_a_query_to_postgresql_is_read(postgresql: str) -> None:
    figures = report("--query", "SELECT * FROM marks", postgresql)
    assert (figures["rows"], figures["W"]) == (100, pytest.approx(2))
    assert "S3cr" not in json.dumps(figures)
