"""One shape for every error: a JSON object with `error`, a sentence."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Message, Scope, Send

from models.document import in_one_sentence


async def refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    """Answer with an error; where some of a body may be unread, the connection ends with it."""
    headers = {"connection": "close"} if status in (400, 413, 504) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    await JSONResponse({"error": sentence}, status, headers)(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class ErrorShape:
    """Passes answers on as they come, and holds an error back until it can be put in shape.

    BentoML answers some errors in plain text and some as a list.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.send = send
        self.started = False
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Send, or hold back."""
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                self.start = message
                return
            self.started = True
        if self.start is None:
            return await self.send(message)
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        status = self.start["status"]
        body = json.dumps(error_object(status, self.body, self.scope)).encode()
        kept = [
            (name, value)
            for name, value in self.start["headers"]
            if name.lower() not in (b"content-type", b"content-length")
        ]
        headers = [
            *kept,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        self.started = True
        await self.send({**self.start, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def error_object(status: int, body: bytes, scope: Scope) -> dict[str, Any]:
    """An error's JSON object: `error`, a sentence, and for a validation error `detail`."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict) and isinstance(found.get("detail"), list):
        detail = [{key: each[key] for key in ("type", "loc", "msg")} for each in found["detail"]]
        return {"error": in_one_sentence(detail), "detail": detail}
    if isinstance(found, dict) and "error" in found:
        return found
    if status == 404:
        return {"error": f"there is nothing at {scope['path']}; what there is stands in /docs"}
    if status == 405:
        return {"error": f"{scope['path']} does not answer {scope['method']}; see /docs"}
    return {"error": HTTPStatus(status).phrase}
