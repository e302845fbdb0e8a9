"""The middleware before an application that answers what reached it."""

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
from tests.asgi import ask, http

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
    """As in app.py, but without the fast lane."""
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


OPEN = ["/livez", "/metrics", "/docs", "/ui/x.js", "/static_content/x.js"]
CLOSED = ["/predict%0a", "/docs%0a", "/docs/", "/docs//", "/new", "/static"]


@pytest.mark.parametrize("path", OPEN + CLOSED)
def test_only_open_paths_need_no_key(path: str) -> None:
    assert guarded().get(path).status_code == (200 if path in OPEN else 401)


def test_two_keys_at_once_are_refused() -> None:
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
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.json() == {"error": "the body is too large; 100 bytes are allowed"}


async def status(app: ASGIApp, scope: Scope) -> int:
    start, *_ = await ask(app, scope)
    return int(start["status"])


@pytest.mark.parametrize("length", ["-1", "1e2", "9" * 5000, "", "+1", "1, 1", "²"])
async def test_a_length_that_is_not_a_number_is_refused(length: str) -> None:
    scope = http("/x", (b"content-length", length.encode()))
    assert await status(guarding(echo), scope) == 413


async def test_a_body_that_turns_out_too_large_is_refused_without_reading_on() -> None:
    chunks = [b"x" * 60, b"x" * 60, b"x" * 60]
    start, *_ = await ask(guarding(echo), http("/x"), chunks)
    assert start["status"] == 413
    assert len(chunks) == 1  # was not read


async def test_a_client_that_leaves_while_sending_gets_no_answer() -> None:
    assert await ask(guarding(echo), http("/x"), [b"x"], "leaves") == []


async def test_a_body_that_does_not_come_gets_504() -> None:
    guard = guarding(echo, timeout_seconds=0.01)
    start, body = await ask(guard, http("/x"), [b"x"], "stalls")
    assert start["status"] == 504
    assert json.loads(body["body"])["error"] == "the body took longer than 0.01 s to arrive"


async def test_chunks_are_put_together() -> None:
    *_, body = await ask(guarding(echo), http("/x"), [b"12", b"", b"345"])
    assert body["body"] == b'{"bytes":5}'


@pytest.mark.parametrize(
    ("slow_path", "expected"),
    [("/slow", [429, 200, 200, 200, 200]), ("/ui", [200, 429, 200, 200, 200])],
)
async def test_too_many_at_a_time_get_429_but_not_health_nor_key_holders_for_open_pages(
    slow_path: str, expected: list[int]
) -> None:
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
    statuses += [await first, await status(guard, http("/third", method="GET"))]
    assert statuses == expected


async def test_requests_without_a_key_take_no_place_from_those_with_one() -> None:
    right, wrong = (
        http("/predict", (b"authorization", b"Bearer " + key)) for key in (b"key", b"wrong")
    )
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
    assert [*statuses, await first, await status(guard, wrong)] == [200, 429, 401, 401]


async def test_a_request_that_is_cancelled_leaves_its_place() -> None:
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
    assert await status(guard, http("/x")) == 200


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
