"""The service as a process of its own, treated badly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import requests

from tests.processes import (
    BODY,
    REQUEST,
    ROOT,
    Home,
    Server,
    accepts,
    right,
    serving,
    start_serving,
    wait_until,
)


@dataclass
class Load:
    """What became of the requests of some clients that ask without a pause."""

    answers: list[tuple[int, str, float]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)


@asynccontextmanager
async def load(url: str, clients: int = 8) -> AsyncIterator[Load]:
    """Ask for the score of 4 hours from several clients at once, until the block ends."""
    seen, going = Load(), True

    async def client(session: aiohttp.ClientSession) -> None:
        while going:
            try:
                async with session.post(f"{url}/predict", json={"hours": 4}) as answer:
                    score = (await answer.json())["score"]
                    seen.answers.append((answer.status, answer.headers["x-model"], score))
            except (aiohttp.ClientError, OSError) as error:
                seen.failures.append(error)
                await asyncio.sleep(0.01)

    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        tasks = [asyncio.create_task(client(session)) for _ in range(clients)]
        try:
            yield seen
        finally:
            going = False
            await asyncio.gather(*tasks)


SAVER = """
import sys
from models import store
model = store.load(store.LATEST).model
for line in sys.stdin:
    print(store.save(model.model_copy(update={"W": float(line)})), flush=True)
