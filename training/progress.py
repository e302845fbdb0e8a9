"""How far a run has come, on stderr: bars on a terminal, else a line from time to time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from training.processes import Group
from training.sgd import Epoch

SECONDS_BETWEEN_LINES = 10


class Lines:
    """Progress for a log file."""

    @contextmanager
    def rows(self) -> Iterator[Callable[[int], object]]:
        """Tell the function that it gives the number of rows of each batch."""
        start = last = time.monotonic()
        total = 0

        def advance(rows: int) -> None:
            nonlocal last, total
            total += rows
            now = time.monotonic()
            if now - last >= SECONDS_BETWEEN_LINES:
                last = now
                speed = total / (now - start)
                print(f"read {total:,} rows, {speed:,.0f} rows/s", file=sys.stderr, flush=True)

        yield advance

    def epochs(self, epochs: Iterator[Epoch], last: int) -> Iterable[Epoch]:
        """The same epochs."""
        return epochs


class Bars(Lines):
    """Progress for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(stderr=True)

    @contextmanager
    def rows(self) -> Iterator[Callable[[int], object]]:
        """Tell the function that it gives the number of rows of each batch."""
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f} rows, {task.fields[speed]:,.0f} rows/s"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task("reading", total=None, speed=0)

            def advance(rows: int) -> None:
                elapsed = bars.tasks[0].elapsed
                total = bars.tasks[0].completed + rows
                bars.update(task, advance=rows, speed=total / elapsed if elapsed else 0)

            yield advance

    def epochs(self, epochs: Iterator[Epoch], last: int) -> Iterable[Epoch]:
        """The same epochs, counted in a bar."""
        from rich.progress import track

        return track(epochs, "epochs", last + 1, console=self.console, transient=True)


def progress(group: Group) -> Lines:
    """What suits stderr; in a group of processes the first one tells how far it is itself."""
    return Bars() if sys.stderr.isatty() and group.rank == 0 else Lines()
