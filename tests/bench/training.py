"""What training costs, side by side: `python -m tests.bench.training` prints a table.

Each figure is the best of `TIMES` runs, each in a process of its own, the contestants taking turns.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import ROOT, TORCHRUN

TIMES = 3
ROWS = 10_000_000
STEP = """
import bentoml, torch
W = torch.zeros(1, requires_grad=True)
(W * 1.0).sum().backward()
torch.optim.SGD([W], lr=0.1).step()
"""
LOOP_EPOCHS = 5
Result = dict[str, float]


@contextmanager
def measured() -> Iterator[Result]:
    """Seconds, and how far memory peaks (in MB) above what was in use before."""
    result: Result = {}
    before, start = _memory("VmRSS"), time.perf_counter()
    yield result
    result |= {"seconds": time.perf_counter() - start, "peak": _memory("VmHWM")}
    result["growth"] = result["peak"] - before


def _memory(name: str) -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[name].split()[0]) / 1024


def train(path: str) -> Result:
    """A CSV file to a model by the command, without its imports and torch's own first step."""
    from training.__main__ import main

    main(["--dry-run"])  # which imports everything, and more in the first step
    gc.disable()  # as in training/__main__.py
    with measured() as result:
        main([path, "--dry-run"])
    return result


def pandas_sklearn(path: str) -> Result:
    """The same by pandas and scikit-learn."""
    import pandas
    from sklearn.linear_model import LinearRegression

    with measured() as result:
        table = pandas.read_csv(path)
        LinearRegression().fit(table[["hours"]], table["score"])
    return result


def duckdb_regression(path: str) -> Result:
    """The same by DuckDB."""
    import duckdb

    line = "regr_slope(score, hours), regr_intercept(score, hours)"
    with measured() as result:
        duckdb.execute(f"SELECT {line} FROM '{path}'").fetchall()  # noqa: S608
    return result


def read_rows(path: str, processors: str = "") -> Result:
    """Rows to moments, on so many processors; under torchrun this process's share of the rows."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in training/__main__.py
    if processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(processors)])
    import torch.distributed  # noqa: F401

    from training import rows
    from training.processes import group

    with group() as processes:
        processes.gather(0)  # all have started
        with measured() as result:
            rows.read_rows([path], group=processes)
    return result if processes.rank == 0 else {}


def labs_loop(path: str) -> Result:
    """1000 epochs of the lab's loop on the rows themselves, from the time that 5 take."""
    import pyarrow.csv
    import torch

    table = pyarrow.csv.read_csv(path)
    x, y = (torch.from_numpy(table[name].to_numpy()) for name in ("hours", "score"))
    W = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([W, b], lr=0.001)
    with measured() as result:
        for _ in range(LOOP_EPOCHS):
            cost = torch.mean((x * W + b - y) ** 2)
            optimizer.zero_grad()
            cost.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return {"seconds": result["seconds"] * 1000 / LOOP_EPOCHS}


def epochs(path: str = "") -> Result:
    """1000 epochs alone; without a path on the lab's three rows."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in training/__main__.py
    from training.fit import fit
    from training.rows import read_rows

    rows = read_rows([path] if path else [])
    fit(rows, epochs=10)
    with measured() as result:
        fit(rows)
    return result


def best(*contestants: list[str]) -> list[Result]:
    """For each command the figures of its fastest run."""
    runs = [[_run(command) for command in contestants] for _ in range(TIMES)]
    return [min(each, key=lambda result: result["seconds"]) for each in zip(*runs, strict=True)]


def _run(command: list[str]) -> Result:
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - start
    result: Any = {}
    for line in run.stdout.splitlines():
        if line.startswith('{"seconds"'):
            result = json.loads(line)
    return result or {"seconds": wall}


def of(function: Callable[..., Result], *arguments: str) -> list[str]:
    return ["-m", "tests.bench.training", function.__name__, *arguments]


def write_rows(folder: Path) -> tuple[str, ...]:
    """CSV files of 30, 10 and 3 million rows, and a Parquet file of 30 million."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(1)
    hours = random.uniform(0, 24, 3 * ROWS).round(2)
    score = (3 * hours + 20 + random.normal(0, 5, 3 * ROWS)).round(1)
    table = pl.DataFrame({"hours": hours, "score": score})
    for rows in (3 * ROWS, ROWS, 3 * ROWS // 10):
        table.head(rows).write_csv(folder / f"{rows}.csv")
    table.write_parquet(folder / "large.parquet")
    csvs = (str(folder / f"{rows}.csv") for rows in (3 * ROWS, ROWS, 3 * ROWS // 10))
    return (*csvs, str(folder / "large.parquet"))


def main() -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory(prefix="study-score-bench-") as name:
        os.environ |= {"BENTOML_HOME": f"{name}/bentoml", "BENTOML_DO_NOT_TRACK": "True"}
        largest, large, small, parquet = write_rows(Path(name))
        ours, pandas, duckdb, step = best(
            of(train, large), of(pandas_sklearn, large), of(duckdb_regression, large), ["-c", STEP]
        )
        (loop,) = best(of(labs_loop, large))
        most, least = best(of(read_rows, largest), of(read_rows, small))
        epochs_3, epochs_large = best(of(epochs), of(epochs, large))
        alone, together, on_one = best(
            of(read_rows, parquet),
            ["-m", *TORCHRUN, *of(read_rows, parquet)[1:]],
            of(read_rows, parquet, "1"),
        )
        lab, usage = best(["-m", "training"], ["-m", "training", "--help"])

    print("| what | this | beside | ratio |")
    print("|---|---|---|---|")
    _row("10 million rows of CSV to model, s; pandas + scikit-learn", ours, pandas)
    _row("the same; DuckDB's `regr_slope`", ours, duckdb)
    _row("the same; the lab's loop on the rows, from 5 epochs", ours, loop)
    _row("peak memory at 30 million rows, MB; at 3 million", most, least, "peak")
    _row("1000 epochs after 10 million rows, s; after 3", epochs_large, epochs_3)
    _row("a Parquet file of 30 million rows in 2 processes, s; in one", together, alone)
    _row("the same; in one that has one processor", together, on_one)
    _row("`python -m training`, s; imports and a step of SGD", lab, step)
    print(f"| `python -m training --help`, s | {usage['seconds']:.2f} | | |")


def _row(what: str, this: Result, beside: Result, figure: str = "seconds") -> None:
    a, b = this[figure], beside[figure]
    print(f"| {what} | {a:.3g} | {b:.3g} | {a / b:.3g} |")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        result = globals()[sys.argv[1]](*sys.argv[2:])
        if result:
            print(json.dumps(result))
