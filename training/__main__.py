"""The training script: `python -m training [ROWS ...]`."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

    from models.study_score import StudyScore
    from training.sgd import Epoch


def _number(kind: type[float], low: float, high: float, rule: str) -> Any:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= (value := kind(text)) <= high:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not {rule}")

    return parse


def parser() -> argparse.ArgumentParser:
    """The options of the training script."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Fit W and b of H(x) = Wx + b, score from hours, with torch SGD, and save them"
        " to the BentoML model store.",
        epilog="Exit status: 0 saved, 1 unusable rows or fit, 2 usage, 130 interrupted.",
    )
    positive = _number(float, math.ulp(0), sys.float_info.max, "a number above 0")
    parser.add_argument(
        "rows",
        nargs="*",
        metavar="ROWS",
        help="CSV files; none means the lab's three rows: 1, 2, 3 hours and 2, 4, 6 points",
    )
    parser.add_argument("--hours-column", default="hours", metavar="NAME", help="(default: hours)")
    parser.add_argument("--score-column", default="score", metavar="NAME", help="(default: score)")
    parser.add_argument("--lr", type=positive, help="learning rate (default: 0.1; 0.01 with --raw)")
    parser.add_argument(
        "--epochs",
        type=_number(int, 1, 10**9, "a whole number from 1"),
        default=1000,
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--raw", action="store_true", help="run SGD on the hours as they are, as the lab does"
    )
    parser.add_argument(
        "--folds",
        type=_number(int, 1, 100, "a whole number from 1 to 100"),
        default=10,
        help="cross-validation folds (default: %(default)s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="fit and report, save nothing")
    parser.add_argument("--json", action="store_true", help="report as one JSON object")
    return parser


def run(options: argparse.Namespace) -> None:
    """Read, fit, save and report.

    Raises DataError, CannotFit or BentoMLException, with nothing saved.
    """
    from models import store
    from training.data import Columns, read_rows
    from training.sgd import train

    columns = Columns(options.hours_column, options.score_column)
    with _progress() as progress:
        reading = progress.add_task("reading", total=None)
        rows = read_rows(
            options.rows, columns, options.folds, lambda n: progress.advance(reading, n)
        )
        progress.remove_task(reading)

        def watch(epochs: Iterator[Epoch]) -> Iterable[Epoch]:
            if options.raw and not options.json:
                return _printed(epochs, options.epochs)
            return progress.track(epochs, total=options.epochs + 1, description="epochs")

        lr = options.lr or (0.01 if options.raw else 0.1)
        model = train(rows, lr, options.epochs, options.raw, watch)

    tag = None
    if not options.dry_run:
        ctrl_c = signal.signal(signal.SIGINT, signal.SIG_IGN)  # half a save would stay in the store
        tag = str(store.save(model))
        signal.signal(signal.SIGINT, ctrl_c)
    if options.json:
        print(json.dumps({"tag": tag, **report(model)}))
    else:
        print(*_sentences(model), f"saved {tag}" if tag else "dry run: nothing saved", sep="\n")


def report(model: StudyScore) -> dict[str, Any]:
    """What `--json` says of a model, beside its tag."""
    return {
        "W": model.W,
        "b": model.b,
        "rows": model.moments.n,
        "hours_min": model.moments.min_x,
        "hours_max": model.moments.max_x,
        "rmse": model.rmse,
        "r2": model.r2,
        "residual_sd": model.residual_sd,
        "folds": len(model.folds),
        "cv_rmse": model.cv_rmse,
        "cv_r2": model.cv_r2,
        "epochs": model.fit.epochs,
        "lr": model.fit.lr,
        "raw": model.fit.raw,
        "sources": [source.model_dump() for source in model.sources],
    }


def _sentences(model: StudyScore) -> Iterator[str]:
    moments, fit = model.moments, model.fit
    for source in model.sources:
        yield f"{source.name}: {source.rows:,} rows"
    yield f"{moments.n:,} rows, {moments.min_x:g} to {moments.max_x:g} hours"
    units = "hours as they are" if fit.raw else "standard units"
    yield f"{fit.epochs} epochs of SGD, learning rate {fit.lr:g}, {units}"
    yield f"score = {model.W:.6g} * hours + {model.b:.6g}"
    if fit.raw:
        least = moments.cost
        intercept = least.mean_y - least.slope * least.mean_x
        yield f"(where SGD is heading: {least.slope:.6g} * hours + {intercept:.6g})"
    yield f"training error: {_error(model.rmse, model.r2)}"
    yield f"cross-validated over {len(model.folds)} folds: {_error(model.cv_rmse, model.cv_r2)}"


def _error(rmse: float | None, r2: float | None) -> str:
    return ", ".join(
        f"{name} {'unknown' if value is None else format(value, '.4g')}"
        for name, value in (("RMSE", rmse), ("R²", r2))
    )


def _printed(epochs: Iterator[Epoch], last: int) -> Iterator[Epoch]:
    """The lab's table, as the epochs go by."""
    for epoch in epochs:
        if epoch.number % 100 == 0:
            W, b, cost = epoch.W[0], epoch.b[0], epoch.cost[0]
            print(f"Epoch {epoch.number:4}/{last} W: {W:.3f}, b: {b:.3f} Cost: {cost:.6f}")
        yield epoch


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        from bentoml.exceptions import BentoMLException

        from training.data import DataError
        from training.sgd import CannotFit

        try:
            run(options)
        except (DataError, CannotFit, BentoMLException, OSError) as error:
            print(f"training: {error}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("training: interrupted; nothing saved", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
