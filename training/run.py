"""One run of training: read, fit, compare, save, report."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bentoml.exceptions import BentoMLException

from models import store
from models.cost import Cost
from models.store import Stored
from models.study_score import StudyScore
from training.columns import Columns
from training.dialect import Options
from training.errors import TrainingError, disk_error, printable
from training.identity import are_the_labs, fingerprints, refuse_repeated
from training.processes import Group, group
from training.progress import Progress
from training.reduce import ReadOptions
from training.rows import Summary, read_rows

if TYPE_CHECKING:
    from training.gate import Comparison
    from training.report import Report

POINTS_DRAWN = 2000
SAVED, FAILED, REFUSED = 0, 1, 3
FOLDS = 10


def run(options: Namespace) -> int:
    """Train with these options; returns the exit status.

    If it raises TrainingError, nothing is saved.
    """
    executor = ThreadPoolExecutor(1)
    try:
        # SIGTERM ends it as Ctrl-C does, with all clean-up
        with _handled(signal.default_int_handler, signal.SIGTERM), group() as processes:
            return _run(options, processes, executor.submit(_import_torch))
    except BentoMLException as error:
        raise TrainingError(str(error)) from error
    except OSError as error:
        raise TrainingError(disk_error(error)) from error
    finally:
        executor.shutdown(wait=False)  # Ctrl-C need not wait for torch


def _import_torch() -> None:
    """Import torch, and take one step, which imports more of it, while the engine reads rows.

    The first step would also import torch's compiler, half a second and 75 MB, only to ask it
    whether to compile the step. Here a module without a compiler answers no.
    """
    import torch

    from training.sgd import descend, side_by_side

    compiler: Any = ModuleType("torch._dynamo")
    compiler.disable = lambda function, *_, **__: function
    compiler.graph_break = lambda: None
    torch._dynamo = sys.modules.setdefault("torch._dynamo", compiler)

    list(descend(side_by_side([Cost(0.0, 0.0, 1.0, 0.0, 0.0)]), 0.1, 0))


def _run(options: Namespace, processes: Group, torch: Future[None]) -> int:
    if options.picture and not os.path.isdir(os.path.dirname(options.picture) or "."):
        raise TrainingError(f"{options.picture}: cannot be written: its folder does not exist")
    update = processes.broadcast(lambda: store.load(options.update)) if options.update else None
    champion = processes.broadcast(_champion)
    progress = Progress(processes)
    rows, test = _read(options, processes, progress, update, champion)
    if processes.rank:
        return SAVED  # the first process does the rest
    torch.result()
    model = _fitted(options, rows, update, progress)
    return _finish(options, model, rows, test, champion)


def _read(
    options: Namespace,
    processes: Group,
    progress: Progress,
    update: Stored | None,
    champion: Stored | None,
) -> tuple[Summary, Summary | None]:
    """The rows to train on and the held-back ones; raises DataError."""
    old = update.model if update else None
    read_options = ReadOptions(
        columns=Columns(options.hours_column, options.score_column),
        folds=len(old.folds) if old else options.folds or _folds(champion),
        skip_bad_rows=options.skip_bad_rows,
        with_sample=bool(options.picture or options.keep_points),
        score_range=(options.score_range and tuple(options.score_range))
        or (old.score_range if old else None),
        file_options=Options(options.separator, options.decimal, options.encoding, options.sheet),
    )
    read = partial(read_rows, options=read_options, group=processes, watch=progress.read)
    rows = read(options.rows, sql=options.query, earlier=old.moments if old else None)
    if rows.notes and not processes.rank:
        progress.clear()
        for note in rows.notes:
            _say(printable(note))
    if update:
        refuse_repeated(rows.sources, update.model.seen, f"{update.tag} was trained on it already")
    test = read([options.test]) if options.test else None
    if test:
        reason = "it is among the rows to train on, not held back"
        refuse_repeated(test.sources, fingerprints(rows.sources), reason)
    _refuse_unused(options, rows.kinds | (test.kinds if test else frozenset()))
    return rows, test


def _refuse_unused(options: Namespace, kinds: Set[str]) -> None:
    """Raises TrainingError for an option that has no effect on sources of these kinds."""
    for option in ("sheet", "separator", "decimal", "encoding"):
        kind, what = ("workbook", "a workbook") if option == "sheet" else ("text", "a text file")
        if getattr(options, option) is not None and kind not in kinds:
            raise TrainingError(f"--{option} is only for {what}, and none is read")


def _fitted(
    options: Namespace, rows: Summary, update: Stored | None, progress: Progress
) -> StudyScore:
    """The model of these rows, drawn if so wished; raises CannotFit."""
    from training.fit import POINTS_KEPT, fit, points
    from training.report import lab_table

    lr = options.lr or (0.01 if options.raw else 0.1)
    watch = lab_table if options.raw and not options.json else progress.epochs
    model = fit(rows, lr, options.epochs, options.raw, partial(watch, last=options.epochs), update)
    if options.keep_points:
        model = model.replace(points=points(rows.sample, POINTS_KEPT))
    progress.clear()
    if options.picture:
        from training.picture import draw

        draw(model, points(rows.sample, POINTS_DRAWN), options.picture)
    return model


def _finish(
    options: Namespace,
    model: StudyScore,
    rows: Summary,
    test: Summary | None,
    champion: Stored | None,
) -> int:
    """Compare, save and report a model; returns the exit status."""
    from training.gate import compare
    from training.report import Report, suggested_limits

    if not rows.score_range and (advice := suggested_limits(rows.sample)):
        _say(advice)
    if options.dry_run:
        tag, comparison = None, compare(champion, model, rows) if champion else None
    else:
        tag, comparison = _save(model, rows, champion, options.force)
    report = Report(model, tag, test.moments if test else None, comparison)
    problem = _print(report, options)
    if problem:
        saved = f"; the model is saved nevertheless, as {tag}" if tag else ""
        _say(f"the report could not be written: {problem}{saved}")
    if comparison and not tag and not options.dry_run:
        _say(f"refused, nothing saved: {comparison.reason}; --force saves this model anyway")
        return REFUSED
    return FAILED if problem and not tag else SAVED


def _folds(champion: Stored | None) -> int:
    """As many as a champion of real rows has; else the two could not be compared."""
    if champion is None or are_the_labs(champion.model.sources):
        return FOLDS
    return len(champion.model.folds)


def _say(text: str) -> None:
    print(f"training: {text}", file=sys.stderr)


def _champion(say: Callable[[str], None] = _say) -> Stored | None:
    """The model now in the store, if it can be read."""
    try:
        return store.load(store.LATEST)
    except store.ModelMissing:
        return None
    except store.ModelDamaged as error:
        say(f"no comparison with the model now in the store: {error}")
        return None


def _save(
    model: StudyScore, rows: Summary, champion: Stored | None, force: bool
) -> tuple[str | None, Comparison | None]:
    """Save the model unless the champion stays; returns the tag and the comparison.

    Another training may have replaced the champion since the start, so it is read again, under a
    lock.
    """
    from training.gate import compare, locked

    with locked():
        now = _champion(say=_say if champion else lambda _: None)  # else it was printed before
        comparison = compare(now, model, rows) if now else None
        if comparison and comparison.refused and not force:
            return None, comparison
        with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):  # half a save would stay
            return str(store.save(model)), comparison


def _print(report: Report, options: Namespace) -> str | None:
    """Print the report; returns the reason if that fails."""
    if options.json:
        text = json.dumps(report.as_json())
    else:
        text = "\n".join(report.sentences(options.dry_run))
    try:
        print(text, flush=True)
    except OSError as error:
        # or Python tries again as it exits, and makes the exit status 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error.strerror
    return None


@contextlib.contextmanager
def _handled(handler: Any, *signals: int) -> Iterator[None]:
    """Handle these signals in another way until the end of the block."""
    handlers = [signal.signal(number, handler) for number in signals]
    try:
        yield
    finally:
        for number, before in zip(signals, handlers, strict=True):
            signal.signal(number, before)
