"""The report of a run of training, as sentences or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.moments import Moments
from models.record import Source
from models.spread import Errors
from models.study_score import StudyScore
from training.errors import counted, printable
from training.gate import Comparison
from training.sample import Sample
from training.sgd import Epoch

FILES_NAMED = 10
PILE, PILE_ROWS = 0.05, 5  # a share of the rows, and rows: more at one score are hardly chance
UNFINISHED = 1e-12  # of the scores' variance: visible in the report's six digits


class Report(NamedTuple):
    """A model, the rows held back to test it, if any, and the champion, if there is one.

    `tag` is null if the model was not saved.
    """

    model: StudyScore
    tag: str | None = None
    test: Moments | None = None
    comparison: Comparison | None = None

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        model, test = self.model, self.test
        return {
            "tag": self.tag,
            **model.facts(),
            "findings": [finding._asdict() for finding in model.findings()],
            "skipped": sum(source.skipped for source in model.sources),
            "folds": sum(fold is not None for fold in model.folds),
            "test": test and {"rows": test.n, **model.errors(test)._asdict()},
            "champion": self.comparison and self.comparison.as_json(),
            **model.fit.model_dump(mode="json"),
            "sources": [source.model_dump() for source in model.sources],
        }

    def sentences(self, dry_run: bool = False) -> Iterator[str]:
        """The report for people."""
        model, moments, fit = self.model, self.model.moments, self.model.fit
        for source in model.sources[:FILES_NAMED]:
            how = " of ".join(filter(None, (source.read_as, source.query)))
            yield printable(f"{source.name}: {_rows([source])}" + (f" ({how})" if how else ""))
        if more := model.sources[FILES_NAMED:]:
            yield f"{len(more):,} more files: {_rows(more)}"
        limits = model.score_range
        within = f", scores from {limits[0]:g} to {limits[1]:g}" if limits else ""
        yield f"{moments.n:,} rows, {moments.min_x + 0.0:g} to {moments.max_x:g} hours{within}"
        units = "hours as they are" if fit.raw else "standard units"
        yield f"{fit.epochs} epochs of SGD, learning rate {fit.lr:g}, {units}"
        yield f"score = {_line(model.W, model.b)}"
        least = moments.cost
        if least(model.W, model.b) - least.least > UNFINISHED * moments.sd_y**2:
            heading = _line(least.slope, least.mean_y - least.slope * least.mean_x)
            yield f"(not there yet: SGD is heading for {heading})"
        if model.residual_sd:
            facts = model.facts()
            yield (
                "95 % confidence: W from {W_low:.4g} to {W_high:.4g},"
                " b from {b_low:.4g} to {b_high:.4g}".format_map(facts)
            )
        yield f"training error: {_errors(model.training_error)}"
        if model.cv_lines:
            folds = sum(fold is not None for fold in model.folds)
            yield f"cross-validated over {folds} folds: {_errors(model.cv_error)}"
        else:
            yield "not cross-validated: that takes rows in two folds or more"
        if self.test:
            yield f"on {self.test.n:,} held-back rows: {_errors(model.errors(self.test))}"
        for finding in model.findings():
            yield finding.sentence
        if champion := self.comparison:
            yield f"champion {champion.tag}: {_compared(champion)}"
        if self.tag:
            yield f"saved {self.tag}"
        elif dry_run:
            reason = self.comparison and self.comparison.reason
            yield "dry run: nothing saved" + (f"; it would be refused: {reason}" if reason else "")


def _line(W: float, b: float) -> str:
    return f"{W:.6g} * hours {'-' if b < 0 else '+'} {abs(b):.6g}"


def _rows(sources: Sequence[Source]) -> str:
    skipped = sum(source.skipped for source in sources)
    rows = counted(sum(source.rows for source in sources))
    return f"{rows}, {skipped:,} skipped" if skipped else rows


def _compared(champion: Comparison) -> str:
    if champion.rmse is None:
        return "not compared"
    where = "on the same rows" if champion.same_rows else "each on rows that it has not seen"
    return f"RMSE {champion.rmse:.4g}, this model's {champion.challenger_rmse:.4g}, {where}"


def _errors(errors: Errors) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.4g')}"
        for name, value in zip(("RMSE", "R²"), errors, strict=True)
    )


def suggested_limits(sample: Sample) -> str | None:
    """Advice if scores within 0 to 100 pile up at the lowest or the highest one.

    Scores pile up where more rows have exactly the outermost score than the one next to it.
    """
    levels, which = np.unique(sample.scores, return_inverse=True)
    if len(levels) < 2 or levels[0] < 0 or levels[-1] > 100:
        return None
    rows = np.bincount(which, weights=sample.times)
    enough = max(PILE_ROWS, PILE * rows.sum())
    limits = [0.0, 100.0]
    piles = []
    for end, (outer, inner, name) in enumerate([(0, 1, "lowest"), (-1, -2, "highest")]):
        if rows[outer] >= enough and rows[outer] > rows[inner]:
            limits[end] = float(levels[outer])
            share = f"{rows[outer] / rows.sum():.0%}"
            piles.append(f"{share} of the scores are exactly {limits[end]:g}, the {name}")
    if not piles:
        return None
    return (
        f"{' and '.join(piles)}; if there can be none beyond, --score-range {limits[0]:g}"
        f" {limits[1]:g} keeps predictions within"
    )


def lab_table(epochs: Iterator[Epoch], last: int) -> Iterator[Epoch]:
    """Print the lab's table while the epochs go by."""
    for epoch in epochs:
        if epoch.number % 100 == 0:
            W, b, cost = epoch.W[0], epoch.b[0], epoch.cost[0]
            print(f"Epoch {epoch.number:4}/{last} W: {W:.3f}, b: {b:.3f} Cost: {cost:.6f}")
        yield epoch
