"""Which two columns of a table are read."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from training.errors import DataError

SHOWN, LONG = 20, 60  # names of columns in an error, and characters of each
RENAMED = re.compile(r"(.*)_\d+", re.DOTALL)
LIKE_A_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")
OPTIONS = "--hours-column", "--score-column"
# What columns of hours and of scores are called in practice: words that say it, words that may say
# it where no column has one of those, and if several have, words of what is meant and what is not
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
    """The names of the two columns that are read, or their numbers where none is called that."""

    hours: str = "hours"
    score: str = "score"

    def among(self, names: Sequence[str]) -> bool:
        """Whether both are there."""
        return all(_indexes(column, names) for column in self)

    def is_named(self, names: Sequence[str]) -> bool:
        """Whether one of them at least is there by its name."""
        return any(_called(column, names) for column in self)

    def is_data(self, cells: Sequence[str]) -> bool:
        """Whether a table's first row, in which both are told by number, is no header."""
        if self.is_named(cells) or not self.among(cells):
            return False
        values = [cells[_indexes(column, cells)[0]] for column in self]
        return any(is_number(value) or not value.strip() for value in values)

    def likeness(self, names: Sequence[str]) -> tuple[int, int]:
        """How much a row looks as if it named the columns: by words, and by texts in it."""
        wanted = [bool(_called(column, names)) for column in self]
        likely = {_likely(k, names) for k in range(len(self))} - {None}
        texts = [name for name in names if name.strip() and not is_number(name)]
        return 2 * sum(wanted) + len(likely), len(texts) if len(names) > 1 else 0

    def indexes(
        self, table: str, names: Sequence[str], hint: str = "", options: Sequence[str] = ()
    ) -> tuple[int, int]:
        """Where in a table with columns of these names they are, from 0; raises DataError.

        `hint` says what may be the cause if they are not, `options` what helps.
        """
        found = [_indexes(column, names) for column in self]
        if [len(each) for each in found] != [1, 1]:
            raise _not_found(table, self, names, found, hint, options)
        (hours,), (score,) = found
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


def is_number(text: str) -> bool:
    """Whether it looks like one, in whatever country."""
    return bool(LIKE_A_NUMBER.fullmatch(text))


def plain(name: str) -> str:
    """A name without what people do not see: case, blanks around it, how letters are composed."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def _called(column: str, names: Sequence[str]) -> list[int]:
    """Those of exactly this name, or else those whose name looks the same."""
    return [i for i, name in enumerate(names) if name == column] or [
        i for i, name in enumerate(names) if plain(name) == plain(column)
    ]


def _indexes(column: str, names: Sequence[str]) -> list[int]:
    """Those of this name, or the one of this number if none is called that."""
    found = _called(column, names)
    if not found and column.isascii() and column.isdigit() and 1 <= int(column) <= len(names):
        return [int(column) - 1]
    return found


def _likely(column: int, names: Sequence[str]) -> str | None:
    """The one name that has a word for hours (0) or scores (1), None if there is not just one."""

    def having(words: str, among: list[str]) -> list[str]:
        return [name for name in among if re.search(words, plain(name))]

    says, may_say, meant, not_meant = WORDS[column]
    found = having(says, list(names)) or having(may_say, list(names))
    if len(found) > 1:
        found = having(meant, found) or found
        others = having(not_meant, found)
        found = [name for name in found if name not in others]
    return found[0] if len(found) == 1 else None


def _not_found(
    table: str,
    columns: Columns,
    names: Sequence[str],
    found: Sequence[list[int]],
    hint: str,
    options: Sequence[str],
) -> DataError:
    """The error that says which columns are missing or twice there, and which could be meant."""
    problems, own, says = [], [], []
    for k, (column, option, indexes) in enumerate(zip(columns, OPTIONS, found, strict=True)):
        if len(indexes) > 1:
            problems.append(f"{len(indexes)} columns {column!r}")
            numbers = " or ".join(str(index + 1) for index in indexes)
            says.append(f"{option} {numbers} says by number which one is meant")
        elif not indexes:
            problems.append(f"no column {column!r}")
            own += [option, _likely(k, names) or "NAME"]
    problem = " and ".join(problems)
    if not names:
        return DataError(f"{table}: {problem}; it gives no columns")
    if hint:
        says.append(hint)
    elif own:
        says.append(f"{shlex.join(own)} " + ("says what is meant" if "NAME" in own else "may do"))
    if "NAME" in own or len(own) < 2 * len(problems):  # there is more to say than that
        own = []
    shown = ", ".join(name if len(name) <= LONG else name[:LONG] + "..." for name in names[:SHOWN])
    shown += ", ..." * (len(names) > SHOWN)
    return DataError(
        "; ".join([f"{table}: {problem}", f"the columns are: {shown}", *says]),
        options=[*options, *own],
    )
