"""The options of the training script; no more is imported than `--help` needs."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from typing import Any


def _number(kind: type[float], low: float, high: float, rule: str) -> Any:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= (value := kind(text)) <= high:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not {rule}")

    return parse


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Fit W and b of H(x) = Wx + b, score from hours, with torch SGD, and save them"
        " to the BentoML model store.",
        epilog="Exit status: 0 saved (or dry run), 1 unusable rows or fit, 2 usage, 3 refused:"
        " the model now in the store is better, 130 interrupted.",
    )
    add = parser.add_argument
    add(
        "rows",
        nargs="*",
        metavar="ROWS",
        help="files, folders or globs of CSV or Parquet; none means the lab's three rows: 1, 2, 3"
        " hours and 2, 4, 6 points",
    )
    add("--hours-column", default="hours", metavar="NAME", help="(default: hours)")
    add("--score-column", default="score", metavar="NAME", help="(default: score)")
    add(
        "--skip-bad-rows",
        action="store_true",
        help="count and skip rows that cannot be used, up to half of them",
    )
    add("--test", metavar="ROWS", help="also report the error on these held-back rows")
    add(
        "--update",
        metavar="TAG",
        help="add the rows to those that this model was trained on, which are not needed for it",
    )
    positive = _number(float, math.ulp(0), sys.float_info.max, "a number above 0")
    add("--lr", type=positive, help="learning rate (default: 0.1; 0.01 with --raw)")
    add(
        "--epochs",
        type=_number(int, 1, 10**9, "a whole number from 1"),
        default=1000,
        help="(default: %(default)s)",
    )
    add("--raw", action="store_true", help="run SGD on the hours as they are, as the lab does")
    add(
        "--folds",
        type=_number(int, 1, 100, "a whole number from 1 to 100"),
        help="cross-validation folds (default: 10, with --update the same as that model has)",
    )
    add(
        "--keep-points",
        action="store_true",
        help="store up to 500 of the rows with the model, for the page to draw",
    )
    add("--picture", metavar="PNG", help="draw rows, line, interval and cost by epoch")
    add("--force", action="store_true", help="save even if the model now in the store is better")
    add("--dry-run", action="store_true", help="fit and report, save nothing")
    add("--json", action="store_true", help="report as one JSON object")
    return parser
