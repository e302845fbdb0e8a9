"""Requests straight to an ASGI application, without a server."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Scope


def http(path: str, *headers: tuple[bytes, bytes], method: str = "POST") -> Scope:
    """The scope of a request."""
    scope = {"type": "http", "http_version": "1.1", "scheme": "http", "query_string": b""}
    scope |= {"root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
    scope |= {"method": method, "path": path, "raw_path": path.encode(), "headers": list(headers)}
    return {**scope, "asgi": {"version": "3.0"}}


async def ask(
    app: ASGIApp, scope: Scope, chunks: list[bytes] | None = None, end: str = ""
) -> list[Message]:
    """The messages that answer a request, whose chunks are used up.

    After them the client has sent everything, or it "leaves" or "stalls" within the body.
    """
    chunks = [b""] if chunks is None else chunks
    answer: list[Message] = []

    async def receive() -> Message:
        if chunks:
            body = chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(chunks or end)}
        if end == "stalls":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.append(message)

    await app(scope, receive, send)
    return answer
