"""The facts about a model that reports, the store and the service show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.study_score import StudyScore


def facts(model: StudyScore) -> dict[str, Any]:
    """The line, its rows and how well it fits, by the usual names; null where unknown."""
    rows, line, tests = model.moments, model.line_variance, model.diagnosis
    score_min, score_max = model.score_range or (None, None)
    return {
        "W": model.W,
        "b": model.b,
        "rows": rows.n,
        "hours_min": rows.min_x,
        "hours_max": rows.max_x,
        **model.training_error._asdict(),
        "residual_sd": model.residual_sd,
        "cv_rmse": model.cv_error.rmse,
        "cv_r2": model.cv_error.r2,
        **_confidence("W", model.W, line and line.c2, model.t),
        **_confidence("b", model.b, line and line(-rows.mean_x), model.t),
        "curvature_p": tests.curvature_p,
        "spread_p": tests.spread_p,
        "normality_p": tests.normality_p,
        "interval": ("quantiles" if model.quantiles else "normal") if model.bounds else None,
        "spread": ("follows" if model.spread else "even") if model.bounds else None,
        "score_min": score_min,
        "score_max": score_max,
    }


def _confidence(
    name: str, value: float, variance: float | None, t: float | None
) -> dict[str, float | None]:
    """Standard error and 95 % confidence interval of W or b, null for fewer than 3 rows."""
    names = f"{name}_se", f"{name}_low", f"{name}_high"
    if t is None or variance is None:
        return dict.fromkeys(names)
    error = math.sqrt(variance)
    return dict(zip(names, (error, value - t * error, value + t * error), strict=True))
