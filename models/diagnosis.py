"""What the rows say of a straight line through them, from their moments alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple

from models.moments import LEAST, Moments
from models.spread import VaryingVariance, quadratic_term

if TYPE_CHECKING:
    from models.study_score import StudyScore

SURE = 0.05  # a p value below this is not put down to chance
# Below these an effect is too small to matter, however sure many rows make it.
R2_MATTERS = 0.05
BEND_MATTERS = 0.02  # Cohen's f^2 (1988, "Statistical power analysis"): a small effect
SPREAD_MATTERS = 1.25
SKEWNESS_MATTERS, KURTOSIS_MATTERS = 0.5, 1.0
LONG = 1e6  # numbers from here on are not written out


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
    if n < 4 or sxx <= LEAST or srr <= moments.rounding or higher.srrrr <= LEAST:
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
    curve, norm = quadratic_term(moments)
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

    `verdict` is a short key, `sentence` says the same in plain English, and `numbers` has those in
    it but the ends of W, for who says it in another language.
    """

    about: str
    verdict: str
    sentence: str
    numbers: dict[str, float]


MORE = "An hour more goes with {span} points more"
FEWER = "An hour more goes with {span} points fewer"
LITTLE = ", but hours account for only {r2:.1%} of the differences between scores."
SCATTER = (
    " for many hours than for few: by {few:.2g} points at {hours_min:g} hours and by {many:.2g} at"
    " {hours_max:g}. The 95 % interval follows that."
)
NOT_NORMAL = "The errors are not normal: "
SENTENCES = {
    "slope": {
        "unknown": "Two rows always lie on a line, so nothing tells how far to believe it.",
        "exact": "Every row lies on the line.",
        "unclear": "These rows cannot tell whether more hours go with more points or with fewer: an"
        " hour is worth anything from {span} points.",
        "rises": MORE + ".",
        "rises_little": MORE + LITTLE,
        "falls": FEWER + ".",
        "falls_little": FEWER + LITTLE,
    },
    "straightness": {
        "straight": "No sign of a curve, as far as {rows:,} rows can tell.",
        "nearly_straight": "A curve would fit better, but hardly: it lies within {bend_most:.2g}"
        " points of the line, and scores scatter by {residual_sd:.2g} around either.",
        "curved": "A straight line is not quite right: a curve fits better, and lies up to"
        " {bend_most:.2g} points from it between {hours_min:g} and {hours_max:g} hours.",
    },
    "spread": {
        "even": "Scores scatter as much around the line for many hours as for few, as far as"
        " {rows:,} rows can tell.",
        "nearly_even": "Scores scatter only a little differently" + SCATTER,
        "grows": "Scores scatter more" + SCATTER,
        "shrinks": "Scores scatter less" + SCATTER,
    },
    "normality": {
        "normal": "The errors look normal, as the 95 % interval assumes, as far as {rows:,} rows"
        " can tell.",
        "nearly_normal": "The errors are not quite normal, but near enough for the 95 % interval.",
        "skewed_up": NOT_NORMAL + "the largest lie above the line. The 95 % interval is too narrow"
        " above it and too wide below.",
        "skewed_down": NOT_NORMAL + "the largest lie below the line. The 95 % interval is too"
        " narrow below it and too wide above.",
        "heavy_tails": NOT_NORMAL + "a few scores lie very far from the line, and widen the 95 %"
        " interval for all.",
        "light_tails": NOT_NORMAL + "hardly any is much larger than the usual one, and the 95 %"
        " interval is wider than it need be.",
    },
}


def findings(model: StudyScore) -> Iterator[Finding]:
    """Those of which something can be said; the size of an effect weighs, not its p value alone."""
    numbers = {**model.facts(), **model.diagnosis._asdict()}
    if numbers["W_low"] is not None:
        numbers["span"] = _span(numbers["W_low"], numbers["W_high"])
    variance = model.variance
    if isinstance(variance, VaryingVariance):
        ends = {"few": variance.low, "many": variance.high}
        numbers |= {end: math.sqrt(variance.of_scores(d)) for end, d in ends.items()}
    for about, verdict in _verdicts(numbers):
        sentence = SENTENCES[about][verdict]
        names = {name for _, name, *_ in Formatter().parse(sentence) if name} - {"span"}
        said = {name: numbers[name] for name in sorted(names)}
        yield Finding(about, verdict, sentence.format_map(numbers), said)


def _verdicts(numbers: dict[str, Any]) -> Iterator[tuple[str, str]]:
    low, high = numbers["W_low"], numbers["W_high"]
    if low is None:
        yield "slope", "unknown"
    elif not numbers["residual_sd"]:
        yield "slope", "exact"
    elif low <= 0 <= high:
        yield "slope", "unclear"
    else:
        little = "" if numbers["r2"] >= R2_MATTERS else "_little"
        yield "slope", ("rises" if low > 0 else "falls") + little

    if numbers["curvature_p"] is not None and numbers["bend"] is not None:
        curved = "curved" if numbers["bend"] >= BEND_MATTERS else "nearly_straight"
        yield "straightness", curved if numbers["curvature_p"] < SURE else "straight"

    if "few" in numbers:  # the interval follows the spread
        few, many = numbers["few"], numbers["many"]
        uneven = "grows" if many > few else "shrinks"
        matters = max(few, many) >= SPREAD_MATTERS * min(few, many)
        yield "spread", uneven if matters else "nearly_even"
    elif numbers["spread_p"] is not None:
        yield "spread", "even"

    if numbers["normality_p"] is not None:
        skewness, excess = numbers["skewness"], numbers["kurtosis"] - 3
        if numbers["normality_p"] >= SURE:
            yield "normality", "normal"
        # heavy tails on both sides look skewed too, by their few largest errors
        elif abs(skewness) >= SKEWNESS_MATTERS and excess < 3 * skewness * skewness:
            yield "normality", "skewed_up" if skewness > 0 else "skewed_down"
        elif abs(excess) >= KURTOSIS_MATTERS:
            yield "normality", "heavy_tails" if excess > 0 else "light_tails"
        else:
            yield "normality", "nearly_normal"


def _span(low: float, high: float) -> str:
    """Both ends, to two digits of their distance; where both are below 0 without their signs."""
    if high < 0:
        low, high = -high, -low
    decimals = 1 - math.floor(math.log10(high - low)) if high > low else 0
    size = max(abs(low), abs(high))
    if size >= LONG:
        digits = max(4, math.floor(math.log10(size)) + 1 + decimals)
        return f"{low:.{digits}g} to {high:.{digits}g}"
    decimals = max(0, decimals)
    return f"{low:.{decimals}f} to {high:.{decimals}f}"
