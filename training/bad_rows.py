"""Rows that cannot be used: named by place, value and rule, and counted by reason."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from training.engine import Engine
from training.errors import DataError, counted
from training.notation import PLAIN, Notation, find_duration, plain

if TYPE_CHECKING:
    from training.tables import Table

ENDLESS = 1e50  # no score is as large
SHOWN = 60  # characters of a value
NAMED = 10  # bad rows of a source, in its error
LONG = 20  # a longer column's name is not repeated in a message
WITH_MARK = re.compile(r"\s*[-+]?\d+[.,]\d+\s*")
TIME_OF_DAY = r"\d{1,2}:\d\d(:\d\d)?"
HINTS = (  # what to write instead
    (
        re.compile(
            rf"(?i)(오전|오후|[ap]m)?\s*{TIME_OF_DAY}\s*[ap]\.?m\.?|(오전|오후)\s*\d.*|\d{{4}}-\d\d-\d\d.*"
        ),
        "a time of day or a date is no number of hours; in a sheet, (end - start) * 24 is",
    ),
    (re.compile(r"([\d.,]+)\s*(?:/|out of|von)\s*([\d.,]+)"), r"write \1 if all are out of \2"),
    (re.compile(r"([\d.,]+)\s*%"), r"write \1"),
    (
        re.compile(r"(?i)\d+:\d\d(:\d\d)?|[\d.,]+\s*(h|min|std|시간|분).*"),
        "hours are not all written in this way, so write each as a number such as 1.5",
    ),
)
FAULTY, NO_NUMBER = "wrong as a whole", "is no number"


class Limit(NamedTuple):
    """What a column is called, and what its numbers must lie between."""

    name: str
    low: float
    high: float

    def between(self, text: str) -> str:
        """The range in words; nothing where it is so wide that only a number can be outside."""
        is_endless = min(-self.low, self.high) > ENDLESS and not re.fullmatch(PLAIN, text)
        return "" if is_endless else f" from {self.low:g} to {self.high:g}"


class BadRow(NamedTuple):
    """A row by its number in its source, and what is wrong with it, with its place."""

    row: int
    message: str


class BadRows(NamedTuple):
    """How many rows of a source cannot be used for each reason, and the first of each."""

    counts: dict[str, int]
    first: dict[str, list[BadRow]]

    @property
    def rows(self) -> int:
        """How many rows cannot be used."""
        return sum(self.counts.values())

    def plus(self, other: BadRows) -> BadRows:
        """These and others."""
        counts, first = Counter(self.counts), dict(self.first)
        counts.update(other.counts)
        for reason, rows in other.first.items():
            first[reason] = sorted([*first.get(reason, []), *rows])[:NAMED]
        return BadRows(dict(counts), first)

    @property
    def has_no_number(self) -> bool:
        """Whether something in them is no number."""
        return any(reason.endswith(NO_NUMBER) for reason in self.counts)

    def error(self, message: str = "") -> DataError:
        """The error that lists the first bad rows, below a message if there is one."""
        first = sorted(row for rows in self.first.values() for row in rows)[:NAMED]
        messages = [row.message for row in first]
        counts = ", ".join(f"{reason}: {rows:,}" for reason, rows in self.counts.items())
        if self.rows > 1 or message:
            messages.append(f"{counted(self.rows)} cannot be used ({counts})")
        first_line, *more = [message, *messages] if message else messages
        return DataError(first_line, more)

    def notes(self) -> list[str]:
        """A sentence for each reason, where they are skipped."""
        return [
            f"skipped {counted(rows)}: {reason}; the first is {self.first[reason][0].message}"
            for reason, rows in self.counts.items()
        ]


def separate(
    engine: Engine, table: Table, limits: tuple[Limit, Limit]
) -> tuple[str, BadRows, Notation | None]:
    """The query for the usable rows of a table, its bad rows, and how its hours are written.

    The last is None where hours are plain numbers. Raises duckdb.Error.
    """
    texts = table.as_text()
    notation = None
    judged = _judged(texts, table.decimal, limits)
    bad = _find(engine, judged, table, limits)
    if bad.has_no_number and (notation := find_duration(engine, texts, table.decimal)):
        judged = _judged(texts, table.decimal, limits, notation)
        bad = _find(engine, judged, table, limits)
    return f"SELECT x AS hours, y AS score FROM ({judged}) WHERE reason IS NULL", bad, notation


def _judged(
    texts: str, decimal: str, limits: tuple[Limit, Limit], hours: Notation | None = None
) -> str:
    """A query for the rows of `texts` (row, hours, score, fault), all text but `row`.

    It adds their numbers x and y, null where a text is no number, and `reason`, null where the row
    can be used, else the place of the reason in `_reasons`. `hours` is their notation, if they are
    not plain numbers.
    """
    numbers, tests = [], ["WHEN fault IS NOT NULL THEN 0"]
    for k, (column, name) in enumerate((("hours", "x"), ("score", "y"))):
        notation = (None if k else hours) or plain(column, decimal)
        numbers.append(f"CASE WHEN {notation.fits} THEN {notation.number} END AS {name}")
        missing, low, high = 3 * k + 1, limits[k].low, limits[k].high
        tests.append(
            f"WHEN {column} = '' THEN {missing} WHEN {name} IS NULL THEN {missing + 1}"
            f" WHEN NOT {name} BETWEEN {low!r} AND {high!r} THEN {missing + 2}"
        )
    return (
        f"SELECT *, CASE {' '.join(tests)} END AS reason"
        f" FROM (SELECT *, {', '.join(numbers)} FROM ({texts}))"
    )


def _find(engine: Engine, judged: str, table: Table, limits: tuple[Limit, Limit]) -> BadRows:
    """The bad rows among those of `_judged`; raises duckdb.Error."""
    decimal = table.decimal if table.kind == "text" else None  # else no option says it
    reasons = _reasons(limits)
    bad = BadRows({}, {})
    answers = engine.rows(
        f"SELECT reason, count(*), min_by((row, hours, score, fault), row, {NAMED})"
        f" FROM ({judged}) WHERE reason IS NOT NULL GROUP BY reason ORDER BY min(row)"
    )
    for number, rows, first in answers:
        reason, column = reasons[number]
        bad.counts[reason] = rows
        bad.first[reason] = [
            BadRow(
                row,
                f"{table.locate(row, column)}: "
                + (fault or _problem(limits[column or 0], (hours, score)[column or 0], decimal)),
            )
            for row, hours, score, fault in first
        ]
    return bad


def _reasons(limits: tuple[Limit, Limit]) -> list[tuple[str, int | None]]:
    """Every reason, and the number of the column with the bad value."""
    return [(FAULTY, None)] + [
        (f"{limit.name} {problem}", column)
        for column, limit in enumerate(limits)
        for problem in ("missing", NO_NUMBER, "out of range")
    ]


def _problem(limit: Limit, text: str, decimal: str | None) -> str:
    """What is wrong with a value."""
    hint = ""
    if WITH_MARK.fullmatch(text) and (decimal or ".") not in text:
        hint = f"; decimals are written with a {'comma' if decimal == ',' else 'point'} here"
        hint += ", or --decimal says with what" if decimal else ""
    for pattern, what in HINTS:
        if match := pattern.fullmatch(text.strip()):
            hint = f"; {match.expand(what)}"
            break
    value = repr(text[:SHOWN]) + "..." * (len(text) > SHOWN) if text else "missing"
    name = limit.name if len(limit.name) <= LONG else "it"
    return f"{limit.name} is {value}; {name} must be a number{limit.between(text)}{hint}"
