"""Which two columns of a table are read."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from training.errors import DataError

NAMES_SHOWN, CHARACTERS_SHOWN = 20, 60  # of the columns in an error, and of each name
NUMBERED = re.compile(r"(.*)_\d+", re.DOTALL)
LIKE_A_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")
OPTIONS = "--hours-column", "--score-column"
# For hours and for scores, words in the names of columns of public files: sure words; words that
# count if no name has a sure one; and, if several names match, words for and against each of them
WORDS = (
    (
        "hour|hrs|시간|stunde|heure|hora",
        "stud.*time|time.*stud|lernzeit",
        "stud|learn|공부|학습|lern|revis",
        "sleep|media|netflix|game|screen|work",
    ),
    (
        "score|(?<!re)mark(?!et)|grade|points|performance.index|점수|punkte",
        "exam|result|성적",
        "exam|final|total|시험|기말",
        "previous|prior|past|before|possible|max",
    ),
)


class Columns(NamedTuple):
    """The names of the two columns that are read, or their numbers if no column has that name.

    `names` are all columns' names in a table, from left to right.
    """

    hours: str = "hours"
    score: str = "score"

    def among(self, names: Sequence[str]) -> bool:
        """Whether both are there."""
        return all(_indexes(column, names) for column in self)

    def is_named(self, names: Sequence[str]) -> bool:
        """Whether at least one of them is there by its name."""
        return any(_named(column, names) for column in self)

    def is_data(self, cells: Sequence[str]) -> bool:
        """Whether a table's first row is data, not a header: both columns are given by number."""
        if self.is_named(cells) or not self.among(cells):
            return False
        values = [cells[_indexes(column, cells)[0]] for column in self]
        return any(looks_numeric(value) or not value.strip() for value in values)

    def likeness(self, names: Sequence[str]) -> tuple[int, int]:
        """How much a row looks like a header: by likely names, then by how many texts it holds."""
        named = sum(bool(_named(column, names)) for column in self)
        likely = {_likely(k, names) for k in range(len(self))} - {None}
        texts = [name for name in names if name.strip() and not looks_numeric(name)]
        return 2 * named + len(likely), len(texts) if len(names) > 1 else 0

    def indexes(self, table: str, names: Sequence[str]) -> tuple[int, int]:
        """Where the two columns are, from 0; raises DataError."""
        matches = [_indexes(column, names) for column in self]
        if [len(each) for each in matches] != [1, 1]:
            raise self.not_found(table, names)
        (hours,), (score,) = matches
        if hours == score:
            problem = f"{table}: column {names[hours]!r} cannot be both hours and score"
            raise DataError(f"{problem}; --hours-column and --score-column must name two")
        return hours, score

    def names(self, table: str, names: Sequence[str]) -> tuple[str, str]:
        """The two names as the engine has them; raises DataError.

        If several columns have one name, the engine calls the second of them name_1.
        """
        hours, score = (names[index] for index in self.indexes(table, names))
        for name in names:
            numbered = NUMBERED.fullmatch(name)
            if numbered and numbered[1] in (hours, score):
                problem = f"{table}: two columns have one name, or one is called {name!r}"
                raise DataError(f"{problem}; leave only the {numbered[1]!r} that is meant")
        return hours, score

    def not_found(
        self, table: str, names: Sequence[str], hint: str = "", options: Sequence[str] = ()
    ) -> DataError:
        """The error that says which columns are missing or ambiguous, and which may be meant.

        `hint` is the likely cause if columns are missing, `options` are what helps.
        """
        problems, likely, advice = [], [], []
        for k, (column, option) in enumerate(zip(self, OPTIONS, strict=True)):
            indexes = _indexes(column, names)
            if len(indexes) > 1:
                problems.append(f"{len(indexes)} columns {column!r}")
                numbers = " or ".join(str(index + 1) for index in indexes)
                advice.append(f"{option} {numbers} says by number which one is meant")
            elif not indexes:
                problems.append(f"no column {column!r}")
                likely += [option, _likely(k, names) or "NAME"]
        problem = f"{table}: {' and '.join(problems)}"
        if not names:
            return DataError(f"{problem}; it gives no columns")
        is_sure = "NAME" not in likely
        if hint or likely:
            verb = "may do" if is_sure else "says what is meant"
            advice.append(hint or f"{shlex.join(likely)} {verb}")
        if is_sure and len(likely) == 2 * len(problems):  # nothing else is to be said
            options = [*options, *likely]
        most = CHARACTERS_SHOWN
        shown = [name[:most] + "..." * (len(name) > most) for name in names[:NAMES_SHOWN]]
        shown += ["..."] * (len(names) > NAMES_SHOWN)
        columns = f"the columns are: {', '.join(shown)}"
        return DataError("; ".join([problem, columns, *advice]), options=options)


def looks_numeric(text: str) -> bool:
    """Whether a text looks like a number, in whatever country."""
    return bool(LIKE_A_NUMBER.fullmatch(text))


def normalized(name: str) -> str:
    """A name without differences that people do not see: case, outer blanks, composed letters."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _named(column: str, names: Sequence[str]) -> list[int]:
    """The columns of exactly this name, or else those whose name looks the same."""
    exact = [i for i, name in enumerate(names) if name == column]
    return exact or [i for i, name in enumerate(names) if normalized(name) == normalized(column)]


def _indexes(column: str, names: Sequence[str]) -> list[int]:
    """The columns of this name, or else the one of this number."""
    matches = _named(column, names)
    if not matches and column.isascii() and column.isdigit() and 1 <= int(column) <= len(names):
        return [int(column) - 1]
    return matches


def _likely(column: int, names: Sequence[str]) -> str | None:
    """The name that has a word for hours (column 0) or scores (1); None unless it is just one."""
    sure, possible, meant, not_meant = (re.compile(words).search for words in WORDS[column])
    likely = [name for name in names if sure(normalized(name))]
    likely = likely or [name for name in names if possible(normalized(name))]
    if len(likely) > 1:
        likely = [name for name in likely if meant(normalized(name))] or likely
        likely = [name for name in likely if not not_meant(normalized(name))]
    return likely[0] if len(likely) == 1 else None
