"""A picture of the fit, and of the cost by epoch, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from models.study_score import StudyScore

INK, GREY, LINE, BAND = "#1f2933", "#7b8794", "#d64545", "#f8d7d3"
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titlepad": 12,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
}


def draw(model: StudyScore, points: Sequence[tuple[float, float]], path: str) -> None:
    """Rows, line and 95 % band beside the cost by epoch; raises OSError if it cannot be written."""
    with matplotlib.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12, wspace=0.04)
        figure = Figure(figsize=(11, 4.6), dpi=150, layout=layout)
        left, right = figure.subplots(1, 2, width_ratios=[3, 2])
        _draw_fit(left, model, points)
        _draw_costs(right, model)
        figure.savefig(path, format="png")


def _draw_fit(axes: Any, model: StudyScore, points: Sequence[tuple[float, float]]) -> None:
    moments = model.moments
    margin = 0.04 * (moments.max_x - moments.min_x)
    hours = np.linspace(max(0.0, moments.min_x - margin), moments.max_x + margin, 200)
    if model.t is not None:
        low, high = model.interval(hours)
        axes.fill_between(hours, low, high, color=BAND, lw=0, label="95 % prediction interval")
    shown = f"{len(points):,} of {moments.n:,} rows" if len(points) < moments.n else "rows"
    x, y = np.array(points).reshape(-1, 2).T
    size, alpha = (36, 0.9) if len(points) <= 100 else (9, 0.45)
    axes.scatter(x, y, s=size, color=INK, alpha=alpha, lw=0, label=shown, zorder=2)
    sign = "\N{MINUS SIGN}" if model.b < 0 else "+"
    line = f"{model.W:.4g} · hours {sign} {abs(model.b):.4g}"
    axes.plot(hours, model.predict(hours), color=LINE, lw=2.2, label=f"score = {line}", zorder=3)
    axes.set(xlabel="hours studied", ylabel="score", xlim=(hours[0], hours[-1]))
    axes.set_title("Score by hours")
    axes.legend(loc="best", fontsize=9.5)


def _draw_costs(axes: Any, model: StudyScore) -> None:
    epochs, costs, *_ = np.array(model.costs).T
    visible = costs > 0  # a perfect fit's 0 has no logarithm
    axes.plot(epochs[visible], costs[visible], color=LINE, lw=2.2)
    axes.set_yscale("log")
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    few_decades = visible.any() and costs[visible].max() < 30 * costs[visible].min()
    axes.yaxis.set_minor_formatter("{x:g}" if few_decades else "")
    axes.grid(axis="y", color="#e4e7eb", lw=0.8)
    axes.set_axisbelow(True)
    axes.set(xlabel="epoch", ylabel="mean squared error", xlim=(0, model.fit.epochs))
    axes.set_title("Cost by epoch of SGD")
