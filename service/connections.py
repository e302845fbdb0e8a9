"""Limits that uvicorn lacks: how much a connection may send, and how long it may take.

BentoML has no option for uvicorn's protocol class, so `install` replaces the one that uvicorn
chooses. The comment of each limit names the attack that it prevents; tests/test_connections.py has
them all.
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

SWEEP_SECONDS = 0.5  # one sweep checks all connections, instead of a timer each
HEAD_SECONDS = 10.0  # else an incomplete head would keep a connection open forever
MAX_HEAD_BYTES = 65_536  # else an endless head or trailer would fill the memory
MAX_HEAD_LINES = 256  # short lines take more memory than their bytes
# An answer that nobody takes is kept in memory: so much of it has to be taken in a request's time.
UNREAD_BYTES = 65_536
# The kernel holds megabytes of it besides (2.8 measured, on each connection), and as they drain in
# large steps, nobody sees who reads slowly and who not at all.
UNSENT_BYTES = 16_384
# What is parsed at once. Of requests sent ahead, the parser makes objects of a few kB each, and it
# cannot stop before the end of what it is given.
PIECE_BYTES = 512


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection with limits on the size and time of what a client sends."""

    keep_alive_seconds: float
    request_seconds: float
    turns: ClassVar[deque[Connection]] = deque()  # connections with requests to start
    swept: set[Any] | None = None  # the connections of this worker's server, once it has a sweep

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self.config.app  # proxy.py replaces uvicorn's own middleware
        self.ws_protocol_class = None  # no WebSockets; such requests are treated as plain HTTP
        self.in_body = False  # whether the body of a request is still to come
        self.overhead = 0  # bytes since the last of a body or the end of a request
        self.held = b""  # received, but not parsed while earlier requests wait
        self.running: RequestResponseCycle | None = None  # the last request that was started
        self.broken = ""  # the error after which nothing more is read
        self.half_closed = False
        self.ending = False
        self.resumed = 0  # how often writing was paused and resumed
        self.requests = 0  # whose heads are complete
        self.awaited: tuple[Any, ...] = ()  # what the client has to do next, and since when
        self.since = 0.0

    # What arrives

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add the connection to the sweep."""
        super().connection_made(transport)
        taken = transport.get_extra_info("socket")
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.flow = _Flow(transport, self)
        if Connection.swept is not self.connections:
            Connection.swept = self.connections
            sweep(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        """Parse the data, or hold it until earlier requests are answered."""
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
        """Parse a request again without its offer to upgrade the protocol.

        The parser treats everything after the head of such a request as the other protocol, and so
        loses the body.
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
        """The head of a request is complete."""
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
        """Part of the body has arrived."""
        self.overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self.parser.should_upgrade():
            return
        self.in_body = False
        self.overhead = 0
        super().on_message_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep a half-closed connection open as long as responses are due."""
        self.half_closed = True
        return bool(self.pipeline) or (self._is_busy() and not self.in_body)

    # What is answered

    def _is_busy(self) -> bool:
        return self.running is not None and not self.running.response_complete

    def on_response_complete(self) -> None:
        """Continue after a response, without uvicorn's timer for idle connections."""
        self.server_state.total_requests += 1
        if self.pipeline or self.broken or self.half_closed or self.flow.read_paused:
            self._go_on()

    def resume_writing(self) -> None:
        """Continue, now that the client reads its responses again."""
        super().resume_writing()
        self.resumed += 1
        self._go_on()

    def _waits(self) -> bool:
        return self._is_busy() or self.flow.write_paused or self.transport.is_closing()

    def _go_on(self) -> None:
        """Read on, or close; a request that has been read waits for its turn."""
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
        """Refuse the request being received, after earlier ones are answered."""
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
        """Accept no more requests; close after the last response or the request timeout."""
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
        """Close the connection if its client has taken too long."""
        awaited, seconds = self._waits_for()
        if awaited != self.awaited:
            self.awaited, self.since = awaited, now
        elif now - self.since > seconds:
            self.transport.abort()

    def _waits_for(self) -> tuple[tuple[Any, ...], float]:
        """What the client has to do next (it changes with progress), and in how many seconds."""
        request = self.requests
        unread = self.transport.get_write_buffer_size()
        if self.ending:
            return ("end",), self.request_seconds + SWEEP_SECONDS
        if unread:
            return ("answer", request, self.resumed, unread // UNREAD_BYTES), self.request_seconds
        if self.in_body:  # the application answers 504 before that
            return ("body", request), self.request_seconds + SWEEP_SECONDS
        if self.scope is not None and "method" not in self.scope:  # uvicorn sets it with the head
            return ("head", request), HEAD_SECONDS
        if self._is_busy():
            return ("nothing",), math.inf
        return ("request", request), self.keep_alive_seconds


class _Flow(FlowControl):
    """Resumes reading only if all earlier requests are answered and their responses read."""

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
    """Check each connection, now and every half second."""
    for connection in tuple(connections):
        connection.look(loop.time())
    loop.call_later(SWEEP_SECONDS, sweep, loop, connections)


def install(settings: Settings) -> None:
    """Make uvicorn use `Connection`."""
    Connection.keep_alive_seconds = settings.keep_alive_seconds
    Connection.request_seconds = settings.timeout_seconds
    uvicorn.protocols.http.auto.AutoHTTPProtocol = Connection
