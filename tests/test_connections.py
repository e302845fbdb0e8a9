"""Clients that are slow, rude or gone, and proxies that keep connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.data import FILES
from tests.processes import BODY, REQUEST, Home, Server, right, run, start_serving, wait_until
from tests.tools import proxying, tool

ASK = REQUEST % (len(BODY), BODY)
PAGE = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"  # over a megabyte
CHUNKED = b"GET /model HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GONE = (b"", b"HTTP/1.1 400 Bad Request\r\n")


@pytest.fixture(scope="module")
def quick(module_home: Home) -> Home:
    """An environment with the lab's model, where a request has half a second."""
    assert run(module_home, "training").returncode == 0
    return {
        **module_home,
        "STUDY_SCORE_ACCESS_LOG": "off",
        "STUDY_SCORE_TIMEOUT_SECONDS": "0.5",
        "STUDY_SCORE_KEEP_ALIVE_SECONDS": "0.2",
    }


@pytest.fixture(scope="module")
def server(quick: Home) -> Iterator[Server]:
    with start_serving(quick) as server:
        yield server


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


def worker_of(server: Server) -> psutil.Process:
    (worker,) = (
        child
        for child in psutil.Process(server.pid).children(recursive=True)
        if "_bentoml_impl.worker.service" in " ".join(child.cmdline())
    )
    return worker


def established(server: Server) -> int:
    """Connections of clients that the service has open."""
    return sum(
        connection.laddr.port == server.port
        for connection in worker_of(server).net_connections("tcp")
        if connection.status in ("ESTABLISHED", "CLOSE_WAIT")
    )


@contextmanager
def little_more_memory(server: Server, megabytes: float) -> Iterator[None]:
    worker = worker_of(server)
    before = worker.memory_info().rss
    yield
    assert worker.memory_info().rss - before < megabytes * 1e6


def test_an_idle_connection_lives_as_long_as_is_set(server: Server) -> None:
    with connected(server) as used, connected(server) as unused:
        used.settimeout(4)  # uvicorn's own is 5
        unused.settimeout(4)
        used.sendall(ASK)
        assert statuses(everything(used)) == [200]
        assert everything(unused) == b""


def ask_at_once(url: str, number: int = 20) -> list[int]:
    def ask(_: int) -> int:
        return requests.post(f"{url}/predict", json={"hours": 4}, timeout=10).status_code

    with ThreadPoolExecutor(number) as clients:
        return list(clients.map(ask, range(number)))


def wait_for_a_close(server: Server) -> None:
    kept = established(server)
    wait_until(lambda: established(server) < kept)


def closed_by_the_service(server: Server) -> int:
    """Connections that the service closed first: it is on its side that they linger."""
    return sum(
        connection.laddr.port == server.port and connection.status in ("TIME_WAIT", "FIN_WAIT2")
        for connection in psutil.net_connections("tcp")
        if connection.laddr
    )


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_a_proxy_keeps_connections_as_long_as_it_likes_and_gets_no_502(
    kind: str, trained: Home, tmp_path: Path
) -> None:
    with start_serving(trained) as server:
        with proxying(kind, server.url, tmp_path, limit=6) as url:
            assert set(ask_at_once(url)) == {200}
            wait_for_a_close(server)
            assert closed_by_the_service(server) == 0
        with proxying(kind, server.url, tmp_path, limit=1) as url:
            for _ in range(3):  # again just when the proxy begins to close what it kept
                assert set(ask_at_once(url)) == {200}
                wait_for_a_close(server)


def test_half_sent_heads_and_bodies_are_gone_after_their_time(quick: Home) -> None:
    async def scenario(port: int, sent: bytes, seconds: float) -> list[bytes]:
        async def one() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            try:
                async with asyncio.timeout(seconds):
                    return await reader.readline()
            except ConnectionError:
                return b""
            finally:
                writer.close()

        return await asyncio.gather(*(one() for _ in range(500)))

    with start_serving({**quick, "STUDY_SCORE_KEEP_ALIVE_SECONDS": "60"}) as server:
        late = b"HTTP/1.1 504 Gateway Timeout\r\n"
        assert set(asyncio.run(scenario(server.port, ASK[:-3], 5))) <= {b"", late}
        assert set(asyncio.run(scenario(server.port, ASK[:40], 20))) == {b""}
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
    with little_more_memory(server, 10), connected(server) as connection:
        with pytest.raises(ConnectionError):
            connection.sendall(start)
            for _ in range(20_000):
                connection.sendall(line * 20)
        wait_until(lambda: established(server) == 0)
    assert right(server.url)


def test_a_long_head_is_fine(server: Server) -> None:
    headers = {f"x-{number}": "x" * 300 for number in range(200)}
    answer = requests.get(f"{server.url}/model", headers=headers, timeout=30)
    assert (answer.status_code, len(answer.request.headers)) == (200, 204)


def test_trailers_do_no_harm(server: Server) -> None:
    head = ASK.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"c\r\n" + BODY + b"\r\n0\r\nAuthorization: x\r\n\r\n"
    assert scores(exchange(server, chunked * 3)) == [8.0] * 3


def test_those_who_do_not_read_hold_nobody_up_and_are_cut(quick: Home) -> None:
    environment = {**quick, "STUDY_SCORE_MAX_CONCURRENCY": "20"}
    with start_serving(environment) as server, contextlib.ExitStack() as stack:
        with little_more_memory(server, 60):
            for _ in range(60):
                connection = stack.enter_context(connected(server))
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    for _ in range(1000):
                        connection.send(PAGE * 100)
            assert right(server.url)
            wait_until(lambda: established(server) == 0, 30)
        assert right(server.url)


