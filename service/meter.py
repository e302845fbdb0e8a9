"""Each request gets an id, is timed and counted, and has its line in the log."""

from __future__ import annotations

import itertools
import re
import secrets
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import request_answered
from service.metrics import metrics
from service.routes import PROBES, route_of

VISIBLE = re.compile(rb"[!-~]{1,128}")


class Meter:
    """ASGI middleware; requests for health and metrics are neither counted nor logged."""

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
        request_id = self._id(scope)
        header = (b"x-request-id", request_id.encode())
        status = 499  # the client has left before it was answered

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], header]}
            await send(message)

        if path in PROBES:
            return await self.app(scope, receive, noted)
        endpoint, started = route_of(path), perf_counter()
        self.metrics.in_progress[endpoint] += 1
        try:
            await self.app(scope, receive, noted)
        finally:
            seconds = perf_counter() - started
            self.metrics.in_progress[endpoint] -= 1
            self.metrics.seconds[endpoint, status].observe(seconds)
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
