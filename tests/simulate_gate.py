"""How often the gate is wrong: `python -m tests.simulate_gate` makes training/README.md's table.

For each line 300 made-up champions, the same at every run; another number of them is an argument.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from tests.gate import BROKEN, NOISE, Random, Rows, champion, draw, joined, summary, trained
from training.gate import compare


class School(NamedTuple):
    """So many rows for the champion and for the next model, of one line."""

    n: int
    m: int
    r2: float = 0.5
    folds: int = 10
    noise: str = "normal"


SCHOOLS = [
    School(20, 20),
    School(40, 40),
    School(40, 40, r2=0.1),
    School(40, 40, r2=0.3),
    School(40, 40, r2=0.7),
    School(40, 40, folds=2),
    School(40, 40, folds=20),
    *(School(40, 40, noise=noise) for noise in NOISE if noise != "normal"),
    School(60, 60),
    School(60, 600),
    School(600, 60),
    School(400, 400),
    *(School(400, 400, noise=noise) for noise in NOISE if noise != "normal"),
]


def corrected(random: Random, rows: Rows) -> Rows:
    """The same rows but for one mark, which was wrong by about two standard deviations."""
    scores = rows.score.copy()
    scores[0] += random.normal(0, 2 * rows.score.std())
    return Rows(rows.hours, scores)


def rates(school: School, times: int) -> dict[str, float]:
    """For each kind of next rows the percentage of models that the gate refuses."""
    n, m, r2, folds, noise = school
    random = np.random.default_rng([n, m, round(100 * r2), folds, sorted(NOISE).index(noise)])
    refused: dict[str, int] = {}
    for _ in range(times):
        old, new = draw(random, n, r2, noise=noise), draw(random, m, r2, noise=noise)
        stored = champion(old, folds)
        kinds = {
            "new": new,
            "growing": joined(old, new),
            "corrected": corrected(random, old),
            "drift": draw(random, m, r2, drift=0.5, noise=noise),
            **{kind: broken(random, new) for kind, broken in BROKEN.items()},
        }
        for kind, rows in kinds.items():
            run = summary(rows, folds)
            refusal = compare(stored, trained(run), run).refused
            refused[kind] = refused.get(kind, 0) + refusal
    return {kind: 100 * count / times for kind, count in refused.items()}


def line(school: School, found: dict[str, float]) -> str:
    """A row of the table; of the broken kinds the one that gets in most easily."""
    broken = sorted((found[kind], kind) for kind in BROKEN if kind != "shuffled")
    cells = [f"{school.n}, {school.m}", f"{school.r2:g}", school.folds, school.noise]
    cells += [f"{found[kind]:.1f}" for kind in ("new", "growing", "corrected", "drift", "shuffled")]
    rate, kind = broken[0]
    cells.append("100" if rate == 100 else f"{rate:.1f} ({kind})")
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table, line by line as it is found."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    print(
        "| rows | R² | folds | errors | new rows | growing | one mark | drift | shuffled | others |"
    )
    print("|" + "---|" * 10)
    for school in SCHOOLS:
        print(line(school, rates(school, times)), flush=True)


if __name__ == "__main__":
    main()
