"""What proxies say of the requests that they pass on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PREFIX = "study_score.prefix"  # where the scope carries the path that the service stands below
PATH = re.compile(r"(/[\w~-][\w.~-]*)+", re.ASCII)


class BehindProxy:
    """ASGI middleware: believes the trusted proxies about client, scheme and path."""

    def __init__(self, app: ASGIApp, trusted: Sequence[object]) -> None:
        """Of `trusted` IP addresses or networks."""
        self.app: Any = ProxyHeadersMiddleware(app, [str(each) for each in trusted])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the path that the proxy serves this below off the request's own, if it is there.

        It does not become ASGI's `root_path`: Starlette would take that off too, and route by
        another path than the guard has seen.
        """
        if (
            scope["type"] == "http"
            and scope["client"]
            and scope["client"][0] in self.app.trusted_hosts
        ):
            given = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").decode("latin-1")
            prefix, path = given.rstrip("/"), scope["path"]
            if PATH.fullmatch(prefix):
                scope[PREFIX] = prefix
                if f"{path}/".startswith(f"{prefix}/"):
                    scope["path"] = path[len(prefix) :] or "/"
        await self.app(scope, receive, send)
