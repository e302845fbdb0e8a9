"""With the fast lane and without it, every answer is the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.asgi import ask, http

Answer = tuple[int, Any, str | None, str | None]
SLOW = patch("service.fast_lane.BODY", "nowhere")  # without the lane


class Request(NamedTuple):
    body: bytes
    method: str = "POST"
    path: str = "/predict"
    kind: str = "application/json"
    headers: Sequence[tuple[str, str]] = ()
    cuts: Sequence[int] = ()


numbers = st.one_of(
    st.floats(0, 8784).map(repr),
    st.floats().map(json.dumps),
    st.integers(-(10**40), 10**40).map(str),
    st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["-0", "-0.0", "0e0", "5e-324", "1e-400", "8784", "8784.0000000000001", "01"]),
)
values = numbers | st.sampled_from(['"4"', "true", "null", "[4]", "{}", '{"hours": 4}', "NaN"])
keys = st.sampled_from(['"hours"', '"\\u0068ours"', '"Hours"', '"other"', '""', "hours"])
spaces = st.sampled_from(["", "", " ", "\n", "\t\r", "\u00a0"])
objects = st.lists(st.tuples(spaces, keys, spaces, values, spaces), max_size=3).map(
    lambda pairs: "{" + ",".join(f"{a}{key}{b}:{value}{c}" for a, key, b, value, c in pairs) + "}"
)
texts = st.tuples(spaces, objects | values | st.text(max_size=20), spaces).map("".join)
encoded = st.one_of(
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    texts.map(lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")),
    texts.map(lambda text: text.encode("utf-16", "surrogatepass")),
    st.binary(max_size=30),
    objects.map(lambda text: (text + "\x00").encode()),
)
kinds = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", ""]
)
headers = st.lists(
    st.sampled_from(
        [
            ("accept", "text/html"),
            ("accept-encoding", "gzip"),
            ("content-encoding", "gzip"),
            ("content-type", "application/json"),
            ("content-type", "multipart/form-data; boundary=x"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("x-model", "forged"),
            ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
        ]
    ),
    max_size=3,
)


requests = st.builds(
    Request,
    method=st.sampled_from(["POST"] * 8 + ["GET", "PUT"]),
    path=st.sampled_from(["/predict"] * 8 + ["/predict/", "/predict_batch", "//predict"]),
    kind=kinds | st.just("application/json"),
    headers=headers,
    body=encoded,
    cuts=st.lists(st.integers(0, 30), max_size=3).map(sorted),
)


async def answer_of(app: Any, sent: Request) -> Answer | None:
    """The answer of the application itself; None if there is none."""
    raw = [("host", "test"), ("content-type", sent.kind), *sent.headers]
    headers = [(name.encode(), value.encode()) for name, value in raw]
    scope = http(sent.path, *headers, method=sent.method)
    ends = itertools.pairwise([0, *sent.cuts, len(sent.body)])
    messages = await ask(app, scope, [sent.body[start:end] for start, end in ends])
    if not messages:
        return None
    told = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in messages[1:])
    assert int(told["content-length"]) == len(body)
    return (
        messages[0]["status"],
        json.loads(body) if messages[0]["status"] >= 400 else body,
        told.get("content-type"),
        told.get("x-model"),
    )


@settings(
    max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=requests)
@example(Request(b'{"hours": 4}'))
@example(Request(b'{"hours": 4, "hours": 5}', cuts=[3, 7]))
@example(Request(b'{"hours":' * 5000))
@example(Request(b"[" * 100_000))
@example(Request(b'{"hours": ' + b"9" * 5000 + b"}"))
def test_status_and_body_are_the_same_with_the_lane_and_without(
    app: Any, client: TestClient, sent: Request
) -> None:
    assert client.portal is not None
    with_lane = client.portal.call(answer_of, app, sent)
    with SLOW:
        without = client.portal.call(answer_of, app, sent)
    assert with_lane == without
    assert with_lane is None or with_lane[0] < 500


def test_the_lane_is_what_answers_a_valid_request(client: TestClient) -> None:
    fast = client.post("/predict", json={"hours": 4})
    with SLOW:
        slow = client.post("/predict", json={"hours": 4})
    assert "x-bentoml-request-id" not in fast.headers
    assert "server" in slow.headers
    assert fast.content == slow.content


@pytest.mark.parametrize("hours", [0, 4, 2.5, 1e-300, 8784])
def test_the_lane_says_the_very_same_bytes(client: TestClient, hours: float) -> None:
    fast = client.post("/predict", json={"hours": hours}).content
    with SLOW:
        assert client.post("/predict", json={"hours": hours}).content == fast
