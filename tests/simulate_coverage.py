"""How many scores lie in the 95 % interval: `python -m tests.simulate_coverage`.

Prints the tables of training/README.md. First made-up classes of 0 to 10 hours: how much of all
possible scores lies inside, which is known, averaged over the classes. Then public data: how many
rows of one half lie inside the interval of a model of the other, averaged over random halves.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from tests.data import Array
from tests.gate import Random, Rows, summary, trained

CLASSES = 300
SIZES = 10, 20, 50, 100, 200, 1000
HOURS = np.array([0.0, 5.0, 10.0, *np.arange(0.1, 10, 0.2)])
AT, WHOLE = slice(3), slice(3, None)  # single HOURS, and those that stand for all


class Shape(NamedTuple):
    """Scores 20 + 3h + spread(h) * error, cut to a highest score if there is one."""

    errors: Any  # a distribution of scipy's, or two groups
    spread: Callable[[Array], Array] = lambda h: 5 + 0 * h
    highest: float = np.inf

    def draw(self, random: Random, h: Array) -> Array:
        errors = self.errors.rvs(len(h), random_state=random)
        return np.asarray(np.minimum(20 + 3 * h + self.spread(h) * errors, self.highest))

    def inside(self, low: Array, high: Array) -> Array:
        """The share of scores from low to high at HOURS."""
        below, above = (
            self.errors.cdf((end - 20 - 3 * HOURS) / self.spread(HOURS)) for end in (low, high)
        )
        above = np.where(high >= self.highest, 1.0, above)
        return np.where(low > self.highest, 0.0, above - below)


class TwoGroups:
    """As many at -1 as at 1, each with a standard deviation of 0.25."""

    def rvs(self, n: int, random_state: Random) -> Array:
        return random_state.choice([-1.0, 1.0], n) + random_state.normal(0, 0.25, n)

    def cdf(self, x: Array) -> Array:
        return np.asarray((stats.norm.cdf(x, -1, 0.25) + stats.norm.cdf(x, 1, 0.25)) / 2)


SHAPES = {
    "normal": Shape(stats.norm()),
    "uniform": Shape(stats.uniform(-1, 2)),
    "two groups": Shape(TwoGroups()),
    "highest score 45": Shape(stats.norm(), highest=45),
    "exponential": Shape(stats.expon(-1)),
    "Student's t(3)": Shape(stats.t(3)),
    "spread 2 + 2h": Shape(stats.norm(), lambda h: 2 + 2 * h),
    "spread 12 - h": Shape(stats.norm(), lambda h: 12 - h),
    "spread 21 - 1.9h": Shape(stats.norm(), lambda h: 21 - 1.9 * h),
    "uniform, spread 2 + 2h": Shape(stats.uniform(-1, 2), lambda h: 2 + 2 * h),
}


def textbook(rows: Rows, hours: Array) -> Array:
    """Both ends of the prediction interval of simple linear regression."""
    x, y = rows
    line = stats.linregress(x, y)
    n, sxx = len(x), ((x - x.mean()) ** 2).sum()
    s = np.sqrt(((y - line.intercept - line.slope * x) ** 2).sum() / (n - 2))
    margin = stats.t.ppf(0.975, n - 2) * s * np.sqrt(1 + 1 / n + (hours - x.mean()) ** 2 / sxx)
    return np.asarray(line.intercept + line.slope * hours + np.array([[-1], [1]]) * margin)


def intervals(rows: Rows, hours: Array) -> tuple[Array, Array]:
    """The textbook's and this model's, each of shape (2, hours)."""
    return textbook(rows, hours), np.array(trained(summary(rows)).interval(hours))


def coverage(shape: Shape, n: int, classes: int) -> tuple[Array, float]:
    """Shares of scores at HOURS in the textbook's interval and in this, and how wide this is."""
    random = np.random.default_rng([n, 7])
    inside, width = np.zeros((2, len(HOURS))), np.zeros(2)
    for _ in range(classes):
        x = random.uniform(0, 10, n)
        both = intervals(Rows(x, shape.draw(random, x)), HOURS)
        inside += [shape.inside(*ends) for ends in both]
        width += [(high - low)[WHOLE].mean() for low, high in both]
    return inside / classes, float(width[1] / width[0])


