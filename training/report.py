"""What a run of training says about its model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from models.study_score import Source, StudyScore
from training.evaluation import Errors
from training.gate import Comparison

FILES_NAMED = 10
UNFINISHED = 1e-12  # of the scores' variance: what the report's six digits show


class Test(NamedTuple):
    """The errors of a model on so many held-back rows."""

    rows: int
    errors: Errors


class Report(NamedTuple):
    """A model, its errors on held-back rows if there are any, and the champion if there is one.

    `tag` is null if the model was not saved.
    """

    model: StudyScore
    tag: str | None = None
    test: Test | None = None
    champion: Comparison | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        model, fit = self.model, self.model.fit
        report: dict[str, Any] = {
            "tag": self.tag,
            **model.facts(),
            "skipped": sum(source.skipped for source in model.sources),
            "folds": sum(fold is not None for fold in model.folds),
            "test": None,
            "champion": None,
            **fit.model_dump(mode="json"),
            "sources": [source.model_dump() for source in model.sources],
        }
        if self.test:
            report["test"] = {"rows": self.test.rows, **self.test.errors._asdict()}
        if self.champion:
            report["champion"] = self.champion.as_json()
        return report

    def sentences(self, dry_run: bool = False) -> Iterator[str]:
        """The same for people."""
        model, moments, fit = self.model, self.model.moments, self.model.fit
        for source in model.sources[:FILES_NAMED]:
            yield f"{source.name}: {_rows([source])}"
        if more := model.sources[FILES_NAMED:]:
            yield f"{len(more):,} more files: {_rows(more)}"
        yield f"{moments.n:,} rows, {moments.min_x:g} to {moments.max_x:g} hours"
        units = "hours as they are" if fit.raw else "standard units"
        yield f"{fit.epochs} epochs of SGD, learning rate {fit.lr:g}, {units}"
        yield f"score = {_line(model.W, model.b)}"
        least = moments.cost
        if least(model.W, model.b) - least.least > UNFINISHED * moments.sd_y**2:
            heading = _line(least.slope, least.mean_y - least.slope * least.mean_x)
            yield f"(not there yet: SGD is heading for {heading})"
        yield f"training error: {_errors(model.rmse, model.r2)}"
        folds = sum(fold is not None for fold in model.folds)
        yield f"cross-validated over {folds} folds: {_errors(model.cv_rmse, model.cv_r2)}"
        if self.test:
            yield f"on {self.test.rows:,} held-back rows: {_errors(*self.test.errors)}"
        if champion := self.champion:
            yield f"champion {champion.tag}: {_compared(champion)}"
        if self.tag:
            yield f"saved {self.tag}"
        elif dry_run:
            reason = self.champion and self.champion.reason
            yield "dry run: nothing saved" + (f"; it would be refused: {reason}" if reason else "")


def _line(W: float, b: float) -> str:
    return f"{W:.6g} * hours {'-' if b < 0 else '+'} {abs(b):.6g}"


def _rows(sources: Sequence[Source]) -> str:
    skipped = sum(source.skipped for source in sources)
    rows = f"{sum(source.rows for source in sources):,} rows"
    return f"{rows}, {skipped:,} skipped" if skipped else rows


def _compared(champion: Comparison) -> str:
    if champion.rmse is None:
        return "not compared"
    where = "on the same rows" if champion.same_rows else "each on rows that it has not seen"
    return (
        f"RMSE {champion.rmse:.4g} on these rows;"
        f" this model: {champion.challenger_rmse:.4g} {where}"
    )


def _errors(rmse: float | None, r2: float | None) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.4g')}"
        for name, value in (("RMSE", rmse), ("R²", r2))
    )
