"""Prometheus metrics with BentoML's names, and with a bounded number of labels.

BentoML's own middleware labels requests by their path, so made-up URLs fill its memory.
prometheus_client's counters take a fifth of a request's time, and its files for several processes
crash a worker when the disk is full. Here each worker counts in plain numbers and writes them to a
file each second; the worker that is scraped adds them up.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import math
import os
import shutil
import tempfile
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import accumulate
from pathlib import Path

import bentoml
import numpy as np
from numpy.typing import NDArray
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, core, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

SECONDS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0)
HOURS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
FOLDER = "STUDY_SCORE_METRICS_FOLDER"  # set by the supervisor for its workers
WRITE_SECONDS = 1.0
logger = logging.getLogger("bentoml.serve")


class Histogram:
    """A histogram with fixed bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_all(self, values: NDArray[np.float64]) -> None:
        """Count several values."""
        counts = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.counts))
        self.counts = (counts + self.counts).tolist()
        self.sum += float(values.sum())

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound, and how many values are at most as large."""
        names = [*(str(float(bound)) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))


class Metrics:
    """The counts of one worker."""

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[str, int], Histogram] = defaultdict(
            lambda: Histogram(SECONDS)
        )
        self.in_progress: defaultdict[str, int] = defaultdict(int)
        self.hours = Histogram(HOURS)
        self.extrapolated = 0
        self.tag = ""  # of the model being served
        self.training_hours = (math.nan, math.nan)  # their mean and standard deviation
        self.folder = os.environ.get(FOLDER)
        self.problem = ""  # of the last write

    def predicted(self, hours: float, extrapolated: bool) -> None:
        """Count a prediction."""
        self.hours.observe(hours)
        self.extrapolated += extrapolated

    def predicted_all(self, hours: NDArray[np.float64], extrapolated: list[bool]) -> None:
        """Count several predictions."""
        self.hours.observe_all(hours)
        self.extrapolated += sum(extrapolated)

    def families(self) -> Iterator[core.Metric]:
        """The numbers of this worker."""
        context = bentoml.server_context
        service = (context.bento_name, context.bento_version, str(context.service_name))
        name = "bentoml_service_request"
        labels = ["endpoint", "service_name", "service_version", "runner_name"]
        with_status = [*labels, "http_response_code"]
        total = core.CounterMetricFamily(name, "Requests answered", labels=with_status)
        text = "Time from request to answer"
        duration = core.HistogramMetricFamily(f"{name}_duration_seconds", text, labels=with_status)
        for (endpoint, status), histogram in tuple(self.seconds.items()):
            values = [endpoint, *service, str(status)]
            duration.add_metric(values, histogram.buckets(), histogram.sum)
            total.add_metric(values, sum(histogram.counts))
        text = "Requests in progress"
        in_progress = core.GaugeMetricFamily(f"{name}_in_progress", text, labels=labels)
        for endpoint, number in tuple(self.in_progress.items()):
            in_progress.add_metric([endpoint, *service], number)
        yield from (total, duration, in_progress)
        buckets, sum_ = self.hours.buckets(), self.hours.sum
        yield core.HistogramMetricFamily("study_score_hours", "Hours in requests", buckets, sum_)
        text = "Predictions for hours outside those of training"
        yield core.CounterMetricFamily("study_score_extrapolated", text, self.extrapolated)
        model = core.GaugeMetricFamily("study_score_model", "Workers that serve it", labels=["tag"])
        model.add_metric([self.tag], 1)
        yield model

    async def keep_writing(self) -> None:
        """Write the numbers for the other workers every second, until cancelled."""
        while True:
            await asyncio.to_thread(self.write)
            await asyncio.sleep(WRITE_SECONDS)

    def write(self) -> None:
        """Write the numbers for the other workers; a full disk is only logged."""
        if self.folder is None:
            return
        file = Path(self.folder, f"{os.getpid()}.json")
        new, problem = file.with_suffix(".new"), ""
        try:
            numbers = {family.name: family.samples for family in self.families()}
            new.write_text(json.dumps(numbers))
            new.replace(file)
        except OSError as error:
            problem = f"the metrics of this worker are not up to date: {error}"
            if problem != self.problem:
                logger.error(problem)
        self.problem = problem

    def collect(self) -> Iterator[core.Metric]:
        """The sums over all workers; ended ones serve no model and have no requests in progress."""
        others = [
            (is_running(int(file.stem)), json.loads(file.read_text()))
            for file in (Path(self.folder).glob("*.json") if self.folder else ())
            if file.stem != str(os.getpid())
        ]
        for family in self.families():
            sums: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
            for alive, numbers in [(True, {family.name: family.samples}), *others]:
                if alive or family.type != "gauge":
                    for name, labels, value, *_ in numbers[family.name]:
                        sums[name, tuple(labels.items())] += value
            family.samples = [core.Sample(key[0], dict(key[1]), sums[key]) for key in sums]
            yield family
        mean, sd = self.training_hours  # these are not sums: each worker reports its own
        name, text = "study_score_training_hours", "of the training hours of the served model"
        yield core.GaugeMetricFamily(f"{name}_mean", f"Mean {text}", mean)
        yield core.GaugeMetricFamily(f"{name}_sd", f"Standard deviation {text}", sd)


def is_running(pid: int) -> bool:
    """Whether a process of this user with this ID is running."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        return True
    return False


@cache
def metrics() -> Metrics:
    """The metrics of this worker, created at the first call."""
    return Metrics()


def make_folder() -> None:
    """Create the folder to which the workers of this process write their numbers.

    BentoML's own folder is emptied by the next service with the same `BENTOML_HOME`.
    """
    os.environ[FOLDER] = folder = tempfile.mkdtemp(prefix="study-score-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


async def exposition(*_: object) -> Response:
    """The metrics of all workers, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(metrics())
    text = await run_in_threadpool(generate_latest, registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
