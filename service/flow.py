"""How a connection pauses reading, writes responses, and takes turns with other connections."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from uvicorn.protocols.http.flow_control import FlowControl

if TYPE_CHECKING:
    from service.connections import Connection


JOINED_BYTES = 16_384  # joining copies a body; copies of large ones, unread, would fill the memory


class Flow(FlowControl):
    """Resumes reading only if all earlier requests are answered and their responses read."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        super().__init__(transport)
        self.connection = connection

    def resume_reading(self) -> None:
        """Resume, unless the client should read its responses first."""
        if not (self.write_paused or self.connection.pipeline or self.connection.broken):
            super().resume_reading()

    def pause_writing(self) -> None:
        """Pause reading too, so that a client that does not read cannot send."""
        super().pause_writing()
        self.pause_reading()


class Writer:
    """The transport of one response: it writes the head together with the body, if that is small.

    This saves a system call, the most expensive part of a small response.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.is_closing, self.close = transport.is_closing, transport.close
        self.head: bytes | None = None

    def write(self, data: bytes) -> None:
        """Write the data, or keep the head until the body comes."""
        if self.head is None and not data.startswith(b"HTTP/1.1 100 "):
            self.head = data
            return
        if self.head:
            if len(data) <= JOINED_BYTES:
                data = self.head + data
            else:
                self.transport.write(self.head)
            self.head = b""
        self.transport.write(data)


class Turns:
    """Lets one connection start a pipelined request in each round of the event loop.

    The loop accepts one connection per round. If each round answered a request of every connection,
    300 clients that pipeline would keep a new one waiting for 22,000 responses.
    """

    def __init__(self) -> None:
        self.waiting: deque[Connection] = deque()

    def queue(self, connection: Connection) -> None:
        """Give the connection a turn after those that are waiting."""
        if not self.waiting:
            connection.loop.call_soon(self._give_turn)
        self.waiting.append(connection)

    def _give_turn(self) -> None:
        connection = self.waiting.popleft()
        if self.waiting:
            connection.loop.call_soon(self._give_turn)
        connection.take_turn()
