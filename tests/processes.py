"""Training and serving in processes of their own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parent.parent
Home = dict[str, str]
BODY = b'{"hours": 4}'
REQUEST = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")


def call(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program; its output is text."""
    options = {"capture_output": True, "text": True, "timeout": 120, **options}
    return subprocess.run(command, check=False, **options)


def run(home: Home, *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a module of Python."""
    return call(sys.executable, "-m", *command, cwd=cwd, env=home)


def start_training(home: Home, *options: str, **streams: Any) -> subprocess.Popen[str]:
    """Start `python -m training`; its standard error is a pipe unless `streams` has another."""
    command = [sys.executable, "-u", "-m", "training", *options]
    streams = {"stderr": subprocess.PIPE, **streams}
    return subprocess.Popen(command, cwd=ROOT, env=home, text=True, **streams)


def stored(home: Home, pattern: str = "*") -> list[Path]:
    """What the store has of this pattern; nothing where no model was ever saved."""
    return list(Path(home["BENTOML_HOME"], "models").glob(pattern))


def free_port() -> int:
    """A port that no other process of the tests takes before it is used.

    The kernel never chooses from this range, and each process of the tests has its own share of it.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = secrets.choice(range(10_000 + process, 32_768, processes))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server(subprocess.Popen[bytes]):
    """`bentoml serve` on a free port."""

    def __init__(self, home: Home, *arguments: str, cwd: Path = ROOT, **streams: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "bentoml", "serve", *arguments]
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        super().__init__([*command, *address], cwd=cwd, env=home, **streams)

    def end(self) -> str:
        """Ask it to end; what it writes to its pipe until then."""
        self.send_signal(signal.SIGTERM)
        assert self.stdout is not None
        return self.stdout.read().decode()

    @property
    def workers(self) -> list[psutil.Process]:
        """Its workers that are running."""
        return [
            child
            for child in psutil.Process(self.pid).children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE
            and "_bentoml_impl.worker.service" in " ".join(child.cmdline())
        ]

    @contextmanager
    def little_more_memory(self, megabytes: float) -> Iterator[None]:
        """Its only worker takes less than this more at the end of the block than at the start."""
        (worker,) = self.workers
        before = worker.memory_info().rss
        yield
        assert worker.memory_info().rss - before < megabytes * 1e6


@contextmanager
def start_serving(
    home: Home, *arguments: str, cwd: Path = ROOT, **streams: Any
) -> Iterator[Server]:
    """A server that is ready, and that is ended afterwards if it has not ended by itself."""
    with Server(home, *arguments, cwd=cwd, **streams) as server:
        try:
            wait_until(lambda: server.poll() is not None or answers(f"{server.url}/readyz"))
            assert server.poll() is None, "bentoml serve has ended"
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)


@contextmanager
def serving(home: Home, *arguments: str, cwd: Path = ROOT) -> Iterator[str]:
    """The URL of a server that is ready."""
    with start_serving(home, *arguments, cwd=cwd) as server:
        yield server.url


def answers(url: str, certificate: str | bool = True, seconds: float = 5) -> bool:
    try:
        return requests.get(url, verify=certificate, timeout=seconds).ok
    except requests.RequestException:  # the socket is there before any worker is
        return False


def accepts(url: str) -> bool:
    """Whether a new connection gets an answer."""
    return answers(f"{url}/livez", seconds=0.3)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def right(url: str, key: str = "", seconds: float = 10) -> bool:
    """Whether the service answers, and rightly, from the lab's model."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"hours": 4}
    try:
        answer = requests.post(f"{url}/predict", json=body, headers=headers, timeout=seconds)
    except requests.RequestException:
        return False
    return answer.ok and answer.json()["score"] == 8.0


def metric(url: str, name: str) -> float:
    """The sum of the samples of this name."""
    families = text_string_to_metric_families(requests.get(f"{url}/metrics", timeout=30).text)
    samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name)


def torchrun(home: Home, *command: str) -> subprocess.CompletedProcess[str]:
    """Two processes, at a free port."""
    return run(home, *TORCHRUN, *command)
