"""What stands before every endpoint: only JSON comes in, and errors go out in one shape."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Guard:
    """ASGI middleware: 415 for a POST that is not JSON, and every error as a JSON object.

    BentoML answers some errors in plain text and some as a list, and takes a body of an unknown
    type for JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        kind = Headers(scope=scope).get("content-type", "application/json")
        if scope["method"] == "POST" and kind.split(";")[0].strip().lower() != "application/json":
            sentence = f"content-type is {kind!r}; send application/json"
            return await JSONResponse({"error": sentence}, 415)(scope, receive, send)
        await self.app(scope, receive, _OneErrorShape(scope, send))


class _OneErrorShape:
    """Passes answers on as they come, and holds an error back until it can be put in shape."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.start = message
            return
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
        return {"error": "; ".join(_sentences(detail)), "detail": detail}
    if isinstance(found, dict) and "error" in found:
        return found
    if status == 404:
        return {"error": f"there is nothing at {scope['path']}; what there is stands in /docs"}
    if status == 405:
        return {"error": f"{scope['path']} does not answer {scope['method']}; see /docs"}
    return {"error": HTTPStatus(status).phrase}


def _sentences(detail: Iterable[dict[str, Any]]) -> Iterable[str]:
    for problem in detail:
        field = ".".join(map(str, problem["loc"]))
        yield f"{field}: {problem['msg']}" if field else problem["msg"]
