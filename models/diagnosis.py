"""What the rows say of a straight line through them, from their moments alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from models.moments import LEAST, Moments
from models.spread import Following, square

if TYPE_CHECKING:
    from models.study_score import StudyScore

SURE = 0.05  # a p value below this is not put down to chance
# Below these an effect is too small to matter, however sure many rows make it.
R2_MATTERS = 0.05
BEND_MATTERS = 0.02  # Cohen's f^2 (1988, "Statistical power analysis"): a small effect
SPREAD_MATTERS = 1.25
SKEWNESS_MATTERS, KURTOSIS_MATTERS = 0.5, 1.0


class Diagnosis(NamedTuple):
    """Tests of the least-squares line, each null where the rows cannot tell.

    `curvature_f` is F(1, n - 3) of a quadratic term, whose p value takes a statistics library and
    so is made in training; `bend` is the share of the remaining variance that it would explain,
    over the rest (Cohen's f^2), and `bend_most` how far it lies from the line at most, in points,
    within the hours of the rows. `spread_lm` is Breusch and Pagan's, studentised (Koenker 1981, "A
    note on studentizing a test for heteroscedasticity"): chi-squared with 1 degree of freedom.
    `normality_jb` is Jarque and Bera's (1987, "A test for normality of observations and regression
    residuals"): chi-squared with 2; `skewness` and `kurtosis` are those of the residuals, 0 and 3
    where they are normal.
    """

    curvature_f: float | None = None
    bend: float | None = None
    bend_most: float | None = None
    spread_lm: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    normality_jb: float | None = None

    @property
    def spread_p(self) -> float | None:
        """How often chance alone would change the spread with the hours as much."""
        return None if self.spread_lm is None else math.erfc(math.sqrt(self.spread_lm / 2))

    @property
    def normality_p(self) -> float | None:
        """How often normal errors would look as little so."""
        return None if self.normality_jb is None else math.exp(-self.normality_jb / 2)


def diagnose(moments: Moments) -> Diagnosis:
    """The tests of a line through these rows: none for under 4 or for rows that lie on it."""
    n, sxx, srr, higher = moments.n, moments.sxx, moments.srr, moments.higher
    if not higher or n < 4 or sxx <= LEAST or srr <= moments.rounding or higher.srrrr <= LEAST:
        return Diagnosis()
    skewness = higher.srrr / n / (srr / n) ** 1.5
    kurtosis = higher.srrrr / srr / srr * n
    diagnosis = Diagnosis(
        skewness=skewness,
        kurtosis=kurtosis,
        normality_jb=n / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4),
    )
    if kurtosis > 1 + 1e-9:  # or all residuals are equally large
        trend = n * higher.sxrr / srr
        diagnosis = diagnosis._replace(spread_lm=trend * trend / sxx / (kurtosis - 1))
    curve, norm = square(moments)
    if norm:
        gain = higher.sxxr / norm * higher.sxxr
        bend = gain / (srr - gain) if srr - gain > 1e-12 * srr else math.inf
        coefficient = higher.sxxr / norm
        low, high = moments.min_x - moments.mean_x, moments.max_x - moments.mean_x
        turn = min(max(-curve.c1 / 2, low), high)
        diagnosis = diagnosis._replace(
            curvature_f=bend * (n - 3),
            bend=bend,
            bend_most=abs(coefficient) * max(abs(curve(d)) for d in (low, turn, high)),
        )
    return diagnosis


class Finding(NamedTuple):
    """What the rows say about the slope, straightness, spread or normality of the line.

    `verdict` is a short key, and `sentence` says the same in plain English.
    """

    about: str
    verdict: str
    sentence: str


def findings(model: StudyScore) -> Iterator[Finding]:
    """Those of which something can be said; the size of an effect weighs, not its p value alone."""
    yield _slope(model)
    if model.curvature_p is not None:
        yield _straightness(model, model.curvature_p)
    if model.diagnosis.spread_p is not None:
        yield _spread(model)
    if model.diagnosis.normality_p is not None:
        yield _normality(model, model.diagnosis.normality_p)


def _slope(model: StudyScore) -> Finding:
    facts = model.facts()
    low, high, r2 = facts["W_low"], facts["W_high"], facts["r2"]
    if low is None:
        verdict = "unknown"
        sentence = "Two rows always lie on a line, so nothing tells how far to believe it."
    elif not facts["residual_sd"]:
        verdict, sentence = "exact", "Every row lies on the line."
    elif low <= 0 <= high:
        verdict = "unclear"
        sentence = (
            "These rows cannot tell whether more hours go with more points or with fewer: an hour"
            f" is worth anything from {_span(low, high)} points."
        )
    else:
        verdict = "rises" if low > 0 else "falls"
        less, more = sorted((abs(low), abs(high)))
        change = "more" if low > 0 else "fewer"
        sentence = f"An hour more goes with {_span(less, more)} points {change}."
        if r2 < R2_MATTERS:
            verdict += "_little"
            sentence = (
                f"{sentence[:-1]}, but hours account for only {r2:.1%} of the differences between"
                " scores."
            )
    return Finding("slope", verdict, sentence)


def _straightness(model: StudyScore, p: float) -> Finding:
    moments, bend, most = model.moments, model.diagnosis.bend, model.diagnosis.bend_most
    if p >= SURE or bend is None:
        verdict = "straight"
        sentence = f"No sign of a curve, as far as {moments.n:,} rows can tell."
    elif bend < BEND_MATTERS:
        verdict = "nearly_straight"
        sentence = (
            f"A curve would fit better, but hardly: it lies within {most:.2g} points of the line,"
            f" and scores scatter by {model.residual_sd:.2g} around either."
        )
    else:
        verdict = "curved"
        sentence = (
            f"A straight line is not quite right: a curve fits better, and lies up to {most:.2g}"
            f" points from it between {moments.min_x:g} and {moments.max_x:g} hours."
        )
    return Finding("straightness", verdict, sentence)


def _spread(model: StudyScore) -> Finding:
    moments, variance = model.moments, model.variance
    if not isinstance(variance, Following):
        return Finding(
            "spread",
            "even",
            "Scores scatter as much around the line for many hours as for few, as far as"
            f" {moments.n:,} rows can tell.",
        )
    few, many = (math.sqrt(variance.of_scores(d)) for d in (variance.low, variance.high))
    matters = max(few, many) > SPREAD_MATTERS * min(few, many)
    verdict = ("grows" if many > few else "shrinks") if matters else "nearly_even"
    sentence = (
        f"Scores scatter {'' if matters else 'a little '}{'more' if many > few else 'less'} for"
        f" many hours than for few: by {few:.2g} points at {moments.min_x:g} hours and by"
        f" {many:.2g} at {moments.max_x:g}. The 95 % interval follows that."
    )
    return Finding("spread", verdict, sentence)


def _normality(model: StudyScore, p: float) -> Finding:
    skewness, kurtosis = model.diagnosis.skewness or 0.0, model.diagnosis.kurtosis or 3.0
    if p >= SURE:
        verdict = "normal"
        sentence = (
            "The errors look normal, as the 95 % interval assumes, as far as"
            f" {model.moments.n:,} rows can tell."
        )
    elif abs(skewness) >= SKEWNESS_MATTERS:
        verdict = "skewed_up" if skewness > 0 else "skewed_down"
        far, near = ("above", "below") if skewness > 0 else ("below", "above")
        sentence = (
            f"The errors are not normal: the largest lie {far} the line. The 95 % interval is"
            f" too narrow {far} it and too wide {near}."
        )
    elif kurtosis >= 3 + KURTOSIS_MATTERS:
        verdict = "heavy_tails"
        sentence = (
            "The errors are not normal: a few scores lie very far from the line, and widen the"
            " 95 % interval for all."
        )
    elif kurtosis <= 3 - KURTOSIS_MATTERS:
        verdict = "light_tails"
        sentence = (
            "The errors are not normal: hardly any is much larger than the usual one, and the 95 %"
            " interval is wider than it need be."
        )
    else:
        verdict = "nearly_normal"
        sentence = "The errors are not quite normal, but near enough for the 95 % interval."
    return Finding("normality", verdict, sentence)


def _span(low: float, high: float) -> str:
    """Both ends, to two digits of the distance between them."""
    decimals = max(0, 1 - math.floor(math.log10(high - low)))
    return f"{low:.{decimals}f} to {high:.{decimals}f}"
