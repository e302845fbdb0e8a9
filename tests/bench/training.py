"""What training costs, side by side: `python -m tests.bench.training` prints a table.

Each figure is the best of `TIMES` runs, each in a process of its own, the contestants taking turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from tests.processes import ROOT, TORCHRUN

TIMES = 3
ROWS = 10_000_000
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


def pandas_sklearn(path: str) -> Result:
    """The least-squares line by pandas and scikit-learn."""
    import pandas
    from sklearn.linear_model import LinearRegression

    table = pandas.read_csv(path, engine="pyarrow")
    LinearRegression().fit(table[["hours"]], table["score"])
    return {}


def duckdb_regression(path: str) -> Result:
    """The same by DuckDB, of a CSV or a Parquet file."""
    import duckdb

    line = "regr_slope(score, hours), regr_intercept(score, hours)"
    duckdb.execute(f"SELECT {line} FROM '{path}'").fetchall()  # noqa: S608
    return {}


def read_rows(path: str, processors: str = "") -> Result:
    """Rows to moments, on so many processors; under torchrun this process's share of the rows."""
    if processors:
        if sys.platform != "linux":
            sys.exit("only Linux can limit a process to some processors; run this benchmark there")
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(processors)])
    import torch.distributed  # noqa: F401

    from training.processes import group
    from training.rows import read_rows

    with group() as processes:
        processes.gather(0)  # all have started
        with measured() as result:
            read_rows([path], group=processes)
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
    """What a command prints of itself; else its seconds, start and end included, and its peak."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    result: Result = {"seconds": time.perf_counter() - start, "peak": usage.ru_maxrss / 1024}
    for line in lines:
        if line.startswith('{"seconds"'):
            result = json.loads(line)
    return result


def of(function: Callable[..., Result], *arguments: str) -> list[str]:
    return ["-m", "tests.bench.training", function.__name__, *arguments]


def write_rows(folder: Path) -> tuple[str, ...]:
    """CSV files of 30, 10 and 3 million rows, and a Parquet file of 30 million."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(1)
    hours = random.uniform(0, 24, 3 * ROWS).round(2)
    score = (3 * hours + 20 + random.normal(0, 5, 3 * ROWS)).round(1)
    table = pa.table({"hours": hours, "score": score})
    paths = [str(folder / f"{rows}.csv") for rows in (3 * ROWS, ROWS, 3 * ROWS // 10)]
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    for rows, path in zip((3 * ROWS, ROWS, 3 * ROWS // 10), paths, strict=True):
        pyarrow.csv.write_csv(table.slice(0, rows), path, options)
    for rows in (3 * ROWS, 3 * ROWS // 10):
        paths.append(str(folder / f"{rows}.parquet"))
        pa.parquet.write_table(table.slice(0, rows), paths[-1])
    bad = [
        f"{h},{s}\n" if k % 10 > 2 else f"{h},absent\n"
        for k, (h, s) in enumerate(
            zip(hours[: 3 * ROWS // 10].tolist(), score[: 3 * ROWS // 10].tolist(), strict=True)
        )
    ]
    paths.append(str(folder / "bad.csv"))
    Path(paths[-1]).write_text("hours,score\n" + "".join(bad))
    return tuple(paths)


def main() -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory(prefix="study-score-bench-") as name:
        os.environ |= {"BENTOML_HOME": f"{name}/bentoml", "BENTOML_DO_NOT_TRACK": "True"}
        # in a process of its own: the peak of a process counts the memory that it was started from
        with ProcessPoolExecutor(1, get_context("spawn")) as writer:
            largest, large, small, parquet, small_parquet, bad = writer.submit(
                write_rows, Path(name)
            ).result()
        train = ["-m", "training", "--dry-run"]
        ours, pandas, duckdb = best(
            [*train, large], of(pandas_sklearn, large), of(duckdb_regression, large)
        )
        growth = []
        for ends in ((largest, small), (parquet, small_parquet)):
            runs = best(
                *(
                    command
                    for path in ends
                    for command in ([*train, path], of(duckdb_regression, path))
                )
            )
            growth.append([_a_million(runs[k], runs[k + 2]) for k in (0, 1)])
        pandas_growth = _a_million(*best(of(pandas_sklearn, largest), of(pandas_sklearn, small)))
        most, least = best([*train, largest], [*train, small])
        good, skipping = best([*train, small], [*train, bad, "--skip-bad-rows"])
        (loop,) = best(of(labs_loop, large))
        epochs_3, epochs_large = best(of(epochs), of(epochs, large))
        alone, together = best(
            of(read_rows, parquet), ["-m", *TORCHRUN, *of(read_rows, parquet)[1:]]
        )
        lab, usage = best(["-m", "training", "--dry-run"], ["-m", "training", "--help"])

    print("| what | this | beside | ratio |")
    print("|---|---|---|---|")
    (csv, csv_beside), (columns, columns_beside) = growth
    _row("a million more rows of CSV, s; DuckDB's `regr_slope`", csv, csv_beside)
    _row("the same; pandas (pyarrow) + scikit-learn", csv, pandas_growth)
    _row("a million more rows of Parquet, s; DuckDB's `regr_slope`", columns, columns_beside)
    _row("10 million rows of CSV, s; pandas (pyarrow) + scikit-learn", ours, pandas)
    _row("the same; DuckDB's `regr_slope`", ours, duckdb)
    _row("the same; the lab's loop on the rows, from 5 epochs", ours, loop)
    _row("3 million rows, 30 % bad and skipped, s; none bad", skipping, good)
    _row("peak memory at 30 million rows, MB; at 3 million", most, least, "peak")
    _row("1000 epochs after 10 million rows, s; after 3", epochs_large, epochs_3)
    _row("a Parquet file of 30 million rows in 2 processes, s; in one", together, alone)
    print(f"| `python -m training`, s | {lab['seconds']:.2f} | | |")
    print(f"| `python -m training --help`, s | {usage['seconds']:.2f} | | |")


def _a_million(most: Result, least: Result) -> Result:
    """What a million more rows cost, from runs on 30 and on 3 million."""
    return {"seconds": (most["seconds"] - least["seconds"]) / 27}


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
