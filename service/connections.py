"""What uvicorn leaves open: how long a connection may take over what, and how much it may send.

BentoML lets nobody choose uvicorn's protocol, so `install` puts this one in the place of the one
that uvicorn chooses. Each limit stands with the attack that it is there for; all of these are in
tests/test_connections.py.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
from collections import deque
from typing import Any, ClassVar

import httptools
import uvicorn.protocols.http.auto
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.settings import Settings

SWEEP_SECONDS = 0.5  # there are no timers: one sweep looks at all connections
HEAD_SECONDS = 10.0  # half a head keeps a connection for ever
MAX_HEAD_BYTES = 65_536  # a head, or what trails a chunked body, without end fills the memory
MAX_HEAD_LINES = 256  # short lines take more memory than room on the wire
# An answer that nobody takes is kept in memory: so much of it has to be taken in a request's time.
UNREAD_BYTES = 65_536
# The kernel holds megabytes of it besides (2.8 measured, on each connection), and as they drain in
# large steps, nobody sees who reads slowly and who not at all.
UNSENT_BYTES = 16_384
# What is parsed at once. Of requests sent ahead, the parser makes objects of a few kB each, and it
# cannot stop before the end of what it is given.
PIECE_BYTES = 512


class Connection(HttpToolsProtocol):
    """HTTP/1.1 with limits on what a client sends and on how long it takes."""

    keep_alive_seconds: float
    request_seconds: float
    turns: ClassVar[deque[Connection]] = deque()  # who have requests to start
    swept: set[Any] | None = None  # the connections of this worker's server, once it has a sweep

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self.config.app  # proxy.py stands where uvicorn has its own middleware
        self.ws_protocol_class = None  # a WebSocket is offered to nobody; such requests are plain
        self.in_body = False  # whether the body of a request is still to come
        self.overhead = 0  # bytes since the last of a body or the end of a request
        self.held = b""  # read, and not parsed while requests read before it wait
        self.running: RequestResponseCycle | None = None  # the last that was handed on
        self.broken = ""  # why nothing more can be read
        self.half_closed = False
        self.ending = False
        self.resumed = 0  # how often the client had fallen behind and caught up
        self.requests = 0  # whose heads are whole
        self.awaited: tuple[Any, ...] = ()  # what the client is waited for, and since when
        self.since = 0.0

    # What arrives

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Have the connection swept."""
        super().connection_made(transport)
        taken = transport.get_extra_info("socket")
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.flow = _Flow(transport, self)
        if Connection.swept is not self.connections:
            Connection.swept = self.connections
            sweep(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, or hold it until what came before is answered."""
        data, self.held = self.held + data, b""
        start = 0
        while start < len(data) and not self.pipeline and not self.broken:
            self._parse(data[start : start + PIECE_BYTES])
            start += PIECE_BYTES
        if start < len(data) and not self.broken:
            self.held = data[start:]
            self.flow.pause_reading()

    def _parse(self, piece: bytes) -> None:
        self.overhead += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as offer:
            self._decline(piece[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("the request is not valid HTTP")
        else:
            if self.overhead > MAX_HEAD_BYTES or len(self.headers or ()) > MAX_HEAD_LINES:
                self.send_400_response(
                    f"the head of the request is too large; {MAX_HEAD_BYTES} bytes in"
                    f" {MAX_HEAD_LINES} lines are allowed"
                )

    def _decline(self, rest: bytes) -> None:
        """Parse a request once more without its offer to go on in another protocol.

        The parser takes whatever follows the head of such a request for that other protocol, and
        so loses the body.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            return self.send_400_response("CONNECT is for proxies, which this is not")
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % line for line in self.headers if line[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.overhead = 0
        self._parse(b"\r\n".join([*lines, b"", rest]))

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        if self.parser.should_upgrade():
            return
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts != 1 and self.parser.get_http_version() == "1.1":
            raise ValueError("RFC 9112, 3.2: a request names its host, and once")
        super().on_headers_complete()
        self.requests += 1
        self.in_body = True
        self.headers = []  # for trailers, which nobody reads
        if not self.pipeline:
            self.running = self.cycle

    def on_body(self, body: bytes) -> None:
        """Some of the body has come."""
        self.overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self.parser.should_upgrade():
            return
        self.in_body = False
        self.overhead = 0
        super().on_message_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep a connection whose client will send no more as long as answers are due."""
        self.half_closed = True
        return bool(self.pipeline) or (self._is_busy() and not self.in_body)

    # What is answered

    def _is_busy(self) -> bool:
        return self.running is not None and not self.running.response_complete

    def on_response_complete(self) -> None:
        """Go on; an idle connection gets no timer, unlike uvicorn's."""
        self.server_state.total_requests += 1
        if self.pipeline or self.broken or self.half_closed or self.flow.read_paused:
            self._go_on()

    def resume_writing(self) -> None:
        """Go on, now that the client takes its answers."""
        super().resume_writing()
        self.resumed += 1
        self._go_on()

    def _waits(self) -> bool:
        return self._is_busy() or self.flow.write_paused or self.transport.is_closing()

    def _go_on(self) -> None:
        """Read on, or end; a request that has been read waits for its turn."""
        if self._waits():
            return
        if self.pipeline:
            if not Connection.turns:
                self.loop.call_soon(take_turns, self.loop)
            return Connection.turns.append(self)
        if self.broken:
            self._refuse()
        elif self.half_closed:
            self.transport.close()
        self.flow.resume_reading()

    def take_turn(self) -> None:
        """Start the next request, and parse what was held while it waited."""
        if self.pipeline and not self._waits():
            self.running, app = self.pipeline.pop()
            self._start_asgi_task(self.running, app)
            self.data_received(b"")
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is being received; what was received before it is answered first."""
        self.broken, self.held = msg, b""
        if self.in_body and self.pipeline:
            self.pipeline.popleft()
        elif self.in_body and self.cycle.response_started:
            return self.transport.close()
        elif self.in_body or not self._is_busy():
            return self._refuse()
        self.flow.pause_reading()

    def _refuse(self) -> None:
        body = json.dumps({"error": self.broken}).encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        self.transport.close()

    # What ends

    def shutdown(self) -> None:
        """Take no more requests, and end with the last answer or a request's time from now."""
        self.ending, self.held = True, b""
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the requests under way, of which uvicorn tells the last one."""
        self.held = b""
        self.pipeline.clear()
        if self.running is not None and not self.running.response_complete:
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)

    def look(self, now: float) -> None:
        """Cut the connection if its client has been waited for too long."""
        awaited, seconds = self._waits_for()
        if awaited != self.awaited:
            self.awaited, self.since = awaited, now
        elif now - self.since > seconds:
            self.transport.abort()

    def _waits_for(self) -> tuple[tuple[Any, ...], float]:
        """What the client is waited for, other than before if it got further; and how long."""
        request = self.requests
        unread = self.transport.get_write_buffer_size()
        if self.ending:
            return ("end",), self.request_seconds + SWEEP_SECONDS
        if unread:
            return ("answer", request, self.resumed, unread // UNREAD_BYTES), self.request_seconds
        if self.in_body:  # the application's 504 goes first
            return ("body", request), self.request_seconds + SWEEP_SECONDS
        if self.scope is not None and "method" not in self.scope:  # uvicorn sets it with the head
            return ("head", request), HEAD_SECONDS
        if self._is_busy():
            return ("nothing",), math.inf
        return ("request", request), self.keep_alive_seconds


class _Flow(FlowControl):
    """Reads on only where nothing that was read before is still to be answered or taken."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        super().__init__(transport)
        self.connection = connection

    def resume_reading(self) -> None:
        if not (self.write_paused or self.connection.pipeline or self.connection.broken):
            super().resume_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.pause_reading()


def take_turns(loop: asyncio.AbstractEventLoop) -> None:
    """Let one connection start a request, and the next in the next round of the loop.

    The loop accepts one connection in a round. Were one request of everybody who sends them ahead
    answered in each, 300 such clients would keep a newcomer waiting for 22,000 answers.
    """
    connection = Connection.turns.popleft()
    if Connection.turns:
        loop.call_soon(take_turns, loop)
    connection.take_turn()


def sweep(loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
    """Look at each connection, now and every half a second."""
    for connection in tuple(connections):
        connection.look(loop.time())
    loop.call_later(SWEEP_SECONDS, sweep, loop, connections)


def install(settings: Settings) -> None:
    """Have uvicorn use `Connection`."""
    Connection.keep_alive_seconds = settings.keep_alive_seconds
    Connection.request_seconds = settings.timeout_seconds
    uvicorn.protocols.http.auto.AutoHTTPProtocol = Connection
