"""How numbers and durations are written as text, as SQL conditions and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    """A way to write numbers, as SQL: whether a text is written in it, and which number it is."""

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


def _durations(name: str, patterns: Mapping[str, Sequence[int]]) -> Notation:
    """Hours in one of the patterns: the sum of its groups, each divided by its number."""
    return Notation(
        name,
        " OR ".join(_matches("hours", pattern) for pattern in patterns),
        " + ".join(
            f"coalesce(TRY_CAST(replace(regexp_extract(hours, {literal(pattern)}, {group}),"
            f" ',', '.') AS DOUBLE), 0) / {divisor}"
            for pattern, divisors in patterns.items()
            for group, divisor in enumerate(divisors, 1)
        ),
    )


DURATIONS = (
    _durations("hours as hours:minutes", {HOURS_MINUTES: (1, 60)}),
    _durations("hours as hours:minutes:seconds", {HOURS_MINUTES_SECONDS: (1, 60, 3600)}),
    _durations("hours and minutes by their units", {IN_HOURS: (1, 60), IN_MINUTES: (60,)}),
)


def find_duration(engine: Engine, texts: str, decimal: str) -> Notation | None:
    """The only notation of the hours in `texts`; None if some are plain numbers."""
    notations = (plain("hours", decimal), *DURATIONS)
    counts = ", ".join(f"count(*) FILTER ({notation.fits})" for notation in notations)
    (numbers,) = engine.rows(f"SELECT {counts} FROM ({texts})")
    used = [notation for notation, count in zip(notations, numbers, strict=True) if count]
    return used[0] if len(used) == 1 and used[0] in DURATIONS else None
