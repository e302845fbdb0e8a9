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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def read_only(path: str) -> Result:
    """The same reader with the same options, its batches dropped."""
    import pyarrow as pa
    import pyarrow.csv

    with measured() as result:
        batches = pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=1 << 20),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=["hours", "score"],
                column_types=dict.fromkeys(["hours", "score"], pa.float64()),
            ),
        )
        assert sum(len(batch) for batch in batches) > 0
    return result


def read_rows(path: str) -> Result:
    """Rows to moments; under torchrun this process's share of them."""
    import torch.distributed  # noqa: F401

    from training import rows
    from training.processes import group

    with group() as processes:
        processes.gather(0)  # all have started
        with measured() as result:
            rows.read_rows([path], group=processes)
    return result if processes.rank == 0 else {}


def read_and_fit(path: str) -> Result:
    """From the first byte to W and b, with 1000 epochs and cross-validation."""
    from training.fit import fit
    from training.rows import read_rows

    fit(read_rows([]), epochs=1)  # torch takes a second to import what its optimizer needs
    with measured() as result:
        fit(read_rows([path]))
    return result


def pandas_and_scikit_learn(path: str) -> Result:
    """From the first byte to W and b."""
    import pandas
    from sklearn.linear_model import LinearRegression

    with measured() as result:
        table = pandas.read_csv(path)
        LinearRegression().fit(table[["hours"]], table["score"])
    return result


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


def write_rows(folder: Path) -> tuple[str, str, str]:
    """CSV files of 10 million and 1 million rows, and a folder of 20 Parquet files."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(1)
    hours = random.uniform(0, 24, ROWS).round(2)
    score = (3 * hours + 20 + random.normal(0, 5, ROWS)).round(1)
    table = pa.table({"hours": hours, "score": score})
    for path, rows in (("large.csv", ROWS), ("small.csv", ROWS // 10)):
        pyarrow.csv.write_csv(table.slice(0, rows), folder / path)
    (folder / "parquet").mkdir()
    for k in range(20):
        pyarrow.parquet.write_table(table, folder / "parquet" / f"{k}.parquet")
    return str(folder / "large.csv"), str(folder / "small.csv"), str(folder / "parquet")


def main() -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory(prefix="study-score-bench-") as name:
        os.environ |= {"BENTOML_HOME": f"{name}/bentoml", "BENTOML_DO_NOT_TRACK": "True"}
        large, small, parquet = write_rows(Path(name))
        only, large_rows, small_rows = best(
            of(read_only, large), of(read_rows, large), of(read_rows, small)
        )
        fit, pandas = best(of(read_and_fit, large), of(pandas_and_scikit_learn, large))
        (loop,) = best(of(labs_loop, large))
        epochs_3, epochs_large = best(of(epochs), of(epochs, large))
        alone, together = best(
            of(read_rows, parquet), ["-m", *TORCHRUN, *of(read_rows, parquet)[1:]]
        )
        imports, lab, usage = best(
            ["-c", "import torch, bentoml"], ["-m", "training"], ["-m", "training", "--help"]
        )

    seconds = "seconds"
    print("| what | this | beside | ratio |")
    print("|---|---|---|---|")
    _row("10 million rows of CSV to moments, s; only reading them", large_rows, only, seconds)
    _row("peak memory at 10 million rows, MB; at 1 million", large_rows, small_rows, "peak")
    _row("CSV to fit, s; pandas and scikit-learn", fit, pandas, seconds)
    _row("growth of memory meanwhile, MB; pandas and scikit-learn", fit, pandas, "growth")
    _row("CSV to fit, s; the lab's loop on the rows, from 5 epochs", fit, loop, seconds)
    _row("1000 epochs after 10 million rows, s; after 3", epochs_large, epochs_3, seconds)
    _row("20 Parquet files in 2 processes, s; in one", together, alone, seconds)
    _row("`python -m training`, s; `import torch, bentoml`", lab, imports, seconds)
    print(f"| `python -m training --help`, s | {usage[seconds]:.2f} | | |")


def _row(what: str, this: Result, beside: Result, figure: str) -> None:
    a, b = this[figure], beside[figure]
    print(f"| {what} | {a:.3g} | {b:.3g} | {a / b:.3g} |")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        result = globals()[sys.argv[1]](*sys.argv[2:])
        if result:
            print(json.dumps(result))
