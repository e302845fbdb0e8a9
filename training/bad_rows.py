"""Rows that cannot be used: named by row, value and rule, and counted by reason."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from training.engine import Engine
from training.errors import DataError, counted
from training.notation import PLAIN, Notation, find_duration, plain

if TYPE_CHECKING:
    from training.tables import Table

ENDLESS = 1e17  # a wider range is told only if a number is outside
VALUE_LENGTH = 60  # characters of a value in a message
ROWS_SHOWN = 10  # bad rows of a source in its error
NAME_LENGTH = 20  # the name of a column is repeated in a message up to this length
WITH_MARK = re.compile(r"\s*[-+]?\d+[.,]\d+\s*")
TIME_OF_DAY = r"\d{1,2}:\d\d(:\d\d)?"
HINTS_FOR_HOURS = (  # what to write instead
    (
        rf"(오전|오후|[ap]m)?\s*{TIME_OF_DAY}\s*[ap]\.?m\.?|(오전|오후)\s*\d.*|\d{{4}}-\d\d-\d\d.*",
        "a time of day or a date is not a number of hours; in a sheet, (end - start) * 24 is",
    ),
    (
        r"\d+:\d\d(:\d\d)?|[\d.,]+\s*(h|min|std|시간|분).*",
        "hours are not all written in this way, so write each as a number such as 1.5",
    ),
)
HINTS = (
    (r"([\d.,]+)\s*(?:/|out of|von)\s*([\d.,]+)", r"write \1 if all are out of \2"),
    (r"([\d.,]+)\s*%", r"write \1"),
)
FAULTY, NOT_A_NUMBER = "wrong as a whole", "is not a number"
PROBLEMS = "missing", NOT_A_NUMBER, "out of range"  # of a value, in the order of `_judged`


class Limit(NamedTuple):
    """What a column is called, and what its numbers must lie between."""

    name: str
    low: float
    high: float

    def between(self, text: str) -> str:
        """The range in words; nothing if it is so wide that only a number can be outside."""
        is_endless = min(-self.low, self.high) > ENDLESS and not re.fullmatch(PLAIN, text)
        return "" if is_endless else f" from {self.low:g} to {self.high:g}"


Limits = tuple[Limit, Limit]  # of hours and of scores


BadRow = tuple[int, str]  # its number, and a message that names it and what is wrong


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
            first[reason] = sorted([*first.get(reason, []), *rows])[:ROWS_SHOWN]
        return BadRows(dict(counts), first)

    def error(self, message: str = "") -> DataError:
        """The error that lists the first bad rows, below a message if there is one."""
        first = sorted(row for rows in self.first.values() for row in rows)[:ROWS_SHOWN]
        lines = [message, *(each for _, each in first)]
        counts = ", ".join(f"{reason}: {rows:,}" for reason, rows in self.counts.items())
        if self.rows > 1 or message:
            lines.append(f"{counted(self.rows)} cannot be used ({counts})")
        first_line, *more = filter(None, lines)
        return DataError(first_line, more)

    def notes(self) -> list[str]:
        """A sentence for each reason, to print when the rows are skipped."""
        return [
            f"skipped {counted(rows)}: {reason}; the first is {self.first[reason][0][1]}"
            for reason, rows in self.counts.items()
        ]


def separate(engine: Engine, table: Table, limits: Limits) -> tuple[str, BadRows, Notation | None]:
    """The query for the usable rows of a table, its bad rows, and the notation of its hours.

    The notation is None if hours are plain numbers. Raises duckdb.Error.
    """
    texts = table.as_text()
    notation = None
    judged = _judged(texts, table.decimal, limits)
    bad = _find(engine, judged, table, limits)
    has_text = any(reason.endswith(NOT_A_NUMBER) for reason in bad.counts)
    if has_text and (notation := find_duration(engine, texts, table.decimal)):
        judged = _judged(texts, table.decimal, limits, notation)
        bad = _find(engine, judged, table, limits)
    return f"SELECT x AS hours, y AS score FROM ({judged}) WHERE reason IS NULL", bad, notation


def _judged(texts: str, decimal: str, limits: Limits, hours: Notation | None = None) -> str:
    """A query for the rows of `texts` (row, hours, score, fault), all text but `row`.

    It adds their numbers x and y, null if a text is not a number, and `reason`: null if the row can
    be used, 0 if it is faulty, 1 to 3 for the PROBLEMS of hours, 4 to 6 for those of the score.
    `hours` is their notation, if they are not plain numbers.
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


def _find(engine: Engine, judged: str, table: Table, limits: Limits) -> BadRows:
    """The bad rows among those of `_judged`; raises duckdb.Error."""
    decimal = table.decimal if table.kind == "text" else None  # no option sets it for others
    bad = BadRows({}, {})
    answers = engine.rows(
        f"SELECT reason, count(*), min_by((row, hours, score, fault), row, {ROWS_SHOWN})"
        f" FROM ({judged}) WHERE reason IS NOT NULL GROUP BY reason ORDER BY min(row)"
    )
    reasons = [FAULTY, *(f"{limit.name} {each}" for limit in limits for each in PROBLEMS)]
    for number, rows, first in answers:
        column = (number - 1) // len(PROBLEMS) if number else None
        bad.counts[reasons[number]] = rows
        k = column or 0
        bad.first[reasons[number]] = [
            (row, f"{table.locate(row, column)}: {fault or _problem(limits, k, cells[k], decimal)}")
            for row, *cells, fault in first
        ]
    return bad


def _problem(limits: Limits, column: int, text: str, decimal: str | None) -> str:
    """What is wrong with a value of hours (column 0) or of the score (1)."""
    limit, hint = limits[column], ""
    if WITH_MARK.fullmatch(text) and (decimal or ".") not in text:
        hint = f"; decimals are written with a {'comma' if decimal == ',' else 'point'} here"
        hint += ", or --decimal says with what" if decimal else ""
    for pattern, what in HINTS if column else HINTS_FOR_HOURS + HINTS:
        if match := re.fullmatch(pattern, text.strip(), re.IGNORECASE):
            hint = f"; {match.expand(what)}"
            break
    value = repr(text[:VALUE_LENGTH]) + "..." * (len(text) > VALUE_LENGTH) if text else "missing"
    name = limit.name if len(limit.name) <= NAME_LENGTH else "it"
    return f"{limit.name} is {value}; {name} must be a number{limit.between(text)}{hint}"
