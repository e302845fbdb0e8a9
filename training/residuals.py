"""Residuals of a sample of rows: their quantiles, and the means of their powers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from models.spread import QUANTILES, Residuals, root
from models.study_score import StudyScore
from training.folds import fold_of
from training.sample import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def residuals_of(model: StudyScore, sample: Sample, rows: int) -> Residuals | None:
    """The residuals of a model on a sample of `rows` of its rows; None if it fits every row."""
    hours, scores, times = sample
    if not model.residual_sd or not model.variance or not model.line_variance or not len(hours):
        return None
    moments = model.moments
    d = hours - moments.mean_x
    variance = model.variance(d)
    z = (scores - moments.mean_y - moments.slope * d) / root(variance - model.line_variance(d))
    quantiles: tuple[float, ...] = ()
    if model.cv_lines:
        fold = fold_of(hours, scores, len(model.cv_lines))
        W, b = np.array([line or (model.W, model.b) for line in model.cv_lines])[fold].T
        unseen = (scores - W * hours - b) / root(variance)
        quantiles = tuple(_quantiles(unseen, times).tolist())
    return Residuals(
        rows=rows,
        quantiles=quantiles,
        means=tuple(np.average([z, z**2, z**3, z**4], axis=1, weights=times).tolist()),
    )


def _quantiles(values: Array, times: NDArray[np.int64]) -> Array:
    """Up to QUANTILES quantiles of the values, each of which occurs so many `times`.

    The k-th of m has the rank k (n + 1) / (m + 1) among the n, rounded towards the nearer end.
    """
    order = np.argsort(values)
    ends = np.cumsum(times[order])
    n = int(ends[-1])
    parts = min(n, QUANTILES) + 1
    k = np.arange(1, parts)
    up = -(-k * (n + 1) // parts)
    ranks = np.where(2 * k <= parts, k * (n + 1) // parts, up)
    return np.asarray(values[order][np.searchsorted(ends, ranks)])


def stored_residuals(model: StudyScore) -> Residuals | None:
    """The residuals stored with a model, or those of a normal distribution if none were drawn."""
    if model.residuals or not model.residual_sd:
        return model.residuals
    levels = np.arange(1, QUANTILES + 1) / (QUANTILES + 1)
    return Residuals(
        rows=model.moments.n,
        quantiles=tuple(ndtri(levels).tolist()),
        means=(0.0, 1.0, 0.0, 3.0),
    )


def joined(one: Residuals | None, other: Residuals | None) -> Residuals | None:
    """The residuals of both sets of rows, weighted by their counts; None stands for no rows.

    Exact where all residuals are kept; else each distribution is interpolated between its
    quantiles.
    """
    if not one or not other:
        return one or other
    rows = one.rows + other.rows
    parts = [part for part in (one, other) if part.quantiles]
    values = np.sort(np.concatenate([part.quantiles for part in parts])) if parts else np.array([])
    if len(values) > QUANTILES:
        values = np.unique(values)
        share = np.average(
            [_share_below(part, values) for part in parts],
            axis=0,
            weights=[part.rows for part in parts],
        )
        values = np.interp(np.arange(1, QUANTILES + 1) / (QUANTILES + 1), share, values)
    return Residuals(
        rows=rows,
        quantiles=tuple(values.tolist()),
        means=tuple(
            (one.rows * a + other.rows * b) / rows
            for a, b in zip(one.means, other.means, strict=True)
        ),
    )


def _share_below(part: Residuals, values: Array) -> Array:
    """The share of residuals below each of these values.

    Beyond the first and the last quantile, residuals are taken to be as dense as next to them.
    """
    q = np.array(part.quantiles)
    q = np.concatenate([2 * q[:1] - q[1:2], q, 2 * q[-1:] - q[-2:-1]])
    return np.interp(values, q, np.linspace(0, 1, len(q)))
