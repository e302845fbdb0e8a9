"""The log: one line for each request, without lines that clients could flood it with."""

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
FIELDS = ("client", "method", "path", "status", "ms", "id")  # of the line for a request


def request_answered(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    """Log a request in one line, with unusual characters of its path escaped."""
    client = scope["client"][0] if scope.get("client") else "-"
    path = scope["path"].encode("unicode_escape").decode()
    ms = round(seconds * 1e3, 3)
    access.info("%s %s %s %d %.3fms id=%s", client, scope["method"], path, status, ms, request_id)


class JsonLine(logging.Formatter):
    """Formats the line for a request as a JSON object, with its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = dict(zip(FIELDS, record.args or (), strict=True))
        return json.dumps({"time": time, **fields})


def log_requests_as_json() -> None:
    """Write the lines for requests to the standard output as JSON, from now on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLine())
    access.addHandler(handler)
    access.propagate = False


def say_what_is_served(tag: str, page: str) -> None:
    """Log the served model, the page's address and how to stop, at the end of start-up."""
    logger.info("serving %s; the page is %s; stop with Ctrl+C", tag, page)


class ClientErrors(logging.Filter):
    """Keeps clients' errors out of the log, since the response reports them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is anything but a client's error."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, BentoMLException):
            return error.error_code.value >= 500
        return not isinstance(error, ValidationError)


def keep_out_what_is_not_for_the_log() -> None:
    """Keep clients' errors and uvicorn's own lines out of the log of this process."""
    logging.getLogger("bentoml._internal.server.http_app").addFilter(ClientErrors())
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it logs every malformed request
    logging.getLogger("uvicorn.access").propagate = False  # else each line is formatted for nothing
