"""Single rows that are kept besides the sums: a repeatable random sample, and extreme rows."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.findings import SURE
from models.moments import LEAST, Line, Moments
from training.diagnosis import DISTANCE, SAMPLED, diagnose, kurtosis_of
from training.folds import HASHED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Row = tuple[float, float]  # hours and score
Draw = tuple[float, float, float, int]  # the drawn number, hours, score, how often it occurs

DRAWS = f"""
    SELECT draw, hours, score, count(*) FROM ({HASHED}) WHERE draw < $below
    GROUP BY hours, score, draw ORDER BY draw, hours, score LIMIT {SAMPLED}"""
EXTREMES = """
    FROM (SELECT hours, score FROM ({rows}) ORDER BY hours, score LIMIT 1)
    UNION ALL FROM (SELECT hours, score FROM ({rows}) ORDER BY hours DESC, score LIMIT 1)
    UNION ALL FROM (SELECT hours, score FROM ({rows})
                    ORDER BY abs(score - $y - $slope * (hours - $x)) DESC, hours, score LIMIT 1)"""
LIKE_MINUTES = 45  # whole hours with a median above this look like minutes


class Sample(NamedTuple):
    """Different rows, in the order of their draws: hours, scores, and how often each occurs.

    All rows if there are at most SAMPLED different ones, else those with the lowest draws.
    """

    hours: Array
    scores: Array
    times: NDArray[np.int64]

    @classmethod
    def of(cls, draws: Sequence[Sequence[Draw]]) -> Sample:
        """The sample of all rows, from the lowest draws of each part."""
        times: Counter[tuple[float, float, float]] = Counter()
        for draw, hours, score, count in itertools.chain(*draws):
            times[draw, hours, score] += count
        lowest = sorted(times.items())[:SAMPLED]
        return cls(
            np.array([hours for (_, hours, _), _ in lowest], np.float64),
            np.array([score for (_, _, score), _ in lowest], np.float64),
            np.array([count for _, count in lowest], np.int64),
        )


NO_SAMPLE = Sample(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))


def notes_on_units(sample: Sample) -> list[str]:
    """A note if the hours are probably minutes."""
    hours = np.repeat(sample.hours, sample.times)
    if not len(hours) or (hours % 1).any() or np.median(hours) <= LIKE_MINUTES:
        return []
    return [
        f"hours are all whole, and half of them over {LIKE_MINUTES}: if they are minutes, divide"
        " by 60"
    ]


def is_needed(moments: Moments) -> bool:
    """Whether the interval may need quantiles of the errors, or the sample costs nothing."""
    diagnosis = diagnose(moments)
    p_values = diagnosis.spread_p, diagnosis.normality_p
    return moments.n <= SAMPLED or any(p is not None and p < SURE for p in p_values)


def one_row_may_decide(moments: Moments) -> bool:
    """Whether the `influence` of a row can exceed DISTANCE, as far as moments can tell.

    The squared residual of one row is at most sqrt(kurtosis / n) of the sum of all of them.
    """
    if moments.sxx <= LEAST or moments.n < 5:
        return False
    reach = max(moments.max_x - moments.mean_x, moments.mean_x - moments.min_x)
    rest = 1 - 1 / moments.n - reach / moments.sxx * reach
    share = math.sqrt((kurtosis_of(moments) or moments.n) / moments.n)
    if share >= rest:
        return True
    return (1 - rest) / rest * (moments.n - 3) * share / (rest - share) / 2 >= DISTANCE


def extremes_of(parts: Sequence[Sequence[Row]], line: Line) -> tuple[Row, ...]:
    """The row with the fewest hours, that with the most, and that furthest from the line."""
    rows = sorted(itertools.chain(*parts))

    def residual(row: Row) -> float:
        return abs(row[1] - line.y - line.slope * (row[0] - line.x))

    most = min(row for row in rows if row[0] == rows[-1][0])
    return tuple(dict.fromkeys((rows[0], most, max(rows, key=residual))))
