"""What stands before every endpoint: who may ask, how many at a time, and what comes in."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ErrorShape, refuse
from service.routes import BINARY, BYTES, OPEN, PROBES

BODY = "study_score.body"  # where the scope carries the body of a POST that has passed
STATIC = ("/static_content/", "/ui/")  # Swagger UI's files at BentoML's address, and the page's
MAX_COLONS = 100  # there is one to a key, and pydantic takes its time to complain of each
logger = logging.getLogger("bentoml.serve")


class Guard:
    """ASGI middleware: keys, limits, content type, and every error as a JSON object.

    BentoML has no keys and no limit on bodies, and takes a body of an unknown type for JSON.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Sequence[str],
        max_body_bytes: int,
        max_concurrency: int,
        timeout_seconds: float,
    ) -> None:
        """With any `keys`, what is not open to anyone needs one of them."""
        self.app = app
        self.keys = [key.encode() for key in keys]
        self.max_body_bytes = max_body_bytes
        self.too_large = f"the body is too large; {max_body_bytes} bytes are allowed"
        self.max_concurrency = max_concurrency
        self.timeout_seconds = timeout_seconds
        # Requests with a key apart from those that need or have none: these lock nobody out.
        self.in_progress = {True: 0, False: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on with its whole body in the scope."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"]
        is_open = path in OPEN or path.startswith(STATIC)
        allowed = is_open or self._has_key(scope)
        keyed = allowed and not is_open
        if self.in_progress[keyed] >= self.max_concurrency and path not in PROBES:
            return await refuse(scope, send, 429, "too many requests at a time; try again")
        self.in_progress[keyed] += 1
        answer = ErrorShape(scope, send)
        try:
            if allowed:
                await self._guarded(scope, receive, answer)
            else:
                sentence = f"{path} needs the header Authorization: Bearer KEY"
                await refuse(scope, answer, 401, f"{sentence}, with a key that is valid here")
        except Exception:
            logger.exception("%s %r", scope["method"], path)
            if not answer.started:
                await refuse(scope, send, 500, "an unexpected error; the log has the details")
        finally:
            self.in_progress[keyed] -= 1

    def _has_key(self, scope: Scope) -> bool:
        """Whether a request has one of the keys, or there are none."""
        if not self.keys:
            return True
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, key = b",".join(given).partition(b" ")  # two are none
        # every key is compared, so that the time tells nothing
        matches = [hmac.compare_digest(key.strip(), each) for each in self.keys]
        return scheme.lower() == b"bearer" and any(matches)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            return await self.app(scope, receive, send)
        kind, length = b"application/json", b"0"
        for name, value in scope["headers"]:
            if name == b"content-type" and _is_json(kind):  # of several, one that is not JSON
                kind = value
            elif name == b"content-length":
                length = value.strip()  # a blank may stand around it
        binary = BINARY.fullmatch(scope["path"])
        if not (_is_json(kind) or (binary and kind == BYTES.encode())):
            given = kind.decode("latin-1")
            return await refuse(
                scope, send, 415, f"content-type is {given!r}; send application/json"
            )
        if not length.isdigit() or len(length) > 18 or int(length) > self.max_body_bytes:
            return await refuse(scope, send, 413, self.too_large)
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body"):
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    body, message = await self._rest(body, receive)
            except TimeoutError:
                sentence = f"the body took longer than {self.timeout_seconds:g} s to arrive"
                return await refuse(scope, send, 504, sentence)
        if message["type"] == "http.disconnect":
            return
        if len(body) > self.max_body_bytes:
            return await refuse(scope, send, 413, self.too_large)
        if body.count(b":") > MAX_COLONS and not binary:
            return await refuse(scope, send, 400, f"the body has over {MAX_COLONS} keys")
        scope[BODY] = body
        await self.app(scope, _Replay(body, receive), send)

    async def _rest(self, body: bytes, receive: Receive) -> tuple[bytes, Message]:
        """The body as far as it is needed to know that it is too large, and its last message."""
        parts, size, more = [body], len(body), True
        while more and size <= self.max_body_bytes:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
        return b"".join(parts), message


def _is_json(content_type: bytes) -> bool:
    json = b"application/json"
    return content_type == json or content_type.partition(b";")[0].strip().lower() == json


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
