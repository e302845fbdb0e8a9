"""The path prefix that trusted proxies name."""

from __future__ import annotations

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from service.guard import Guard
from service.meter import Meter
from service.proxy import PATH_PREFIX, BehindProxy


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    answer = {"path": scope["path"], "prefix": scope.get(PATH_PREFIX), "url": str(request.url)}
    await JSONResponse(answer)(scope, receive, send)


def get(path: str, prefix: str | None, trusted: str = "127.0.0.0/8") -> httpx2.Response:
    headers = {} if prefix is None else {"x-forwarded-prefix": prefix}
    app = BehindProxy(Meter(Guard(echo, ["key"], 10), access_log=False), [trusted])
    client = TestClient(app, client=("127.0.0.1", 1))
    return client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "prefix", "expected"),
    [
        ("/score/docs", "/score", "/docs"),
        ("/docs", "/score", "/docs"),
        ("/a/b.c/docs", "/a/b.c/", "/docs"),
        ("/score", "/score", "/"),
    ],
)
def test_the_prefix_is_stripped_from_paths_that_have_it(
    path: str, prefix: str, expected: str
) -> None:
    answer = get(path, prefix).json()
    assert (answer["path"], answer["prefix"]) == (expected, prefix.rstrip("/"))


@pytest.mark.parametrize(
    "prefix", ["//evil.org", "https://evil.org", "/..", "score", "/a b", "/a,/b", "/", "", None]
)
def test_a_prefix_that_is_not_a_path_is_ignored(prefix: str | None) -> None:
    answer = get("/docs", prefix).json()
    assert (answer["path"], answer["prefix"]) == ("/docs", None)


def test_a_proxy_that_is_not_trusted_is_ignored() -> None:
    answer = get("/docs", "/score", trusted="10.0.0.0/8").json()
    assert (answer["path"], answer["prefix"]) == ("/docs", None)


@pytest.mark.parametrize("path", ["/ui/model", "/ui/predict", "/predict", "/docs/predict"])
@pytest.mark.parametrize("prefix", ["/ui", "/docs", "/predict", "/static_content"])
def test_no_prefix_opens_what_needs_a_key(path: str, prefix: str) -> None:
    """The guard and the router see the same path, whatever a client may have got past a proxy."""
    answer = get(path, prefix)
    stripped = path.removeprefix(prefix) or "/"
    if stripped in ("/predict", "/model"):
        assert answer.status_code == 401
    elif answer.status_code == 200:
        assert answer.json()["path"] == stripped
