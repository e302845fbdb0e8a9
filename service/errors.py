"""The format of all errors: a JSON object whose `error` is a sentence."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.document import in_one_sentence


class Refused(HTTPException):
    """A request is refused with an HTTP status and a sentence, its `detail`."""


async def answer_refused(_: Request, error: Any) -> Response:
    """The response to a refused request."""
    return JSONResponse({"error": error.detail}, error.status_code)


def answer_invalid(error: ValidationError) -> Response:
    """The response to a body that does not match its schema."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return JSONResponse({"detail": details}, 400)


async def refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Respond with an error, and close the connection if part of the body may be unread."""
    headers = {"connection": "close"} if status in (400, 413, 504) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    await JSONResponse({"error": sentence}, status, headers)(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class ErrorFormat:
    """ASGI middleware that reformats the errors of BentoML and Starlette (plain text or a list)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass responses on as they come, but hold an error back until its body is complete."""
        start: Message | None = None
        body = b""

        async def send_formatted(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send_error(scope, send, start, body)

        await self.app(scope, receive, send_formatted)


async def _send_error(scope: Scope, send: Send, start: Message, body: bytes) -> None:
    answer = JSONResponse(error_object(start["status"], body, scope), start["status"])
    kept = [pair for pair in start["headers"] if pair[0].lower() not in dict(answer.raw_headers)]
    answer.raw_headers += kept
    await answer(scope, _nothing, send)


def error_object(status: int, body: bytes, scope: Scope) -> dict[str, Any]:
    """The JSON object of an error: `error`, a sentence, and for validation errors `detail`."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, list) and answer:
        answer = answer[0]
    if isinstance(answer, dict) and isinstance(answer.get("detail"), list):
        detail = [{key: each[key] for key in ("type", "loc", "msg")} for each in answer["detail"]]
        return {"error": in_one_sentence(detail), "detail": detail}
    if isinstance(answer, dict) and "error" in answer:
        return answer
    if status == 404:
        return {"error": f"there is nothing at {scope['path']}; see /docs"}
    if status == 405:
        return {"error": f"{scope['path']} does not answer {scope['method']}; see /docs"}
    return {"error": HTTPStatus(status).phrase}
