"""What a run of training says about its model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from models.study_score import Source, StudyScore
from training.evaluation import Comparison, Errors

FILES_NAMED = 10


class Report(NamedTuple):
    """A model, its errors on held-back rows if there are any, and the champion if there is one.

    `tag` is null if the model was not saved.
    """

    model: StudyScore
    tag: str | None = None
    test: tuple[int, Errors] | None = None
    champion: tuple[str, Comparison] | None = None

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
            report["test"] = {"rows": self.test[0], **self.test[1]._asdict()}
        if self.champion:
            comparison = self.champion[1]
            report["champion"] = {
                "tag": self.champion[0],
                "rmse": comparison.champion,
                "challenger_rmse": comparison.challenger,
                "same_rows": comparison.same_rows,
                "better": comparison.refused,
            }
        return report

    def sentences(self) -> Iterator[str]:
        """The same for people, but for whether it was saved."""
        model, moments, fit = self.model, self.model.moments, self.model.fit
        for source in model.sources[:FILES_NAMED]:
            yield f"{source.name}: {_rows([source])}"
        if more := model.sources[FILES_NAMED:]:
            yield f"{len(more):,} more files: {_rows(more)}"
        yield f"{moments.n:,} rows, {moments.min_x:g} to {moments.max_x:g} hours"
        units = "hours as they are" if fit.raw else "standard units"
        yield f"{fit.epochs} epochs of SGD, learning rate {fit.lr:g}, {units}"
        yield f"score = {model.W:.6g} * hours + {model.b:.6g}"
        if fit.raw:
            least = moments.cost
            intercept = least.mean_y - least.slope * least.mean_x
            yield f"(where SGD is heading: {least.slope:.6g} * hours + {intercept:.6g})"
        yield f"training error: {_errors(model.rmse, model.r2)}"
        folds = sum(fold is not None for fold in model.folds)
        yield f"cross-validated over {folds} folds: {_errors(model.cv_rmse, model.cv_r2)}"
        if self.test:
            count, test_errors = self.test
            yield f"on {count:,} held-back rows: {_errors(*test_errors)}"
        if self.champion:
            tag, comparison = self.champion
            how = "on the same rows" if comparison.same_rows else "on rows new to it"
            yield (
                f"champion {tag}: RMSE {comparison.champion:.4g} on these rows;"
                f" this model: {comparison.challenger:.4g} {how}"
            )


def _rows(sources: Sequence[Source]) -> str:
    skipped = sum(source.skipped for source in sources)
    rows = f"{sum(source.rows for source in sources):,} rows"
    return f"{rows}, {skipped:,} skipped" if skipped else rows


def _errors(rmse: float | None, r2: float | None) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.4g')}"
        for name, value in (("RMSE", rmse), ("R²", r2))
    )
