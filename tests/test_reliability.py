"""The service in a process of its own: under load, with dead workers and slow clients."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import requests

from tests.processes import (
    BODY,
    REQUEST,
    ROOT,
    Home,
    accepts,
    metric,
    right,
    serving,
    start_serving,
    wait_until,
)


@dataclass
class Load:
    """The answers to clients that ask without a pause, and their failures."""

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


async def test_swapping_models_under_load_loses_no_request(trained: Home) -> None:
    with serving(trained) as url:
        expected = {requests.get(f"{url}/model", timeout=30).json()["tag"]: 8.0}
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


TOTAL, MODEL = "bentoml_service_request_total", "study_score_model"
IN_PROGRESS = "bentoml_service_request_in_progress"


def both(url: str) -> list[float]:
    return [metric(url, TOTAL), metric(url, MODEL)]


def test_the_metrics_of_two_workers_add_up(trained: Home) -> None:
    with start_serving({**trained, "STUDY_SCORE_WORKERS": "2"}) as server:
        for _ in range(200):  # each over a connection of its own, which either worker may take
            assert right(server.url)
        wait_until(lambda: both(server.url) == [200, 2])
        assert len(server.workers) == 2


def test_two_services_of_one_home_count_each_their_own(trained: Home, tmp_path: Path) -> None:
    home = {**trained, "STUDY_SCORE_WORKERS": "2", "TMPDIR": str(tmp_path)}
    with start_serving(home) as first:
        for _ in range(30):
            assert right(first.url)
        with start_serving(home) as second:
            for _ in range(7):
                assert right(second.url)
            for server, expected in ((first, [30, 2]), (second, [7, 2])):
                wait_until(lambda s=server, e=expected: both(s.url) == e)  # type: ignore[misc]
        assert right(first.url)
        wait_until(lambda: metric(first.url, TOTAL) == 31)
    assert not list(tmp_path.glob("study-score-metrics-*"))


async def test_a_killed_worker_is_missed_by_none_but_its_own_clients(trained: Home) -> None:
    with start_serving({**trained, "STUDY_SCORE_WORKERS": "2"}) as server:
        killed, _ = server.workers
        async with load(server.url) as seen:
            while len(seen.answers) < 100:
                await asyncio.sleep(0.01)
            killed.kill()
            before = len(seen.answers)
            async with asyncio.timeout(30):  # BentoML looks for dead workers every 10 seconds
                while len([w for w in server.workers if w.pid != killed.pid]) < 2:
                    await asyncio.sleep(0.1)
            assert len(seen.answers) > before + 100
    assert len(seen.failures) <= 8


async def test_a_thousand_connections_at_once_are_all_answered(trained: Home) -> None:
    async def status(port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(REQUEST % (len(BODY), BODY))
            async with asyncio.timeout(30):
                return int((await reader.readline()).split()[1])
        finally:
            writer.close()

    with start_serving(trained) as server:
        with server.little_more_memory(30):
            for _ in range(2):
                statuses = await asyncio.gather(*(status(server.port) for _ in range(1000)))
                assert set(statuses) <= {200, 429, 503}
                assert statuses.count(200) > 500
        assert right(server.url)


async def test_a_client_that_sends_a_byte_a_second_holds_nothing_up(trained: Home) -> None:
    with start_serving(trained) as server:
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
        assert b" 504 " in await answer


async def test_sigterm_lets_requests_in_flight_finish_and_ends_with_0(trained: Home) -> None:
    with start_serving(trained) as server:
        connections = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(20)]
        for _, writer in connections:
            writer.write(REQUEST % (len(BODY), BODY[:5]))
            await writer.drain()
        async with load(server.url, clients=4) as seen:
            await asyncio.to_thread(wait_until, lambda: metric(server.url, IN_PROGRESS) >= 20)
            assert seen.failures == []
            server.send_signal(signal.SIGTERM)
            await asyncio.to_thread(wait_until, lambda: not accepts(server.url))
            for _, writer in connections:
                writer.write(BODY[5:])
            answers = [await reader.read() for reader, _ in connections]
        for _, writer in connections:
            writer.close()
        assert server.wait(timeout=15) == 0
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"score":8.0' in answer