"""


def test_swapping_models_under_load_loses_no_request(trained: Home) -> None:
    async def scenario(url: str) -> None:
        first = requests.get(f"{url}/model", timeout=30).json()["tag"]
        expected = {first: 8.0}
        async with load(url) as seen:
            saver = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", SAVER), cwd=ROOT, env=trained, stdin=PIPE, stdout=PIPE
            )
            assert saver.stdin is not None and saver.stdout is not None
            for W in range(3, 13):
                saver.stdin.write(b"%d\n" % W)
                tag = (await saver.stdout.readline()).decode().strip()
                expected[tag] = 4.0 * W
                async with asyncio.timeout(10):
                    while seen.answers[-1][1] != tag:
                        await asyncio.sleep(0.01)
            saver.stdin.close()
            await saver.wait()
        assert seen.failures == []
        assert {tag for _, tag, _ in seen.answers} == set(expected)
        for status, tag, score in seen.answers:
            assert (status, score) == (200, expected[tag])

    with serving(trained) as url:
        asyncio.run(scenario(url))


def counted(url: str) -> dict[str, float]:
    lines = requests.get(f"{url}/metrics", timeout=30).text.splitlines()
    return {
        line.split("{")[0]: float(line.split()[-1])
        for line in lines
        if line.startswith(("bentoml_service_request_total", "study_score_model"))
    }


def test_the_metrics_of_two_workers_add_up(trained: Home) -> None:
    with start_serving({**trained, "STUDY_SCORE_WORKERS": "2"}) as server:
        workers = workers_of(server)
        for _ in range(200):  # each over a connection of its own, which either worker may take
            assert right(server.url)
        wait_until(lambda: counted(server.url).get("bentoml_service_request_total") == 200)
        assert counted(server.url)["study_score_model"] == len(workers) == 2


def test_two_services_of_one_home_count_each_their_own(trained: Home, tmp_path: Path) -> None:
    home = {**trained, "STUDY_SCORE_WORKERS": "2", "TMPDIR": str(tmp_path)}
    with start_serving(home) as first:
        for _ in range(30):
            assert right(first.url)
        with start_serving(home) as second:
            for _ in range(7):
                assert right(second.url)
            for server, number in ((first, 30), (second, 7)):
                expected = {"bentoml_service_request_total": number, "study_score_model": 2}
                wait_until(lambda s=server, e=expected: counted(s.url) == e)  # type: ignore[misc]
        assert right(first.url)
        wait_until(lambda: counted(first.url)["bentoml_service_request_total"] == 31)
    assert not list(tmp_path.glob("study-score-metrics-*"))


def test_a_killed_worker_is_missed_by_none_but_its_own_clients(trained: Home) -> None:
    async def scenario(server: Server) -> None:
        workers = workers_of(server)
        assert len(workers) == 2
        async with load(server.url) as seen:
            while len(seen.answers) < 100:
                await asyncio.sleep(0.01)
            workers[0].kill()
            before = len(seen.answers)
            async with asyncio.timeout(30):  # BentoML looks for dead workers every 10 seconds
                while len([w for w in workers_of(server) if w.pid != workers[0].pid]) < 2:
                    await asyncio.sleep(0.1)
            assert len(seen.answers) > before + 100
        assert len(seen.failures) <= 8

    with start_serving({**trained, "STUDY_SCORE_WORKERS": "2"}) as server:
        asyncio.run(scenario(server))


def workers_of(server: Server) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(server.pid).children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE
        and "_bentoml_impl.worker.service" in " ".join(child.cmdline())
    ]


def test_a_thousand_connections_at_once_are_all_answered(trained: Home) -> None:
    async def one(port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(REQUEST % (len(BODY), BODY))
            async with asyncio.timeout(30):
                return int((await reader.readline()).split()[1])
        finally:
            writer.close()

    async def scenario(port: int) -> list[int]:
        return await asyncio.gather(*(one(port) for _ in range(1000)))

    with start_serving(trained) as server:
        (worker,) = workers_of(server)
        before = worker.memory_info().rss
        for _ in range(2):
            statuses = asyncio.run(scenario(server.port))
            assert set(statuses) <= {200, 429, 503}
            assert statuses.count(200) > 500
        assert worker.memory_info().rss - before < 30e6
        assert right(server.url)


def test_a_client_that_sends_a_byte_a_second_holds_nothing_up(trained: Home) -> None:
    async def scenario(server: Server) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(REQUEST % (len(BODY), b""))
        answer = asyncio.create_task(reader.readline())
        async with load(server.url, clients=2) as seen:
            for byte in BODY:
                if answer.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.wait([answer], timeout=1)
        writer.close()
        assert seen.failures == []
        assert len(seen.answers) > 100
        return await answer

    with start_serving(trained) as server:
        assert b" 504 " in asyncio.run(scenario(server))


def test_a_head_without_end_is_refused_before_it_fills_the_memory(trained: Home) -> None:
    async def scenario(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /predict HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                writer.write(b"a: b\r\n" * 1000)
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            return await reader.readline()
        return b""

    with start_serving(trained) as server:
        (worker,) = workers_of(server)
        before = worker.memory_info().rss
        assert asyncio.run(scenario(server.port)) in (b"", b"HTTP/1.1 400 Bad Request\r\n")
        assert worker.memory_info().rss - before < 10e6
        long_but_fine = {"x-long": "x" * 60_000}
        assert requests.get(f"{server.url}/model", headers=long_but_fine, timeout=30).ok
        assert (
            requests.post(f"{server.url}/predict", data=b" " * 10**6, timeout=30).status_code == 400
        )
        assert right(server.url)


def in_progress(url: str) -> float:
    name = "bentoml_service_request_in_progress"
    lines = requests.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_sigterm_lets_requests_in_flight_finish_and_ends_with_0(trained: Home) -> None:
    async def scenario(server: Server) -> list[bytes]:
        connections = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(20)]
        for _, writer in connections:
            writer.write(REQUEST % (len(BODY), BODY[:5]))
            await writer.drain()
        async with load(server.url, clients=4) as seen:
            await asyncio.to_thread(wait_until, lambda: in_progress(server.url) >= 20)
            assert seen.failures == []
            server.send_signal(signal.SIGTERM)
            await asyncio.to_thread(wait_until, lambda: not accepts(server.url))
            for _, writer in connections:
                writer.write(BODY[5:])
            answers = [await reader.read() for reader, _ in connections]
        for _, writer in connections:
            writer.close()
        return answers

    with start_serving(trained) as server:
        answers = asyncio.run(scenario(server))
        assert server.wait(timeout=15) == 0
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"score":8.0' in answer
