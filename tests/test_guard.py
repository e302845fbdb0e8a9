"""What a request meets first, before an application that says what reached it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.bodies import Bodies
from service.errors import ErrorFormat
from service.guard import Guard
from service.meter import Meter

JSON = {"content-type": "application/json"}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/broken":
        raise RuntimeError("secret detail")
    if scope["path"] == "/list":
        response: Response = JSONResponse([{"error": "in a list"}], 400)
    elif scope["path"] == "/plain":
        response = PlainTextResponse("Teapot", 418)
    else:
        body = await Request(scope, receive).body()
        response = JSONResponse({"bytes": len(body)})
    await response(scope, receive, send)


def guarding(
    app: ASGIApp,
    keys: Sequence[str] = (),
    max_body_bytes: int = 100,
    max_concurrency: int = 10,
    timeout_seconds: float = 2.0,
) -> Meter:
    """As in app.py, but for the fast lane."""
    bodies = Bodies(ErrorFormat(app), max_body_bytes, timeout_seconds)
    return Meter(Guard(bodies, keys, max_concurrency), access_log=False)


def guarded(**changes: Any) -> TestClient:
    return TestClient(guarding(echo, **{"keys": ("first-key", "second-key"), **changes}))


@pytest.mark.parametrize("key", ["first-key", "second-key"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_any_of_the_keys_opens(scheme: str, key: str) -> None:
    answer = guarded().post("/predict", json={}, headers={"authorization": f"{scheme} {key}"})
    assert answer.json() == {"bytes": 2}


WRONG = ["", "Bearer", "Bearer wrong", "Basic first-key", "first-key", "Bearer first-ke"]
WRONG += ["Bearer first-key,second-key", "Bearer FIRST-KEY"]


@pytest.mark.parametrize("header", [None, *WRONG])
@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "PUT"])
def test_no_other_key_opens(method: str, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = guarded().request(method, "/predict", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert "Authorization: Bearer KEY" in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/livez", "/metrics", "/docs", "/ui/x.js", "/static_content/x.js"]
)
def test_open_paths_need_no_key(path: str) -> None:
    assert guarded().get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/predict%0a", "/docs%0a", "/docs/", "/docs//", "/new", "/static"]
)
def test_whatever_is_not_open_needs_a_key(path: str) -> None:
    assert guarded().get(path).status_code == 401


def test_two_keys_at_once_are_none() -> None:
    headers = [("authorization", "Bearer wrong"), ("authorization", "Bearer first-key")]
    for order in (headers, headers[::-1]):
        assert guarded().post("/predict", json={}, headers=order).status_code == 401


@pytest.mark.parametrize("other", ["multipart/form-data; boundary=x", "text/plain"])
def test_of_two_content_types_both_must_be_json(other: str) -> None:
    kinds = [("content-type", "application/json"), ("content-type", other)]
    for order in (kinds, kinds[::-1]):
        answer = guarded(keys=()).post("/x", content=b"{}", headers=order)
        assert answer.status_code == 415
        assert other in answer.json()["error"]


def test_a_body_full_of_keys_is_refused_at_once() -> None:
    body = json.dumps(dict.fromkeys(map(str, range(101)))).encode()
    answer = guarded(keys=(), max_body_bytes=10_000).post("/x", content=body, headers=JSON)
    assert (answer.status_code, answer.json()) == (400, {"error": "the body has over 100 keys"})


def test_without_keys_everything_is_open() -> None:
    assert guarded(keys=()).post("/predict", json={}).status_code == 200


@pytest.mark.parametrize("size", [0, 99, 100])
def test_a_body_within_the_limit_arrives_whole(size: int) -> None:
    answer = guarded(keys=()).post("/x", content=b"x" * size, headers=JSON)
    assert answer.json() == {"bytes": size}


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    answer = guarded(keys=()).post("/x", content=b"x" * 101, headers=JSON)
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is too large; 100 bytes are allowed"}
    assert answer.headers["connection"] == "close"


def http(path: str, *headers: tuple[bytes, bytes], method: str = "POST") -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": list(headers)}


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


async def status(app: ASGIApp, scope: Scope) -> int:
    start, *_ = await ask(app, scope)
    return int(start["status"])


@pytest.mark.parametrize("length", ["-1", "1e2", "9" * 5000, "", "+1", "1, 1", "²"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    scope = http("/x", (b"content-length", length.encode()))
    assert asyncio.run(status(guarding(echo), scope)) == 413


def test_a_body_that_turns_out_too_large_is_refused_without_reading_on() -> None:
    chunks = [b"x" * 60, b"x" * 60, b"x" * 60]
    start, *_ = asyncio.run(ask(guarding(echo), http("/x"), chunks))
    assert start["status"] == 413
    assert len(chunks) == 1  # was not read


def test_a_client_that_leaves_while_sending_gets_no_answer() -> None:
    assert asyncio.run(ask(guarding(echo), http("/x"), [b"x"], "leaves")) == []


def test_a_body_that_does_not_come_gets_504() -> None:
    guard = guarding(echo, timeout_seconds=0.01)
    start, body = asyncio.run(ask(guard, http("/x"), [b"x"], "stalls"))
    assert start["status"] == 504
    assert json.loads(body["body"])["error"] == "the body took longer than 0.01 s to arrive"


def test_chunks_are_put_together() -> None:
    *_, body = asyncio.run(ask(guarding(echo), http("/x"), [b"12", b"", b"345"]))
    assert body["body"] == b'{"bytes":5}'


@pytest.mark.parametrize(
    ("slow_path", "expected"),
    [("/slow", [429, 200, 200, 200, 200]), ("/ui", [200, 429, 200, 200, 200])],
)
def test_too_many_at_a_time_get_429_but_not_health_nor_key_holders_for_open_pages(
    slow_path: str, expected: list[int]
) -> None:
    async def scenario() -> list[int]:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == slow_path:
                entered.set()
                await leave.wait()
            await echo(scope, receive, send)

        guard = guarding(slow, max_concurrency=1)
        first = asyncio.create_task(status(guard, http(slow_path, method="GET")))
        await entered.wait()
        paths = ("/second", "/docs", "/livez")
        statuses = [await status(guard, http(path, method="GET")) for path in paths]
        leave.set()
        return [*statuses, await first, await status(guard, http("/third", method="GET"))]

    assert asyncio.run(scenario()) == expected


def test_who_has_no_key_takes_no_place_from_those_who_have_one() -> None:
    right, wrong = (
        http("/predict", (b"authorization", b"Bearer " + key)) for key in (b"key", b"wrong")
    )

    async def scenario() -> list[int]:
        begun, stalled = asyncio.Event(), asyncio.Event()
        guard = guarding(echo, ("key",), max_concurrency=1)

        async def not_reading(scope: Scope, receive: Receive, send: Send) -> None:
            async def stall(message: Message) -> None:
                begun.set()
                await stalled.wait()
                await send(message)

            await guard(scope, receive, stall)

        first = asyncio.create_task(status(not_reading, wrong))
        await begun.wait()
        statuses = [await status(guard, scope) for scope in (right, wrong)]
        stalled.set()
        return [*statuses, await first, await status(guard, wrong)]

    assert asyncio.run(scenario()) == [200, 429, 401, 401]


def test_a_request_that_is_cancelled_leaves_its_place() -> None:
    async def scenario() -> int:
        entered = asyncio.Event()

        async def endless_once(scope: Scope, receive: Receive, send: Send) -> None:
            if not entered.is_set():
                entered.set()
                await asyncio.Event().wait()
            await echo(scope, receive, send)

        guard = guarding(endless_once, max_concurrency=1)
        first = asyncio.create_task(ask(guard, http("/x")))
        await entered.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return await status(guard, http("/x"))

    assert asyncio.run(scenario()) == 200


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/list", 400, {"error": "in a list"}),
        ("/plain", 418, {"error": "I'm a Teapot"}),
        ("/broken", 500, {"error": "an unexpected error; the log has the details"}),
    ],
)
def test_every_error_becomes_an_object_with_a_sentence(
    path: str, status: int, error: dict[str, str]
) -> None:
    answer = guarded(keys=()).get(path)
    assert (answer.status_code, answer.json()) == (status, error)
    assert int(answer.headers["content-length"]) == len(answer.content)
