"""How many scores lie in the 95 % interval, simulated: `python -m tests.simulate_coverage`.

Prints the table of training/README.md. Hours are uniform from 0 to 10; each figure is the share of
all possible scores at 0, 5 and 10 hours that lie inside, over so many simulated classes.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
from scipy import stats

from models.diagnosis import Diagnosis
from models.moments import Moments
from models.study_score import Fit, Source, StudyScore

CLASSES = 2000
SIZES = 10, 20, 50, 200, 1000
HOURS = np.array([0.0, 5.0, 10.0])
EVEN, GROWING, SHRINKING = (lambda h: 5 + 0 * h), (lambda h: 2 + 2 * h), (lambda h: 12 - h)
SHAPES: dict[str, tuple[Any, Any]] = {
    "normal": (stats.norm(), EVEN),
    "spread 2 + 2h": (stats.norm(), GROWING),
    "spread 12 - h": (stats.norm(), SHRINKING),
    "exponential": (stats.expon(-1), EVEN),
    "Student's t(3)": (stats.t(3), EVEN),
}
FIT = Fit(lr=0.1, epochs=0, raw=False, update=None, versions={}, created=datetime.now(UTC))
SOURCE = Source(
    name="", columns=("", ""), rows=0, skipped=0, bytes=0, identity="0", sha256="0" * 64
)


def model(x: Any, y: Any) -> StudyScore:
    """The least-squares line."""
    moments = Moments.of(x, y)
    return StudyScore(
        W=moments.slope,
        b=moments.mean_y - moments.slope * moments.mean_x,
        folds=(moments,),
        siblings=(),
        t=float(stats.t.ppf(0.975, moments.n - 2)),
        fit=FIT,
        costs=(),
        points=(),
        sources=(SOURCE,),
    )


def coverage(errors: Any, spread: Any, n: int, classes: int) -> tuple[Any, Any]:
    """Shares at HOURS: inside the textbook's interval, and inside this model's."""
    random = np.random.default_rng([n, 7])
    inside = np.zeros((2, len(HOURS)))
    for _ in range(classes):
        x = random.uniform(0, 10, n)
        y = 20 + 3 * x + spread(x) * errors.rvs(n, random_state=random)
        fitted = model(x, y)
        textbook = fitted.model_copy()
        textbook.__dict__ |= {"diagnosis": Diagnosis()}
        textbook.__dict__.pop("variance")
        for k, each in enumerate((textbook, fitted)):
            low, high = ((end - 20 - 3 * HOURS) / spread(HOURS) for end in each.interval(HOURS))
            inside[k] += errors.cdf(high) - errors.cdf(low)
    return tuple(inside / classes)


def main(classes: int = CLASSES) -> None:
    print("| errors |", *(f"{n} rows |" for n in SIZES))
    print("|---|" + "---|" * len(SIZES))
    for name, (errors, spread) in SHAPES.items():
        by_size = [coverage(errors, spread, n, classes) for n in SIZES]
        for label, shares in zip((name, "this"), zip(*by_size, strict=True), strict=True):
            cells = (" / ".join(f"{100 * share:.0f}" for share in each) for each in shares)
            print(f"| {label} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
