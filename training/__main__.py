"""The training script: `python -m training [ROWS ...]`."""

from __future__ import annotations

import contextlib
import gc
import json
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from training.options import parser

if TYPE_CHECKING:
    import argparse

    from models.study_score import StudyScore
    from training.data import Rows
    from training.evaluation import Comparison
    from training.processes import Group
    from training.sgd import Epoch

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


def run(options: argparse.Namespace, group: Group) -> int:
    """Read, fit, compare, save and report; returns the exit status.

    Raises DataError, CannotFit, BentoMLException or OSError, with nothing saved.
    """
    from models import store
    from training.data import read_rows
    from training.evaluation import errors
    from training.files import Columns, refuse_seen
    from training.progress import progress
    from training.report import Report
    from training.sgd import POINTS_KEPT, train

    update = None
    if options.update:
        stored = store.get(options.update)
        update = (str(stored.tag), store.read(stored))
    folds = len(update[1].folds) if update else options.folds or 10
    drawn = 2000 if options.picture else POINTS_KEPT if options.keep_points else 0
    columns = Columns(options.hours_column, options.score_column)

    show = progress(group)

    def read(paths: list[str], sample: int = 0) -> Rows:
        with show.rows() as advance:
            return read_rows(paths, columns, folds, advance, options.skip_bad_rows, sample, group)

    def watch(epochs: Iterator[Epoch]) -> Iterable[Epoch]:
        if options.raw and not options.json:
            return _printed(epochs, options.epochs)
        return show.epochs(epochs, options.epochs)

    rows = read(options.rows, drawn)
    if update:
        refuse_seen(rows.sources, update[1].sources, f"{update[0]} was trained on it already")
    test = read([options.test]) if options.test else None
    if test:
        refuse_seen(test.sources, rows.sources, "it is among the rows to train on, not held back")
    if group.rank:
        return 0  # the first process does the rest

    lr = options.lr or (0.01 if options.raw else 0.1)
    model = train(rows, lr, options.epochs, options.raw, watch, update, options.keep_points)
    report = Report(
        model,
        test=(test.moments.n, errors(test.moments, model.W, model.b)) if test else None,
        champion=_champion(model, rows),
    )
    champion = report.champion
    refused = champion is not None and champion[1].refused and not options.force
    if options.picture:
        from training.picture import draw

        draw(model, rows.points, options.picture)
    if not options.dry_run and not refused:
        with _uninterrupted():
            report = report._replace(tag=str(store.save(model)))
    if options.json:
        print(json.dumps(report.as_json()))
    else:
        print(*report.sentences(), sep="\n")
        if report.tag:
            print(f"saved {report.tag}")
        elif options.dry_run:
            print("dry run: nothing saved")
    if refused and champion and not options.dry_run:
        print(
            f"training: refused, nothing saved: {champion[1].reason(champion[0])};"
            " --force saves this model all the same",
            file=sys.stderr,
        )
        return 3
    return 0


def _champion(model: StudyScore, rows: Rows) -> tuple[str, Comparison] | None:
    """The model now in the store, if it can be read, and how the new one compares with it."""
    from models import store
    from training.evaluation import compare

    try:
        stored = store.get(store.LATEST)
        return str(stored.tag), compare(store.read(stored), model, rows)
    except store.ModelMissing:
        return None
    except store.ModelDamaged as error:
        print(f"training: no comparison with the model now in the store: {error}", file=sys.stderr)
        return None


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and a polite kill wait: half a save would stay in the store."""
    handlers = [signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS]
    try:
        yield
    finally:
        for number, handler in zip(INTERRUPTIONS, handlers, strict=True):
            signal.signal(number, handler)


def _printed(epochs: Iterator[Epoch], last: int) -> Iterator[Epoch]:
    """The lab's table, as the epochs go by."""
    for epoch in epochs:
        if epoch.number % 100 == 0:
            W, b, cost = epoch.W[0], epoch.b[0], epoch.cost[0]
            print(f"Epoch {epoch.number:4}/{last} W: {W:.3f}, b: {b:.3f} Cost: {cost:.6f}")
        yield epoch


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.update and options.folds:
        command_line.error("--folds cannot change the folds of the model to --update")
    name = "training"
    try:
        from bentoml.exceptions import BentoMLException

        from training.files import DataError
        from training.processes import PeerLost, group
        from training.sgd import CannotFit

        try:
            with group() as processes:
                if processes.size > 1:
                    name = f"training, process {processes.rank} of {processes.size}"
                return run(options, processes)
        except (DataError, CannotFit, PeerLost, BentoMLException, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; nothing saved", file=sys.stderr)
        return 130


if __name__ == "__main__":
    gc.disable()  # or the modules of torch and BentoML are searched for garbage at every start
    status = main()
    gc.freeze()  # and at every end
    sys.exit(status)
