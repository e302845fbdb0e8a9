"""The service beside its peers, in one run: `python -m tests.bench.service` prints tables.

Everything runs on this machine with one worker each and access logs off; wrk sends valid requests
over 1 and 32 connections in interleaved rounds, and the medians are shown.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
import requests

from tests.processes import ROOT, free_port, right

BIN = Path(sys.executable).parent
STOCK = ROOT / ".venv" / "stock"  # bentoml and torch as the tutorial installs them
ROUNDS, SECONDS = 9, 3  # enough to tell a tenth apart on a machine that is not quite idle
OURS = "study score"


class Peer(NamedTuple):
    name: str
    command: list[str]


class Running(NamedTuple):
    process: psutil.Process
    url: str
    cold_start: float


def peers() -> list[Peer]:
    if not STOCK.exists():
        venv.create(STOCK, with_pip=True)
        pip = [str(STOCK / "bin" / "pip"), "install", "--quiet", "torch==2.13.0", "bentoml==1.4.39"]
        subprocess.run(pip, check=True)
    uvicorn = [str(BIN / "uvicorn"), "--no-access-log", "--log-level", "critical"]
    granian = [str(BIN / "granian"), "--interface", "asgi", "--no-access-log", "--no-log"]
    stock = [str(STOCK / "bin" / "bentoml"), "serve", "tests.bench.stock:Stock"]
    return [
        Peer(OURS, [str(BIN / "bentoml"), "serve", "--host", "127.0.0.1"]),
        Peer("bare Starlette + torch", [*uvicorn, "tests.bench.peers:starlette"]),
        Peer("Starlette + torch on Granian", [*granian, "tests.bench.peers:starlette"]),
        Peer("FastAPI + torch", [*uvicorn, "tests.bench.peers:fastapi"]),
        Peer("stock BentoML + torch", [*stock, "--host", "127.0.0.1"]),
        Peer("an empty ASGI app", [*uvicorn, "tests.bench.empty:app"]),
        Peer("an empty ASGI app on Granian", [*granian, "tests.bench.empty:app"]),
    ]


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[Running]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    process = psutil.Popen(
        [*command, "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not right(url):
            time.sleep(0.01)
        yield Running(process, url, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


class Sample(NamedTuple):
    rate: float
    p50: float
    p99: float


def wrk(url: str, connections: int, body: str, seconds: int = SECONDS) -> Sample:
    """Requests per second, and the median and 99th percentile of the time of one in ms."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method, wrk.body = 'POST', '{body}'\n")
        script.write("wrk.headers['content-type'] = 'application/json'\n")
        script.flush()
        command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
        out = subprocess.run(
            [*command, "-s", script.name, url], capture_output=True, text=True, check=True
        ).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{url} did not answer every request:\n{out}")
    p50, p99 = (milliseconds(out, percentile) for percentile in ("50%", "99%"))
    rate = re.search(r"Requests/sec: +([\d.]+)", out)
    return Sample(float(rate[1]) if rate else 0.0, p50, p99)


