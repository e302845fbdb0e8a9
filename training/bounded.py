"""A process of its own for a reader in another language, which could end the one that it runs in.

Such a reader aborts, without an exception, when it is refused memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from training.errors import DataError

T = TypeVar("T")


class Died(Exception):
    """The process has ended, for lack of memory or by a fault of the reader."""


class Bounded:
    """Calls functions in a process that may take so many bytes, one after the other."""

    def __init__(self, limit: int) -> None:
        # a fork would copy the threads' locks
        context = multiprocessing.get_context("spawn")
        self._connection, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, limit), daemon=True)
        self._process.start()
        far_end.close()

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """What the function answers; raises Died, and the DataError that it raises."""
        try:
            self._connection.send((function, arguments))
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise Died from None
        if isinstance(answer, DataError):
            raise answer
        result: T = answer
        return result

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection, limit: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where a reader that fails tells so at length
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(OSError, ValueError):  # a Mac knows no such limit
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: Any
    with contextlib.suppress(EOFError, OSError):  # the other process has ended
        while True:
            function, arguments = connection.recv()
            try:
                answer = function(*arguments)
            except DataError as error:
                answer = error
            connection.send(answer)
