"""Findings: what the rows show about the line, in plain English."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from models.document import Document
from models.spread import root

if TYPE_CHECKING:
    from models.study_score import StudyScore

SURE = 0.05  # the significance level: a p value below it is not taken for chance
FEW = 10  # fewer rows than this on one line may be chance
# Effects below these are too small to matter, even if many rows make them significant.
R2_MATTERS = 0.05
BEND_MATTERS = 0.02  # Cohen's f^2 (1988, "Statistical power analysis"): a small effect
SPREAD_MATTERS = 1.25
SKEWNESS_MATTERS, KURTOSIS_MATTERS = 0.5, 1.0
DECISIVE = "row_hours", "row_score", "slope_without"
LONG = 1e6  # numbers from here on are written with an exponent
Probability = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Diagnosis(Document):
    """Results of tests on the least-squares line, each null if there are too few rows for it.

    The p values are for a quadratic term, for a spread that changes with the hours, and for errors
    that are not normal. `bend` is the effect size of the quadratic term (Cohen's f^2: the variance
    that it would explain, divided by the variance that remains). `bend_most` is the largest
    distance between curve and line within the hours of the rows, in points. `skewness` and
    `kurtosis` are those of the residuals, divided by the spread if that changes; normal errors have
    0 and 3.
    """

    curvature_p: Probability | None = None
    bend: NotNegative | None = None
    bend_most: NotNegative | None = None
    spread_p: Probability | None = None
    skewness: float | None = None
    kurtosis: NotNegative | None = None
    normality_p: Probability | None = None


class Finding(NamedTuple):
    """What the rows show about one property of the line; SENTENCES has all of them.

    `verdict` is a short key and `sentence` says the same in plain English. `numbers` are those in
    the sentence, except for the interval of W, so that a page can say it in another language.
    """

    about: str
    verdict: str
    sentence: str
    numbers: dict[str, float]


MORE = "An hour more goes with {span} points more"
FEWER = "An hour more goes with {span} points fewer"
LITTLE = ", but hours account for only {r2:.1%} of the differences between scores."
SCATTER = (
    " for many hours than for few: by {few} points at {hours_min:g} hours and by {many} at"
    " {hours_max:g}. The 95 % interval follows that."
)
NOT_NORMAL = "The errors are not normal: "
ROW = "the one of {row_hours:g} hours and {row_score:g} points"
SENTENCES = {
    "slope": {
        "unknown": "Two rows always lie on a line, so nothing tells how far to believe it.",
        "constant": "Every score is {mean_score:g}: these rows cannot tell what an hour is worth.",
        "zero": "Every score is 0: this looks like a mistake in the rows.",
        "exact": "Every row lies on the line.",
        "exact_few": "Every row lies on the line, but {rows} rows prove little.",
        "unclear": "These rows cannot tell whether more hours go with more points or with fewer: an"
        " hour is worth anything from {span} points.",
        "rises": MORE + ".",
        "rises_little": MORE + LITTLE,
        "falls": FEWER + ".",
        "falls_little": FEWER + LITTLE,
    },
    "straightness": {
        "straight": "No sign of a curve, as far as {rows:,} rows can tell.",
        "nearly_straight": "A curve would fit better, but hardly: it lies within {bend_most}"
        " points of the line, and scores scatter by {residual_sd} around either.",
        "curved": "A straight line is not quite right: a curve fits better, and lies up to"
        " {bend_most} points from it between {hours_min:g} and {hours_max:g} hours.",
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
        "nearly_normal": "The errors are not quite normal, but nearly.",
        "skewed_up": NOT_NORMAL + "the largest lie above the line, as with a long tail of high"
        " scores or a lowest score that many have.",
        "skewed_down": NOT_NORMAL + "the largest lie below the line, as with a long tail of low"
        " scores or a highest score that many have.",
        "heavy_tails": NOT_NORMAL + "a few scores lie very far from the line.",
        "light_tails": NOT_NORMAL + "hardly any is much larger than the usual one, as in two groups"
        " or with scores spread evenly.",
    },
    "interval": {
        "quantiles": "So the 95 % interval does not assume that they are: it lies between quantiles"
        " of the errors themselves.",
        "assumed": "The 95 % interval assumes nevertheless that they are: it takes 100 rows, in two"
        " folds or more, to do without that.",
    },
    "influence": {
        "decisive": "One row decides the line, " + ROW + ": without it an hour would be worth"
        " {slope_without:.3g} points, not {W:.3g}.",
        "alone": "One row alone tells what an hour is worth, " + ROW + ": all others have the same"
        " hours.",
    },
}


def findings(model: StudyScore) -> Iterator[Finding]:
    """The findings that the rows allow; the size of an effect counts, not its p value alone."""
    facts = _numbers(model)
    short = {name: facts[name] for name in ("bend_most", "residual_sd", "few", "many")}
    shown = {**facts, **{name: _two_digits(value) for name, value in short.items() if value}}
    if facts["W_low"] is not None:
        shown["span"] = _span(facts["W_low"], facts["W_high"])
    for about, verdict in _verdicts(facts):
        sentence = SENTENCES[about][verdict]
        names = {name for _, name, *_ in Formatter().parse(sentence) if name} - {"span"}
        numbers = {name: facts[name] for name in sorted(names)}
        yield Finding(about, verdict, sentence.format_map(shown), numbers)


def _numbers(model: StudyScore) -> dict[str, Any]:
    """The numbers that decide the verdicts and stand in the sentences, null if they do not apply.

    They are the model's facts, its diagnosis, and: `few` and `many`, the standard deviations of
    scores at the fewest and the most hours; `row_hours` and `row_score` of the row that decides the
    line, and `slope_without` that row.
    """
    numbers = {**model.facts(), **dict(model.diagnosis), "mean_score": model.moments.mean_y}
    numbers |= dict.fromkeys(("few", "many", *DECISIVE))
    if spread := model.spread:
        numbers["few"], numbers["many"] = (root(spread(d)) for d in (spread.low, spread.high))
    if model.decisive:
        numbers |= zip(DECISIVE, model.decisive, strict=True)
    return numbers


def _verdicts(numbers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "slope", _slope(numbers)
    if numbers["row_hours"] is not None:
        yield "influence", "alone" if numbers["slope_without"] is None else "decisive"

    if numbers["curvature_p"] is not None and numbers["bend"] is not None:
        curved = "curved" if numbers["bend"] >= BEND_MATTERS else "nearly_straight"
        yield "straightness", curved if numbers["curvature_p"] < SURE else "straight"

    if numbers["few"] is not None:
        few, many = numbers["few"], numbers["many"]
        uneven = "grows" if many > few else "shrinks"
        matters = max(few, many) >= SPREAD_MATTERS * min(few, many)
        yield "spread", uneven if matters else "nearly_even"
    elif numbers["spread_p"] is not None:
        yield "spread", "even"

    if numbers["normality_p"] is not None:
        shape = _shape(numbers["normality_p"], numbers["skewness"], numbers["kurtosis"] - 3)
        yield "normality", shape
        if numbers["interval"] == "quantiles":
            yield "interval", "quantiles"
        elif shape not in ("normal", "nearly_normal"):
            yield "interval", "assumed"


def _slope(numbers: Mapping[str, Any]) -> str:
    low, high = numbers["W_low"], numbers["W_high"]
    if low is None:
        return "unknown"
    if numbers["r2"] is None:
        return "constant" if numbers["mean_score"] else "zero"
    if not numbers["residual_sd"]:
        return "exact" if numbers["rows"] >= FEW else "exact_few"
    if low <= 0 <= high:
        return "unclear"
    little = "" if numbers["r2"] >= R2_MATTERS else "_little"
    return ("rises" if low > 0 else "falls") + little


def _shape(p: float, skewness: float, excess: float) -> str:
    if p >= SURE:
        return "normal"
    # with heavy tails on both sides, the few largest errors can look like skewness
    if abs(skewness) >= SKEWNESS_MATTERS and excess < 3 * skewness * skewness:
        return "skewed_up" if skewness > 0 else "skewed_down"
    if abs(excess) >= KURTOSIS_MATTERS:
        return "heavy_tails" if excess > 0 else "light_tails"
    return "nearly_normal"


def _two_digits(value: float) -> str:
    """The value to two digits, without an exponent if it is below a million."""
    short = f"{value:.2g}"
    return f"{float(short):.0f}" if "e+" in short and value < LONG else short


def _span(low: float, high: float) -> str:
    """Both ends, to two digits of their difference; without signs if both are negative."""
    if high < 0:
        low, high = -high, -low
    decimals = 1 - math.floor(math.log10(high - low)) if high > low else 0
    size = max(abs(low), abs(high))
    if size >= LONG:
        digits = max(4, math.floor(math.log10(size)) + 1 + decimals)
        return f"{low:.{digits}g} to {high:.{digits}g}"
    decimals = max(0, decimals)
    return f"{low:.{decimals}f} to {high:.{decimals}f}"
