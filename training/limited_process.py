"""A separate process, with limited memory, for a reader written in another language.

Such a reader aborts its process, without an exception, when it gets no more memory.
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
    """The process has ended, for lack of memory or by an error in the reader."""


class LimitedProcess:
    """Calls functions one by one in a process that may use `limit` bytes of memory."""

    def __init__(self, limit: int) -> None:
        # a fork would copy the threads' locks
        context = multiprocessing.get_context("spawn")
        self._connection, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, limit), daemon=True)
        self._process.start()
        far_end.close()

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function there; raises Died, and the DataError that it raises."""
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
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def _serve(connection: Connection, limit: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent kills this process
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # a reader that aborts prints a long trace
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(OSError, ValueError):  # macOS has no such limit
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: Any
    with contextlib.suppress(EOFError, OSError):  # the parent has ended
        while True:
            function, arguments = connection.recv()
            try:
                answer = function(*arguments)
            except DataError as error:
                answer = error
            connection.send(answer)
