"""Applies the `X-Forwarded-*` headers of trusted proxies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PATH_PREFIX = "study_score.prefix"  # the key of the ASGI scope that holds the path prefix
PATH = re.compile(r"(/[\w~-][\w.~-]*)+", re.ASCII)


class BehindProxy:
    """ASGI middleware that takes client, scheme and path prefix from trusted proxies."""

    def __init__(self, app: ASGIApp, trusted: Sequence[object]) -> None:
        """Trust proxies at the IP addresses or in the networks of `trusted`."""
        self.app: Any = ProxyHeadersMiddleware(app, [str(each) for each in trusted])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strip the prefix of `X-Forwarded-Prefix` from the request's path, if the path has it.

        ASGI's `root_path` is not set: Starlette would strip it again, and route by a path that the
        guard has not checked.
        """
        if (
            scope["type"] == "http"
            and scope["client"]
            and scope["client"][0] in self.app.trusted_hosts
        ):
            header = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").decode("latin-1")
            prefix, path = header.rstrip("/"), scope["path"]
            if PATH.fullmatch(prefix):
                scope[PATH_PREFIX] = prefix
                if f"{path}/".startswith(f"{prefix}/"):
                    scope["path"] = path[len(prefix) :] or "/"
        await self.app(scope, receive, send)