def milliseconds(out: str, percentile: str) -> float:
    match = re.search(rf"{percentile} +([\d.]+)(us|ms|s)\n", out)
    assert match
    return float(match[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[match[2]]


def memory(process: psutil.Process) -> list[float]:
    """Megabytes of the process and its children, largest first."""
    tree = [process, *process.children(recursive=True)]
    return sorted((each.memory_info().rss / 1e6 for each in tree), reverse=True)


def side_by_side(environment: dict[str, str]) -> None:
    body = json.dumps({"hours": 4})
    samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    with ExitStack() as stack:
        servers = {
            peer.name: stack.enter_context(running(peer.command, environment)) for peer in peers()
        }
        rest = {name: memory(server.process) for name, server in servers.items()}
        for _ in range(ROUNDS):
            for name, server in servers.items():
                for connections in (1, 32):
                    sample = wrk(f"{server.url}/predict", connections, body)
                    samples[name, connections].append(sample)
                assert right(server.url)

    def middle(name: str, connections: int, number: str) -> float:
        return float(median(getattr(sample, number) for sample in samples[name, connections]))

    ours = middle(OURS, 32, "rate")
    print(
        "| | requests/s at 1 / 32 connections | study score is | p50, p99 ms at 32 |"
        " MB (all) | start s |"
    )
    print("|---|---|---|---|---|---|")
    for name, server in servers.items():
        rate = middle(name, 32, "rate")
        print(
            f"| {name} | {middle(name, 1, 'rate'):,.0f} / {rate:,.0f} | {ours / rate:.2f} x |"
            f" {middle(name, 32, 'p50'):.1f}, {middle(name, 32, 'p99'):.1f} |"
            f" {rest[name][0]:.0f} ({sum(rest[name]):.0f}) | {server.cold_start:.1f} |"
        )


def alone(environment: dict[str, str]) -> None:
    body = json.dumps({"hours": 4})
    command = [str(BIN / "bentoml"), "serve", "--host", "127.0.0.1"]
    print("\n| hours in a request | predictions/s |\n|---|---|")
    with running(command, environment) as server:
        for size in (1, 10, 100, 1000, 10_000):
            batch = json.dumps({"hours": [round(i * 0.37 % 24, 2) for i in range(size)]})
            rate = wrk(f"{server.url}/predict_batch", 1, batch).rate
            print(f"| {size:,} | {rate * size:,.0f} |")
    with running(command, environment) as server:
        wrk(f"{server.url}/predict", 32, body)
        before = memory(server.process)[0]
        wrk(f"{server.url}/predict", 32, body, seconds=60)
        print(f"\n60 s of load: {memory(server.process)[0] - before:+.1f} MB")
        before = memory(server.process)[0]
        session = requests.Session()
        for number in range(10_000):
            session.get(f"{server.url}/made/up/{number}", timeout=30)
        started = time.perf_counter()
        size = len(requests.get(f"{server.url}/metrics", timeout=30).content)
        print(
            f"10,000 made-up URLs: {memory(server.process)[0] - before:+.1f} MB;"
            f" /metrics then has {size:,} bytes in {time.perf_counter() - started:.3f} s"
        )
    with running(command, environment) as server:
        more, seconds = hostile(server)
        print(f"1,000 hostile connections: {more:+.0f} MB, others wait {seconds:.1f} s at most")
    one, two = (workers(command, {**environment, "STUDY_SCORE_WORKERS": number}) for number in "12")
    print(f"two workers against one, on {os.cpu_count()} cores with wrk: {two / one:.2f} x")


def hostile(server: Running, number: int = 1000) -> tuple[float, float]:
    """What clients cost that send half a head, or never read what they request.

    Returns the most megabytes added, and the seconds that another client then waits.
    """
    page = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    kinds = (page * 1000, b"POST /predict HTTP/1.1\r\nx: " + b"x" * 60_000)
    before = height = memory(server.process)[0]
    with ExitStack() as stack:
        for each in range(number):
            address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
            client = stack.enter_context(socket.create_connection(address))
            client.setblocking(False)
            with suppress(OSError):  # it accepts no more, or has closed the connection
                client.send(kinds[each % 2])
        started = time.monotonic()
        with ThreadPoolExecutor() as other:
            waiting = other.submit(right, server.url, seconds=60)
            while not waiting.done():
                height = max(height, memory(server.process)[0])
                time.sleep(0.02)
        assert waiting.result()
    return height - before, time.monotonic() - started


def workers(command: list[str], environment: dict[str, str]) -> float:
    with running(command, environment) as server:
        return wrk(f"{server.url}/predict", 32, json.dumps({"hours": 4})).rate


@contextmanager
def trained() -> Iterator[dict[str, str]]:
    """The environment of a service whose store has the lab's model and nothing else."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "True"}
        environment |= {"STUDY_SCORE_ACCESS_LOG": "off"}
        train = [sys.executable, "-m", "training", "--json"]
        subprocess.run(train, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield environment


def main() -> None:
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing; install it with: apt-get install wrk")
    with trained() as environment:
        side_by_side(environment)
        alone(environment)


if __name__ == "__main__":
    main()
