"""Some rows of a source as numbers, and in words what is wrong with those that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

NUMBER = r"^[ \t]*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[ \t]*$"
NO_ROWS = pl.DataFrame(schema={"hours": pl.Float64, "score": pl.Float64})
SHOWN = 60  # characters of a value
OTHER_MARK = re.compile(r"\s*[-+]?\d+[.,]\d+\s*")


class Limit(NamedTuple):
    """What a column is called, and what its numbers must lie between."""

    name: str
    low: float
    high: float

    def hold(self, values: Array) -> Mask:
        """Which of them lie there; NaN does not."""
        mask: Mask = (values >= self.low) & (values <= self.high)
        return mask

    def hold_all(self, values: Array) -> bool:
        """Whether all lie there."""
        return not len(values) or bool(values.min() >= self.low and values.max() <= self.high)


class Problem(NamedTuple):
    """So many rows that cannot be used for one reason, and what the first of them has.

    That is row `row` of its source, from 0, and column 0 or 1 if it is not the row as a whole.
    """

    rows: int
    row: int
    column: int | None
    message: str

    def named(self, source: str, where: Callable[[int, int | None], str], before: int) -> Problem:
        """The same, of a source in which so many rows come before."""
        row = self.row + before
        message = f"{source}, {where(row, self.column)}: {self.message}"
        return self._replace(row=row, message=message)

    def plus(self, other: Problem | None) -> Problem:
        """Both, with the first row of either."""
        if not other:
            return self
        first = min(self, other, key=lambda problem: problem.row)
        return first._replace(rows=self.rows + other.rows)


class Batch(NamedTuple):
    """`hours` and `score` of some rows: numbers, or text that may be a number.

    They are the next `length` rows of the source, or those of them that `rows` numbers from 0.
    `faults` tells by its place in the frame what is wrong with a row as a whole. `exact` makes the
    same batch again, slowly, in the source's own words.
    """

    frame: pl.DataFrame
    length: int
    decimal: str = "."
    rows: Sequence[int] | None = None
    faults: dict[int, str] = {}  # noqa: RUF012
    exact: Callable[[], Batch] | None = None

    def numbers(self) -> tuple[Array, Array]:
        """Hours and scores, each of shape (rows,), NaN for what is no number."""
        return self._numbers("hours"), self._numbers("score")

    def _numbers(self, name: str) -> Array:
        column = self.frame[name]
        if column.dtype == pl.String:
            text = pl.col(name)
            plain = text.str.strip_chars(" \t").str.replace(self.decimal, ".", literal=True)
            is_number = text.str.contains(NUMBER.replace(r"\.", re.escape(self.decimal)))
            column = self.frame.select(pl.when(is_number).then(plain)).to_series()
        return column.cast(pl.Float64).fill_null(np.nan).to_numpy()

    def problems(self, limits: Sequence[Limit]) -> tuple[Mask, dict[str, Problem]]:
        """Which rows can be used, and by the reason which cannot."""
        good = np.ones(len(self.frame), np.bool_)
        found: dict[str, Problem] = {}

        def note(
            reason: str, mask: Mask, column: int | None, message: Callable[[int], str]
        ) -> None:
            mask = mask & good
            if mask.any():
                at = int(mask.argmax())
                row = at if self.rows is None else self.rows[at]
                found[reason] = Problem(int(mask.sum()), row, column, message(at))
                good[mask] = False

        faulty = np.zeros(len(good), np.bool_)
        faulty[list(self.faults)] = True
        note("wrong as a whole", faulty, None, self.faults.__getitem__)
        for k, (limit, values) in enumerate(zip(limits, self.numbers(), strict=True)):
            texts = self.frame.to_series(k).cast(pl.String).fill_null("")
            told = partial(self._told, limit, texts)
            note(f"{limit.name} missing", (texts == "").to_numpy(), k, told)
            note(f"{limit.name} is no number", np.isnan(values), k, told)
            note(f"{limit.name} out of range", ~limit.hold(values), k, told)
        return good, found

    def _told(self, limit: Limit, texts: pl.Series, at: int) -> str:
        """What is wrong with a value."""
        text = texts[at]
        hint = ""
        if OTHER_MARK.fullmatch(text) and self.decimal not in text:
            mark = "point" if self.decimal == "." else "comma"
            hint = f"; decimals are written with a {mark} here, or --decimal says with what"
        value = repr(text[:SHOWN]) + "..." * (len(text) > SHOWN) if text else "missing"
        return (
            f"{limit.name} is {value}; {limit.name} must be a number from {limit.low:g} to"
            f" {limit.high:g}{hint}"
        )
