"""API keys and the limit on concurrent requests."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import refuse
from service.meter import HEADERS, ROUTE


class Guard:
    """ASGI middleware; requests with and without a key have separate limits of equal size.

    So requests without a key cannot keep out those that have one.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[str], max_concurrency: int) -> None:
        """Without `keys` every route is open; with keys, protected routes need one of them."""
        self.app = app
        self.keys = [key.encode() for key in keys]
        self.max_concurrency = max_concurrency
        self.in_progress = {True: 0, False: 0}  # with and without a key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        access = scope[ROUTE].access
        allowed = access != "key" or not self.keys or self._has_key(scope)
        keyed = allowed and access == "key"
        if self.in_progress[keyed] >= self.max_concurrency and access != "probe":
            return await refuse(scope, send, 429, "too many requests at a time; try again")
        self.in_progress[keyed] += 1
        try:
            if allowed:
                await self.app(scope, receive, send)
            else:
                sentence = f"{scope['path']} needs the header Authorization: Bearer KEY"
                await refuse(scope, send, 401, f"{sentence}, with a key that is valid here")
        finally:
            self.in_progress[keyed] -= 1

    def _has_key(self, scope: Scope) -> bool:
        # two headers were joined by a comma, and match no key
        scheme, _, key = scope[HEADERS].get(b"authorization", b"").partition(b" ")
        # compare every key, so that the time reveals nothing about them
        matches = [hmac.compare_digest(key.strip(), each) for each in self.keys]
        return scheme.lower() == b"bearer" and any(matches)
