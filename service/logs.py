"""What the log says: a line for each request, and nothing to fill the disk with."""

from __future__ import annotations

import logging

from bentoml.exceptions import BentoMLException
from pydantic import ValidationError
from starlette.types import Scope

access = logging.getLogger("bentoml.access")


def request_answered(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    """One line, whatever characters the path has."""
    client = scope["client"][0] if scope.get("client") else "-"
    path = scope["path"].encode("unicode_escape").decode()
    access.info(
        "%s %s %s %d %.3fms id=%s", client, scope["method"], path, status, seconds * 1e3, request_id
    )


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
