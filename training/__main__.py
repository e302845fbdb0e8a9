"""The options of the training script, `python -m training [ROWS ...]`; run.py does the rest.

`--help` imports nothing else, and an older Python can run this far and print which one is needed.
"""

import argparse
import codecs
import contextlib
import gc
import math
import os
import shlex
import sys
from typing import Any

from training.errors import TrainingError, printable

INTERRUPTED = 130


def _number(convert: "type[float]", low: float, high: float, rule: str) -> Any:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            value = convert(text)
            if low <= value <= high:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not {rule}")

    return parse


def _encoding(name: str) -> str:
    try:
        codecs.getincrementaldecoder(name)("replace").decode("hours".encode(name))
        return codecs.lookup(name).name
    except (LookupError, ValueError, TypeError):
        raise argparse.ArgumentTypeError(f"{name!r} is not a known encoding") from None


def _png(name: str) -> str:
    if not name.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{name!r} does not end in .png")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        allow_abbrev=False,
        description="Fit W and b of H(x) = Wx + b, score from hours, with torch SGD, and save them"
        " to the BentoML model store.",
        epilog="Exit status: 0 saved (or dry run), 1 unusable rows or fit, 2 usage, 3 refused:"
        " the model now in the store is better, or the rows are too unlike its own,"
        " 130 interrupted.",
    )
    _add_row_options(parser.add_argument)
    _add_fit_options(parser.add_argument)
    return parser


def _add_row_options(add: Any) -> None:
    add(
        "rows",
        nargs="*",
        metavar="ROWS",
        help="files, folders, globs or bucket URLs of CSV, Parquet or workbooks; none means the"
        " lab's three rows: 1, 2, 3 hours and 2, 4, 6 points",
    )
    add("--query", metavar="SQL", help="read the rows of a query; ROWS is the database's address")
    add("--hours-column", default="hours", metavar="NAME", help="(default: hours)")
    add("--score-column", default="score", metavar="NAME", help="(default: score)")
    separators = [*",;\t |:^~"]
    add("--separator", choices=separators, metavar="MARK", help="of columns (default: detected)")
    add("--decimal", choices=[",", "."], metavar="MARK", help="in numbers (default: detected)")
    add("--encoding", type=_encoding, metavar="NAME", help="(default: detected)")
    add("--sheet", metavar="NAME", help="of workbooks (default: the first)")
    add("--skip-bad-rows", action="store_true", help="skip and count bad rows, up to half of all")
    add("--test", metavar="ROWS", help="also report the error on these held-back rows")
    add("--update", metavar="TAG", help="add the rows to this model; its own are not needed again")
    add(
        "--score-range",
        nargs=2,
        type=_number(float, -sys.float_info.max, sys.float_info.max, "a number"),
        metavar=("LOW", "HIGH"),
        help="the limits of scores: rows outside cannot be used, and predictions are cut to them"
        " (default: none, with --update those of that model)",
    )


def _add_fit_options(add: Any) -> None:
    positive = _number(float, math.ulp(0), sys.float_info.max, "a number above 0")
    add("--lr", type=positive, help="learning rate (default: 0.1; 0.01 with --raw)")
    epochs = _number(int, 1, 10**9, "a whole number from 1")
    add("--epochs", type=epochs, default=1000, help="(default: %(default)s)")
    add("--raw", action="store_true", help="run SGD on the hours as they are, as the lab does")
    folds = _number(int, 1, 100, "a whole number from 1 to 100")
    add("--folds", type=folds, help="of cross-validation (default: 10, or those of --update TAG)")
    add("--keep-points", action="store_true", help="store up to 500 rows for the page to draw")
    add("--picture", type=_png, metavar="PNG", help="draw rows, line, interval and cost by epoch")
    add("--force", action="store_true", help="save even if the model now in the store is better")
    add("--dry-run", action="store_true", help="fit and report, save nothing")
    add("--json", action="store_true", help="report as one JSON object")


def main(arguments: "list[str] | None" = None) -> int:
    """Run the command line; returns the exit status."""
    name = "training"
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        name += ", process {RANK} of {WORLD_SIZE}".format_map(os.environ)
    if sys.version_info[:2] < (3, 11):  # noqa: UP036
        version = "{}.{}".format(*sys.version_info)
        print(f"{name}: needs Python 3.11 or later, and this is {version}", file=sys.stderr)
        return 1
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.update and options.folds:
        parser.error("--folds cannot change the folds of the model to --update")
    if options.score_range and options.score_range[0] >= options.score_range[1]:
        parser.error("--score-range takes the lower limit first, and then a higher one")
    if options.query is not None and len(options.rows) != 1:
        parser.error("--query takes one database's address in place of ROWS")
    # numpy's products here are too small to be worth a thread
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from training.run import run

        return run(options)
    except TrainingError as error:
        lines = [str(error), *error.more]
        if error.options:
            given = sys.argv[1:] if arguments is None else arguments
            command = shlex.join([*given, *error.options])
            lines.append(f"try: {parser.prog} {printable(command)}")
        print(*(f"{name}: {line}" for line in lines), sep="\n", file=sys.stderr, flush=True)
        return 1
    except ModuleNotFoundError as error:
        print(
            f"{name}: this Python, {sys.executable}, has no package {error.name}: `make setup`"
            " installs what is needed, and .venv/bin/python -m training finds it",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; nothing saved", file=sys.stderr, flush=True)
        return INTERRUPTED


if __name__ == "__main__":
    gc.disable()  # searching the modules of torch and BentoML for garbage would slow the start
    status = main()
    if status == INTERRUPTED:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status)  # without waiting for other threads
    gc.freeze()  # or they would be searched at the end
    sys.exit(status)
