"""Programs from outside that some tests need."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.data import FILES
from tests.processes import accepts, free_port, wait_until


def tool(name: str, install: str, *places: str) -> str:
    """The path of a program, which may also be in one of the places.

    Without it the test is skipped, or fails under REQUIRE_ALL=1.
    """
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if path is None:
        sentence = f"{name} is missing; install it with: {install}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL of an HTTP server that logs nothing."""
    quiet = type(handler.__name__, (handler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), quiet) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def proxying(kind: str, service: str, folder: Path, limit: int = 60) -> Iterator[str]:
    """The URL of nginx or HAProxy before a service; connections are kept for `limit` seconds."""
    port = free_port()
    config = (FILES / f"{kind}.conf").read_text()
    places = {"SERVICE": service.rpartition(":")[2], "PROXY": str(port), "LIMIT": str(limit)}
    for place, value in places.items():
        config = config.replace(place, value)
    (folder / "config").write_text(config)
    command = {
        "nginx": [tool("nginx", "apt-get install nginx-light"), "-p", str(folder), "-c", "config"],
        "haproxy": [tool("haproxy", "apt-get install haproxy"), "-db", "-f", "config"],
    }[kind]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as proxy:
        try:
            wait_until(lambda: accepts(f"http://127.0.0.1:{port}"))
            yield f"http://127.0.0.1:{port}"
        finally:
            proxy.terminate()
