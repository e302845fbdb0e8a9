"""Finds the route of each request, gives it an ID, and times, counts and logs it."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import refuse
from service.logs import request_answered
from service.metrics import metrics
from service.routes import find

ROUTE = "study_score.route"  # the key of the ASGI scope that holds the route
HEADERS = "study_score.headers"  # and the one that holds the headers by name
VISIBLE = re.compile(rb"[!-~]{1,128}")
logger = logging.getLogger("bentoml.serve")


class Meter:
    """ASGI middleware; health checks and `/metrics` are neither counted nor logged."""

    def __init__(self, app: ASGIApp, access_log: bool) -> None:
        self.app = app
        self.access_log = access_log
        self.metrics = metrics()
        self.own_ids = map((secrets.token_hex(8) + "-{:x}").format, itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and record the status and time of the response."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope[ROUTE] = route = find(scope["path"])
        scope[HEADERS] = headers = headers_of(scope)
        # the client's own id, if it is at most 128 visible characters
        given = headers.get(b"x-request-id")
        request_id = given.decode() if given and VISIBLE.fullmatch(given) else next(self.own_ids)
        status = 0  # no response has started

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (b"x-request-id", request_id.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        counted = route.access != "probe"
        if counted:
            self.metrics.in_progress[route.path] += 1
        started = perf_counter()
        try:
            await self.app(scope, receive, noted)
        except Exception:
            logger.exception("%s %r", scope["method"], scope["path"])
            if not status:
                await refuse(scope, noted, 500, "an unexpected error; the log has the details")
        finally:
            seconds = perf_counter() - started
            if counted:
                self.metrics.in_progress[route.path] -= 1
                status = status or 499  # the client disconnected before the response
                self.metrics.seconds[route.path, status].observe(seconds)
                if self.access_log:
                    request_answered(scope, request_id, status, seconds)


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers; different values of one name are joined by commas (RFC 9110, 5.3)."""
    found = dict(scope["headers"])
    if len(found) < len(scope["headers"]):
        for name in found:
            values = dict.fromkeys(value for key, value in scope["headers"] if key == name)
            found[name] = b", ".join(values)
    return found
