"""What stands before every endpoint: who may ask, what comes in, and one shape for errors."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY = "study_score.body"  # where the scope carries the body of a POST that has passed
HEALTH = frozenset({"/metrics", "/healthz", "/livez", "/readyz"})
STATIC = "/static_content/"  # BentoML's mount of Swagger UI's files
MAX_KEYS = 100  # pydantic complains of each by itself, of a body full of them for a second
logger = logging.getLogger("bentoml.serve")


class Guard:
    """ASGI middleware: keys, limits, content type, and every error as a JSON object.

    BentoML has no keys and no limit on bodies, takes a body of an unknown type for JSON, and
    answers some errors in plain text and some as a list.
    """

    def __init__(
        self,
        app: ASGIApp,
        open_paths: Collection[str],
        keys: Sequence[str],
        max_body_bytes: int,
        max_concurrency: int,
    ) -> None:
        """If there are keys, whatever is not among `open_paths` needs one of them."""
        self.app = app
        self.open_paths = HEALTH.union(open_paths)
        self.keys = [key.encode() for key in keys]
        self.max_body_bytes = max_body_bytes
        self.max_concurrency = max_concurrency
        self.in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on with its whole body in the scope."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self.in_progress >= self.max_concurrency and scope["path"] not in HEALTH:
            return await _refuse(scope, send, 429, "too many requests at a time; try again")
        self.in_progress += 1
        answer = _OneErrorShape(scope, send)
        try:
            await self._guarded(scope, receive, answer)
        except Exception:
            logger.exception("%s %r", scope["method"], scope["path"])
            if not answer.started:
                await _refuse(scope, send, 500, "an unexpected error; the log has the details")
        finally:
            self.in_progress -= 1

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, key, length = b"application/json", b"", b"0"
        for name, value in scope["headers"]:
            if name == b"content-type":
                kind = value if _is_json(kind) else kind  # of several, one that is not JSON
            elif name == b"authorization":
                key = key + b"," + value if key else value  # two are none
            elif name == b"content-length":
                length = value
        if self.keys and not self._is_open(scope["path"]) and not self._opens(key):
            sentence = f"{scope['path']} needs the header Authorization: Bearer KEY"
            return await _refuse(scope, send, 401, f"{sentence}, with a key that is valid here")
        if scope["method"] != "POST":
            return await self.app(scope, receive, send)

        if not _is_json(kind):
            given = kind.decode("latin-1")
            return await _refuse(
                scope, send, 415, f"content-type is {given!r}; send application/json"
            )
        too_large = f"the body is too large; {self.max_body_bytes} bytes are allowed"
        if not length.isdigit() or len(length) > 18 or int(length) > self.max_body_bytes:
            return await _refuse(scope, send, 413, too_large)
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.max_body_bytes:
                return await _refuse(scope, send, 413, too_large)
        if len(body) < int(length):  # where a client offers an upgrade, httptools drops the body
            sentence = f"{len(body)} of {int(length)} bytes arrived; send no Upgrade header"
            return await _refuse(scope, send, 400, sentence)
        if body.count(b":") > MAX_KEYS:
            return await _refuse(scope, send, 400, f"the body has over {MAX_KEYS} keys")
        scope[BODY] = body
        await self.app(scope, _Replay(body, receive), send)

    def _is_open(self, path: str) -> bool:
        return path in self.open_paths or path.startswith(STATIC)

    def _opens(self, header: bytes) -> bool:
        scheme, _, given = header.partition(b" ")
        # every key is compared, so that the time tells nothing
        matches = [hmac.compare_digest(given.strip(), key) for key in self.keys]
        return scheme.lower() == b"bearer" and any(matches)


def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"


class _Replay:
    """Gives a body that has been received once more, then what comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is None:
            return await self.receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    headers = {"connection": "close"} if status in (400, 413) else {}  # some of it is unread
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    await JSONResponse({"error": sentence}, status, headers)(scope, _nothing, send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


class _OneErrorShape:
    """Passes answers on as they come, and holds an error back until it can be put in shape."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.send = send
        self.started = False
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
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
