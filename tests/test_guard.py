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
from service.errors import OneShape
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
    bodies = Bodies(OneShape(app), max_body_bytes, timeout_seconds)
    return Meter(Guard(bodies, keys, max_concurrency), access_log=False)


def guarded(**changes: Any) -> TestClient:
    return TestClient(guarding(echo, **{"keys": ("first-key", "second-key"), **changes}))


@pytest.mark.parametrize("key", ["first-key", "second-key"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_any_of_the_keys_opens(scheme: str, key: str) -> None:
    answer = guarded().post("/predict", json={}, headers={"authorization": f"{scheme} {key}"})
    assert answer.json() == {"bytes": 2}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        "Basic first-key",
        "first-key",
        "Bearer first-key,second-key",
        "Bearer first-ke",
        "Bearer FIRST-KEY",
    ],
)
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
    headers = {"content-type": "application/json"}
    answer = guarded(keys=()).post("/x", content=b"x" * size, headers=headers)
    assert answer.json() == {"bytes": size}


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    answer = guarded(keys=()).post("/x", content=b"x" * 101, headers=JSON)
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is too large; 100 bytes are allowed"}
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["-1", "1e2", "9" * 5000, "", "+1", "1, 1", "²"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    scope = post("/x", (b"content-length", length.encode()))
    assert asyncio.run(ask(scope, [b"x"]))[0]["status"] == 413


def test_a_body_that_turns_out_too_large_is_refused_without_reading_on() -> None:
    chunks = [b"x" * 60, b"x" * 60, b"x" * 60]
    start, *_ = asyncio.run(ask(post("/x"), chunks))
    assert start["status"] == 413
    assert len(chunks) == 1  # never asked for


def post(path: str, *headers: tuple[bytes, bytes]) -> Scope:
    return {"type": "http", "method": "POST", "path": path, "headers": list(headers)}


async def ask(scope: Scope, chunks: list[bytes], disconnect: bool = False) -> list[Message]:
    """Send a request whose body comes in chunks, which are used up; the messages of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        if chunks:
            body = chunks.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(chunks) or disconnect}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await guarding(echo)(scope, receive, send)
    return sent


def test_a_client_that_leaves_while_sending_gets_no_answer() -> None:
    assert asyncio.run(ask(post("/x"), [b"x"], disconnect=True)) == []


def test_a_body_that_does_not_come_gets_504() -> None:
    async def scenario() -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            if sent_first.is_set():
                await asyncio.Event().wait()
            sent_first.set()
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        sent_first = asyncio.Event()
        await guarding(echo, timeout_seconds=0.01)(post("/x"), receive, send)
        return sent

    start, body = asyncio.run(scenario())
    assert start["status"] == 504
    assert json.loads(body["body"])["error"] == "the body took longer than 0.01 s to arrive"


def test_chunks_are_put_together() -> None:
    *_, body = asyncio.run(ask(post("/x"), [b"12", b"", b"345"]))
    assert body["body"] == b'{"bytes":5}'


def test_too_many_at_a_time_get_429_but_not_health_nor_key_holders_for_open_pages() -> None:
    async def scenario(slow_path: str) -> list[int]:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] in ("/slow", "/ui"):
                entered.set()
                await leave.wait()
            await echo(scope, receive, send)

        guard = guarding(slow, max_concurrency=1)
        statuses: list[int] = []

        async def get(path: str) -> None:
            async def send(message: Message) -> None:
                statuses.append(message.get("status", 0))

            async def receive() -> Message:
                return {"type": "http.request", "body": b""}

            scope = {"type": "http", "method": "GET", "path": path, "headers": []}
            await guard(scope, receive, send)

        first = asyncio.create_task(get(slow_path))
        await entered.wait()
        for path in ("/second", "/docs", "/livez"):
            await get(path)
        leave.set()
        await first
        await get("/third")
        return [status for status in statuses if status]

    assert asyncio.run(scenario("/slow")) == [429, 200, 200, 200, 200]
    assert asyncio.run(scenario("/ui")) == [200, 429, 200, 200, 200]


def test_who_has_no_key_takes_no_place_from_those_who_have_one() -> None:
    async def scenario() -> list[int]:
        stalled = asyncio.Event()
        guard = guarding(echo, ("key",), max_concurrency=1)
        statuses: list[int] = []

        async def post(key: bytes, reads_answer: bool = True) -> None:
            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                if not reads_answer:
                    await stalled.wait()

            async def receive() -> Message:
                return {"type": "http.request", "body": b"{}"}

            headers = [(b"authorization", b"Bearer " + key)]
            await guard({**scope, "headers": headers}, receive, send)

        scope: Scope = {"type": "http", "method": "POST", "path": "/predict"}
        first = asyncio.create_task(post(b"wrong", reads_answer=False))
        while not statuses:
            await asyncio.sleep(0)
        await post(b"key")
        await post(b"wrong")
        stalled.set()
        await first
        await post(b"wrong")
        return statuses

    assert asyncio.run(scenario()) == [401, 200, 429, 401]


def test_a_request_that_is_cancelled_leaves_its_place() -> None:
    async def scenario() -> int:
        entered, forever = asyncio.Event(), asyncio.Event()

        async def endless(scope: Scope, receive: Receive, send: Send) -> None:
            if not entered.is_set():
                entered.set()
                await forever.wait()
            await echo(scope, receive, send)

        statuses: list[int] = []

        async def send(message: Message) -> None:
            statuses.append(message.get("status", 0))

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        guard = guarding(endless, max_concurrency=1)
        scope: Scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
        first = asyncio.create_task(guard(scope, receive, send))
        await entered.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await guard(scope, receive, send)
        return statuses[0]

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
