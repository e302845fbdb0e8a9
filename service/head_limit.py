"""A limit on the head of a request, which uvicorn's fast parser lacks.

Without it one connection that sends header lines for ever fills the memory. BentoML lets nobody
choose uvicorn's protocol, so this takes the place of the one that uvicorn chooses.
"""

from __future__ import annotations

import uvicorn.protocols.http.auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536


class BoundedHead(HttpToolsProtocol):
    """HTTP/1.1 with heads of at most 64 KiB, give or take what is received at once."""

    head_bytes: int | None = None  # of the head being received, None between heads

    def on_message_begin(self) -> None:
        """A head begins."""
        self.head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It is whole."""
        self.head_bytes = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and answer 400 if that is too much of a head."""
        super().data_received(data)
        if self.head_bytes is not None and not self.transport.is_closing():
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")


def limit_heads() -> None:
    """Have uvicorn use it."""
    uvicorn.protocols.http.auto.AutoHTTPProtocol = BoundedHead
