"""Ten thousand hostile requests."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from models import store
from service import openapi
from service.routes import ROUTES
from tests.processes import BODY, Home, metric, right, start_serving

TOTAL = "bentoml_service_request_total"  # of those that have reached the application
PATHS = b"/predict /predict_batch /predict/ /predict?hours=4 /model / /docs.json".split()
PATHS += b"/static_content/../x //predict /%00 /%ff%fe /\xff * http://x/predict".split()
HEADERS = [
    b"Authorization: Bearer \xff",
    b"Accept: \x80",
    b"Expect: 100-continue",
    b"Range: x",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Cookie: " + b"a" * 3000,
    b"\x00: x",
]


def test_ten_thousand_hostile_requests_get_no_5xx(trained: Home) -> None:
    with start_serving({**trained, "STUDY_SCORE_ACCESS_LOG": "on"}) as server:
        sent = from_the_schema(server.url)
        before = metric(server.url, TOTAL)
        statuses = asyncio.run(broken_http(server.port, max(6_000, 10_000 - sent)))
        assert len(statuses) > 5000
        assert not [status for status in statuses if status >= 500]
        assert metric(server.url, TOTAL) - before > 3000
        assert right(server.url)


def from_the_schema(url: str, examples: int = 150) -> int:
    """Send requests that match the OpenAPI document or just break it; returns how many."""
    sent = 0
    document = schemathesis.openapi.from_dict(openapi.document(ROUTES, store.NAME))
    for result in document.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        # a schema cannot say that data fits a shape
        excluded = [positive_data_acceptance] if operation.path.endswith("/infer") else []
        for mode in GenerationMode if operation.body else [GenerationMode.POSITIVE]:

            @settings(
                max_examples=examples,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                nonlocal sent
                sent += 1
                case.call_and_validate(base_url=url, excluded_checks=excluded)  # noqa: B023, now

            send()
    return sent


async def broken_http(port: int, number: int) -> list[int]:
    """Send raw requests, most of them damaged, over 16 connections; returns the statuses."""
    chance = random.Random(4)  # noqa: S311
    queue = iter([damaged(chance) for _ in range(number)])
    statuses: list[int] = []

    async def client() -> None:
        for request in queue:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                writer.write_eof()
                async with asyncio.timeout(10):
                    line = await reader.readline()
                if line:
                    statuses.append(int(line.split()[1]))
            except ConnectionError:
                pass
            finally:
                writer.close()

    await asyncio.gather(*(client() for _ in range(16)))
    return statuses


def damaged(chance: random.Random) -> bytes:
    """A request for a score, with some damage done to it."""
    body = chance.choice(
        [
            BODY,
            b'{"hours": ' + str(chance.uniform(-1e4, 1e4)).encode() + b"}",
            b'{"hours": "\xff\xfe"}',
            b'{"hours": ' + b"[" * chance.randrange(2000),
            b'{"hours": 1' + b"0" * chance.randrange(600) + b"}",
            bytes(chance.randrange(256) for _ in range(chance.randrange(60))),
            b'{"\\ud800": 1}',
            b"",
        ]
    )
    others = b"GET PUT HEAD OPTIONS TRACE BREW".split()
    method = chance.choice([b"POST"] * 12 + others)
    path = chance.choice(PATHS)
    kind = chance.choice(
        [b"application/json"] * 5
        + [b"multipart/form-data", b"multipart/form-data; boundary=\xff", b"text/plain"]
        + [b"application/vnd.bentoml+pickle", b"application/x-www-form-urlencoded"]
    )
    length = chance.choice([len(body)] * 12 + [len(body) + 3, max(0, len(body) - 3), -1, 10**30])
    lines = [
        method + b" " + path + b" " + chance.choice([b"HTTP/1.1"] * 16 + [b"HTTP/1.0", b"HTTP/9"]),
        b"Host: x",
        b"Content-Type: " + kind,
        *([b"Content-Type: application/json"] if chance.random() < 0.2 else []),
        chance.choice(
            [b"Content-Length: %d" % length] * 12
            + [b"Transfer-Encoding: chunked", b"Content-Length: 5\r\nContent-Length: 6", b"X: \x01"]
        ),
        *chance.sample(HEADERS, chance.randrange(3)),
        b"Connection: close",
    ]
    request = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if chance.random() < 0.1:
        at = chance.randrange(len(request))
        request = request[:at] + bytes([chance.randrange(256)]) + request[at + 1 :]
    return request
