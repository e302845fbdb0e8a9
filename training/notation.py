"""How numbers and durations are written as text, as SQL conditions and values."""

from __future__ import annotations

import re
from typing import NamedTuple

from training.engine import Engine, literal

PLAIN = r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
NUMBER = r"[0-9]+(?:[.,][0-9]{1,2})?"
HOUR_UNITS = r"(?:hours?|hrs?|h|std|stunden?|시간|heures?|horas?)\.?"
MINUTE_UNITS = r"(?:minutes?|mins?|m|minuten?|분|minutos?)\.?"
HOURS_MINUTES = r"^\s*([0-9]+):([0-5][0-9])\s*$"
HOURS_MINUTES_SECONDS = r"^\s*([0-9]+):([0-5][0-9]):([0-5][0-9])\s*$"
IN_HOURS = rf"(?i)^\s*({NUMBER})\s*{HOUR_UNITS}\s*(?:([0-5]?[0-9])\s*(?:{MINUTE_UNITS})?)?\s*$"
IN_MINUTES = rf"(?i)^\s*({NUMBER})\s*{MINUTE_UNITS}\s*$"


class Notation(NamedTuple):
    """A way to write numbers: whether a text is written in it, and its number, both as SQL."""

    name: str
    fits: str
    number: str


def plain(column: str, decimal: str) -> Notation:
    """Plain numbers in a column."""
    pattern = PLAIN.replace(r"\.", re.escape(decimal))
    number = f"TRY_CAST(replace({column}, '{decimal}', '.') AS DOUBLE)"
    return Notation("", _matches(column, pattern), number)


def _matches(column: str, pattern: str) -> str:
    return f"regexp_full_match({column}, {literal(pattern)})"


def _sum(pattern: str, *divisors: int) -> str:
    """The sum of the groups of a pattern in the column of hours, each divided by a number."""
    return " + ".join(
        f"coalesce(TRY_CAST(replace(regexp_extract(hours, {literal(pattern)}, {group}), ',', '.')"
        f" AS DOUBLE), 0) / {divisor}"
        for group, divisor in enumerate(divisors, 1)
    )


DURATIONS = (
    Notation(
        "hours as hours:minutes", _matches("hours", HOURS_MINUTES), _sum(HOURS_MINUTES, 1, 60)
    ),
    Notation(
        "hours as hours:minutes:seconds",
        _matches("hours", HOURS_MINUTES_SECONDS),
        _sum(HOURS_MINUTES_SECONDS, 1, 60, 3600),
    ),
    Notation(
        "hours and minutes by their units",
        f"({_matches('hours', IN_HOURS)} OR {_matches('hours', IN_MINUTES)})",
        f"{_sum(IN_HOURS, 1, 60)} + {_sum(IN_MINUTES, 60)}",
    ),
)


def find_duration(engine: Engine, texts: str, decimal: str) -> Notation | None:
    """The only notation of the hours in `texts`; None if some are plain numbers."""
    notations = (plain("hours", decimal), *DURATIONS)
    counts = ", ".join(f"count(*) FILTER ({notation.fits})" for notation in notations)
    (numbers,) = engine.rows(f"SELECT {counts} FROM ({texts})")
    used = [notation for notation, count in zip(notations, numbers, strict=True) if count]
    return used[0] if len(used) == 1 and used[0] in DURATIONS else None
