"""What the log says: a line for each request, and nothing to fill the disk with."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from bentoml.exceptions import BentoMLException
from pydantic import ValidationError
from starlette.types import Scope

logger = logging.getLogger("bentoml.serve")
access = logging.getLogger("bentoml.access")
FIELDS = ("client", "method", "path", "status", "ms", "id")  # of a request's line


def request_answered(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    """One line, whatever characters the path has."""
    client = scope["client"][0] if scope.get("client") else "-"
    path = scope["path"].encode("unicode_escape").decode()
    ms = round(seconds * 1e3, 3)
    access.info("%s %s %s %d %.3fms id=%s", client, scope["method"], path, status, ms, request_id)


class JsonLine(logging.Formatter):
    """A request's line as a JSON object, with its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = dict(zip(FIELDS, record.args or (), strict=True))
        return json.dumps({"time": time, **fields})


def log_requests_as_json() -> None:
    """Requests' lines go to the standard output as JSON, in this process from now on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLine())
    access.addHandler(handler)
    access.propagate = False


def say_what_is_served(tag: str, page: str) -> None:
    """The last line of the start."""
    logger.info("serving %s; the page is %s; stop with Ctrl+C", tag, page)


class ClientErrors(logging.Filter):
    """Keeps what a client did wrong out of the log: it was told."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is no such error."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BentoMLException):
            return error.error_code.value >= 500
        return not isinstance(error, ValidationError)


def keep_out_what_is_not_for_the_log() -> None:
    """Clients' errors, and uvicorn's own lines, in this process from now on."""
    logging.getLogger("bentoml._internal.server.http_app").addFilter(ClientErrors())
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each malformed request
    logging.getLogger("uvicorn.access").propagate = False  # or each is made, though nobody reads it
