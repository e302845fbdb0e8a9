"""DuckDB, the engine that reads rows, within this process's share of the machine."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import duckdb
import numpy as np
import psutil

from training.limited_process import LimitedProcess

CGROUP_LIMITS = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"
BATCH = 50_000  # rows that are inserted at once
POLL = 0.1  # seconds between two reports of how far a query is


TextRow = tuple[int, str, str, str | None]  # its number, hours, score, and what is wrong with it


class Engine:
    """A connection and a temporary folder, both of which exist until the end of `with`."""

    def __init__(self, watch: Callable[[float], object] = lambda percent: None) -> None:
        self.folder = tempfile.mkdtemp(prefix="study-score-")
        self._watch = watch
        self._numbers = itertools.count()
        processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        self._memory = memory() // 2 // processes
        self.connection = duckdb.connect(
            config={
                "threads": max(1, processors() // processes),
                "memory_limit": f"{self._memory}B",
                "temp_directory": self.folder,
                # by default it fetches code from the network for a name such as x.xlsx
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            }
        )
        self.connection.execute("SET enable_progress_bar = true")
        self.connection.execute("SET enable_progress_bar_print = false")
        # A Parquet file's statistics do not count NaN, and those of a damaged one may be wrong
        self.connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        self.connection.execute("SET lock_configuration = true")

    def __enter__(self) -> Engine:
        return self

    @cached_property
    def limited_process(self) -> LimitedProcess:
        """A process for readers that could crash this one."""
        return LimitedProcess(self._memory)

    def __exit__(self, *_: object) -> None:
        if "limited_process" in self.__dict__:
            self.limited_process.close()
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rows(self, sql: str, values: Mapping[str, float] | None = None) -> list[tuple[Any, ...]]:
        """What a query answers; raises duckdb.Error, and KeyboardInterrupt on Ctrl-C."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch_until, args=(done,), daemon=True)
        watcher.start()
        try:
            return self.connection.execute(sql, values or {}).fetchall()
        except duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except RuntimeError as error:
            if str(error) == "Query interrupted":  # how it reports Python's KeyboardInterrupt
                raise KeyboardInterrupt from None
            raise
        finally:
            done.set()
            watcher.join()

    def _watch_until(self, done: threading.Event) -> None:
        while not done.wait(POLL):
            self._watch(self.connection.query_progress())

    def new_name(self) -> str:
        """A name that no table or file of this run has."""
        return f"t{next(self._numbers)}"

    def link(self, path: str) -> str:
        """An SQL literal for a file, by a link whose name has no special characters."""
        link = os.path.join(self.folder, self.new_name())
        os.symlink(os.path.abspath(path), link)
        return literal(re.sub(r"([*?[])", r"[\1]", link))

    def spool(self, pieces: Iterable[bytes]) -> str:
        """The path of a new file that holds all these pieces; raises OSError."""
        path = os.path.join(self.folder, self.new_name())
        with open(path, "wb") as file:
            file.writelines(pieces)
        return path

    def table(self, rows: Iterable[TextRow], name: str = "") -> str:
        """A table of (row, hours, score, fault), which may be larger than memory."""
        name = name or self.new_name()
        columns = "row BIGINT, hours VARCHAR, score VARCHAR, fault VARCHAR"
        self.connection.execute(f"CREATE TEMP TABLE {name} ({columns})")
        rows = iter(rows)
        while batch := list(itertools.islice(rows, BATCH)):
            number, hours, score, fault = zip(*batch, strict=True)
            arrays = {  # noqa: F841  (the engine finds it by its name)
                "row": np.array(number, np.int64),
                "hours": np.array(hours, object),
                "score": np.array(score, object),
                "fault": np.array(fault, object),
            }
            self.connection.execute(f"INSERT INTO {name} SELECT * FROM arrays")
        return name


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A column's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on a Mac
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """How many bytes this machine or container has."""
    sizes: list[int] = [psutil.virtual_memory().total]
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            sizes.append(int(Path(path).read_text()))
    return min(sizes)


def chunks(file: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    """The rest of a file, piece by piece."""
    return iter(lambda: file.read(size), b"")
