"""Which two columns of a table are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from training.errors import DataError

NAMES_SHOWN = 20
RENAMED = re.compile(r"(.*)_\d+", re.DOTALL)
LIKE_A_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")


class Columns(NamedTuple):
    """The names of the two columns that are read."""

    hours: str = "hours"
    score: str = "score"

    def among(self, names: Sequence[str]) -> bool:
        """Whether both are there."""
        return all(_indexes(column, names) for column in self)

    def indexes(self, table: str, names: Sequence[str]) -> tuple[int, int]:
        """Where in a table with columns of these names they are, from 0; raises DataError."""
        hours, score = (_only_index(table, column, names, self) for column in self)
        if hours == score:
            raise DataError(
                f"{table}: column {names[hours]!r} cannot be both hours and score; --hours-column"
                " NAME and --score-column NAME must name two"
            )
        return hours, score

    def names(self, table: str, names: Sequence[str]) -> tuple[str, str]:
        """What both are called in a table that the engine reads; raises DataError.

        Of several columns of one name it calls the second name_1.
        """
        hours, score = (names[index] for index in self.indexes(table, names))
        for name in names:
            renamed = RENAMED.fullmatch(name)
            if renamed and renamed[1] in (hours, score):
                raise DataError(
                    f"{table}: two columns have one name, or one is called {name!r}; leave only the"
                    f" {renamed[1]!r} that is meant"
                )
        return hours, score


def _indexes(column: str, names: Sequence[str]) -> list[int]:
    """Those of exactly this name, or else those of this name but for case and blanks around it."""
    return [i for i, name in enumerate(names) if name == column] or [
        i for i, name in enumerate(names) if _plain(name) == _plain(column)
    ]


def _plain(name: str) -> str:
    return name.strip().casefold()


def _only_index(table: str, column: str, names: Sequence[str], columns: Columns) -> int:
    found = _indexes(column, names)
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} columns {column!r}" if found else f"no column {column!r}"
    option = "--hours-column" if column == columns.hours else "--score-column"
    if not names:
        raise DataError(f"{table}: {problem}; it gives no columns")
    shown = ", ".join(names[:NAMES_SHOWN]) + ", ..." * (len(names) > NAMES_SHOWN)
    is_data = sum(bool(LIKE_A_NUMBER.fullmatch(name)) for name in names) > 1
    hint = "; the first line must name the columns, and this one looks like data" * is_data
    raise DataError(
        f"{table}: {problem}; the columns are: {shown}; {option} NAME says which one is meant{hint}"
    )
