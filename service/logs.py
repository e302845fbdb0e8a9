"""The log: one line for each request, and none that clients could flood it with."""

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


def log_request(scope: Scope, request_id: str, status: int, seconds: float) -> None:
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


def is_not_client_error(record: logging.LogRecord) -> bool:
    """Whether to log a record; clients' errors are reported by the response."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, BentoMLException):
        return error.error_code.value >= 500
    return not isinstance(error, ValidationError)


def filter_logs() -> None:
    """Keep clients' errors and uvicorn's own lines out of the log of this process."""
    logging.getLogger("bentoml._internal.server.http_app").addFilter(is_not_client_error)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it logs every malformed request
    logging.getLogger("uvicorn.access").propagate = False  # else uvicorn would format each line
