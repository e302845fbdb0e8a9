"""Rows that sum up others, such as a total below the pupils, by a label in another column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from training.columns import looks_numeric, normalized
from training.engine import literal

NEAR = 10  # rows from the head or the end of a table may sum up others
WORD = re.compile(
    r"""\W*(?:(?:grand|sub|class|course|overall|over\ all|all|final|possible|group|school)[\s-]*)*
    (?:totals?|sum|average|avg|mean|median|max(?:imum)?|min(?:imum)?|range|count|out\ of|possible
    |st(?:andar)?d\.?\s*dev(?:iation)?|stdev|sd|variance
    |합계|총계|총합|소계|총점|평균|전체\s*평균|중앙값|최대|최소|최고점?|최저점?|만점|표준\s*편차
    |summe|gesamt(?:summe|punkte|durchschnitt)?|insgesamt|zwischensumme|(?:klassen)?durchschnitt
    |(?:klassen)?schnitt|mittelwert|mittel|standardabweichung|maximal(?:punkt(?:e|zahl))?
    |erreichbare\ punkte|somme|moyenne|m[ée]diane|suma|promedio|media|somma|soma|m[ée]dia
    |合計|小計|平均|总计|合计|平均值|平均分|最高分|最低分|满分
    |points?\ possible|max(?:imum)?\.?\ (?:points?|scores?|marks?)|full\ marks)
    (?:\ (?:scores?|points?|marks?|grades?|hours?|점수|시간|of\ .*))?\W*""",
    re.VERBOSE,
)

NAMES = "max", "min"  # also names of pupils
Labels = Mapping[int, set[str]]  # by the number of the column
Rows = Sequence[Sequence[str]]


def find_labels(head: Rows, tail: Rows, indexes: tuple[int, int]) -> Labels:
    """The labels of rows that sum up others, near the head or the end of a table, by their column.

    `head` may go beyond the rows near the head. A word in more than a quarter of its rows is a
    category, such as an average connection, and not a label.
    """
    near = (*head[:NEAR], *tail[-NEAR:])
    found: dict[int, set[str]] = {}
    for row in near:
        for column, text in enumerate(row):
            word = normalized(text)
            if column in indexes or not WORD.fullmatch(word):
                continue
            times = sum(text in other[column : column + 1] for other in head)
            is_name = word in NAMES and not _is_extreme(row, near, indexes)
            if times <= max(2, len(head) // 4) and not is_name:
                found.setdefault(column, set()).add(text)
    return found


def _is_extreme(row: Sequence[str], others: Rows, indexes: tuple[int, int]) -> bool:
    """Whether a row has the most hours and the best score among others, or the least of both."""
    hours, scores = zip(*(_numbers(other, indexes) for other in others), strict=True)
    return _numbers(row, indexes) in ((max(hours), max(scores)), (min(hours), min(scores)))


def _numbers(row: Sequence[str], indexes: tuple[int, int]) -> tuple[float, ...]:
    """Hours and score, 0 for a text that is not a number."""
    texts = [row[index].replace(",", ".") if index < len(row) else "" for index in indexes]
    return tuple(float(text) if looks_numeric(text) else 0.0 for text in texts)


def _fault(label: str) -> str:
    return f"{label.strip()!r} marks a summary of other rows; delete the row, or just the word"


def fault_of(row: Sequence[str], labels: Labels) -> str | None:
    """What is wrong with a row that has one of the labels."""
    for column, texts in labels.items():
        if column < len(row) and row[column] in texts:
            return _fault(row[column])
    return None


def sql(columns: Mapping[str, Iterable[str]]) -> str:
    """The same as an SQL expression, from the labels in each column, which is given as SQL."""
    cases = " ".join(
        f"WHEN {column} = {literal(text)} THEN {literal(_fault(text))}"
        for column, texts in columns.items()
        for text in sorted(texts)
    )
    return f"CASE {cases} END" if cases else "NULL"
