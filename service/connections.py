"""Limits that uvicorn lacks: how much a connection may send, and how long it may take.

BentoML has no option for uvicorn's protocol class, so `install` replaces the one that uvicorn
chooses. The comment of each limit names the attack that it prevents.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
from typing import Any, ClassVar

import httptools
import uvicorn.protocols.http.auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.flow import Flow, Turns, Writer
from service.settings import Settings

SWEEP_SECONDS = 0.5  # one sweep checks all connections, instead of a timer each
HEAD_SECONDS = 10.0  # else an incomplete head would keep a connection open forever
MAX_HEAD_BYTES = 65_536  # else an endless head or trailer would fill the memory
MAX_HEAD_LINES = 256  # short lines take more memory than their bytes
# A response that is never read would stay in memory: this much must be read in a request's time.
UNREAD_BYTES = 65_536
# Else the kernel would hold megabytes more per connection, and take them in steps so large that a
# slow reader looks like one that has stopped.
UNSENT_BYTES = 16_384
# Parsed at once: the parser cannot pause, and makes objects of a few kB for each pipelined request.
PIECE_BYTES = 512


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection with limits on the size and time of what a client sends."""

    keep_alive_seconds: float
    request_seconds: float
    turns: ClassVar[Turns] = Turns()
    swept: set[Any] | None = None  # the server's connections, once the sweep has started

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self.config.app  # proxy.py replaces uvicorn's own middleware
        self.ws_protocol_class = None  # WebSocket handshakes are treated as plain HTTP
        self.in_body = False  # whether the body of a request is incomplete
        self.overhead = 0  # bytes received since the last byte of a body
        self.held = b""  # received, but not parsed before earlier requests are answered
        self.running: RequestResponseCycle | None = None  # the last request that was started
        self.broken = ""  # the error after which nothing more is read
        self.half_closed = False
        self.ending = False
        self.resumed = 0  # how often writing was paused and resumed
        self.requests = 0  # number of complete heads
        self.awaited: tuple[Any, ...] = ()  # what the client must do next
        self.since = 0.0  # when it was first awaited

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add the connection to the sweep."""
        super().connection_made(transport)
        tcp = transport.get_extra_info("socket")
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.flow = Flow(transport, self)
        if Connection.swept is not self.connections:
            Connection.swept = self.connections
            sweep(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        """Parse the data, or hold it until earlier requests are answered."""
        data, self.held = self.held + data, b""
        for start in range(0, len(data), PIECE_BYTES):
            if self.broken:
                return
            if self.pipeline:
                self.held = data[start:]
                return self.flow.pause_reading()
            self._parse(data[start : start + PIECE_BYTES])

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
                    f"the head is too large: over {MAX_HEAD_BYTES} bytes or {MAX_HEAD_LINES} lines"
                )

    def _decline(self, rest: bytes) -> None:
        """Parse a request again without its offer to upgrade the protocol.

        The parser would ignore everything after the head, since it belongs to the other protocol.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            return self.send_400_response("CONNECT is for proxies; this is not one")
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
            raise ValueError("RFC 9112, 3.2: exactly one Host header")
        super().on_headers_complete()
        if self.parser.get_method() != b"HEAD":  # its responses have no body
            self.cycle.transport = Writer(self.transport)  # type: ignore[assignment]
        self.requests += 1
        self.in_body = True
        self.headers = []  # trailers go here, and are not used
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

    def _is_busy(self) -> bool:
        return self.running is not None and not self.running.response_complete

    def on_response_complete(self) -> None:
        """Continue after a response; `check` replaces uvicorn's timer for idle connections."""
        self.server_state.total_requests += 1
        if self.pipeline or self.broken or self.half_closed or self.flow.read_paused:
            self._go_on()

    def resume_writing(self) -> None:
        """Continue when the client reads its responses again."""
        super().resume_writing()
        self.resumed += 1
        self._go_on()

    def _waits(self) -> bool:
        return self._is_busy() or self.flow.write_paused or self.transport.is_closing()

    def _go_on(self) -> None:
        """Queue the next pipelined request, or read on, or close."""
        if self._waits():
            return
        if self.pipeline:
            return Connection.turns.queue(self)
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

    def shutdown(self) -> None:
        """Accept no more requests; close after the last response or the request timeout."""
        self.ending, self.held = True, b""
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the running request as disconnected; uvicorn marks only the last of a pipeline."""
        self.held = b""
        self.pipeline.clear()
        if self.running is not None and not self.running.response_complete:
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)

    def check(self, now: float) -> None:
        """Close the connection if its client has taken too long."""
        awaited, seconds = self._find_awaited()
        if awaited != self.awaited:
            self.awaited, self.since = awaited, now
        elif now - self.since > seconds:
            self.transport.abort()

    def _find_awaited(self) -> tuple[tuple[Any, ...], float]:
        """What the client must do next (it changes with progress), and in how many seconds."""
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


def sweep(loop: asyncio.AbstractEventLoop, connections: set[Any]) -> None:
    """Check each connection, now and every half second."""
    for connection in tuple(connections):
        connection.check(loop.time())
    loop.call_later(SWEEP_SECONDS, sweep, loop, connections)


def install(settings: Settings) -> None:
    """Make uvicorn use `Connection`."""
    Connection.keep_alive_seconds = settings.keep_alive_seconds
    Connection.request_seconds = settings.timeout_seconds
    uvicorn.protocols.http.auto.AutoHTTPProtocol = Connection
