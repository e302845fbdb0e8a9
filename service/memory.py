"""Checks that the workers fit the memory limit of a container."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

from bentoml._internal.resource import query_cgroup_cpu_count
from bentoml.exceptions import BentoMLException

PROCESS_MB = 80  # of one worker under load; the supervisor needs a little less
CGROUP = Path("/sys/fs/cgroup")
LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # control groups, version 2 and version 1


def check_memory(workers: int | Literal["cpu_count"]) -> None:
    """Raises BentoMLException if the workers do not fit the container's memory limit.

    Otherwise they would be killed and restarted forever.
    """
    if workers == "cpu_count":  # BentoML counts the CPUs within the container's limit
        workers = int(query_cgroup_cpu_count()) or 1
    for name in LIMITS:
        with suppress(OSError, ValueError):  # no such file, or "max", which means no limit
            limit = int((CGROUP / name).read_text()) // 1_000_000
            most = max(limit // PROCESS_MB - 1, 0)
            if workers > most:
                raise BentoMLException(
                    f"STUDY_SCORE_WORKERS is {workers}, which take {PROCESS_MB * (workers + 1)} MB"
                    f" of memory; the limit of {limit} MB has room for {most}: set fewer workers"
                    " or a higher limit"
                )
