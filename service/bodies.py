"""Request bodies: read within limits of size and time, decompressed, checked to be UTF-8."""

from __future__ import annotations

import asyncio
import json
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Refused, refuse
from service.meter import HEADERS, ROUTE
from service.open_inference import HEAD_LENGTH
from service.openapi import BYTES, JSON

BODY = "study_score.body"  # the key of the ASGI scope that holds the body of a POST
BOM = b"\xef\xbb\xbf"  # byte order mark, which some Windows programs write before UTF-8
TENSORS = HEAD_LENGTH.lower().encode()  # the header of a body with tensors after its JSON
MAX_COLONS = 100  # one per JSON key; pydantic is slow at reporting thousands of unknown keys


class Bodies:
    """ASGI middleware that puts the whole body of a POST into `scope[BODY]`, or refuses it.

    BentoML has no size limit, and treats a body of an unknown content type as JSON.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, timeout_seconds: float) -> None:
        """Limit bodies to `max_body_bytes`, both as received and decompressed."""
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body, unless the client disconnects before the end of it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        binary, headers = scope[ROUTE].binary, scope[HEADERS]
        try:
            self._check(headers, binary)
            message = await receive()
            if message.get("more_body"):
                message = await self._whole(message, receive)
            if message["type"] == "http.disconnect":
                return
            scope[BODY] = body = self._read(message.get("body", b""), headers, binary)
        except Refused as error:
            return await refuse(scope, send, error.status_code, error.detail)
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_body() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, receive_body, send)

    def _check(self, headers: dict[bytes, bytes], binary: bool) -> None:
        """Raise Refused for a wrong content type or a `Content-Length` over the limit."""
        kind = headers.get(b"content-type", b"application/json")
        is_json = kind.partition(b";")[0].strip().lower() == b"application/json"
        if not is_json and not (binary and kind == BYTES.encode()):
            raise Refused(415, f"content-type is {kind.decode('latin-1')!r}; send {JSON}")
        length = headers.get(b"content-length", b"0").strip()
        if not length.isdigit() or len(length) > 18 or int(length) > self.max_body_bytes:
            raise self._too_large()

    async def _whole(self, first: Message, receive: Receive) -> Message:
        """Receive a body that comes in parts, and stop once it is over the limit."""
        message, parts = first, [first.get("body", b"")]
        size = len(parts[0])
        try:
            async with asyncio.timeout(self.timeout_seconds):
                while message.get("more_body") and size <= self.max_body_bytes:
                    message = await receive()
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
        except TimeoutError:
            sentence = f"the body took longer than {self.timeout_seconds:g} s to arrive"
            raise Refused(504, sentence) from None
        return {**message, "body": b"".join(parts)}

    def _read(self, body: bytes, headers: dict[bytes, bytes], binary: bool) -> bytes:
        """The decompressed body without a byte order mark; raises Refused if it is not valid."""
        if len(body) > self.max_body_bytes:
            raise self._too_large()
        if b"content-encoding" in headers:
            body = self._unpacked(body, headers[b"content-encoding"].decode("latin-1"))
        if binary and (TENSORS in headers or headers.get(b"content-type") == BYTES.encode()):
            return body  # tensors follow the JSON
        if body[:2] != b'{"':  # nearly all bodies start with this, which is UTF-8
            encoding = json.detect_encoding(body)
            if not encoding.startswith("utf-8"):
                raise Refused(415, f"the body is in {encoding.upper()}; send UTF-8")
            body = body.removeprefix(BOM)
        if body.count(b":") > MAX_COLONS and not binary:
            raise Refused(400, f"the body has over {MAX_COLONS} keys")
        return body

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is too large; {self.max_body_bytes} bytes are allowed")

    def _unpacked(self, body: bytes, encoding: str) -> bytes:
        if encoding == "identity":
            return body
        if encoding not in ("gzip", "deflate"):
            raise Refused(415, f"content-encoding is {encoding!r}; send gzip, deflate or none")
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS + 32)  # accepts both formats
        try:
            body = unpacking.decompress(body, self.max_body_bytes + 1)
        except zlib.error as error:
            raise Refused(400, f"the body is not {encoding}: {error}") from None
        if len(body) > self.max_body_bytes:
            raise Refused(413, f"{self._too_large().detail} once it is unpacked")
        if not unpacking.eof or unpacking.unused_data:
            damage = "it is cut short, or has extra bytes after its end"
            raise Refused(400, f"the body is not {encoding}: {damage}")
        return body
