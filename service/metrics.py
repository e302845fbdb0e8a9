"""Prometheus metrics, under BentoML's names and with labels that no request can multiply.

BentoML's own middleware labels by the path as it was asked, and so grows with every made-up URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import secrets
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from time import perf_counter

import bentoml
import numpy as np
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import request_answered
from service.routes import PROBES, route_of

SECONDS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0)
HOURS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
VISIBLE = re.compile(rb"[!-~]{1,128}")
FLUSH_SECONDS = 1.0
FLUSH_HOURS = 100_000


class _Tally(Histogram):
    """A histogram that takes many values at a time, for which there is no public way."""

    def observe_all(self, values: Sequence[float]) -> None:
        found = np.searchsorted(self._upper_bounds, values)
        counts = np.bincount(found, minlength=len(self._buckets)).tolist()
        for bucket, count in zip(self._buckets, counts, strict=True):
            bucket.inc(count)
        self._sum.inc(sum(values))


class Metrics:
    """The metrics of one worker process.

    Requests only leave notes; `flush` counts them. Counting right away takes a fifth of the time of
    an answer, for prometheus_client asks the kernel for the process id at each step.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.in_progress: defaultdict[str, int] = defaultdict(int)
        self.hours: list[float] = []
        self.extrapolated = 0

        context = bentoml.server_context
        self._service = {
            "service_name": context.bento_name,
            "service_version": context.bento_version,
            "runner_name": context.service_name,
        }
        labels = ["endpoint", *self._service]
        self._duration = _Tally(
            "bentoml_service_request_duration_seconds",
            "Time from the request to the end of the answer",
            [*labels, "http_response_code"],
            buckets=SECONDS,
        )
        self._total = Counter(
            "bentoml_service_request_total", "Requests answered", [*labels, "http_response_code"]
        )
        self._in_progress = Gauge(
            "bentoml_service_request_in_progress",
            "Requests being answered",
            labels,
            multiprocess_mode="livesum",
        )
        self._hours = _Tally("study_score_hours", "Hours asked for", buckets=HOURS)
        self._extrapolated = Counter(
            "study_score_extrapolated", "Predictions for hours outside those of training"
        )
        self._model = Gauge(
            "study_score_model",
            "Workers that serve the model of this tag",
            ["tag"],
            multiprocess_mode="livesum",
        )

    def predicted(self, hours: Sequence[float], extrapolated: int) -> None:
        """Note the hours of some predictions, and how many of them were extrapolated."""
        self.hours += hours
        self.extrapolated += extrapolated
        if len(self.hours) > FLUSH_HOURS:
            self.flush()

    def serves(self, tag: str, before: str | None) -> None:
        """Note which model is served from now on."""
        if before:
            self._model.labels(before).set(0)
        self._model.labels(tag).set(1)

    def flush(self) -> None:
        """Count what has been noted."""
        for (endpoint, status), seconds in self.seconds.items():
            if seconds:
                labels = {"endpoint": endpoint, **self._service, "http_response_code": status}
                self._duration.labels(**labels).observe_all(seconds)
                self._total.labels(**labels).inc(len(seconds))
                seconds.clear()
        for endpoint, number in self.in_progress.items():
            self._in_progress.labels(endpoint=endpoint, **self._service).set(number)
        self._hours.observe_all(self.hours)
        self.hours.clear()
        self._extrapolated.inc(self.extrapolated)
        self.extrapolated = 0

    async def keep_flushing(self) -> None:
        """Flush again and again, for a scrape that another worker answers; until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            self.flush()


@cache
def metrics() -> Metrics:
    """The metrics of this process, made when it turns out to be a worker."""
    return Metrics()


class Meter:
    """ASGI middleware: each request gets an id, is timed and counted, and has its line in the log.

    The counts are without those for health and metrics.
    """

    def __init__(self, app: ASGIApp, access_log: bool) -> None:
        self.app = app
        self.access_log = access_log
        self.metrics = metrics()
        self.own_ids = map((secrets.token_hex(8) + "-{:x}").format, itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how it ended."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"]
        endpoint = route_of(path)
        request_id = self._id(scope)
        header = (b"x-request-id", request_id.encode())
        status = 499  # the client has left before it was answered
        started = perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], header]}
            await send(message)

        if path in PROBES:
            return await self.app(scope, receive, noted)
        self.metrics.in_progress[endpoint] += 1
        try:
            await self.app(scope, receive, noted)
        finally:
            seconds = perf_counter() - started
            self.metrics.in_progress[endpoint] -= 1
            self.metrics.seconds[endpoint, status].append(seconds)
            if self.access_log:
                request_answered(scope, request_id, status, seconds)

    def _id(self, scope: Scope) -> str:
        """The client's own, if it is at most 128 visible characters, or a new one."""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                if VISIBLE.fullmatch(value):
                    return str(value.decode())
                break
        return next(self.own_ids)


async def exposition(_: Request) -> Response:
    """All workers' metrics, for Prometheus to collect."""
    metrics().flush()
    return Response(await run_in_threadpool(_collected), media_type=CONTENT_TYPE_LATEST)


def _collected() -> bytes:
    for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, PermissionError):  # a worker that was killed
            with contextlib.suppress(FileNotFoundError):  # another scrape was first
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
