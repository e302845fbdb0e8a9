"""The range of hours for which a condition holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from models.spread import clipped


def range_of(
    holds: Callable[[Any], Any], near: float, training: tuple[float, float], most: float
) -> tuple[float | None, float | None]:
    """The fewest and the most hours, from 0 to `most`, for which `holds` is true.

    (None, None) where there are none; the second is also None where it would be `most`. `near` are
    hours for which it probably holds. From the fewest to the most hours of `training` it may become
    false and true again, so many hours are tried; then both ends are refined by bisection.
    """
    candidates = [0.0, clipped(near, 0.0, most)], np.linspace(*training, 1000)
    hours = np.unique(np.concatenate([*candidates, np.geomspace(0.01, most, 100)]))
    holding = np.flatnonzero(holds(hours))
    if not len(holding):
        return None, None
    first, last, tried = holding[0], holding[-1], hours.tolist()
    low = _edge(holds, tried[first], tried[max(first - 1, 0)])
    if tried[last] == most:
        return low, None
    return low, _edge(holds, tried[last], tried[last + 1])


def _edge(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last number from `inside` to `outside` for which `holds` is true, by bisection."""
    while (middle := (inside + outside) / 2) not in (inside, outside):
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
