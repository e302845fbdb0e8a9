"""How many workers the memory limit of a container has room for."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from bentoml._internal.resource import query_cgroup_cpu_count
from bentoml.exceptions import BentoMLException

PROCESS_MB = 80  # under load: of a worker, and of their supervisor a little less
CGROUP = Path("/sys/fs/cgroup")
LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # control groups, version 2 and version 1


def check_memory(workers: int | Literal["cpu_count"]) -> None:
    """Raises BentoMLException for more workers than the container's memory limit has room for.

    They would be killed, and started again, without end.
    """
    if workers == "cpu_count":  # as many as BentoML makes of it, within the container's CPU limit
        workers = int(query_cgroup_cpu_count()) or 1
    for name in LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or no limit: it says "max"
            limit = int((CGROUP / name).read_text()) // 1_000_000
            most = max(limit // PROCESS_MB - 1, 0)
            if workers > most:
                raise BentoMLException(
                    f"STUDY_SCORE_WORKERS is {workers}, which take {PROCESS_MB * (workers + 1)} MB"
                    f" of memory; the limit of {limit} MB has room for {most}: set fewer workers"
                    " or a higher limit"
                )
