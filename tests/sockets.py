"""Requests as raw bytes, over connections to the service."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.processes import BODY, REQUEST, Server

ASK = REQUEST % (len(BODY), BODY)
PAGE = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"  # over a megabyte


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        yield connection


def exchange(server: Server, sent: bytes) -> bytes:
    """Everything the service answers, until it closes the connection."""
    with connected(server) as connection:
        connection.sendall(sent)
        return everything(connection)


def everything(connection: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(1 << 16):
            answer += part
    return answer


def scores(answer: bytes) -> list[float]:
    return [float(score) for score in re.findall(rb'"score":([\d.]+)', answer)]


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+) ", answer)]


def established(server: Server) -> int:
    """Connections of clients that the service has open."""
    (worker,) = server.workers
    return sum(
        connection.laddr.port == server.port
        for connection in worker.net_connections("tcp")
        if connection.status in ("ESTABLISHED", "CLOSE_WAIT")
    )
