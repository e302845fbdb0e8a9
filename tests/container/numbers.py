"""The table of the container in the README: `python -m tests.container.numbers`.

The stock service runs in our image too, with this environment's torch (a CPU build) laid over it;
its packages are counted, not built.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import requests
import torch

from tests.container.podman import BASE, IMAGE, Container, built, locked, podman, running
from tests.processes import ROOT

PROJECT = """
[project]
name = "counted"
version = "0"
requires-python = "==3.11.*"
dependencies = {dependencies}
[tool.uv]
environments = [\"\"\"
    sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython'
\"\"\"]
"""


class Run(NamedTuple):
    seconds: float
    at_rest: int
    under_load: int


def downloads(dependencies: Iterable[str]) -> tuple[int, float]:
    """How many packages are installed for these on Linux, and how many bytes are downloaded."""
    with tempfile.TemporaryDirectory() as folder:
        project = PROJECT.format(dependencies=list(dependencies))
        Path(folder, "pyproject.toml").write_text(project)
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        lock = tomllib.loads(Path(folder, "uv.lock").read_text())
    wheels = [each["wheels"] for each in lock["package"] if "wheels" in each]
    return len(wheels), sum(max(w["size"] for w in each if installs(w["url"])) for each in wheels)


def installs(url: str) -> bool:
    """Whether a wheel is one for CPython 3.11 on 64-bit Linux with glibc."""
    python, abi, platform = url.removesuffix(".whl").split("-")[-3:]
    return (platform == "any" or ("manylinux" in platform and platform.endswith("x86_64"))) and (
        "cp311" in python or abi in ("abi3", "none")
    )


def load(container: Container, seconds: float) -> None:
    """32 clients ask one after the other."""
    end = time.monotonic() + seconds

    def client(_: int) -> None:
        with requests.Session() as session:
            while time.monotonic() < end:
                answer = session.post(f"{container.url}/predict", json={"hours": 4}, timeout=10)
                assert answer.json()["score"] == 8

    with ThreadPoolExecutor(32) as clients:
        list(clients.map(client, range(32)))


def measure(*options: str, command: tuple[str, ...] = ()) -> Run:
    """Medians of three runs; 10 seconds of load each."""
    runs = []
    for _ in range(3):
        with running(*options, command=command) as container:
            at_rest = container.memory()
            load(container, 10)
            runs.append(Run(container.seconds, at_rest, container.memory()))
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, built(Path(name)) as (_, seconds):
        shutil.copy(ROOT / "tests/bench/stock.py", name)
        Path(name).chmod(0o755)
        site = Path(torch.__file__).parent.parent
        mounts = (f"--volume={site}:/site:ro", f"--volume={name}:/stock:ro")
        serve = ("bentoml", "serve", "stock:Stock", "--working-dir", "/stock")
        stock = measure(*mounts, "--env=PYTHONPATH=/site", command=serve)
        ours = measure()
        size, base = (int(podman("inspect", "-f", "{{.Size}}", each)) for each in (IMAGE, BASE))
    packages, bytes_ = downloads(locked())
    stock_packages, stock_bytes = downloads(["bentoml==1.4.39", "torch==2.13.0"])
    rows = [
        ("packages", packages, stock_packages),
        ("their download", f"{bytes_ / 1e6:.0f} MB", f"{stock_bytes / 1e6:.0f} MB"),
        ("size over the base image", f"{(size - base) / 1e6:.0f} MB", "not built"),
        ("`make image`", f"{seconds:.0f} s", "not built"),
        ("`run` to the first right answer", f"{ours.seconds:.1f} s", f"{stock.seconds:.1f} s"),
        ("memory at rest", mib(ours.at_rest), mib(stock.at_rest)),
        ("memory under load", mib(ours.under_load), mib(stock.under_load)),
    ]
    print("| | this image | stock Bento with torch |\n|---|---|---|")
    for row in rows:
        print("| {} | {} | {} |".format(*row))


def mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


if __name__ == "__main__":
    main()
