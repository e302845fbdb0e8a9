"""Clients that are slow, rude or gone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
import requests

from service.flow import Writer
from tests.processes import Home, Server, right, start_serving, wait_until
from tests.sockets import ASK, PAGE, connected, established, everything, scores, statuses

CHUNKED = b"GET /model HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LATE = b"HTTP/1.1 504 Gateway Timeout\r\n"


async def test_half_sent_heads_and_bodies_are_gone_after_their_time(quick: Home) -> None:
    async def answer(port: int, sent: bytes, seconds: float) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        try:
            async with asyncio.timeout(seconds):
                return await reader.readline()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    with start_serving({**quick, "STUDY_SCORE_KEEP_ALIVE_SECONDS": "60"}) as server:
        for sent, seconds, allowed in ((ASK[:-3], 5, {b"", LATE}), (ASK[:40], 20, {b""})):
            clients = (answer(server.port, sent, seconds) for _ in range(500))
            assert set(await asyncio.gather(*clients)) <= allowed
        assert right(server.url)


def test_a_refused_request_whose_body_never_ends_is_cut(server: Server) -> None:
    endless = b"POST /model HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(endless)
        with pytest.raises(ConnectionError):
            end = time.monotonic() + 8
            while time.monotonic() < end:
                connection.sendall(b"x")
                time.sleep(0.01)


@pytest.mark.parametrize(
    ("start", "line"),
    [
        (b"POST /predict HTTP/1.1\r\n", b"a: b\r\n"),
        (b"POST /predict HTTP/1.1\r\nx: ", b"x" * 1000),
        (b"GET /", b"x" * 1000),
        (CHUNKED + b"0\r\n", b"a: b\r\n"),
        (CHUNKED + b"0\r\nx: ", b"x" * 1000),
        (CHUNKED + b"1;", b"x" * 1000),
        (b"", b"\r\n" * 100),
    ],
    ids=["lines", "line", "path", "trailers", "trailer", "extension", "nothing"],
)
def test_heads_and_trailers_without_end_are_cut(server: Server, start: bytes, line: bytes) -> None:
    with server.little_more_memory(10), connected(server) as connection:
        with pytest.raises(ConnectionError):
            connection.sendall(start)
            for _ in range(20_000):
                connection.sendall(line * 20)
        expected = {200, 400} if start.startswith(CHUNKED) else {400}
        assert set(statuses(everything(connection))) <= expected
        wait_until(lambda: established(server) == 0)
    assert right(server.url)


@pytest.mark.parametrize(
    "headers", [{f"x-{n}": "x" * 300 for n in range(200)}, {"x": "x" * 60_000}]
)
def test_a_long_head_or_body_is_fine(server: Server, headers: dict[str, str]) -> None:
    answer = requests.get(f"{server.url}/model", headers=headers, timeout=30)
    assert (answer.status_code, len(answer.request.headers)) == (200, len(headers) + 4)
    answer = requests.post(f"{server.url}/predict", data=b" " * 10**6, timeout=30)
    assert answer.status_code == 400


def test_those_who_do_not_read_hold_nobody_up_and_are_cut(quick: Home) -> None:
    environment = {**quick, "STUDY_SCORE_MAX_CONCURRENCY": "20"}
    with start_serving(environment) as server, contextlib.ExitStack() as stack:
        with server.little_more_memory(60):
            for _ in range(60):
                connection = stack.enter_context(connected(server))
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    for _ in range(1000):
                        connection.send(PAGE * 100)
            assert right(server.url)
            wait_until(lambda: established(server) == 0, 30)
        assert right(server.url)


def test_a_large_body_is_not_copied_for_each_of_those_who_do_not_read_it() -> None:
    transport = Mock()
    for body, copied in ((b"{}", True), (bytes(1 << 20), False)):
        writer = Writer(transport)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.write(body)
        written = transport.write.call_args.args[0]
        assert written.endswith(body)
        assert (written is not body) == copied


@contextmanager
def hardly_reading(server: Server) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(2)
        connection.connect(("127.0.0.1", server.port))
        yield connection


def test_one_who_reads_slowly_gets_the_whole_answer(quick: Home) -> None:
    # two seconds, because a busy machine may well stop the client for half a second
    with start_serving({**quick, "STUDY_SCORE_TIMEOUT_SECONDS": "2"}) as server:
        page = requests.get(server.url + PAGE.split()[1].decode(), timeout=30)
        with hardly_reading(server) as connection:
            connection.sendall(PAGE * 4)
            answer = b""
            while len(answer) < 4 * len(page.content):
                part = connection.recv(4096)
                assert part, f"cut after {len(answer)} bytes"
                answer += part
                time.sleep(0.003)
        assert statuses(answer) == [200] * 4


@contextmanager
def suspended(server: Server) -> Iterator[None]:
    (worker,) = server.workers
    worker.suspend()
    try:
        yield
    finally:
        worker.resume()


@pytest.fixture(scope="module")
def patient(quick: Home) -> Iterator[Server]:
    """A server that waits for its clients longer than a test takes."""
    times = {"STUDY_SCORE_TIMEOUT_SECONDS": "30", "STUDY_SCORE_KEEP_ALIVE_SECONDS": "30"}
    with start_serving({**quick, **times}) as server:
        yield server


def test_little_of_an_answer_waits_in_the_kernel_where_nobody_sees_it_taken(
    patient: Server,
) -> None:
    held = 0
    with hardly_reading(patient) as connection:
        connection.sendall(PAGE * 4)
        assert all(right(patient.url) for _ in range(50))
        with suspended(patient), contextlib.suppress(TimeoutError):
            while part := connection.recv(1 << 16):
                held += len(part)
    assert 0 < held < 200_000


def test_who_comes_new_does_not_wait_for_all_who_pipeline(patient: Server) -> None:
    number = 300
    with contextlib.ExitStack() as stack:
        with suspended(patient):
            crowd = [stack.enter_context(connected(patient)) for _ in range(number)]
            for connection in crowd:
                connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
            new = stack.enter_context(connected(patient))
            new.sendall(ASK)
        answer = b""
        while not scores(answer) and (part := new.recv(1 << 16)):
            answer += part
        assert scores(answer) == [8.0]
        with suspended(patient):
            answered = sum(connection.recv(1 << 20).count(b"HTTP/1.1 200") for connection in crowd)
        assert answered < 20 * number


def test_clients_that_are_gone_leave_nothing_in_the_log(quick: Home, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as stream, start_serving(quick, stdout=stream, stderr=stream) as server:
        before = log.stat().st_size
        for sent in (ASK, ASK * 100, PAGE, PAGE * 10, ASK[:-3], ASK + ASK[:-3], ASK * 2 + b"x"):
            for number in range(40):
                with connected(server) as connection:
                    reset = struct.pack("ii", number % 2, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    connection.sendall(sent)
        wait_until(lambda: established(server) == 0)
        assert right(server.url)
        assert log.read_text()[before:] == ""


def test_sigterm_ends_the_service_whatever_clients_do(quick: Home) -> None:
    environment = {**quick, "STUDY_SCORE_KEEP_ALIVE_SECONDS": "3600"}
    with start_serving(environment) as server, contextlib.ExitStack() as stack:
        for sent in (PAGE * 50, ASK[:40], ASK[:-3], b"", ASK * 500 + ASK[:-3]):
            for _ in range(20):
                stack.enter_context(connected(server)).sendall(sent)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=8) == 0