def public() -> Iterator[tuple[str, Rows]]:
    """Pairs of columns whose straight line makes sense, from data that packages ship."""
    from sklearn import datasets
    from statsmodels import datasets as economic

    for name, pairs in {
        "diabetes": [("bmi", "target"), ("bp", "target"), ("s5", "target")],
        "iris": [
            ("petal length (cm)", "petal width (cm)"),
            ("sepal length (cm)", "petal length (cm)"),
        ],
        "wine": [("total_phenols", "flavanoids"), ("alcohol", "proline")],
        "breast_cancer": [
            ("mean radius", "mean perimeter"),
            ("mean compactness", "mean concavity"),
            ("mean smoothness", "worst smoothness"),
        ],
    }.items():
        scaled = {"scaled": False} if name == "diabetes" else {}
        frame = getattr(datasets, f"load_{name}")(as_frame=True, **scaled).frame
        for x, y in pairs:
            yield f"scikit-learn {name}: {y} by {x}", _rows(frame, x, y)
    for name, x, y in (
        ("engel", "income", "foodexp"),
        ("fair", "age", "yrs_married"),
        ("star98", "LOWINC", "PR50M"),
        ("cancer", "population", "cancer"),
        ("grunfeld", "value", "invest"),
        ("macrodata", "realdpi", "realcons"),
    ):
        frame = getattr(economic, name).load_pandas().data
        if name == "star98":
            frame["PR50M"] = 100 * frame["NABOVE"] / (frame["NABOVE"] + frame["NBELOW"])
        yield f"statsmodels {name}: {y} by {x}", _rows(frame, x, y)


def _rows(frame: Any, x: str, y: str) -> Rows:
    columns = frame[[x, y]].dropna().to_numpy(np.float64)
    return Rows(columns[:, 0], columns[:, 1])


def held_out(rows: Rows, times: int) -> tuple[Array, float]:
    """Shares of the other half's rows in the textbook's interval and in this one, and its width."""
    random = np.random.default_rng(7)
    inside, width = np.zeros(2), np.zeros(2)
    for _ in range(times):
        order = random.permutation(len(rows.hours))
        seen, unseen = np.array_split(order, 2)
        both = intervals(Rows(rows.hours[seen], rows.score[seen]), rows.hours[unseen])
        scores = rows.score[unseen]
        inside += [np.mean((low <= scores) & (scores <= high)) for low, high in both]
        width += [(high - low).mean() for low, high in both]
    return inside / times, float(width[1] / width[0])


def main(classes: int = CLASSES) -> None:
    found = {name: [coverage(shape, n, classes) for n in SIZES] for name, shape in SHAPES.items()}
    _print("errors", [f"{n} rows" for n in SIZES])
    for name, cells in found.items():
        for k, label in enumerate((name, "this")):
            _print(label, [f"{100 * inside[k][WHOLE].mean():.1f}" for inside, _ in cells])
        _print("its width", [f"{width:.2f}" for _, width in cells])
    print()
    _print("errors", [f"{n} rows" for n in SIZES if n != 100])
    for name, cells in found.items():
        for k, label in enumerate((name, "this")):
            shares = [
                100 * inside[k][AT] for (inside, _), n in zip(cells, SIZES, strict=True) if n != 100
            ]
            _print(label, ["/".join(f"{each:.0f}" for each in at) for at in shares])
    print()
    print("| data | rows | inside | width |\n|---|---|---|---|")
    for name, rows in public():
        inside, width = held_out(rows, classes)
        of_both = "{:.1f} → {:.1f}".format(*100 * inside)
        print(f"| {name} | {len(rows.hours):,} | {of_both} | {width:.2f} |", flush=True)


def _print(name: str, cells: list[str]) -> None:
    print("|", " | ".join([name, *cells]), "|", flush=True)
    if name == "errors":
        print("|---" * (len(cells) + 1) + "|")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
