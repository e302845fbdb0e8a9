"""Rows that cannot be used: named by place, value and rule, and counted by reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from training.engine import Engine, literal
from training.errors import DataError, counted
from training.ways import Way

NUMBER = r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
WIDE = 1e50  # no score is as large
SHOWN = 60  # characters of a value
NAMED = 10  # bad rows of a source, in its error
LONG = 20  # characters of a column's name that may stand twice in a message
OTHER_MARK = re.compile(r"\s*[-+]?\d+[.,]\d+\s*")
CLOCK = r"\d{1,2}:\d\d(:\d\d)?"
HINTS = (  # for what is no number
    (
        re.compile(
            rf"(?i)(오전|오후|[ap]m)?\s*{CLOCK}\s*[ap]\.?m\.?|(오전|오후)\s*\d.*|\d{{4}}-\d\d-\d\d.*"
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
        """Those ends in words, but for ends that only a number like this can pass."""
        is_wide = min(-self.low, self.high) > WIDE and not re.fullmatch(NUMBER, text)
        return "" if is_wide else f" from {self.low:g} to {self.high:g}"


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
        """How many they are."""
        return sum(self.counts.values())

    @property
    def in_order(self) -> list[BadRow]:
        """The first few of all."""
        return sorted(row for rows in self.first.values() for row in rows)[:NAMED]

    def plus(self, other: BadRows) -> BadRows:
        """Both."""
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
        """What a training that does not skip them ends with: a message or the first, then more."""
        messages = [row.message for row in self.in_order]
        counts = ", ".join(f"{reason}: {rows:,}" for reason, rows in self.counts.items())
        if message:
            messages.insert(0, message)
        elif self.rows == 1:
            return DataError(messages[0])
        return DataError(
            messages[0], [*messages[1:], f"{counted(self.rows)} cannot be used ({counts})"]
        )

    def notes(self) -> list[str]:
        """A sentence for each reason, for who skips them."""
        return [
            f"skipped {counted(rows)}: {reason}; the first is {self.first[reason][0].message}"
            for reason, rows in self.counts.items()
        ]


def judged(
    words: str,
    decimal: str,
    limits: tuple[Limit, Limit],
    ways: tuple[Way | None, Way | None] = (None, None),
) -> str:
    """A query for the rows of `words` (row, hours, score, fault), all text but their number.

    It answers them with their numbers x and y, null for what is none, and the `reason` why a row
    cannot be used, null if it can: the place of the reason in `_reasons`.
    """
    values = ", ".join(
        f"CASE WHEN {way.fits} OR {way.or_plain} THEN {way.number} END AS {{name}}".replace(
            "{}", column
        ).replace("{name}", name)
        for column, name, way in zip(
            ("hours", "score"), ("x", "y"), (way or plain(decimal) for way in ways), strict=True
        )
    )
    tests = " ".join(
        f"WHEN {column} = '' THEN {k} WHEN {name} IS NULL THEN {k + 1}"
        f" WHEN NOT {name} BETWEEN {limit.low!r} AND {limit.high!r} THEN {k + 2}"
        for k, column, name, limit in zip(
            (1, 4), ("hours", "score"), ("x", "y"), limits, strict=True
        )
    )
    return (
        f"SELECT *, CASE WHEN fault IS NOT NULL THEN 0 {tests} END AS reason"
        f" FROM (SELECT *, {values} FROM ({words}))"
    )


def plain(decimal: str) -> Way:
    """Plain numbers as a way to write them."""
    pattern = literal(NUMBER.replace(r"\.", re.escape(decimal)))
    return Way(
        "",
        f"regexp_full_match({{}}, {pattern})",
        f"TRY_CAST(replace({{}}, '{decimal}', '.') AS DOUBLE)",
    )


def find(
    engine: Engine,
    judged: str,
    decimal: str | None,
    limits: tuple[Limit, Limit],
    place: Callable[[int, int | None], str],
) -> BadRows:
    """Those among the rows of `judged`; `place` says where a row, or a cell of it, stands.

    Raises duckdb.Error.
    """
    reasons = _reasons(limits)
    found = BadRows({}, {})
    answers = engine.rows(
        f"SELECT reason, count(*), min_by((row, hours, score, fault), row, {NAMED})"
        f" FROM ({judged}) WHERE reason IS NOT NULL GROUP BY reason ORDER BY min(row)"
    )
    for number, rows, first in answers:
        reason, column = reasons[number]
        found.counts[reason] = rows
        found.first[reason] = [
            BadRow(
                row,
                f"{place(row, column)}: "
                + (fault or _what(limits[column or 0], (hours, score)[column or 0], decimal)),
            )
            for row, hours, score, fault in first
        ]
    return found


def _reasons(limits: tuple[Limit, Limit]) -> list[tuple[str, int | None]]:
    """Every reason, and the column that it is about."""
    return [
        (FAULTY, None),
        *(
            (f"{limit.name} {problem}", column)
            for column, limit in enumerate(limits)
            for problem in ("missing", NO_NUMBER, "out of range")
        ),
    ]


def _what(limit: Limit, text: str, decimal: str | None) -> str:
    """What is wrong with a value; `decimal` is null where no option says what it is."""
    hint = ""
    if OTHER_MARK.fullmatch(text) and decimal and decimal not in text:
        mark = "point" if decimal == "." else "comma"
        hint = f"; decimals are written with a {mark} here, or --decimal says with what"
    for pattern, what in HINTS:
        if match := pattern.fullmatch(text.strip()):
            hint = f"; {match.expand(what)}"
            break
    value = repr(text[:SHOWN]) + "..." * (len(text) > SHOWN) if text else "missing"
    name = limit.name if len(limit.name) <= LONG else "it"
    return f"{limit.name} is {value}; {name} must be a number{limit.between(text)}{hint}"
