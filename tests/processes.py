"""Training and serving in processes of their own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
Home = dict[str, str]


def run(home: Home, *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def serving(home: Home, *arguments: str, cwd: Path = ROOT) -> Iterator[str]:
    """`bentoml serve` on a free port, until it is ready; the URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bentoml", "serve", *arguments]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)], cwd=cwd, env=home
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: server.poll() is not None or answers(f"{url}/readyz"))
            assert server.poll() is None, "bentoml serve has ended"
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
