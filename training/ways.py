"""Other ways to write hours and scores than as plain numbers, where a whole column is in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from training.engine import Engine, literal

NUMBER = r"[0-9]+(?:[.,][0-9]{1,2})?"
HOURS = r"(?:hours?|hrs?|h|std|stunden?|시간|heures?|horas?)\.?"
MINUTES = r"(?:minutes?|mins?|m|minuten?|분|minutos?)\.?"
CLOCK = r"^\s*([0-9]+):([0-5][0-9])\s*$"
WITH_SECONDS = r"^\s*([0-9]+):([0-5][0-9]):([0-5][0-9])\s*$"
IN_HOURS = rf"(?i)^\s*({NUMBER})\s*{HOURS}\s*(?:([0-5]?[0-9])\s*(?:{MINUTES})?)?\s*$"
IN_MINUTES = rf"(?i)^\s*({NUMBER})\s*{MINUTES}\s*$"
WHOLE = r"\s*[-+]?[0-9]+(?:\.0)?\s*"
COMMA = r"\s*[-+]?[0-9]*,[0-9]+\s*"
THOUSANDS = r"\s*[-+]?[1-9][0-9]{0,2},[0-9]{3}\s*"


class Way(NamedTuple):
    """What a way is called; as SQL of `{}`, a text: whether it is in it, and the number in it.

    `or_plain` are the plain numbers that may stand beside it.
    """

    said: str
    fits: str
    number: str
    or_plain: str = "false"


def _hours(pattern: str, *parts_of_an_hour: int) -> str:
    """The sum of what the groups of a pattern hold, in so many parts of an hour."""
    return " + ".join(
        f"coalesce(TRY_CAST(replace(regexp_extract({{}}, {literal(pattern)}, {group}), ',', '.')"
        f" AS DOUBLE), 0) / {parts}"
        for group, parts in enumerate(parts_of_an_hour, 1)
    )


def _fits(pattern: str) -> str:
    return f"regexp_full_match({{}}, {literal(pattern)})"


DURATIONS = (
    Way("hours as hours:minutes", _fits(CLOCK), _hours(CLOCK, 1, 60)),
    Way("hours as hours:minutes:seconds", _fits(WITH_SECONDS), _hours(WITH_SECONDS, 1, 60, 3600)),
    Way(
        "hours and minutes by their units",
        f"({_fits(IN_HOURS)} OR {_fits(IN_MINUTES)})",
        f"{_hours(IN_HOURS, 1, 60)} + {_hours(IN_MINUTES, 60)}",
    ),
)
COMMAS = Way(
    "decimal commas",
    f"({_fits(COMMA)} AND NOT {_fits(THOUSANDS)})",
    "TRY_CAST(replace({}, ',', '.') AS DOUBLE)",
    f"({_fits(COMMA)} OR {_fits(WHOLE)})",
)


def find(
    engine: Engine, words: str, number: str, takes_decimal: bool
) -> tuple[Way | None, Way | None]:
    """The one way in which hours, and that in which scores are written where `words` has them.

    None where they are plain numbers, as `number` says of `{}`, or not all in one way.
    """
    commas = () if takes_decimal else (COMMAS,)
    hours, score = (*DURATIONS, *commas), commas
    counts = [
        f"count(*) FILTER ({each.replace('{}', column)})"
        for column, ways in (("hours", hours), ("score", score))
        for way in ways
        for each in (way.fits, f"{number} AND NOT {way.or_plain}")
    ]
    if not counts:
        return None, None
    (found,) = engine.rows(f"SELECT {', '.join(counts)} FROM ({words})")
    return _only(hours, found[: 2 * len(hours)]), _only(score, found[2 * len(hours) :])


def _only(ways: Sequence[Way], counts: Sequence[int]) -> Way | None:
    """The only one that texts are in, if they are in no other and no plain numbers beside it."""
    used = [k for k, _ in enumerate(ways) if counts[2 * k]]
    return ways[used[0]] if len(used) == 1 and not counts[2 * used[0] + 1] else None