@contextmanager
def hardly_reading(server: Server) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(2)
        connection.connect(("127.0.0.1", server.port))
        yield connection


def test_one_who_reads_slowly_gets_the_whole_answer(quick: Home) -> None:
    # two seconds, for a busy machine may well stop the client for half a one
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
    worker = worker_of(server)
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


def test_pipelined_requests_are_all_answered_in_their_order(server: Server) -> None:
    bodies = [b'{"hours": %d}' % number for number in range(2000)]
    sent = b"".join(REQUEST % (len(body), body) for body in bodies)
    answer = exchange(server, sent)
    assert statuses(answer) == [200] * 2000
    assert scores(answer) == pytest.approx([2.0 * number for number in range(2000)], abs=1e-9)


def test_the_requests_before_a_broken_one_are_answered(server: Server) -> None:
    answer = exchange(server, ASK * 100 + b"nonsense\r\n\r\n" + ASK)
    assert statuses(answer) == [200] * 100 + [400]
    assert body_of(answer) == {"error": "the request is not valid HTTP"}


def test_a_long_body_with_half_the_next_head_behind_it_loses_neither(server: Server) -> None:
    body = b'{"hours": 4' + b" " * 100_000 + b"}"
    with connected(server) as connection:
        connection.sendall(REQUEST % (len(body), body) + ASK[:50])
        first = connection.recv(1 << 16)
        connection.sendall(ASK[50:])
        assert scores(first + everything(connection)) == [8.0, 8.0]


@pytest.mark.parametrize("number", [1, 100])
def test_a_client_that_half_closes_gets_its_answers(server: Server, number: int) -> None:
    with connected(server) as connection:
        connection.settimeout(5)
        connection.sendall(ASK * number)
        connection.shutdown(socket.SHUT_WR)
        assert scores(everything(connection)) == [8.0] * number


def test_a_client_that_half_closes_within_its_body_is_let_go(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(ASK[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == b""


@pytest.mark.parametrize("blanks", [b"Content-Length: 12 \r\n", b"Content-Length:\t12\t \r\n"])
def test_blanks_around_a_length_do_not_matter(server: Server, blanks: bytes) -> None:
    assert scores(exchange(server, ASK.replace(b"Content-Length: 12\r\n", blanks))) == [8.0]


UPGRADES = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
}


@pytest.mark.parametrize("offer", UPGRADES)
def test_an_offer_to_upgrade_is_declined_and_the_request_answered(
    server: Server, offer: str
) -> None:
    offering = ASK.replace(b"Host: x\r\n", b"Host: x\r\n" + UPGRADES[offer])
    assert scores(exchange(server, offering)) == [8.0]
    assert scores(exchange(server, offering + ASK + offering)) == [8.0] * 3
    with connected(server) as connection:
        connection.sendall(offering[:-5])
        wait_until(lambda: established(server) == 1)
        connection.sendall(offering[-5:])
        assert scores(everything(connection)) == [8.0]


def body_of(answer: bytes) -> Any:
    return json.loads(answer.rpartition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /predict HTTP/1.1\r\nHost: x\r\n%s\r\n" % UPGRADES["websocket"], 405),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), 400),
        (b"GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /model HTTP/1.1\r\n\r\n", 400),
        (b"GET /model HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    ],
    ids=["websocket", "connect", "http/2", "tls", "no authority", "no host", "two hosts"],
)
def test_what_cannot_be_answered_gets_a_json_error(
    server: Server, sent: bytes, status: int
) -> None:
    answer = exchange(server, sent)
    assert statuses(answer) == [status]
    assert set(body_of(answer)) == {"error"}


def test_http_1_0_needs_no_host(server: Server) -> None:
    answer = exchange(server, b"GET /model HTTP/1.0\r\n\r\n")
    assert statuses(answer) == [200]


def test_a_request_without_host_adds_nothing_to_those_before_it(server: Server) -> None:
    answer = exchange(server, ASK * 3 + ASK.replace(b"Host: x\r\n", b"") + ASK)
    assert statuses(answer) == [200] * 3 + [400]


def test_curl_offers_http_2_and_is_answered(server: Server) -> None:
    command = [tool("curl", "apt-get install curl"), "--silent", "--http2", f"{server.url}/predict"]
    body = ["--json", BODY.decode()]
    answer = subprocess.run([*command, *body], capture_output=True, check=True).stdout
    assert json.loads(answer)["score"] == 8.0


def test_java_offers_http_2_and_is_answered(server: Server) -> None:
    tool("javac", "apt-get install default-jdk-headless")
    command = ["java", str(FILES / "Ask.java"), f"{server.url}/predict"]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert scores(answer) == [8.0] * 3


TRUSTED = {"STUDY_SCORE_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1"}


@pytest.mark.parametrize(("settings", "client"), [({}, "127.0.0.1"), (TRUSTED, "1.2.3.4")])
def test_only_proxies_that_are_named_say_whom_they_ask_for(
    trained: Home, tmp_path: Path, settings: Home, client: str
) -> None:
    log = tmp_path / "log"
    environment = {**trained, "STUDY_SCORE_ACCESS_LOG": "on", **settings}
    with log.open("w") as stream, start_serving(environment, stdout=stream) as server:
        requests.get(f"{server.url}/x", headers={"X-Forwarded-For": "1.2.3.4"}, timeout=30)
        wait_until(lambda: "GET /x 404" in log.read_text())
    assert f"{client} GET /x" in log.read_text()


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
