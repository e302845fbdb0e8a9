"""HTTP/1.1 as clients and proxies speak it: kept connections, pipelines, offers to upgrade."""

from __future__ import annotations

import json
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.data import FILES
from tests.processes import BODY, REQUEST, Home, Server, right, start_serving, wait_until
from tests.sockets import ASK, connected, established, everything, exchange, scores, statuses
from tests.tools import proxying, tool


def test_an_idle_connection_lives_as_long_as_is_set(server: Server) -> None:
    with connected(server) as used, connected(server) as unused:
        used.settimeout(4)  # uvicorn's own is 5
        unused.settimeout(4)
        used.sendall(ASK)
        assert statuses(everything(used)) == [200]
        assert everything(unused) == b""


def right_at_once(url: str, number: int = 20) -> bool:
    with ThreadPoolExecutor(number) as clients:
        return all(clients.map(right, [url] * number))


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
            assert right_at_once(url)
            wait_for_a_close(server)
            assert closed_by_the_service(server) == 0
        with proxying(kind, server.url, tmp_path, limit=1) as url:
            for _ in range(3):  # again just when the proxy begins to close what it kept
                assert right_at_once(url)
                wait_for_a_close(server)


def test_trailers_do_no_harm(server: Server) -> None:
    head = ASK.partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"c\r\n" + BODY + b"\r\n0\r\nAuthorization: x\r\n\r\n"
    assert scores(exchange(server, chunked * 3)) == [8.0] * 3


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
