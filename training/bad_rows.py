"""Rows that cannot be used: named by place, value and rule, and counted by reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from training.engine import Engine, literal
from training.errors import counted

NUMBER = r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
SHOWN = 60  # characters of a value
NAMED = 10  # bad rows of a source, in its error
OTHER_MARK = re.compile(r"\s*[-+]?\d+[.,]\d+\s*")
FAULTY = "wrong as a whole"


class Limit(NamedTuple):
    """What a column is called, and what its numbers must lie between."""

    name: str
    low: float
    high: float


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

    def notes(self) -> list[str]:
        """A sentence for each reason, for who skips them."""
        return [
            f"skipped {counted(rows)}: {reason}; the first is {self.first[reason][0].message}"
            for reason, rows in self.counts.items()
        ]


def judged(words: str, decimal: str, limits: tuple[Limit, Limit]) -> str:
    """A query for the rows of `words` (row, hours, score, fault), all text but their number.

    It answers them with their numbers x and y, null for what is none, and the `reason` why a row
    cannot be used, null if it can: the place of the reason in `_reasons`.
    """
    number = literal(NUMBER.replace(r"\.", re.escape(decimal)))
    values = ", ".join(
        f"CASE WHEN regexp_full_match({column}, {number})"
        f" THEN TRY_CAST(replace({column}, '{decimal}', '.') AS DOUBLE) END AS {name}"
        for column, name in (("hours", "x"), ("score", "y"))
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


def find(
    engine: Engine,
    judged: str,
    decimal: str,
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
            for problem in ("missing", "is no number", "out of range")
        ),
    ]


def _what(limit: Limit, text: str, decimal: str) -> str:
    """What is wrong with a value."""
    hint = ""
    if OTHER_MARK.fullmatch(text) and decimal not in text:
        mark = "point" if decimal == "." else "comma"
        hint = f"; decimals are written with a {mark} here, or --decimal says with what"
    value = repr(text[:SHOWN]) + "..." * (len(text) > SHOWN) if text else "missing"
    return (
        f"{limit.name} is {value}; {limit.name} must be a number from {limit.low:g} to"
        f" {limit.high:g}{hint}"
    )
