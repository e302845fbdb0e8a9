"""`python -m tests.made_up_class` writes `tests/files/class.csv`: 40 students who do not exist.

Each studied 1 to 10 hours and scores about 38 points plus 4.5 an hour, from 0 to 100, with normal
errors of 6 points.
"""

from __future__ import annotations

import numpy as np

from tests.data import FILES

CLASS = FILES / "class.csv"


def rows() -> str:
    """The text of the file, the same each time."""
    random = np.random.default_rng(2)
    hours = random.uniform(1, 10, 40).round(1)
    scores = (38 + 4.5 * hours + random.normal(0, 6, 40)).clip(0, 100).round()
    lines = (f"{hour:.1f},{score:.0f}\n" for hour, score in zip(hours, scores, strict=True))
    return "hours,score\n" + "".join(lines)


if __name__ == "__main__":
    CLASS.write_text(rows())
