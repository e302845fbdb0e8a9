"""Rows that sum up others, such as a total below the pupils, told by a word in another column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from training.columns import plain
from training.engine import literal

NEAR = 10  # rows from the head or the end of a table
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

NAMES = "max", "min"  # which people have, too

Labels = Mapping[int, set[str]]


def labels(
    head: Sequence[Sequence[str]], tail: Sequence[Sequence[str]], indexes: tuple[int, int]
) -> Labels:
    """What says so near the head of a table and near its end, by the column that it stands in.

    `head` may be more than what is near. A word that every fourth row or more has is a category,
    such as an average connection; and Max may be a pupil, unless nobody has more.
    """
    near = (*head[:NEAR], *tail[-NEAR:])
    found: dict[int, set[str]] = {}
    for record in near:
        for column, text in enumerate(record):
            word = plain(text)
            if column in indexes or not WORD.fullmatch(word):
                continue
            if word not in NAMES or _is_an_end(record, near, indexes):
                found.setdefault(column, set()).add(text)
    for column, texts in found.items():
        times = Counter(row[column] for row in head if column < len(row))
        texts -= {text for text in texts if times[text] > max(2, len(head) // 4)}
    return {column: texts for column, texts in found.items() if texts}


def _is_an_end(
    record: Sequence[str], others: Iterable[Sequence[str]], indexes: tuple[int, int]
) -> bool:
    """Whether it has the most of both among some rows, or the least."""
    values = [_numbers(each, indexes) for each in others]
    own = _numbers(record, indexes)
    return any(
        all(pick(value[k] for value in values) == own[k] for k in (0, 1)) for pick in (min, max)
    )


def _numbers(record: Sequence[str], indexes: tuple[int, int]) -> list[float]:
    numbers = []
    for index in indexes:
        try:
            numbers.append(float(record[index].replace(",", ".")))
        except (ValueError, IndexError):
            numbers.append(0.0)
    return numbers


def fault(label: str) -> str:
    """What is wrong with a row that has this label."""
    return f"{label.strip()!r} says that it sums up others; delete it, or the word if it does not"


def fault_of(record: Sequence[str], labels: Labels) -> str | None:
    """What is wrong with a row, if it has one of these labels."""
    for column, texts in labels.items():
        if column < len(record) and record[column] in texts:
            return fault(record[column])
    return None


def sql(columns: Mapping[str, Iterable[str]]) -> str:
    """The same as an SQL expression, of expressions for columns and the labels in each."""
    cases = " ".join(
        f"WHEN {column} = {literal(text)} THEN {literal(fault(text))}"
        for column, texts in columns.items()
        for text in sorted(texts)
    )
    return f"CASE {cases} END" if cases else "NULL"
