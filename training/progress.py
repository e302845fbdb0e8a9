"""How far a run has come, in a line on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from training.processes import Group

if TYPE_CHECKING:
    from training.sgd import Epoch

PAUSES = 0.1, 10.0  # seconds: on a terminal, where the line is overwritten, and in a log file


class Progress:
    """The progress of one process; in a group only the first one overwrites its line."""

    def __init__(self, group: Group) -> None:
        self._overwrites = sys.stderr.isatty() and group.rank == 0
        self._pause = PAUSES[not self._overwrites]
        self._next = time.monotonic() + (0 if self._overwrites else self._pause)

    def read(self, percent: float) -> None:
        """Show how much of a source has been read; below 0 if that is unknown."""
        if self._due():
            self._show(f"read {percent:.0f} %" if percent >= 0 else "reading")

    def epochs(self, epochs: Iterator[Epoch], last: int) -> Iterable[Epoch]:
        """Pass the epochs on, and show their numbers."""
        for epoch in epochs:
            if self._due():
                self._show(f"{epoch.number:,} of {last:,} epochs")
            yield epoch

    def clear(self) -> None:
        """Erase the line from the terminal."""
        if self._overwrites:
            self._show("")

    def _due(self) -> bool:
        now = time.monotonic()
        due = now >= self._next
        if due:
            self._next = now + self._pause
        return due

    def _show(self, text: str) -> None:
        line = f"\r{text}\x1b[K" if self._overwrites else f"{text}\n"
        print(line, end="", file=sys.stderr, flush=True)
