"""Finds the route of each request, gives it an ID, and times, counts and logs it."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import refuse
from service.logs import log_request
from service.metrics import metrics
from service.routes import find

# keys of the ASGI scope, for the route and for the headers by name
ROUTE, HEADERS = "study_score.route", "study_score.headers"
VISIBLE = re.compile(rb"[!-~]{1,128}")
logger = logging.getLogger("bentoml.serve")


class Meter:
    """ASGI middleware; health checks and `/metrics` are neither counted nor logged."""

    def __init__(self, app: ASGIApp, access_log: bool) -> None:
        self.app = app
        self.access_log = access_log
        self.metrics = metrics()
        self.worker_id = secrets.token_hex(8).encode()
        self.numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and record the status and time of the response."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope[ROUTE] = route = find(scope["path"])
        scope[HEADERS] = headers = headers_of(scope)
        request_id = headers.get(b"x-request-id", b"")
        if not VISIBLE.fullmatch(request_id):
            request_id = b"%b-%x" % (self.worker_id, next(self.numbers))
        status = 0  # no response has started

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        counted = route.access != "probe"
        if counted:
            self.metrics.in_progress[route.path] += 1
        started = perf_counter()
        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            logger.exception("%s %r", scope["method"], scope["path"])
            if not status:
                sentence = "an unexpected error; the log has the details"
                await refuse(scope, send_with_id, 500, sentence)
        finally:
            seconds = perf_counter() - started
            if counted:
                self.metrics.in_progress[route.path] -= 1
                status = status or 499  # the client disconnected before the response
                self.metrics.seconds[route.path, status].observe(seconds)
                if self.access_log:
                    log_request(scope, request_id.decode(), status, seconds)


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers; different values of one name are joined by commas (RFC 9110, 5.3)."""
    headers = dict(scope["headers"])
    if len(headers) < len(scope["headers"]):
        for name in headers:
            values = dict.fromkeys(value for key, value in scope["headers"] if key == name)
            headers[name] = b", ".join(values)
    return headers
