"""How numbers and durations are written as text, as SQL conditions and values."""

from __future__ import annotations

import re
from typing import NamedTuple

from training.engine import Engine, literal

PLAIN = r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"
NUMBER = r"[0-9]+(?:[.,][0-9]{1,2})?"
HOURS = r"(?:hours?|hrs?|h|std|stunden?|시간|heures?|horas?)\.?"
MINUTES = r"(?:minutes?|mins?|m|minuten?|분|minutos?)\.?"
CLOCK = r"^\s*([0-9]+):([0-5][0-9])\s*$"
WITH_SECONDS = r"^\s*([0-9]+):([0-5][0-9]):([0-5][0-9])\s*$"
IN_HOURS = rf"(?i)^\s*({NUMBER})\s*{HOURS}\s*(?:([0-5]?[0-9])\s*(?:{MINUTES})?)?\s*$"
IN_MINUTES = rf"(?i)^\s*({NUMBER})\s*{MINUTES}\s*$"


class Way(NamedTuple):
    """A way to write numbers: whether a text is written in it, and its number, both as SQL."""

    name: str
    fits: str
    number: str


def plain(column: str, decimal: str) -> Way:
    """Plain numbers in a column."""
    pattern = PLAIN.replace(r"\.", re.escape(decimal))
    number = f"TRY_CAST(replace({column}, '{decimal}', '.') AS DOUBLE)"
    return Way("", _matches(column, pattern), number)


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
    Way("hours as hours:minutes", _matches("hours", CLOCK), _sum(CLOCK, 1, 60)),
    Way(
        "hours as hours:minutes:seconds",
        _matches("hours", WITH_SECONDS),
        _sum(WITH_SECONDS, 1, 60, 3600),
    ),
    Way(
        "hours and minutes by their units",
        f"({_matches('hours', IN_HOURS)} OR {_matches('hours', IN_MINUTES)})",
        f"{_sum(IN_HOURS, 1, 60)} + {_sum(IN_MINUTES, 60)}",
    ),
)


def find_duration(engine: Engine, words: str, decimal: str) -> Way | None:
    """The only way in which the hours of `words` are durations; None if some are plain numbers."""
    ways = (plain("hours", decimal), *DURATIONS)
    counts = ", ".join(f"count(*) FILTER ({way.fits})" for way in ways)
    (numbers,) = engine.rows(f"SELECT {counts} FROM ({words})")
    used = [way for way, count in zip(ways, numbers, strict=True) if count]
    return used[0] if len(used) == 1 and used[0] in DURATIONS else None
